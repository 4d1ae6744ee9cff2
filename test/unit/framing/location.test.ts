// Where an item of a chunk is in its input.
import { describe, expect, test } from 'vitest'
import { locate } from '../../../src/framing/location.js'
import { BadItem, readItems } from '../../../src/framing/parse.js'
import { chunkOf, payloadOf } from './chunks.js'

describe('locate', () => {
  test('counts lines and characters from the origin', () => {
    const chunk = chunkOf('ndjson', '1\n\n  {"ä": "😀", x}\n3', 3)
    const items = readItems(payloadOf(chunk))
    items.next()
    const bad = items.next() as BadItem
    expect(bad).toBeInstanceOf(BadItem)
    expect(locate(chunk, 1, bad.at)).toEqual({ file: 'in', line: 9, column: 14 })
    expect(locate(chunk, 0, 0)).toEqual({ file: 'in', line: 7, column: 5 })
  })

  test('finds an element of an array that spans several lines', () => {
    const chunk = chunkOf('json', '1, {"a":\n tru}, 3', 3)
    const items = readItems(payloadOf(chunk))
    expect([items.next(), items.next(), items.next()]).toEqual([
      1,
      new BadItem("Unexpected token '}'", 10),
      3,
    ])
    expect(locate(chunk, 1, 10)).toEqual({ file: 'in', line: 8, column: 5 })
  })

  test('counts an invalid byte as one column', () => {
    const chunk = chunkOf('ndjson', Buffer.from('"a"\n"\xc3\xa4\xff"\n', 'latin1'), 2)
    const items = readItems(payloadOf(chunk))
    expect(items.next()).toBe('a')
    const bad = items.next() as BadItem
    expect(bad).toEqual(new BadItem('Invalid UTF-8 (byte 3 of the item)', 2))
    expect(locate(chunk, 1, bad.at)).toEqual({ file: 'in', line: 8, column: 3 })
  })

  test('returns undefined for a chunk of values', () => {
    expect(locate({ seq: 0, count: 1, payload: { kind: 'values', values: [1] } }, 0, 0)).toBeUndefined()
  })
})
