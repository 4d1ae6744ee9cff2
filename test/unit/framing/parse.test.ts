// Items of a payload as values.
import { describe, expect, test } from 'vitest'
import { MAX_TEXT, TOO_LONG } from '../../../src/framing/bytes.js'
import { itemText } from '../../../src/framing/items.js'
import { locate } from '../../../src/framing/location.js'
import { BadItem, readItems } from '../../../src/framing/parse.js'
import { chunkOf, payloadOf } from './chunks.js'

test('readItems treats __proto__ as data and returns a bad item without affecting the others', () => {
  const items = readItems(payloadOf(chunkOf('ndjson', '{"__proto__":1}\n{\n\n[]', 3)))
  expect(Object.keys(items.next() as object)).toEqual(['__proto__'])
  expect(items.next()).toEqual(new BadItem('Unexpected end of JSON', 1))
  expect(items.next()).toEqual([])
})

describe('an item that is longer than a string can be', () => {
  const end = MAX_TEXT + 4
  const text = Buffer.alloc(end + 4, 'x')

  test.each([
    ['ndjson', '\n', 'x'],
    ['lines', '\n', 'x'],
    ['nul', '\0', 'x'],
    ['json', ',', '"'],
  ] as const)('fails alone in %s', (framing, delimiter, quote) => {
    text.write(`1${delimiter}${quote}`)
    text.write(`${quote}${delimiter}3`, end)
    const payload = { kind: 'bytes', bytes: text.subarray(0, end + 3), framing } as const
    const items = readItems(payload)
    expect(String(items.next())).toBe('1')
    const bad = items.next()
    // A text of this length could not be shown.
    expect(bad instanceof BadItem && bad).toEqual(new BadItem(TOO_LONG, 0))
    expect(String(items.next())).toBe('3')
    expect(itemText(payload, 1)).toMatch(/^"?x{1000}/)
    const origin = { file: 'f', offset: 0, line: 1, column: 1 }
    const chunk = { seq: 0, count: 3, payload, origin }
    const line = delimiter === '\n' ? { line: 2, column: 1 } : { line: 1, column: 3 }
    expect(locate(chunk, 1, 0)).toEqual({ file: 'f', ...line })
  })
})
