// Workers that make no progress, and items that wait in workers: more workers could begin those. Pure.
import type { Ms } from '../../model.js'
import { START_MS } from './scaling.js'
import { hasWorkToReturn } from './take-back.js'
import { earlierOf, isDue } from './timeouts.js'
import type { StartingState, Worker, WorkerState } from './worker.js'

/** While items settle in other workers, one counts as stalled only after this time: the machine may just be busy. */
const STALL_WHILE_OTHERS_SETTLE_MS: Ms = 5 * START_MS
/** A worker that takes longer to load the job waits for something: others can start meanwhile, instead of after it. */
const SLOW_START_MS: Ms = 5 * START_MS

export interface Stalls {
  /** Workers that are slow to start, or that hold items while nothing has settled in them since `since`. */
  readonly stalled: number
  readonly since: Ms
  /** Nothing has settled in any worker for as long as a start takes. */
  readonly isQuiet: boolean
}

/** `settledAt`: when items last settled in any worker. */
export function findStalls(workers: readonly Worker[], settledAt: Ms, now: Ms): Stalls {
  const isQuiet = now >= settledAt + START_MS
  const since = now - (isQuiet ? START_MS : STALL_WHILE_OTHERS_SETTLE_MS)
  let stalled = 0
  for (const { state } of workers) if (isStalled(state, since) || isSlowToStart(state, now)) stalled++
  return { stalled, since, isQuiet }
}

/** When one more worker may count as stalled. */
export function nextStallAt(workers: readonly Worker[], now: Ms): Ms | undefined {
  let next: Ms | undefined
  for (const { state } of workers) {
    const at = stallsAt(state, now)
    if (at !== undefined && now < at) next = earlierOf(next, at)
  }
  return next
}

function stallsAt(state: WorkerState, now: Ms): Ms | undefined {
  if (state.is === 'starting') return slowAt(state)
  if (state.is !== 'ready' || state.inFlight.length === 0) return undefined
  const { progressAt } = state.inFlight
  const mayStallAt = progressAt + START_MS
  return now < mayStallAt ? mayStallAt : progressAt + STALL_WHILE_OTHERS_SETTLE_MS
}

/** Items that wait in a stalled worker, or that last and wait for longer than another worker takes to start. */
export function waitingItems(workers: readonly Worker[], since: Ms): number {
  let total = 0
  for (const worker of workers) {
    if (!hasWorkToReturn(worker)) continue
    const hasStalled = isStalled(worker.state, since)
    const { items, ms } = worker.state.inFlight.waiting(hasStalled ? 'all' : 'lasting')
    if (hasStalled || ms >= START_MS) total += items
  }
  return total
}

function isStalled(state: WorkerState, since: Ms): boolean {
  return state.is === 'ready' && state.inFlight.length > 0 && state.inFlight.progressAt <= since
}

function isSlowToStart(state: WorkerState, now: Ms): boolean {
  return state.is === 'starting' && isDue(slowAt(state), now)
}

/** Counts from when the job was sent: no worker can be ready before it is compiled. */
function slowAt({ jobSentAt }: StartingState): Ms | undefined {
  return jobSentAt === undefined ? undefined : jobSentAt + SLOW_START_MS
}
