// How the page writes durations and numbers.
import { describe, expect, it } from 'vitest'
import { formatDuration, formatNumber } from '../../../../../../src/report/html/page/data/format.js'

describe('formatDuration', () => {
  const cases: [number, string][] = [
    [0, '0 ms'],
    [0.256, '0.26 ms'],
    [0.999, '1 ms'],
    [12.345, '12.3 ms'],
    [999, '999 ms'],
    [1_000, '1 s'],
    [4_567, '4.57 s'],
    [59_999, '60 s'],
    [60_000, '1 min 0 s'],
    [119_700, '2 min 0 s'],
    [125_400, '2 min 5 s'],
    [7_200_000, '120 min 0 s'],
  ]
  it.each(cases)('writes %d as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

describe('formatNumber', () => {
  it('groups digits with commas', () => {
    expect([0, 999, 1_000, 1_234_567].map(formatNumber)).toEqual(['0', '999', '1,000', '1,234,567'])
  })
})
