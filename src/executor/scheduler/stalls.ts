// Workers that do not get on, and the items that wait behind others there: what more workers could begin. Pure.
import type { Ms } from '../../model.js'
import { START_MS } from './scaling.js'
import { hasWorkToReturn } from './take-back.js'
import { earlierOf } from './timeouts.js'
import { isReady, type ReadyWorker, type Worker, type WorkerState } from './worker.js'

/** A worker in which nothing settles counts as stalled after this time if items settle in others: the machine may be busy. */
export const STALL_WHILE_OTHERS_SETTLE_MS: Ms = 5 * START_MS
/** One that is not ready by then waits for something: others can start meanwhile, instead of after it. */
const SLOW_START_MS: Ms = 5 * START_MS

/** Workers in which nothing has settled since then, and those that are slow to start. */
export function stalledCount(workers: readonly Worker[], since: Ms, now: Ms): number {
  let count = 0
  for (const worker of workers) {
    const { state } = worker
    if (
      state.is === 'starting'
        ? now >= state.since + SLOW_START_MS
        : isReady(worker) && isStalled(worker, since)
    )
      count++
  }
  return count
}

/** When there may be one more of them. */
export function nextStallAt(workers: readonly Worker[], now: Ms): Ms | undefined {
  let next: Ms | undefined
  for (const { state } of workers) {
    const at = stallsAt(state, now)
    if (at !== undefined && now < at) next = earlierOf(next, at)
  }
  return next
}

function stallsAt(state: WorkerState, now: Ms): Ms | undefined {
  if (state.is === 'starting') return state.since + SLOW_START_MS
  if (state.is !== 'ready' || state.inFlight.length === 0) return undefined
  const { progressAt } = state.inFlight
  const mayStallAt = progressAt + START_MS
  return now < mayStallAt ? mayStallAt : progressAt + STALL_WHILE_OTHERS_SETTLE_MS
}

/** Items that are expected to wait in a worker for longer than another one takes to start. */
export function waitingItems(workers: readonly Worker[], since: Ms): number {
  let total = 0
  for (const worker of workers) {
    if (!hasWorkToReturn(worker)) continue
    const isStuck = isStalled(worker, since)
    const { items, ms } = worker.state.inFlight.waiting(isStuck ? 'all' : 'lasting')
    if (isStuck || ms >= START_MS) total += items
  }
  return total
}

function isStalled({ state: { inFlight } }: ReadyWorker, since: Ms): boolean {
  return inFlight.length > 0 && inFlight.progressAt <= since
}
