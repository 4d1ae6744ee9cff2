// One call as the scheduler sees it: where its items are, what is left to do. Data; every change is the scheduler's.
import type { Chunk, ItemFailure, Ms, TaskSpec } from '../../model.js'
import type { RetryOptions } from '../../plan.js'
import { type ChunkSizer, createChunkSizer } from './chunk-size.js'
import type { CallId, CallOptions } from './messages.js'
import { DelayQueue, Fifo } from './queues.js'
import { NO_RETRY } from './retry.js'

/** A chunk to be run: as it was supplied, or the part of one that must run again. */
export interface PendingChunk {
  readonly chunk: Chunk
  /** From 1. Beyond it, the chunk is one item. */
  readonly attempt: number
  /** What the earlier attempts failed with. */
  readonly earlier: readonly ItemFailure[]
  /** It must be known which of its items runs. */
  readonly recordEachItem: boolean
}

export interface ScheduledCall {
  readonly id: CallId
  readonly task: TaskSpec
  readonly timeoutMs: Ms | undefined
  readonly retry: RetryOptions
  readonly sizer: ChunkSizer
  /** Its chunks may be handed out by the dozen: they are as small as was asked for, and nothing will stop it. */
  readonly batched: boolean
  /** In hand and in no worker. */
  readonly ready: Fifo<PendingChunk>
  /** Failed, and to be tried again when their time has come. */
  readonly delayed: DelayQueue<PendingChunk>
  /** Works in workers, waiting or later. */
  outstanding: number
  /** Items that the source still has, where it knows. */
  remaining: number | undefined
  /** The source is asked and has not answered. */
  pulling: boolean
  /** The source has no more, or is not asked any more. */
  ended: boolean
  /** What has not begun is given up. */
  draining: boolean
  aborted: boolean
  /** It stands among those that take turns. */
  inTurn: boolean
}

export function createCall(id: CallId, options: CallOptions): ScheduledCall {
  const { task, chunkSize, mayStop = false, timeoutMs, retry = NO_RETRY, remaining } = options
  return {
    id,
    task,
    timeoutMs,
    retry,
    sizer: createChunkSizer(chunkSize),
    batched: chunkSize !== undefined && !mayStop,
    ready: new Fifo(),
    delayed: new DelayQueue(),
    outstanding: 0,
    remaining,
    pulling: false,
    ended: false,
    draining: false,
    aborted: false,
    inTurn: false,
  }
}

/** How many workers could begin something of it now, as far as is known. */
export function itemsAhead({ ready: waiting, ended, remaining }: ScheduledCall): number {
  return waiting.length + (ended ? 0 : (remaining ?? Number.POSITIVE_INFINITY))
}

/** Whether a worker that has room can be given something of it. */
export function hasWork({ ready: waiting, pulling, ended }: ScheduledCall): boolean {
  return waiting.length > 0 || !(pulling || ended)
}
