// How times, rates and percentages are written.
import { describe, expect, it, test } from 'vitest'
import { formatMs, longDuration } from '../../../src/errors/messages.js'
import { clockTime, itemTime, percent, rateText, taskTime } from '../../../src/report/units.js'

describe('clockTime', () => {
  it('writes a time like a clock, in days if there are any', () => {
    expect([0, 9_400, 73_000, 7_510_000, 274_200_000].map(clockTime)).toEqual([
      '0:00',
      '0:09',
      '1:13',
      '2:05:10',
      '3d 04:10',
    ])
  })
})

describe('itemTime and taskTime', () => {
  it('write the time of an item with its unit', () => {
    expect([0, 449, 59_940, 59_950, 125_000].map(itemTime)).toEqual([
      '0.0 s',
      '0.4 s',
      '59.9 s',
      '1:00',
      '2:05',
    ])
    expect([0.42, 12.3, 2_140].map(taskTime)).toEqual(['0.4 ms', '12 ms', '2.1 s'])
  })
})

describe('rateText', () => {
  it('uses the unit that fits', () => {
    expect([1234.5, 9.96, 3.25, 0.2, 0.001].map(rateText)).toEqual([
      '1235/s',
      '10.0/s',
      '3.3/s',
      '12/min',
      '3.6/h',
    ])
  })
})

describe('percent', () => {
  it('is 100% only at the end', () => {
    expect([percent(0, 3), percent(2, 3), percent(999_999, 1_000_000), percent(3, 3), percent(0, 0)]).toEqual(
      ['0%', '66%', '99%', '100%', '100%'],
    )
  })
})

test.each([
  [10_000, '10 s'],
  [41_400, '41 s'],
  [59_700, '1 min'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h'],
  [11_520_000, '3 h 12 min'],
  [360_000_000, '100 h'],
])('a run of %i ms took %s', (ms, text) => {
  expect(longDuration(ms)).toBe(text)
})

test.each([
  [500, '500 ms'],
  [2_500, '2.5 s'],
  [90_000, '90 s'],
  [120_000, '2 min'],
  [86_400_000, '24 h'],
])('a limit of %i ms is %s', (ms, text) => {
  expect(formatMs(ms)).toBe(text)
})
