// Defaults and limits that the command line, the library and their documentation state. Each is defined here once.

/** The kinds of failure, as `--retry-on`, `--errors` and reports name them. */
export const FAILURE_KINDS = ['error', 'crash', 'timeout', 'oom', 'input', 'validation', 'encoding'] as const

/** The kinds that are retried, if there are retries. */
export const RETRY_ON = [
  'error',
  'crash',
  'timeout',
  'oom',
] as const satisfies readonly (typeof FAILURE_KINDS)[number][]

/**
 * Most item text in one message, in bytes. Measured with 300,000 records of 262 bytes: a fifth faster than 64 KiB.
 * A larger message does not fit into the 208 KiB that Linux keeps for a channel: its rest waits until the worker has
 * run another chunk. Input is read in blocks of the same size.
 */
export const CHUNK_BYTES = 192 * 1024

/** Longest delay of a Node timer. A longer one fires after 1 ms (with a TimeoutOverflowWarning). */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** Time limit for a worker to become ready: loading the job and running its initializer. */
export const INIT_TIMEOUT_MS = 60_000

/** Grace between asking a worker to stop and SIGKILL. */
export const KILL_AFTER_MS = 2_000

/** How long running items may go on after the first signal. */
export const GRACE_MS = 5_000

/** Items that run at the same time in one worker. */
export const CONCURRENCY = 1

/** Extra attempts at a failed item. */
export const RETRIES = 0

/** Delay before the first retry. */
export const RETRY_DELAY_MS = 0

/**
 * Crashed workers that are replaced before the run gives up. Every crash costs one item, so a run with a few bad items
 * passes, and a job that crashes every worker does not. Refilled by items that settle, unlike Erlang's restarts per time
 * window: a server that lives long goes on, however rare or slow its items are.
 */
export const RESTARTS_PER_PROCESS = 4
export const MIN_RESTARTS = 16

export function maxWorkerRestarts(processes: number): number {
  return Math.max(MIN_RESTARTS, RESTARTS_PER_PROCESS * processes)
}

/** Flow window of the command line, in items: enough for cheap items to flow on while a slow one holds up the output. */
export const BUFFER_ITEMS = 100_000

/**
 * Flow window of the command line, in bytes of item and result text. It keeps memory flat whatever the size of items;
 * garbage between two collections adds some 64 MiB.
 */
export const BUFFER_BYTES = 32 * 1024 * 1024

/** Flow window of the library, in items per worker: enough for a few chunks of cheap items in each. */
export const POOL_BUFFER_ITEMS_PER_WORKER = 1024

/** Flow window of the library, in bytes of arguments per worker: fewer items fit if they are large … */
export const POOL_BUFFER_BYTES_PER_WORKER = 16 * 1024 * 1024

/** … but never fewer than these, so that each worker has an item to run and a few to continue with. */
export const POOL_MIN_BUFFER_ITEMS_PER_WORKER = 4
