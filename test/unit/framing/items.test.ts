// One item out of many: its text, its place, its part of a chunk or of results.
import { describe, expect, test } from 'vitest'
import { itemText } from '../../../src/framing/items.js'
import { BadItem, readItems } from '../../../src/framing/parse.js'
import { locate } from '../../../src/framing/position.js'
import { sliceChunk, sliceLines } from '../../../src/framing/slice.js'
import type { Chunk, Framing } from '../../../src/model.js'

function chunkOf(framing: Framing, text: string | Buffer, count: number): Chunk {
  const bytes = new Uint8Array(Buffer.from(text as string))
  const origin = { file: 'in', offset: 100, line: 7, column: 5 }
  return { seq: 40, count, payload: { kind: 'bytes', bytes, framing }, origin }
}

function payloadOf(chunk: Chunk) {
  if (chunk.payload.kind !== 'bytes') throw new Error('no bytes')
  return chunk.payload
}

describe('locate', () => {
  test('counts lines and characters from the origin on', () => {
    const chunk = chunkOf('ndjson', '1\n\n  {"ä": "😀", x}\n3', 3)
    const items = readItems(payloadOf(chunk))
    items.next()
    const bad = items.next() as BadItem
    expect(bad).toBeInstanceOf(BadItem)
    expect(locate(chunk, 1, bad.at)).toEqual({ file: 'in', line: 9, column: 14 })
    expect(locate(chunk, 0, 0)).toEqual({ file: 'in', line: 7, column: 5 })
  })

  test('finds an element of an array that is spread over lines', () => {
    const chunk = chunkOf('json', '1, {"a":\n tru}, 3', 3)
    const items = readItems(payloadOf(chunk))
    expect([items.next(), items.next(), items.next()]).toEqual([
      1,
      new BadItem("Unexpected token '}'", 10),
      3,
    ])
    expect(locate(chunk, 1, 10)).toEqual({ file: 'in', line: 8, column: 5 })
  })

  test('a bad byte counts as one place', () => {
    const chunk = chunkOf('ndjson', Buffer.from('"a"\n"\xc3\xa4\xff"\n', 'latin1'), 2)
    const items = readItems(payloadOf(chunk))
    expect(items.next()).toBe('a')
    const bad = items.next() as BadItem
    expect(bad).toEqual(new BadItem('Invalid UTF-8 (byte 3 of the item)', 2))
    expect(locate(chunk, 1, bad.at)).toEqual({ file: 'in', line: 8, column: 3 })
  })

  test('is silent about values', () => {
    expect(locate({ seq: 0, count: 1, payload: { kind: 'values', values: [1] } }, 0, 0)).toBeUndefined()
  })
})

test('readItems keeps __proto__ as data and bad items to themselves', () => {
  const items = readItems(payloadOf(chunkOf('ndjson', '{"__proto__":1}\n{\n\n[]', 3)))
  expect(Object.keys(items.next() as object)).toEqual(['__proto__'])
  expect(items.next()).toEqual(new BadItem('Unexpected end of JSON', 1))
  expect(items.next()).toEqual([])
})

test('itemText is the text as it stands, without its line end', () => {
  expect(itemText(payloadOf(chunkOf('ndjson', '1\r\n\r\n {2 \r\n', 2)), 1)).toBe(' {2 ')
  expect(itemText(payloadOf(chunkOf('json', '1, [2 ,3] ,4', 3)), 1)).toBe('[2 ,3] ')
  expect(itemText(payloadOf(chunkOf('nul', 'a\0\r\0', 2)), 1)).toBe('\r')
  expect(itemText(payloadOf(chunkOf('lines', 'a', 1)), 1)).toBeUndefined()
})

describe('sliceChunk', () => {
  test('keeps seq, indexes and the memory', () => {
    const chunk = { ...chunkOf('lines', 'a\nb\n\nc\nd', 4), indexes: [3, 5, 8, 9] }
    const part = sliceChunk(chunk, 1, 3)
    expect(part).toMatchObject({
      seq: 41,
      count: 2,
      indexes: [5, 8],
      origin: { offset: 102, line: 8, column: 1 },
    })
    expect(payloadOf(part).bytes.buffer).toBe(payloadOf(chunk).bytes.buffer)
    expect(Buffer.from(payloadOf(part).bytes).toString()).toBe('b\n\nc\n')
    expect(sliceChunk(chunk, 0, 4)).toBe(chunk)
    expect(sliceChunk(chunk, 2, 2)).toMatchObject({ count: 0, payload: { bytes: { length: 0 } } })
  })

  test('cuts values too', () => {
    const chunk: Chunk = { seq: 2, count: 3, payload: { kind: 'values', values: [1, undefined, 3] } }
    expect(sliceChunk(chunk, 1, 3)).toEqual({
      seq: 3,
      count: 2,
      payload: { kind: 'values', values: [undefined, 3] },
    })
  })
})

test('sliceLines cuts results', () => {
  const cut = (from: number, to: number) =>
    Buffer.from(sliceLines(Buffer.from('1\n22\n"3"\n'), from, to)).toString()
  expect([cut(0, 1), cut(1, 3), cut(1, 1), cut(0, 9), cut(3, 4)]).toEqual([
    '1\n',
    '22\n"3"\n',
    '',
    '1\n22\n"3"\n',
    '',
  ])
})
