// Which lane an attempt takes.
import { describe, expect, it } from 'vitest'
import { takeLane } from '../../../src/report/lanes.js'

const LIMITS = { tolerance: 0.5, maxLanes: 3 }

describe('takeLane', () => {
  it.each([
    ['opens the first lane', [], 5, 0, [9]],
    ['takes a lane that is free', [5], 5, 0, [9]],
    ['tolerates a small overlap', [5.5], 5, 0, [9]],
    ['opens a lane where all are busy', [6], 5, 1, [6, 9]],
    ['takes the first of several free lanes', [6, 4, 3], 5, 1, [6, 9, 3]],
    ['takes the last lane where there are no more', [6, 7, 8], 5, 2, [6, 7, 9]],
  ])('%s', (_what, lanes, start, lane, after) => {
    expect(takeLane(lanes, start, 9, LIMITS)).toBe(lane)
    expect(lanes).toEqual(after)
  })
})
