// What a call asks of whatever runs its chunks. The executor's interface and the scheduler share it.
import type { Ms, TaskSpec } from '../model.js'
import type { RetryOptions } from '../plan.js'
import type { ResultCheck } from './result-check.js'

export interface CallSettings {
  readonly task: TaskSpec
  /** Items per chunk; `undefined` adapts. */
  readonly chunkSize?: number | undefined
  /** The call may be stopped at any moment: dispatch no more chunks ahead than keep workers busy. */
  readonly mayStop?: boolean | undefined
  /** Per attempt, from the moment the item starts. */
  readonly timeoutMs?: Ms | undefined
  /** Which failures are retried, and when; without it, none. */
  readonly retry?: RetryOptions | undefined
  /** Least time between two attempts that begin, wherever they run (ms). */
  readonly intervalMs?: Ms | undefined
  /** Fails what the output cannot take, before it settles. With `isOrdered`, its first result is that of the first item. */
  readonly check?: ResultCheck | undefined
  readonly isOrdered?: boolean | undefined
}
