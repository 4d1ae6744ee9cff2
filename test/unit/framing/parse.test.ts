// Items of a payload as values.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { MAX_TEXT, TOO_LONG } from '../../../src/framing/bytes.js'
import { itemRanges, itemText, rangeText } from '../../../src/framing/items.js'
import { locate } from '../../../src/framing/location.js'
import { BadItem, readItems } from '../../../src/framing/parse.js'
import fc from '../../helpers/fast-check.js'
import { SEED } from '../../helpers/random.js'
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

describe('items that are text', () => {
  const part = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom('\n', '\0', '\r', '\r\n', '\n\n', 'a', 'é', '€', '😀', '\ufeff'),
    },
    fc.string(),
    fc.nat(2500).map((length) => 'x'.repeat(length)),
    fc.nat(600).map((length) => 'é'.repeat(length)),
    fc.nat(300).map((length) => 'ab\r\n'.repeat(length)),
  )
  const text = fc.array(part, { maxLength: 12 }).map((parts) => Buffer.from(parts.join('')))
  const invalid = fc.tuple(text, text).map((both) => Buffer.concat([both[0], Buffer.of(0xff), both[1]]))

  test.each(['lines', 'nul'] as const)(
    'are those of the payload, whatever is decoded together: %s',
    (framing) => {
      fc.assert(
        fc.property(text, (bytes) => {
          const payload = { kind: 'bytes', bytes, framing } as const
          const expected = [...itemRanges(payload)].map((range) => rangeText(payload, range))
          const items = readItems(payload)
          expect(expected.map(() => items.next())).toEqual(expected)
          expect(items.next()).toBeUndefined()
        }),
        { seed: SEED, numRuns: 500 },
      )
    },
  )

  test.each(['lines', 'nul'] as const)('are bad only where they are invalid UTF-8: %s', (framing) => {
    fc.assert(
      fc.property(invalid, (bytes) => {
        const payload = { kind: 'bytes', bytes, framing } as const
        const expected = [...itemRanges(payload)].map((range) => {
          const isBad = bytes.subarray(range.start, range.end).includes(0xff)
          return isBad ? expect.any(BadItem) : rangeText(payload, range)
        })
        const items = readItems(payload)
        expect(expected.map(() => items.next())).toEqual(expected)
        expect(items.next()).toBeUndefined()
      }),
      { seed: SEED, numRuns: 100 },
    )
  })

  test('do not keep more than a few others in memory', () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const bytes = Buffer.from(`${'x'.repeat(99)}\n`.repeat(2000))
    const kept: unknown[] = []
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let chunk = 0; chunk < 100; chunk++) {
      const items = readItems({ kind: 'bytes', bytes, framing: 'lines' })
      for (let i = 0; i < 2000; i++) {
        const item = items.next()
        if (i === 1000) kept.push(item)
      }
    }
    collectGarbage()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(kept.length * 20_000)
  })
})
