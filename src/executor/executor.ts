// The outer seam: something that runs chunks. Local processes now; shell commands and a queue can be others.
// An executor does not know policies, order, windows, writers or reports.
import type { SettledRange, TaskSpec } from '../model.js'
import type { RetryOptions } from '../plan.js'
import type { ChunkSource } from '../source.js'
import type { ExecutionFault } from './execution-fault.js'

export interface Execution {
  readonly task: TaskSpec
  /** Never throws: whoever composes the run has wrapped what can. */
  readonly source: ChunkSource
  /** Items a chunk; `undefined` adapts. */
  readonly chunkSize?: number | undefined
  /** Hand out no more chunks ahead than keep workers busy: the call may be stopped at any moment. */
  readonly mayStop?: boolean | undefined
  /** Per attempt, from the moment the item begins. */
  readonly timeoutMs?: number | undefined
  /** Which failures are tried again, and when; never without. */
  readonly retry?: RetryOptions | undefined
  /** Hears of every item once; must not throw. */
  onSettled(settled: SettledRange): void
  /** Hears why it ends badly, within `execute` itself where that is known already; the promise rejects with it too. */
  onFault?(fault: ExecutionFault): void
  /** Abort: items running are cancelled, the rest never start; nothing of this execution settles any more. */
  readonly signal: AbortSignal
  /** Abort: take nothing more; what runs may end and settle, what has not begun is given up. */
  readonly drain?: AbortSignal | undefined
}

export interface Executor {
  /**
   * Resolves when the source has ended and each item taken from it has settled, or, after an abort, when nothing of
   * it runs any more. Rejects only for a fault of the whole: `JobError`, `InitializerError`, `PoolBrokenError`,
   * `PoolTerminatedError`.
   */
  execute(execution: Execution): Promise<void>
  /** Finishes what was taken, ends the workers in good order. Idempotent. */
  close(): Promise<void>
  /** Ends the workers now. Idempotent. */
  terminate(): Promise<void>
}
