// Large chunks are decoded and parsed in pieces. Where a piece ends must not show in the values.
import { describe, expect, test } from 'vitest'
import { PIECE_BYTES } from '../../../src/framing/parse.js'
import { sliceChunk } from '../../../src/framing/slice.js'
import type { Chunk } from '../../../src/model.js'
import { readAll, sourceOf, valuesOf } from './helpers.js'

const WHOLE = { items: 1_000_000, bytes: 8 * 1024 * 1024 }

/** JSON texts of about `length` characters. Every seventh is full of commas, brackets and multi-byte characters. */
function textsOf(count: number, length: number): string[] {
  return Array.from({ length: count }, (_, n) =>
    JSON.stringify(
      n % 7 === 0 ? { n, ',]"': [`ä€😀,${'},{'.repeat(length / 3)}`] } : { n, pad: 'x'.repeat(length) },
    ),
  )
}

async function chunksOf(text: string, framing: 'json' | 'ndjson'): Promise<Chunk[]> {
  const { chunks, error } = await readAll(sourceOf(text, framing, { tolerant: true }), WHOLE)
  expect(error).toBeUndefined()
  return chunks
}

const cutsOf = ({ payload }: Chunk) => (payload.kind === 'bytes' ? (payload.cuts ?? []) : [])

describe.each([
  ['short ones', 700, 200],
  ['some longer than a piece', 12, PIECE_BYTES],
  ['each a few bytes', 20_000, 3],
])('items: %s', (_, count, length) => {
  const texts = textsOf(count, length)
  const expected = texts.map((text) => JSON.parse(text))

  test('are parsed from an array', async () => {
    const chunks = await chunksOf(`[ ${texts.join(' ,\n ')}\n]`, 'json')
    expect(chunks.flatMap(cutsOf).length).toBeGreaterThan(1)
    expect(chunks.flatMap(valuesOf)).toEqual(expected)
  })

  test('are parsed from lines, with blank lines between them', async () => {
    const chunks = await chunksOf(`${texts.join('\n \r\n')}\n\n`, 'ndjson')
    expect(chunks.flatMap(valuesOf)).toEqual(expected)
  })

  test('are not affected by a bad item at any index', async () => {
    for (const index of [0, 1, count >> 1, count - 1]) {
      const bad = texts.with(index, '{"n":,}')
      for (const framing of ['json', 'ndjson'] as const) {
        const text = framing === 'json' ? `[${bad.join(',')}]` : `${bad.join('\n')}\n`
        const values = (await chunksOf(text, framing)).flatMap(valuesOf)
        expect(values[index]).toMatchObject({ bad: expect.stringContaining("','") })
        expect(values.with(index, expected[index])).toEqual(expected)
      }
    }
  })

  test('are the same in a slice of the chunk', async () => {
    const [chunk] = await chunksOf(`[${texts.join(',')}]`, 'json')
    const all = chunk!.count
    for (const [from, to] of [
      [0, 1],
      [1, all],
      [all >> 2, all - 1],
    ] as const)
      expect(valuesOf(sliceChunk(chunk!, from, to))).toEqual(expected.slice(from, to))
  })
})

test('a chunk ends correctly after blank lines that fill more than a piece', async () => {
  const [chunk] = await chunksOf(`1\n${' \n'.repeat(PIECE_BYTES)}2\n`, 'ndjson')
  expect(valuesOf({ ...chunk!, count: 3 })).toEqual([1, 2, undefined])
})
