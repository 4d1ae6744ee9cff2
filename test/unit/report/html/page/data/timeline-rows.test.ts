// The rows of the timeline.

import { describe, expect, it } from 'vitest'
import { layOutRows } from '../../../../../../src/report/html/page/data/timeline-rows.js'
import fc from '../../../../../helpers/fast-check.js'
import { columnsOf, pageWorker } from '../columns.js'

describe('layOutRows', () => {
  it('has a row per worker, ascending, also for one that ran nothing', () => {
    const rows = layOutRows(
      [pageWorker(2), pageWorker(0), pageWorker(1), pageWorker(0)],
      columnsOf({ worker: 2, start: 5 }, { worker: 0, start: 6 }),
    )
    expect(rows.labels).toEqual(['worker 0', 'worker 1', 'worker 2'])
    expect([...rows.firstRow]).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ])
    expect([...rows.rowOf]).toEqual([2, 0])
  })

  it('gives attempts that overlap further rows below that of their worker', () => {
    const rows = layOutRows(
      [pageWorker(0), pageWorker(1)],
      columnsOf(
        { worker: 0, start: 0, ms: 10 },
        { worker: 0, start: 5, ms: 10 },
        { worker: 1, start: 5, ms: 10 },
        { worker: 0, start: 10, ms: 1 },
      ),
    )
    expect(rows.labels).toEqual(['worker 0', '', 'worker 1'])
    expect([...rows.rowOf]).toEqual([0, 1, 2, 0])
  })

  it('has a row for a worker that only attempts mention', () => {
    expect(layOutRows([], columnsOf({ worker: 7 })).labels).toEqual(['worker 7'])
  })

  it('has no rows for a run that never began', () => {
    expect(layOutRows([], columnsOf()).labels).toEqual([])
  })

  it('never puts two attempts that overlap in the same row, up to 16 at a time', () => {
    const times = fc.record({ start: fc.nat(100), ms: fc.integer({ min: 1, max: 20 }) })
    fc.assert(
      fc.property(fc.array(times, { maxLength: 16 }), (list) => {
        const sorted = [...list].sort((a, b) => a.start - b.start)
        const { rowOf } = layOutRows([], columnsOf(...sorted))
        for (const [i, one] of sorted.entries())
          for (const [j, other] of sorted.entries())
            if (i < j && rowOf[i] === rowOf[j])
              expect(one.start + one.ms).toBeLessThanOrEqual(other.start + 0.02)
      }),
    )
  })

  it('draws more than 16 at a time in the last row', () => {
    const attempts = columnsOf(...Array.from({ length: 20 }, () => ({ start: 0, ms: 10 })))
    const { labels, rowOf } = layOutRows([], attempts)
    expect(labels).toHaveLength(16)
    expect([...rowOf].slice(14)).toEqual([14, 15, 15, 15, 15, 15])
  })
})
