// Warns of pools that were never closed: when the process is about to exit, and when a pool is garbage-collected.

export interface WatchedPool {
  /** Names the pool in the warning. */
  readonly title: string
  /** The pool was garbage-collected: release its workers. */
  abandon(): void
}

const open = new Set<WatchedPool>()
const collected = new FinalizationRegistry<WatchedPool>((pool) => {
  if (!stopWatching(pool)) return
  warnOf(pool)
  pool.abandon()
})

/** `owner` is the object that callers hold. `pool` must not refer to it while the pool is idle. */
export function watchForLeak(owner: object, pool: WatchedPool): void {
  // One listener for all pools, so that many pools do not cause Node's warning about too many listeners.
  if (open.size === 0) process.on('beforeExit', warnOfAll)
  open.add(pool)
  collected.register(owner, pool)
}

/** False if the pool was not being watched. */
export function stopWatching(pool: WatchedPool): boolean {
  const wasWatched = open.delete(pool)
  if (wasWatched && open.size === 0) process.off('beforeExit', warnOfAll)
  return wasWatched
}

function warnOfAll(): void {
  for (const pool of open) {
    warnOf(pool)
    stopWatching(pool)
  }
}

function warnOf({ title }: WatchedPool): void {
  process.emitWarning(
    `${title} was never closed: call close() or terminate(), or declare it with "await using"`,
    'PoolUnclosedWarning',
  )
}
