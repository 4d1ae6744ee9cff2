// Look-ups in the columns of attempts. There can be several hundred thousand, ascending by start.
import { ATTEMPT_STATUSES, type AttemptStatus } from '../../../files/run-record.js'
import type { AttemptColumns } from '../../page-data.js'
import { formatDuration } from './format.js'

/** Position of an attempt in the columns. */
export type AttemptId = number

export interface Attempt {
  readonly index: number
  readonly item: string
  readonly attempt: number
  readonly worker: number
  readonly start: number
  readonly ms: number
  readonly status: AttemptStatus
}

export function getAttempt(attempts: AttemptColumns, id: AttemptId): Attempt {
  return {
    index: attempts.index[id]!,
    item: attempts.item[id]!,
    attempt: attempts.attempt[id]!,
    worker: attempts.worker[id]!,
    start: attempts.start[id]!,
    ms: attempts.ms[id]!,
    status: ATTEMPT_STATUSES[attempts.status[id]!]!,
  }
}

/** The attempts of one item, oldest first. */
export function attemptsOfItem(attempts: AttemptColumns, index: number): AttemptId[] {
  const ids: AttemptId[] = []
  for (let id = 0; id < attempts.index.length; id++) if (attempts.index[id] === index) ids.push(id)
  return ids
}

/** The last attempt that started at `ms` or before; -1 if there is none. */
export function lastStartedBy(attempts: AttemptColumns, ms: number): AttemptId {
  let low = 0
  let high = attempts.start.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (attempts.start[middle]! <= ms) low = middle + 1
    else high = middle
  }
  return low - 1
}

export function slowestAttempts(attempts: AttemptColumns, count: number): AttemptId[] {
  return [...attempts.ms.keys()].sort((a, b) => attempts.ms[b]! - attempts.ms[a]!).slice(0, count)
}

export interface AttemptFilter {
  /** `undefined` matches every status. */
  readonly status: AttemptStatus | undefined
  /** An item index as typed; blank matches every item. */
  readonly index: string
}

/** The first `limit` attempts that match, and how many there are in all. */
export function findAttempts(
  attempts: AttemptColumns,
  filter: AttemptFilter,
  limit: number,
): { readonly ids: AttemptId[]; readonly total: number } {
  const status = filter.status === undefined ? undefined : ATTEMPT_STATUSES.indexOf(filter.status)
  const index = filter.index.trim()
  const ids: AttemptId[] = []
  let total = 0
  for (let id = 0; id < attempts.index.length; id++) {
    if (status !== undefined && attempts.status[id] !== status) continue
    if (index !== '' && String(attempts.index[id]) !== index) continue
    if (total++ < limit) ids.push(id)
  }
  return { ids, total }
}

/** One sentence, like `item 7, attempt 2: flaky after 12 ms on worker 0, started at 1.5 s: photos/7.jpg`. */
export function describeAttempt(attempts: AttemptColumns, id: AttemptId): string {
  const { index, item, attempt, worker, start, ms, status } = getAttempt(attempts, id)
  const number = attempt > 1 ? `, attempt ${attempt}` : ''
  return `item ${index}${number}: ${status} after ${formatDuration(ms)} on worker ${worker}, started at ${formatDuration(start)}${item === '' ? '' : `: ${item}`}`
}
