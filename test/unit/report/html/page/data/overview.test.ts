// The figures at the top of the page.
import { describe, expect, it } from 'vitest'
import { overviewOf } from '../../../../../../src/report/html/page/data/overview.js'
import type { PageData } from '../../../../../../src/report/html/page-data.js'
import { columnsOf, pageWorker } from '../columns.js'

const data: Pick<PageData, 'tookMs' | 'counts' | 'workers' | 'attempts'> = {
  tookMs: 2000,
  counts: { ok: 30, failed: 9, flaky: 2, cancelled: 0, notRun: 5 },
  workers: [pageWorker(0, { crashed: true }), pageWorker(1), pageWorker(0)],
  attempts: columnsOf({ ms: 900 }, { ms: 100 }),
}

describe('overviewOf', () => {
  it('counts crashes, settled items per second, and the share of time spent in tasks', () => {
    // Two workers had 2 s each.
    expect(overviewOf(data)).toEqual({ crashedWorkers: 1, itemsPerSecond: 20, busyPercent: 25 })
  })

  it('is all zero for a run that took no time and did nothing', () => {
    const nothing = { ...data, tookMs: 0, counts: undefined, workers: [], attempts: columnsOf() }
    expect(overviewOf(nothing)).toEqual({ crashedWorkers: 0, itemsPerSecond: 0, busyPercent: 0 })
  })
})
