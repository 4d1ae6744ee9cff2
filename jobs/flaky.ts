// Simulates a service that refuses every third request at the first attempt.
// Whether an item fails depends only on `context`, so that every run gives the same results.
import type { TaskContext } from 'poolrun'

export class ServiceUnavailable extends Error {
  readonly status = 503
}

export default function fetchRecord(id: string, { index, attempt }: TaskContext) {
  if (index % 3 === 2 && attempt === 1) throw new ServiceUnavailable(`${id}: try again later`)
  return { id, attempt }
}
