// One call: what it has left to run, and what it is waiting for. Changed by `CallTable` and `Turns` alone.
import type { Ms, TaskSpec } from '../../model.js'
import type { RetryOptions } from '../../plan.js'
import type { ChunkSizer } from './chunk-size.js'
import type { CallId, CallOptions } from './messages.js'
import type { PendingChunk } from './pending-chunk.js'
import { DelayQueue, Fifo } from './queues.js'
import { RateLimiter } from './rate-limiter.js'
import { ResultGate } from './result-gate.js'
import { NO_RETRY } from './retry.js'

export interface Call {
  readonly id: CallId
  readonly task: TaskSpec
  readonly timeoutMs: Ms | undefined
  readonly retry: RetryOptions
  readonly sizer: ChunkSizer
  /** Of a call with a rate: each of its items is dispatched alone, to a worker that can begin it. */
  readonly limiter: RateLimiter | undefined
  /** All of its items together are expected to take little time. Decided before the first is dispatched. */
  isSmall: boolean
  /** Many of its chunks may be prefetched: they are small, and no failure stops the rest of the call. By default: if it is small. */
  readonly mayPrefetchMany: boolean | undefined
  readonly ready: Fifo<PendingChunk>
  /** Failed items that wait for their next attempt. */
  readonly delayed: DelayQueue<PendingChunk>
  /** Chunks in workers. */
  inFlight: number
  /** Items left in the source, if that is known. */
  remaining: number | undefined
  /** The source has been pulled and has not supplied yet. */
  isPulling: boolean
  /** The source has no more, or is not pulled any more. */
  sourceEnded: boolean
  /** Takes nothing more: what is not running is discarded. */
  isDraining: boolean
  isAborted: boolean
  /** Its caller knows how it has ended. Workers may still have chunks of it. */
  hasEnded: boolean
  /** It waits for its turn. */
  isQueued: boolean
  readonly gate: ResultGate | undefined
}

export type ScheduledCall = Readonly<Call>

export interface CallChunk {
  readonly call: ScheduledCall
  readonly pending: PendingChunk
}

export function createCall(id: CallId, options: CallOptions, sizer: ChunkSizer): Call {
  const { task, chunkSize, mayStop = false, timeoutMs, retry = NO_RETRY, intervalMs, remaining } = options
  const { check, isOrdered = false } = options
  return {
    id,
    task,
    timeoutMs,
    retry,
    sizer,
    limiter: intervalMs === undefined ? undefined : new RateLimiter(intervalMs),
    isSmall: intervalMs === undefined && sizer.isSmall,
    mayPrefetchMany: chunkSize === undefined ? undefined : !mayStop,
    ready: new Fifo(),
    delayed: new DelayQueue(),
    inFlight: 0,
    remaining,
    isPulling: false,
    sourceEnded: false,
    isDraining: false,
    isAborted: false,
    hasEnded: false,
    isQueued: false,
    gate: check && new ResultGate(check, isOrdered, task),
  }
}

/** Nothing of it settles any more. */
export function isOver({ isAborted, hasEnded }: ScheduledCall): boolean {
  return isAborted || hasEnded
}

/** Nothing of it is ready, delayed or in flight. */
export function isFinished({ ready, delayed, inFlight }: ScheduledCall): boolean {
  return inFlight === 0 && ready.length === 0 && delayed.length === 0
}
