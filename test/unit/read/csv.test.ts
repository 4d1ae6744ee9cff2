// CSV, whatever blocks its bytes arrive in and however few records are taken at a time.
import { describe, expect, test } from 'vitest'
import { readItems } from '../../../src/framing/parse.js'
import type { Chunk } from '../../../src/model.js'
import { MemoryReader } from '../../../src/read/byte-reader.js'
import { createByteSource } from '../../../src/read/byte-source.js'
import type { ChunkSource } from '../../../src/source.js'
import fc from '../../helpers/fast-check.js'
import { ONE, readAll, sourceOf } from './helpers.js'

/** Yields at most `size` bytes per read. */
class BlockReader extends MemoryReader {
  readonly #size: number

  constructor(bytes: Uint8Array, size: number) {
    super(bytes)
    this.#size = size
  }

  override read(into: Buffer): Promise<number> {
    return super.read(into.subarray(0, this.#size))
  }
}

function csv(text: string, size = 1 << 20): ChunkSource {
  const dialect = { delimiter: ',' }
  const options = { file: 'x.csv', framing: 'csv', dialect, tolerant: false } as const
  return createByteSource(new BlockReader(Buffer.from(text), size), options)
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
  test('gives the same items at every split of its bytes and for every chunk size', async () => {
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

  test('reads back any quoted field', async () => {
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

  test.each([1, 2, 9])('accepts mixed line ends, %i records at a time', async (items) => {
    const text = 'a,b\n1,2\r\n3,"x\ry"\n5,6\r\n'
    const expected = [
      { a: '1', b: '2' },
      { a: '3', b: 'x\ry' },
      { a: '5', b: '6' },
    ]
    expect(valuesOf(await chunksOf(csv(text), items))).toEqual(expected)
  })

  test('counts the remaining records once the file was read to its end', async () => {
    const source = csv(rows(5))
    await source.next({ items: 2, bytes: 1000 })
    expect(source.remaining?.()).toBe(3)
  })
})

describe('a header with semicolons', () => {
  const read = async (text: string, isGuessed: boolean, delimiter = ',') => {
    const warnings: string[] = []
    const warn = (warning: string) => warnings.push(warning)
    const source = sourceOf(text, 'csv', { dialect: { delimiter, isGuessed }, blocks: [5], warn })
    const { values, error } = await readAll(source, ONE)
    source.remaining()
    return { values, error, warnings }
  }

  test('is one column, and is warned of once unless a delimiter was given', async () => {
    const { values, warnings } = await read('a;b\n1;2\n3;4\n', true)
    expect(values).toEqual([{ 'a;b': '1;2' }, { 'a;b': '3;4' }])
    expect(warnings).toEqual([
      "in: the header has semicolons and no comma, so it is one column; --delimiter ';' splits it",
    ])
    expect((await read('a;b\n1;2\n', false)).warnings).toEqual([])
    expect((await read('a;b,c\n1,2\n', true)).warnings).toEqual([])
    expect((await read('a\n1;2\n', true)).warnings).toEqual([])
  })

  test('has a hint where its names are quoted', async () => {
    expect((await read('"a";"b"\n1;2\n', true)).error).toContain("use --delimiter ';'")
  })

  test.each([
    [';', 'a;b\n1;"x;y"\n'],
    ['|', 'a|b\n1|"x|y"\n'],
    [' ', 'a b\n1 "x y"\n'],
    ['§', 'a§b\n1§"x§y"\n'],
    ['😀', 'a😀b\n1😀"x😀y"\n'],
  ])('is split at %s if that is the delimiter', async (delimiter, text) => {
    const { values, error } = await read(text, false, delimiter)
    expect([values, error]).toEqual([[{ a: '1', b: `x${delimiter}y` }], undefined])
  })

  test('does not take a character for a delimiter that only begins like it', async () => {
    const { values } = await read('ç§è\n"ç"§Â\n', false, '§')
    expect(values).toEqual([{ ç: 'ç', è: 'Â' }])
  })
})
