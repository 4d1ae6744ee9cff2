// What part of the run the timeline shows, by times and by pixels.
import { describe, expect, it } from 'vitest'
import {
  clampRange,
  moveRange,
  rangeAround,
  toMs,
  toX,
  zoomRange,
} from '../../../../../../src/report/html/page/data/time-range.js'

describe('clampRange', () => {
  it.each([
    ['is kept inside the run', { from: 10, to: 20 }, { from: 10, to: 20 }],
    ['moves to the right of the start', { from: -5, to: 20 }, { from: 0, to: 25 }],
    ['moves to the left of the end', { from: 90, to: 120 }, { from: 70, to: 100 }],
    ['is at most the whole run', { from: -50, to: 200 }, { from: 0, to: 100 }],
    ['is at least 0.05 ms long', { from: 50, to: 50 }, { from: 50, to: 50.05 }],
  ])('a range %s', (_what, range, expected) => {
    expect(clampRange(range, 100)).toEqual(expected)
  })

  it('is at least a millionth of a long run', () => {
    expect(clampRange({ from: 0, to: 0 }, 1e9)).toEqual({ from: 0, to: 1000 })
  })
})

describe('zoomRange', () => {
  it('zooms around the middle', () => {
    expect(zoomRange({ from: 20, to: 40 }, 0.5)).toEqual({ from: 25, to: 35 })
    expect(zoomRange({ from: 20, to: 40 }, 2)).toEqual({ from: 10, to: 50 })
  })

  it('leaves the given time at its place on the screen', () => {
    const before = { from: 20, to: 40 }
    const after = zoomRange(before, 0.25, 24)
    const scale = (range: typeof before) => ({ range, left: 10, width: 500 })
    expect(toX(scale(after), 24)).toBeCloseTo(toX(scale(before), 24))
    expect(after.to - after.from).toBeCloseTo(5)
  })
})

describe('moveRange', () => {
  it('keeps the length', () => {
    expect(moveRange({ from: 20, to: 40 }, -5)).toEqual({ from: 15, to: 35 })
  })
})

describe('rangeAround', () => {
  it('has the attempt in its middle, an eighth of the width', () => {
    expect(rangeAround({ from: 0, to: 100 }, 200, 10)).toEqual({ from: 165, to: 245 })
  })

  it('is a twentieth of what is shown for a short attempt', () => {
    expect(rangeAround({ from: 0, to: 1000 }, 200, 0)).toEqual({ from: 175, to: 225 })
  })
})

describe('a scale', () => {
  const scale = { range: { from: 100, to: 300 }, left: 72, width: 400 }

  it('maps times to pixels', () => {
    expect([100, 200, 300, 50].map((ms) => toX(scale, ms))).toEqual([72, 272, 472, -28])
  })

  it('maps pixels back to times', () => {
    expect([72, 272, 472, 0].map((x) => toMs(scale, x))).toEqual([100, 200, 300, 64])
  })
})
