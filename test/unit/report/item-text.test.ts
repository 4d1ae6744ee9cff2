// The texts of items that reports show.
import { expect, test } from 'vitest'
import type { Chunk } from '../../../src/model.js'
import { itemTitle, shortTexts } from '../../../src/report/item-text.js'

const chunk = (text: string, count: number): Chunk => ({
  seq: 0,
  count,
  payload: { kind: 'bytes', bytes: Buffer.from(text), framing: 'ndjson' },
})

test('the texts of some items of a chunk are one short line each', () => {
  const lines = ['"a"', '', ' {"b":1}', JSON.stringify('x'.repeat(100)), '"last"']
  const texts = shortTexts(chunk(`${lines.join('\n')}\n`, 4), 1, 2)
  expect(texts).toEqual([' {"b":1}', `"${'x'.repeat(58)}…`])
})

test('the texts of items are harmless', () => {
  expect(shortTexts(chunk('"\x1b[31mred"\n', 1), 0, 1)).toEqual(['"red"'])
})

test('the texts of values are what they print', () => {
  const values: Chunk = { seq: 0, count: 3, payload: { kind: 'values', values: [1, 'two', null] } }
  expect(shortTexts(values, 1, 2)).toEqual(['two', 'null'])
})

test('an item without a text is called by its index', () => {
  expect([itemTitle(16, 'photos/52.jpg'), itemTitle(0, '')]).toEqual(['item 16: photos/52.jpg', 'item 0'])
})
