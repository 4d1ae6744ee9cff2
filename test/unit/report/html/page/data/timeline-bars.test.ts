// Which attempts are drawn where, and which one is under the pointer.
import { describe, expect, it } from 'vitest'
import { attemptAtPoint, visibleBars } from '../../../../../../src/report/html/page/data/timeline-bars.js'
import { layOutRows } from '../../../../../../src/report/html/page/data/timeline-rows.js'
import { columnsOf } from '../columns.js'

const attempts = columnsOf(
  { worker: 0, start: 0, ms: 10 },
  { worker: 1, start: 5, ms: 30 },
  { worker: 0, start: 12, ms: 10, status: 'failed' },
  { worker: 0, start: 50, ms: 10 },
)
const rows = layOutRows([], attempts)

describe('visibleBars', () => {
  const bars = (from: number, to: number, gap = 0, width = 100) =>
    visibleBars(attempts, rows, { range: { from, to }, left: 0, width }, gap)

  it('has a bar per attempt, in its row, with its status', () => {
    expect(bars(0, 100)).toEqual([
      { id: 0, row: 0, status: 0, x: 0, width: 10 },
      { id: 1, row: 1, status: 0, x: 5, width: 30 },
      { id: 2, row: 0, status: 3, x: 12, width: 10 },
      { id: 3, row: 0, status: 0, x: 50, width: 10 },
    ])
  })

  it('leaves out what ended before the range or starts after it', () => {
    expect(bars(11, 49).map(({ id }) => id)).toEqual([1, 2])
  })

  it('keeps a gap after each bar, but no bar is narrower than a pixel', () => {
    expect(bars(0, 100, 1).map(({ width }) => width)).toEqual([9, 29, 9, 9])
    expect(bars(0, 10_000, 1).map(({ width }) => width)).toEqual([1, 1, 1, 1])
  })

  it('leaves out a bar that would only cover its own colour, never one of another colour', () => {
    const dense = columnsOf({ start: 0, ms: 900 }, { start: 100, ms: 100 }, { start: 200, status: 'failed' })
    const scale = { range: { from: 0, to: 10_000 }, left: 0, width: 100 }
    const drawn = visibleBars(dense, { ...rows, rowOf: new Int32Array(3) }, scale, 0)
    expect(drawn.map(({ id }) => id)).toEqual([0, 2])
  })
})

describe('attemptAtPoint', () => {
  const at = (row: number, ms: number, slackMs = 0) => attemptAtPoint(attempts, rows, { row, ms, slackMs })

  it('finds the attempt that ran in that row at that time', () => {
    expect([at(0, 0), at(0, 10), at(1, 20), at(0, 15), at(0, 60)]).toEqual([0, 0, 1, 2, 3])
  })

  it('finds nothing between attempts, before the first and in other rows', () => {
    expect([at(0, 11), at(1, 4), at(1, 36), at(2, 20), at(-1, 20)]).toEqual(Array(5).fill(undefined))
  })

  it('finds an attempt that is missed by less than the slack', () => {
    expect([at(0, 10.8, 1), at(0, 48, 3), at(1, 36, 1)]).toEqual([0, 3, 1])
  })
})
