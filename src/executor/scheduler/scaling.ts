// How many workers to start, and for which items. Pure arithmetic.
import type { Ms } from '../../model.js'

/** More than the start of a worker costs, and more than a chunk of cheap items takes, even on a busy machine. */
export const START_MS: Ms = 100

/** How many workers there may be now, and the items for which they start. */
export interface Growth {
  readonly most: number
  readonly items: 'all' | 'lasting'
}

/** The prompt workers start for any items, and so do others in place of those that stall. More start for items that last. */
export function growth(pool: {
  readonly processes: number
  readonly promptWorkers: number
  readonly alive: number
  /** Workers that are starting or ready. */
  readonly usable: number
  /** Those of them that make no progress. */
  readonly stalled: number
  /** Nothing has settled in any worker for as long as a start takes. */
  readonly isQuiet: boolean
}): Growth {
  const { processes, promptWorkers, alive, usable, stalled, isQuiet } = pool
  if (isQuiet && stalled >= promptWorkers) return { most: processes, items: 'all' }
  const missing = promptWorkers - (usable - stalled)
  if (missing > 0) return { most: Math.min(processes, alive + missing), items: 'all' }
  return { most: processes, items: 'lasting' }
}

export interface PoolSize {
  /** Workers that have a process, those that are starting included. */
  readonly alive: number
  readonly starting: number
  /** Workers that the pool may have. */
  readonly processes: number
  /** Workers that may start at a time: loading a job uses a whole core, so too many slow each other down. */
  readonly bootLimit: number
  /** A worker has loaded the job. */
  readonly jobHasLoaded: boolean
  /** Items that a worker could begin now. */
  readonly demand: number
}

/** One worker per item that none can begin, within the limits. Workers that are starting already count. */
export function workersToStart(size: PoolSize): number {
  const { alive, starting, processes, bootLimit, jobHasLoaded, demand } = size
  const mostStarting = Math.min(bootLimit, starting + processes - alive)
  // The job must load once even if there is nothing to do: an empty input does not excuse a broken job.
  const wanted = demand + (jobHasLoaded ? 0 : 1)
  return Math.max(0, Math.min(wanted, mostStarting) - starting)
}

/** Items that this worker runs at a time. Where the number of all of them is given, workers share it evenly. */
export function concurrencyOf(
  workerId: number,
  options: {
    readonly concurrency: number
    readonly processes: number
    readonly itemsAtATime?: number | undefined
  },
): number {
  const { concurrency, processes, itemsAtATime } = options
  if (itemsAtATime === undefined) return concurrency
  return Math.floor(itemsAtATime / processes) + (workerId < itemsAtATime % processes ? 1 : 0)
}
