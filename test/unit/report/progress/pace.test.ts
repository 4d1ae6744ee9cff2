// Speed and time left, with a clock that the test moves; and how they are written.
import { describe, expect, it } from 'vitest'
import { Pace, timeLeft } from '../../../../src/report/progress/pace.js'
import { clockTime, itemTime, percent, rateText, taskTime } from '../../../../src/report/units.js'

/** So many items a second, for so many seconds each, sampled eight times a second. */
function run(...spells: [perSecond: number, seconds: number][]) {
  const pace = new Pace(0)
  let now = 0
  let done = 0
  for (const [perSecond, seconds] of spells)
    for (let i = 0; i < seconds * 8; i++) {
      now += 125
      done += perSecond / 8
      pace.sample(now, Math.floor(done))
    }
  return pace.rate(now, Math.floor(done))
}

describe('the rate', () => {
  it('is not known before anything is done', () => {
    expect(new Pace(0).rate(10_000, 0)).toBeUndefined()
    expect(timeLeft(100, undefined)).toBeUndefined()
  })

  it('is that of the whole run at its beginning', () => {
    expect(run([0, 1], [4, 3])).toBeCloseTo(3, 1)
  })

  it('is that of the last half minute later on', () => {
    expect(run([100, 600], [10, 40])).toBeCloseTo(10, 0)
  })

  it('goes back further where little was done in it, so that one slow item does not make it jump', () => {
    const perMinute = run([1 / 60, 3600])! * 60
    expect(perMinute).toBeGreaterThan(0.9)
    expect(perMinute).toBeLessThan(1.1)
  })

  it('sinks while nothing gets done', () => {
    expect(run([100, 60], [0, 60])).toBeLessThan(60)
  })

  it('gives the time that is left', () => {
    expect(timeLeft(50, 2)).toBe(25_000)
    expect(timeLeft(0, 2)).toBe(0)
  })
})

describe('written', () => {
  it('are times as a clock shows them', () => {
    expect([0, 9_400, 73_000, 7_510_000, 274_200_000].map(clockTime)).toEqual([
      '0:00',
      '0:09',
      '1:13',
      '2:05:10',
      '3d 04:10',
    ])
  })

  it('are the times of items with their unit', () => {
    expect([0, 449, 59_940, 59_950, 125_000].map(itemTime)).toEqual([
      '0.0 s',
      '0.4 s',
      '59.9 s',
      '1:00',
      '2:05',
    ])
    expect([0.42, 12.3, 2_140].map(taskTime)).toEqual(['0.4 ms', '12 ms', '2.1 s'])
  })

  it('are speeds in the unit that fits', () => {
    expect([1234.5, 9.96, 3.25, 0.2, 0.001].map(rateText)).toEqual([
      '1235/s',
      '10.0/s',
      '3.3/s',
      '12/min',
      '3.6/h',
    ])
  })

  it('are shares that do not claim the end before it', () => {
    expect([percent(0, 3), percent(2, 3), percent(999_999, 1_000_000), percent(3, 3), percent(0, 0)]).toEqual(
      ['0%', '66%', '99%', '100%', '100%'],
    )
  })
})
