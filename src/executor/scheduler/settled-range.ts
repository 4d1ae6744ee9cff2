// From what a worker sent to what the consumer of a call receives: adds where the items ran and which attempt it was.
// Pure. The functions for ranges without failures are the hot path: called once per item when chunks hold one item,
// they allocate only what they return.
import type { ResultsMessage } from '../../ipc/protocol.js'
import {
  type CancelledRange,
  type Chunk,
  type Failure,
  failedMs,
  type ItemFailure,
  type Ms,
  type SettledRange,
  type TaskSpec,
  type Timings,
} from '../../model.js'
import { noResults, type ResultRange } from './ranges.js'

/** A chunk, and which attempt at its items this is. */
export interface Attempt {
  readonly chunk: Chunk
  /** From 1. Above 1 the chunk is a single item. */
  readonly attempt: number
  /** What the earlier attempts failed with. */
  readonly earlier: readonly ItemFailure[]
}

/** Where items ran. */
export interface WorkerIdentity {
  readonly id: number
  readonly pid: number
}

export const NO_FAILURES: readonly ItemFailure[] = []

export function resultRange(
  worker: WorkerIdentity,
  task: TaskSpec,
  attempt: Attempt,
  {
    from,
    count,
    results,
    failures,
    timings,
  }: Pick<ResultsMessage, 'from' | 'count' | 'results' | 'failures'> & Pick<ResultRange, 'timings'>,
): ResultRange {
  if (failures.length === 0) return { from, count, results, failures: NO_FAILURES, timings }
  return {
    from,
    count,
    results: failures.length === count ? noResults(task.reply, count) : results,
    failures: failures.map(({ offset, failure }) =>
      itemFailure(worker, attempt, offset, failure, timingAt(timings, offset - from)),
    ),
    timings,
  }
}

export function failedItem(
  worker: WorkerIdentity,
  { reply }: TaskSpec,
  attempt: Attempt,
  offset: number,
  failure: Failure,
): ResultRange {
  const failures = [itemFailure(worker, attempt, offset, failure)]
  return { from: offset, count: 1, results: noResults(reply, 1), failures }
}

export function settledRange(
  { id: workerId, pid }: WorkerIdentity,
  { chunk, attempt, earlier }: Attempt,
  { from, count, results, failures, timings }: ResultRange,
): SettledRange {
  const range = { chunk, from, count, results, failures, workerId, pid, attempts: attempt }
  const isFlaky = earlier.length > 0 && failures.length === 0
  if (timings === undefined && !isFlaky) return range
  return { ...range, ...(timings !== undefined && { timings }), ...(isFlaky && { flaky: earlier }) }
}

/** The items ended after their call: what they ended with no longer counts. */
export function cancelledRange(
  { id: workerId, pid }: WorkerIdentity,
  { chunk, attempt }: Attempt,
  { from, count, failures, timings }: ResultRange,
): CancelledRange {
  const last = failures.find(({ offset }) => offset === from + count - 1)
  const begun = { workerId, pid, attempts: attempt, ms: last && failedMs(last) }
  return { chunk, from, count, ...begun, ...(timings !== undefined && { timings }) }
}

function itemFailure(
  { id: workerId, pid }: WorkerIdentity,
  { attempt, earlier }: Attempt,
  offset: number,
  failure: Failure,
  timing?: { startedAt?: Ms; ms: Ms },
): ItemFailure {
  return {
    offset,
    failure,
    workerId,
    pid,
    attempts: attempt,
    ...timing,
    ...(earlier.length > 0 && { earlier }),
  }
}

function timingAt(timings: Timings | undefined, i: number): { startedAt?: Ms; ms: Ms } | undefined {
  if (timings === undefined) return undefined
  const startedAt = timings.startedAt[i]
  return { ms: timings.ms[i]!, ...(startedAt !== undefined && { startedAt }) }
}
