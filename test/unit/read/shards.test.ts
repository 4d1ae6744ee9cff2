// `--shard`: the shards of an input are disjoint and together all of it, in every format; items keep their indexes, lines and
// columns.
import { describe, expect, test } from 'vitest'
import { itemText } from '../../../src/framing/items.js'
import { locate } from '../../../src/framing/location.js'
import { type Chunk, type InputFraming, itemIndexAt } from '../../../src/model.js'
import type { IndexRange } from '../../../src/plan.js'
import { batchItems } from '../../../src/read/batches.js'
import { selectItems } from '../../../src/read/selection.js'
import type { ChunkSource } from '../../../src/source.js'
import { MANY, sourceOf } from './helpers.js'

async function itemsOf(source: ChunkSource, want = MANY) {
  const items: { index: number; text: string | undefined; at: string | undefined }[] = []
  const chunks: Chunk[] = []
  for (let chunk = await source.next(want); chunk !== undefined; chunk = await source.next(want)) {
    chunks.push(chunk)
    if (chunk.payload.kind !== 'bytes') throw new TypeError('not bytes')
    for (let offset = 0; offset < chunk.count; offset++) {
      const place = locate(chunk, offset, 0)
      items.push({
        index: itemIndexAt(chunk, offset),
        text: itemText(chunk.payload, offset)?.trim(),
        at: place && `${place.line}:${place.column}`,
      })
    }
  }
  return { items, chunks }
}

const INPUTS: readonly (readonly [InputFraming, string])[] = [
  ['ndjson', '{"a":"ä"}\n\n 2 \n"three"\r\n4\n  \n5\n6\n7\n'],
  ['json', '[{"a":"ä,]"},\n 2 ,"three",\n\n[4],  5, 6\n,7]'],
  ['lines', 'eins\nzwei\r\n\nüü\nvier\nfünf\nsechs\nsieben'],
]

describe.each(INPUTS)('shards of %s', (framing, text) => {
  const open = (batch?: number) => {
    const source = sourceOf(text, framing)
    return batch === undefined ? source : batchItems(source, batch)
  }

  test.each([1, 2, 3, 7, 20])('of %i are disjoint, complete and keep index and place', async (count) => {
    const { items: whole } = await itemsOf(open())
    expect(whole).toHaveLength(7)
    for (let index = 1; index <= count; index++) {
      const { items } = await itemsOf(selectItems(open(), undefined, { index, count }))
      expect(items).toEqual(whole.filter((item) => item.index % count === index - 1))
    }
  })

  test('travel together', async () => {
    const { chunks } = await itemsOf(selectItems(open(), undefined, { index: 1, count: 2 }))
    expect(chunks.map(({ seq, count }) => [seq, count])).toEqual([[0, 4]])
  })

  test('are no more items than are wanted', async () => {
    const { chunks } = await itemsOf(selectItems(open(), undefined, { index: 2, count: 2 }), {
      ...MANY,
      items: 2,
    })
    expect(chunks.map(({ seq, count }) => [seq, count])).toEqual([
      [0, 2],
      [2, 1],
    ])
  })

  test('count batches, if there are any', async () => {
    const { items: whole } = await itemsOf(open(2))
    const { items } = await itemsOf(selectItems(open(2), undefined, { index: 2, count: 2 }))
    expect(items).toEqual([whole[1], whole[3]])
  })

  test('take what --only leaves, by the index in the input', async () => {
    const only: IndexRange[] = [{ from: 1, to: 3 }, { from: 5 }]
    const { items } = await itemsOf(selectItems(open(), only, { index: 2, count: 2 }))
    expect(items.map(({ index }) => index)).toEqual([1, 3, 5])
  })
})

test('strings that end with NUL keep their values where there are empty ones', async () => {
  const { items } = await itemsOf(
    selectItems(sourceOf('a\0\0c\0d\0', 'nul'), undefined, { index: 2, count: 2 }),
  )
  expect(items.map(({ index, text }) => [index, text])).toEqual([
    [1, ''],
    [3, 'd'],
  ])
})

test('a shard knows how many items it has left', async () => {
  const source = selectItems(sourceOf('0\n1\n2\n3\n4\n5\n6\n', 'ndjson'), [{ from: 1 }], {
    index: 1,
    count: 3,
  })
  const first = await source.next({ items: 1, bytes: 1 << 20 })
  expect(first && itemIndexAt(first, 0)).toBe(3)
  expect(source.remaining?.()).toBe(1)
})
