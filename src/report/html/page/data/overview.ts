// The figures at the top of the page.
import type { PageData } from '../../page-data.js'

export interface Overview {
  readonly crashedWorkers: number
  readonly itemsPerSecond: number
  /** Time spent in tasks, as a percentage of what all workers together had. */
  readonly busyPercent: number
}

type Input = Pick<PageData, 'workers' | 'attempts' | 'counts' | 'tookMs'>

export function overviewOf({ workers, attempts, counts, tookMs }: Input): Overview {
  const settled = (counts?.ok ?? 0) + (counts?.failed ?? 0)
  const busyMs = attempts.ms.reduce((sum, ms) => sum + ms, 0)
  const workerCount = Math.max(1, new Set(workers.map(({ workerId }) => workerId)).size)
  return {
    crashedWorkers: workers.filter(({ crashed }) => crashed).length,
    // 0/0 is not a number: nothing settled in no time.
    itemsPerSecond: Math.round(settled / (tookMs / 1000)) || 0,
    busyPercent: percentOf(busyMs, workerCount * tookMs),
  }
}

/** Rounded and at most 100: attempts that ran at the same time in one worker add up to more than its time. */
export function percentOf(partMs: number, wholeMs: number): number {
  return Math.min(100, Math.round((100 * partMs) / Math.max(1, wholeMs)))
}
