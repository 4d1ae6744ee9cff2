// The ticks of the timeline.

import { describe, expect, it } from 'vitest'
import { ticks } from '../../../../../../src/report/html/page/data/time-axis.js'
import fc from '../../../../../helpers/fast-check.js'

describe('ticks', () => {
  it.each([
    [{ from: 0, to: 1000 }, 1300, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]],
    [{ from: 0, to: 1000 }, 650, [0, 200, 400, 600, 800, 1000]],
    [{ from: 130, to: 930 }, 390, [500]],
    [{ from: 3.1, to: 3.9 }, 520, [3.2, 3.4, 3.6, 3.8]],
  ])('of %j over %d pixels are at round numbers', (range, width, expected) => {
    const list = ticks(range, width)
    expect(list.map((ms) => Number(ms.toFixed(6)))).toEqual(expected)
  })

  it('are inside the range and not closer than 130 pixels, whatever the range', () => {
    const from = fc.double({ min: 0, max: 1e7, noNaN: true })
    const span = fc.double({ min: 0.05, max: 1e8, noNaN: true })
    const rounding = 1e-6
    fc.assert(
      fc.property(from, span, fc.integer({ min: 260, max: 3000 }), (start, length, width) => {
        const list = ticks({ from: start, to: start + length }, width)
        expect(list.length).toBeLessThanOrEqual(width / 130 + 1)
        for (const ms of list) {
          expect(ms).toBeGreaterThanOrEqual(start - rounding)
          expect(ms).toBeLessThanOrEqual(start + length)
        }
      }),
    )
  })
})
