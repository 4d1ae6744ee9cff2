// Which worker must return what it has not begun, so that another one can run it. Pure.
import type { Ms } from '../../model.js'
import { isReady, type ReadyWorker, type Worker } from './worker.js'

/** Less work than this is over before it has been taken back, unless the worker makes no progress for as long. */
const WORTH_RETURNING_MS: Ms = 5

/** It may have been given items that it has not begun. */
export function hasWorkToReturn(worker: Worker): worker is ReadyWorker {
  if (!isReady(worker)) return false
  const { inFlight, isDraining, isAskedToReturn } = worker.state
  return inFlight.mayHaveWaiting && !isDraining && !isAskedToReturn
}

/** Where most work waits that another worker could begin, and from when on it is worth it to take it back. */
export function workerToRelieve(
  workers: readonly Worker[],
  now: Ms,
): { readonly worker: ReadyWorker; readonly at: Ms } | undefined {
  let best: { worker: ReadyWorker; at: Ms } | undefined
  let most = -1
  for (const worker of workers) {
    if (!hasWorkToReturn(worker)) continue
    const { inFlight } = worker.state
    const { items, ms } = inFlight.waiting()
    if (items === 0 || ms <= most) continue
    best = { worker, at: ms < WORTH_RETURNING_MS ? inFlight.progressAt + WORTH_RETURNING_MS : now }
    most = ms
  }
  return best
}
