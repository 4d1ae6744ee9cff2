// Rate and time left, with a clock that the test moves.
import { describe, expect, it } from 'vitest'
import { Pace, timeLeft } from '../../../../src/report/progress/pace.js'

/** The rate after phases with that many items per second, for that many seconds each, sampled eight times a second. */
function rateAfter(...phases: [perSecond: number, seconds: number][]) {
  const pace = new Pace(0)
  let now = 0
  let done = 0
  for (const [perSecond, seconds] of phases)
    for (let i = 0; i < seconds * 8; i++) {
      now += 125
      done += perSecond / 8
      pace.sample(now, Math.floor(done))
    }
  return pace.rate(now, Math.floor(done))
}

describe('Pace', () => {
  it('knows no rate before anything is done', () => {
    expect(new Pace(0).rate(10_000, 0)).toBeUndefined()
  })

  it('measures the whole run at its beginning', () => {
    expect(rateAfter([0, 1], [4, 3])).toBeCloseTo(3, 1)
  })

  it('measures the last half minute later on', () => {
    expect(rateAfter([100, 600], [10, 40])).toBeCloseTo(10, 0)
  })

  it('measures a longer time if few items were done, so that one slow item does not make the rate jump', () => {
    const perMinute = rateAfter([1 / 60, 3600])! * 60
    expect(perMinute).toBeGreaterThan(0.9)
    expect(perMinute).toBeLessThan(1.1)
  })

  it('lowers the rate while nothing gets done', () => {
    expect(rateAfter([100, 60], [0, 60])).toBeLessThan(60)
  })
})

describe('timeLeft', () => {
  it('divides the rest by the rate', () => {
    expect(timeLeft(50, 2)).toBe(25_000)
    expect(timeLeft(0, 2)).toBe(0)
  })

  it('is not known without a rate', () => {
    expect(timeLeft(100, undefined)).toBeUndefined()
  })
})
