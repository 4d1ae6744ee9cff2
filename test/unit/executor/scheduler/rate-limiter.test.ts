import { describe, expect, test } from 'vitest'
import { RateLimiter } from '../../../../src/executor/scheduler/rate-limiter.js'

/** When attempts begin if each begins as soon as it may, or `lateMs` later. */
function begins(intervalMs: number, count: number, lateMs: (i: number) => number): number[] {
  const limiter = new RateLimiter(intervalMs)
  let now = 1_000
  return Array.from({ length: count }, (_, i) => {
    now = Math.max(now, limiter.nextAt) + lateMs(i)
    expect(limiter.mayBegin(now)).toBe(true)
    limiter.begin(now)
    expect(limiter.mayBegin(now + intervalMs * 0.01 - 11)).toBe(false)
    return now
  })
}

describe('a rate', () => {
  test('lets the first attempt begin at any time, and the next one an interval later', () => {
    expect(begins(100, 4, () => 0)).toEqual([1_000, 1_100, 1_200, 1_300])
  })

  test('saves no time up', () => {
    expect(begins(100, 4, (i) => (i === 1 ? 500 : 0))).toEqual([1_000, 1_600, 1_700, 1_800])
    expect(begins(2, 4, (i) => (i === 1 ? 500 : 0))).toEqual([1_000, 1_502, 1_504, 1_506])
  })

  test('loses no short interval to timers that are a little late', () => {
    const all = begins(2, 1_000, (i) => (i % 3) * 0.9)
    expect(all.at(-1)! - all[0]!).toBeCloseTo(999 * 2, -1)
  })

  test('has no second with more long intervals than it allows, however late timers are', () => {
    const all = begins(100, 200, (i) => (i * 7) % 30)
    for (const [i, at] of all.entries())
      expect((all[i + 10] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(1_000)
  })
})
