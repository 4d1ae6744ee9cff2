// Notices pools that nobody closed: when the process is about to end, and when the last reference to one is gone.
// Knows nothing of what a pool does.

export interface Closable {
  /** For the warning: what pool it is. */
  readonly title: string
  /** The pool cannot be reached any more: frees what it holds. */
  abandon(): void
}

const open = new Set<Closable>()
const collected = new FinalizationRegistry<Closable>((pool) => {
  if (!forgetUnclosed(pool)) return
  warnOf(pool)
  pool.abandon()
})

/** `owner` is what callers hold; `pool` must not hold it while it has nothing to do. */
export function watchUnclosed(owner: object, pool: Closable): void {
  // One listener for all of them: many pools are no leak.
  if (open.size === 0) process.on('beforeExit', warnOfAll)
  open.add(pool)
  collected.register(owner, pool)
}

/** False if it was not being watched any more. */
export function forgetUnclosed(pool: Closable): boolean {
  const watched = open.delete(pool)
  if (watched && open.size === 0) process.off('beforeExit', warnOfAll)
  return watched
}

function warnOfAll(): void {
  for (const pool of open) {
    warnOf(pool)
    forgetUnclosed(pool)
  }
}

function warnOf({ title }: Closable): void {
  process.emitWarning(
    `${title} was never closed: call close() or terminate(), or declare it with "await using"`,
    'PoolUnclosedWarning',
  )
}
