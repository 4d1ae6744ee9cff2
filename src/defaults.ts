// Defaults and limits that the command line, the library and their documentation state. Each is written here once.
import type { FailureKind, Ms } from './model.js'

/**
 * Most item text in one message, in bytes. Measured with 300,000 records of 262 bytes: a fifth faster than 64 KiB.
 * A larger message does not fit into the 208 KiB that Linux keeps for a channel: its rest waits until the worker has
 * run another chunk. Input is read in blocks of the same size.
 */
export const CHUNK_BYTES = 192 * 1024

/** Time limit for a worker to become ready: loading the job and running its initializer. */
export const INIT_TIMEOUT_MS: Ms = 60_000

/** Grace between asking a worker to stop and SIGKILL. */
export const KILL_AFTER_MS: Ms = 2_000

/** How long running items may go on after the first signal. */
export const GRACE_MS: Ms = 5_000

/** Items that run at the same time in one worker. */
export const CONCURRENCY = 1

/** Failure kinds that are retried. */
export const RETRY_ON: readonly FailureKind[] = ['error', 'crash', 'timeout', 'oom']

/**
 * Crashed workers that are replaced before the run gives up: every crash costs one item, so a run with a few bad items
 * passes, and a job that kills every worker does not. A total without Erlang's time window: a batch run ends.
 */
export function maxWorkerRestarts(processes: number): number {
  return Math.max(16, 4 * processes)
}
