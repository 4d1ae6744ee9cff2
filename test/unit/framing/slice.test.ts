// Parts of chunks and of results.
import { describe, expect, test } from 'vitest'
import { sliceChunk, sliceLines, withoutLines } from '../../../src/framing/slice.js'
import type { Chunk } from '../../../src/model.js'
import { chunkOf, payloadOf } from './chunks.js'

describe('sliceChunk', () => {
  test('adjusts seq, indexes and origin, and shares the memory', () => {
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

  test('slices values too', () => {
    const chunk: Chunk = { seq: 2, count: 3, payload: { kind: 'values', values: [1, undefined, 3] } }
    expect(sliceChunk(chunk, 1, 3)).toEqual({
      seq: 3,
      count: 2,
      payload: { kind: 'values', values: [undefined, 3] },
    })
  })
})

test('sliceLines returns whole lines', () => {
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

test.each([
  [[], 'a\nbb\n\nd\n'],
  [[0], 'bb\n\nd\n'],
  [[3], 'a\nbb\n\n'],
  [[1, 2], 'a\nd\n'],
  [[0, 2, 3], 'bb\n'],
  [[0, 1, 2, 3], ''],
])('lines without %j', (numbers, expected) => {
  expect(withoutLines(Buffer.from('a\nbb\n\nd\n'), numbers).toString()).toBe(expected)
})
