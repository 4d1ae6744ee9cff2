// A chunk to run: as its source supplied it, or the part of one that must run again. Pure.
import { type Begun, type Chunk, failedMs, type ItemFailure } from '../../model.js'
import { remember } from './retry.js'
import { type Attempt, NO_FAILURES, type WorkerIdentity } from './settled-range.js'

export interface PendingChunk extends Attempt {
  /** Each of its items must be recorded before it begins: an earlier worker crashed in it. */
  readonly recordEachItem: boolean
  /** A worker crashed with it, and nothing of it had begun: it runs in a worker that has nothing else. */
  readonly isSuspect: boolean
  /** Where its items began before, or may have: they wait for another attempt, or to begin again after a crash. */
  readonly begunBefore: Begun | undefined
}

export function firstAttempt(chunk: Chunk): PendingChunk {
  return {
    chunk,
    attempt: 1,
    earlier: NO_FAILURES,
    recordEachItem: false,
    isSuspect: false,
    begunBefore: undefined,
  }
}

/** `item`: a chunk of the one item that failed. */
export function nextAttempt(
  item: Chunk,
  { attempt, earlier }: PendingChunk,
  failure: ItemFailure,
): PendingChunk {
  const { workerId, pid } = failure
  return {
    chunk: item,
    attempt: attempt + 1,
    earlier: remember(earlier, failure),
    recordEachItem: true,
    isSuspect: false,
    begunBefore: { workerId, pid, attempts: attempt, ms: failedMs(failure) },
  }
}

/** It may have begun in a worker that crashed, if there is one: from now on each item is recorded. */
export function begunIn(crashed: WorkerIdentity | undefined, pending: PendingChunk): PendingChunk {
  if (crashed === undefined) return pending
  const { id: workerId, pid } = crashed
  return { ...pending, recordEachItem: true, begunBefore: { workerId, pid, attempts: pending.attempt } }
}
