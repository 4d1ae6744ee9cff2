// Stands in for a service that refuses every third request the first time it is asked.
// Which items fail follows from `context` alone, so that two runs agree.
import type { TaskContext } from 'poolrun'

export class ServiceUnavailable extends Error {
  readonly status = 503
}

export default function fetchRecord(id: string, { index, attempt }: TaskContext) {
  if (index % 3 === 2 && attempt === 1) throw new ServiceUnavailable(`${id}: try again later`)
  return { id, attempt }
}
