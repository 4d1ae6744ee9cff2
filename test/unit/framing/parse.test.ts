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

test.each([
  ['1\n-2.5e+3\r\n\t0 \n12', [1, -2500, 0, 12]],
  ['1\n\n \n2\n', [1, 2]],
  ['1\n2 3\n4\n', [1, new BadItem('more than one JSON value on the line', 2), 4]],
  ['1\n-\n3\n', [1, new BadItem('Unexpected end of JSON', 1), 3]],
  ['1\n1,2\n[3\n4]\n', [1, new BadItem("Unexpected token ','", 1), expect.any(BadItem), expect.any(BadItem)]],
  ['01\n', [expect.any(BadItem)]],
  [' \n', []],
  ['\u20282\n3\n', [expect.any(BadItem), 3]],
] as const)('readItems reads lines of numbers one by one: %j', (text, expected) => {
  const items = readItems(payloadOf(chunkOf('ndjson', text, expected.length)))
  expect(Array.from(expected, () => items.next())).toEqual(expected)
  expect(items.next()).toBeUndefined()
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
