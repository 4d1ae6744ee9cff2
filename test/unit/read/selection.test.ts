// Items selected by index, from sources that yield their chunks immediately and from sources that make them wait.
import { describe, expect, test } from 'vitest'
import { locate, locationText } from '../../../src/framing/location.js'
import { type Chunk, type InputFraming, itemIndexAt } from '../../../src/model.js'
import type { IndexRange, Shard } from '../../../src/plan.js'
import { selectItems } from '../../../src/read/selection.js'
import type { ChunkSource, Want } from '../../../src/source.js'
import { readAll, sourceOf, valuesOf } from './helpers.js'

/** In a value of each input, before the last one. */
const SOMEWHERE = 6

interface Counted extends ChunkSource {
  /** Items that were taken from it, and in how many chunks. */
  taken: number
  chunks: number
  closed: boolean
}

/** Items 0 … `count` − 1, each its own index. */
function numbers(count: number, { async = false, counts = true } = {}): Counted {
  const source: Counted = {
    taken: 0,
    chunks: 0,
    closed: false,
    next({ items }: Want) {
      const size = Math.min(items, count - source.taken)
      const chunk: Chunk | undefined =
        size === 0
          ? undefined
          : {
              seq: source.taken,
              count: size,
              payload: { kind: 'values', values: Array.from({ length: size }, (_, i) => source.taken + i) },
            }
      source.taken += size
      if (chunk !== undefined) source.chunks++
      return async ? Promise.resolve(chunk) : chunk
    },
    close() {
      source.closed = true
    },
    ...(counts && { remaining: () => count - source.taken }),
  }
  return source
}

async function chunksOf(source: ChunkSource, items: number): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  const want = { items, bytes: Number.POSITIVE_INFINITY }
  for (let chunk = await source.next(want); chunk !== undefined; chunk = await source.next(want))
    chunks.push(chunk)
  return chunks
}

