// All items of a source as one item: the array of arguments of `apply`.
import { describe, expect, test } from 'vitest'
import { asSingleItem } from '../../../src/read/single-call.js'
import type { ChunkSource } from '../../../src/source.js'
import { MANY, sourceOf, valuesOf } from './helpers.js'

/** What `next` throws or rejects with. */
async function errorOf(source: ChunkSource): Promise<unknown> {
  try {
    await source.next(MANY)
  } catch (error) {
    return error
  }
  throw new Error('did not fail')
}

describe('asSingleItem', () => {
  test.each([
    ['ndjson', '1\n\n"ä"\r\n{"a":1}', [1, 'ä', { a: 1 }]],
    ['ndjson', '[1,2]\n[]\n', [[1, 2], []]],
    ['ndjson', '', []],
    ['json', '[1,\n"ä",{"a"\n:1}]', [1, 'ä', { a: 1 }]],
    ['json', '[]', []],
    ['lines', 'a\n"b"\r\n', ['a', '"b"']],
    ['nul', 'a\0\0', ['a', '']],
  ] as const)('makes one array of the items: %s %j', async (framing, text, expected) => {
    for (const size of [1, 3, 100]) {
      const source = asSingleItem(sourceOf(text, framing, { blocks: [size] }))
      expect(source.remaining?.()).toBe(1)
      const chunk = await source.next(MANY)
      expect(chunk).toMatchObject({ seq: 0, count: 1 })
      expect(valuesOf(chunk!)).toEqual([expected])
      expect(source.remaining?.()).toBe(0)
      expect(await source.next(MANY)).toBeUndefined()
    }
  })

  test.each([
    [
      'two values on a line, instead of making them two items',
      '1\n2, 3\n',
      "in:2:2: item 1: Unexpected token ','",
      1,
    ],
    ['a value that is not JSON', '1\n\n2\n{"a" 1}\n', "in:4:6: item 2: Expected ':'", 2],
  ])('rejects %s', async (_, text, message, index) => {
    expect(await errorOf(asSingleItem(sourceOf(text, 'ndjson')))).toMatchObject({
      name: 'InputError',
      message,
      index,
    })
  })

  test('rejects items that were not read as bytes', async () => {
    const values: ChunkSource = {
      next: () => ({ seq: 0, count: 1, payload: { kind: 'values', values: [1] } }),
      close() {},
    }
    expect(await errorOf(asSingleItem(values))).toBeInstanceOf(TypeError)
  })

  test('closes its source', async () => {
    let closed = 0
    const source = asSingleItem({ next: () => undefined, close: () => void closed++ })
    await source.close()
    expect(closed).toBe(1)
  })
})
