// Quantiles and the histogram of durations.
import { describe, expect, it } from 'vitest'
import {
  durationAt,
  histogram,
  logScale,
  quantile,
} from '../../../../../../src/report/html/page/data/durations.js'
import { columnsOf } from '../columns.js'

describe('quantile', () => {
  it.each([
    [0, 1],
    [0.5, 3],
    [0.95, 4],
    [1, 4],
  ])('at %d of four values is value %d', (part, expected) => {
    expect(quantile([1, 2, 3, 4], part)).toBe(expected)
  })
})

describe('logScale', () => {
  it('goes from the shortest to the longest', () => {
    const scale = logScale(1, 1000)
    expect([0, 1 / 3, 1].map((part) => Math.round(durationAt(scale, part)))).toEqual([1, 10, 1000])
  })

  it('starts at 0.01 ms where an attempt took no time', () => {
    expect(logScale(0, 10)).toMatchObject({ low: 0.01, high: 10 })
  })

  it('has a length where all attempts took the same time', () => {
    expect(logScale(5, 5)).toMatchObject({ low: 5, high: 5.05 })
  })

  it.each([
    [5, 5],
    [5, 5.01],
    [5, 5.2],
    [99.9, 110],
    [100, 250],
    [0, 0],
  ])('has ascending marks up to its end for durations from %d to %d', (shortest, longest) => {
    const scale = logScale(shortest, longest)
    const marks = [0, 0.25, 0.5, 0.75].map((part) => durationAt(scale, part))
    const axis = [...marks, scale.high]
    expect(axis).toEqual([...axis].sort((a, b) => a - b))
    expect(durationAt(scale, 1)).toBeCloseTo(scale.high)
  })
})

describe('histogram', () => {
  it('counts failed and retried attempts apart from ok and flaky ones', () => {
    const attempts = columnsOf(
      { ms: 1, status: 'failed' },
      { ms: 1, status: 'retried' },
      { ms: 1, status: 'flaky' },
      { ms: 50 },
      { ms: 1000 },
    )
    const { succeeded, failed, most } = histogram(attempts, logScale(1, 1000), 3)
    expect([...succeeded]).toEqual([1, 1, 1])
    expect([...failed]).toEqual([2, 0, 0])
    expect(most).toBe(3)
  })

  it('puts what is outside the scale into the outer bins', () => {
    const { succeeded } = histogram(columnsOf({ ms: 0 }, { ms: 1e9 }), logScale(1, 10), 4)
    expect([...succeeded]).toEqual([1, 0, 0, 1])
  })
})