describe.each([
  ['a source that yields immediately', false],
  ['a source that yields promises', true],
])('selectItems from %s', (_, async) => {
  test.each<[string, IndexRange[], number[]]>([
    ['one item', [{ from: 0, to: 0 }], [0]],
    ['all items', [{ from: 0 }], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['everything from an index on', [{ from: 7 }], [7, 8, 9]],
    ['a range that goes beyond the end', [{ from: 8, to: 99 }], [8, 9]],
    ['a range behind the end', [{ from: 50, to: 60 }], []],
    ['no range', [], []],
    [
      'ranges in any order',
      [
        { from: 8, to: 9 },
        { from: 2, to: 3 },
      ],
      [2, 3, 8, 9],
    ],
    [
      'ranges that overlap, once',
      [
        { from: 2, to: 6 },
        { from: 4, to: 5 },
        { from: 5, to: 7 },
      ],
      [2, 3, 4, 5, 6, 7],
    ],
    [
      'ranges that touch',
      [
        { from: 2, to: 3 },
        { from: 4, to: 5 },
      ],
      [2, 3, 4, 5],
    ],
    ['single items', [{ from: 1, to: 1 }, { from: 3, to: 3 }, { from: 9 }], [1, 3, 9]],
  ])('passes on %s', async (_, ranges, expected) => {
    for (const items of [1, 3, 4, 100]) {
      const source = numbers(10, { async })
      const chunks = await chunksOf(selectItems(source, ranges), items)
      expect(chunks.flatMap(valuesOf)).toEqual(expected)
      expect(chunks.flatMap(({ indexes }) => indexes)).toEqual(expected)
      const seqs = chunks.flatMap(({ seq, count }) => Array.from({ length: count }, (_, i) => seq + i))
      expect(seqs).toEqual(expected.map((_, i) => i))
    }
  })

  test('closes the source after the last selected item and reads nothing behind it', async () => {
    const source = numbers(1000, { async })
    await chunksOf(selectItems(source, [{ from: 2, to: 4 }]), 100)
    expect(source).toMatchObject({ taken: 5, closed: true })
  })

  test.each<[string, IndexRange[], number, number]>([
    ['of everything', [{ from: 0 }], 1, 9],
    ['of ranges', [{ from: 1, to: 2 }, { from: 6 }], 1, 5],
    ['in a chunk that was read and not passed on yet', [{ from: 0, to: 0 }, { from: 3 }], 10, 7],
    ['behind the end', [{ from: 0, to: 0 }, { from: 50 }], 1, 0],
  ])('counts what remains %s', async (_, ranges, items, expected) => {
    const source = selectItems(numbers(10, { async }), ranges)
    await source.next({ items, bytes: 1000 })
    expect(source.remaining?.()).toBe(expected)
  })

  test.each<[string, IndexRange[], Shard | undefined, number[], number]>([
    ['before the first range', [{ from: 200_000 }], undefined, [200_000], 2],
    ['between two ranges', [{ from: 0, to: 0 }, { from: 199_999 }], undefined, [0, 199_999, 200_000], 4],
    ['in a shard', [{ from: 199_998 }], { index: 2, count: 2 }, [199_999], 2],
  ])('takes the items %s together, however few are wanted', async (_, ranges, shard, items, chunks) => {
    const source = numbers(200_001, { async })
    const selected = await chunksOf(selectItems(source, ranges, shard), 1)
    expect(selected.flatMap(valuesOf)).toEqual(items)
    expect(source.chunks).toBe(chunks)
  })

  test('takes a few items that are not selected together with those behind them', async () => {
    const source = numbers(100, { async })
    const everyThird = Array.from({ length: 34 }, (_, i) => ({ from: 3 * i, to: 3 * i }))
    await chunksOf(selectItems(source, everyThird), 50)
    expect(source.chunks).toBe(2)
  })
})

describe.each<[InputFraming, string]>([
  ['ndjson', '{"a":"ä"}\n\n 2 \n"three"\r\n4\n  \n5'],
  ['json', '[{"a":"ä,]"},\n 2 ,"three",\n\n[4],  5]'],
  ['lines', 'eins\nzwei\r\n\nüü\nvier\nfünf'],
  ['nul', 'a\0\0ü\0d\0e'],
])('items of %s behind those that are not selected', (framing, text) => {
  async function placesOf(source: ChunkSource) {
    const chunks = await chunksOf(source, 1)
    return chunks.flatMap((chunk) =>
      valuesOf(chunk).map((value, i) => [itemIndexAt(chunk, i), value, locationText(locate(chunk, i, 0))]),
    )
  }

  test.each([1, 3, 1000])('keep index, value and location, read in blocks of %i', async (size) => {
    const open = () => sourceOf(text, framing, { blocks: [size] })
    const whole = await placesOf(open())
    expect(whole).toHaveLength(5)
    for (let from = 0; from <= 5; from++)
      expect(await placesOf(selectItems(open(), [{ from }]))).toEqual(whole.slice(from))
  })

  test('are not read if one before them is not UTF-8', async () => {
    const [before, after] = [text.slice(0, SOMEWHERE), text.slice(SOMEWHERE)]
    const bytes = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)])
    const whole = await readAll(sourceOf(bytes, framing))
    expect(whole.error).toContain('invalid UTF-8')
    const source = selectItems(sourceOf(bytes, framing), [{ from: 4 }])
    await expect(chunksOf(source, 1)).rejects.toThrow(whole.error!)
  })
})

describe('selectItems', () => {
  test('does not know what remains if its source does not', async () => {
    expect(selectItems(numbers(10, { counts: false }), [{ from: 0 }]).remaining?.()).toBeUndefined()
    const unknown = { ...numbers(10), remaining: () => undefined }
    expect(selectItems(unknown, [{ from: 0 }]).remaining?.()).toBeUndefined()
  })

  test('yields nothing more once it is closed', async () => {
    const source = numbers(10)
    const selection = selectItems(source, [{ from: 2 }])
    selection.close()
    expect(source.closed).toBe(true)
    expect(selection.next({ items: 1, bytes: 1000 })).toBeUndefined()
  })

  test('waits for its source to close', async () => {
    const events: string[] = []
    const source = {
      ...numbers(1),
      async close() {
        await null
        events.push('closed')
      },
    }
    const selection = selectItems(source, [])
    await selection.next({ items: 1, bytes: 1000 })
    expect(events).toEqual(['closed'])
  })

  test('passes an error of its source on', async () => {
    const source = {
      ...numbers(1),
      next() {
        throw new Error('torn')
      },
    }
    expect(() => selectItems(source, [{ from: 0 }]).next({ items: 1, bytes: 1 })).toThrow('torn')
  })
})
