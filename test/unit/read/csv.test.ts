// CSV however its bytes arrive and however few records are wanted at a time, and items chosen by index.
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readItems } from '../../../src/framing/parse.js'
import type { Chunk } from '../../../src/model.js'
import { MemoryReader } from '../../../src/read/byte-reader.js'
import { createByteSource } from '../../../src/read/byte-source.js'
import { selected } from '../../../src/read/selection.js'
import type { ChunkSource } from '../../../src/source.js'

class Blocks extends MemoryReader {
  constructor(
    bytes: Uint8Array,
    private readonly size: number,
  ) {
    super(bytes)
  }

  override read(into: Buffer): Promise<number> {
    return super.read(into.subarray(0, this.size))
  }
}

function csv(text: string, size = 1 << 20): ChunkSource {
  const dialect = { delimiter: ',', parse } as const
  const options = { file: 'x.csv', framing: 'csv', dialect, tolerant: false } as const
  return createByteSource(new Blocks(Buffer.from(text), size), options)
}

async function chunksOf(source: ChunkSource, items: number): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  const want = { items, bytes: Number.POSITIVE_INFINITY }
  for (let chunk = await source.next(want); chunk !== undefined; chunk = await source.next(want))
    chunks.push(chunk)
  return chunks
}

function valuesOf(chunks: readonly Chunk[]): unknown[] {
  return chunks.flatMap(({ payload, count }) => {
    const items = payload.kind === 'bytes' ? readItems(payload) : undefined
    return Array.from({ length: count }, () => items?.next())
  })
}

const rows = (count: number) => `n\n${Array.from({ length: count }, (_, n) => `${n}\n`).join('')}`

describe('CSV', () => {
  test('is the same at every split of its bytes and every size of chunk', async () => {
    const text = '\ufeffa,b\r\n"x ""y""","1\r\n2"\r\n\r\n,"😀"\n"",z'
    const expected = [
      { a: 'x "y"', b: '1\r\n2' },
      { a: '', b: '😀' },
      { a: '', b: 'z' },
    ]
    const size = Buffer.byteLength(text)
    for (let block = 1; block <= size; block++)
      for (const items of [1, 2, 9])
        expect(valuesOf(await chunksOf(csv(text, block), items)), `blocks of ${block}`).toEqual(expected)
  })

  test('gives back whatever fields were quoted', async () => {
    const field = fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a', ' ', 'é') })
    const table = fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (records, block) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
        const text = `a,b\n${records.map((record) => `${record.map(quoted).join(',')}\n`).join('')}`
        const expected = records.map(([a, b]) => ({ a, b }))
        expect(valuesOf(await chunksOf(csv(text, block), 3))).toEqual(expected)
      }),
      { numRuns: 200 },
    )
  })

  test.each([1, 2, 9])('takes each line end as it comes, %i records at a time', async (items) => {
    const text = 'a,b\n1,2\r\n3,x\ry\n5,6\r\n'
    const expected = [
      { a: '1', b: '2' },
      { a: '3', b: 'x\ry' },
      { a: '5', b: '6' },
    ]
    expect(valuesOf(await chunksOf(csv(text), items))).toEqual(expected)
  })

  test('knows how many records are left once the file is read to its end', async () => {
    const source = csv(rows(5))
    await source.next({ items: 2, bytes: 1000 })
    expect(source.remaining?.()).toBe(3)
  })
})

describe('a selection', () => {
  test.each([
    [[{ from: 0, to: 0 }], [0]],
    [[{ from: 3 }], [3, 4, 5, 6, 7, 8, 9]],
    [
      [
        { from: 8, to: 99 },
        { from: 2, to: 4 },
        { from: 4, to: 5 },
      ],
      [2, 3, 4, 5, 8, 9],
    ],
    [[{ from: 50, to: 60 }], []],
  ])('%j lets these through with their own indexes, places without gaps', async (ranges, expected) => {
    for (const items of [1, 4, 100]) {
      const chunks = await chunksOf(selected(csv(rows(10)), ranges), items)
      expect(valuesOf(chunks)).toEqual(expected.map((n) => ({ n: String(n) })))
      expect(chunks.flatMap(({ indexes }) => indexes)).toEqual(expected)
      const places = chunks.flatMap(({ seq, count }) => Array.from({ length: count }, (_, n) => seq + n))
      expect(places).toEqual(expected.map((_, place) => place))
    }
  })

  test('knows how many of what is left are wanted', async () => {
    const source = selected(csv(rows(10)), [{ from: 1, to: 2 }, { from: 6 }])
    await source.next({ items: 1, bytes: 1000 })
    expect(source.remaining?.()).toBe(5)
  })
})
