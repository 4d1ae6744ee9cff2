// Defaults as text.
import { expect, it } from 'vitest'
import { countText, durationText, mebibyteText } from '../../../src/cli/default-text.js'
import { duration, durationOrZero } from '../../../src/cli/option-types.js'

it.each([
  [0, '0'],
  [1, '1ms'],
  [1_500, '1500ms'],
  [2_000, '2s'],
  [60_000, '60s'],
])('durationText turns %d ms into %s, which the option type parses back', (ms, text) => {
  expect(durationText(ms)).toBe(text)
  expect((ms === 0 ? durationOrZero : duration).parse(text)).toBe(ms)
})

it.each([
  [1, '1'],
  [999, '999'],
  [1_000, '1,000'],
  [1_234_567, '1,234,567'],
])('countText turns %d into %s', (count, text) => {
  expect(countText(count)).toBe(text)
})

it('mebibyteText turns bytes into MiB', () => {
  expect(mebibyteText(32 * 1024 * 1024)).toBe('32 MiB')
})
