// Batches of consecutive items, from inputs that arrive in blocks of any size.
import { describe, expect, test } from 'vitest'
import { itemText } from '../../../src/framing/items.js'
import { locate } from '../../../src/framing/location.js'
import { BadItem, readItems } from '../../../src/framing/parse.js'
import type { Chunk } from '../../../src/model.js'
import { batchItems } from '../../../src/read/batches.js'
import { selectItems } from '../../../src/read/selection.js'
import type { ChunkSource, Want } from '../../../src/source.js'
import { MANY, ONE, type SourceOptions, sourceOf, textOf, valuesOf } from './helpers.js'

const dialect = { delimiter: ',' }

interface Reading {
  readonly chunks: Chunk[]
  readonly values: unknown[]
  readonly error: string | undefined
}

async function readAll(source: ChunkSource, want: Want): Promise<Reading> {
  const chunks: Chunk[] = []
  let error: string | undefined
  try {
    for (let chunk = await source.next(want); chunk !== undefined; chunk = await source.next(want)) {
      expect(chunk.count).toBeLessThanOrEqual(want.items)
      expect(chunk.seq).toBe(chunks.reduce((sum, { count }) => sum + count, 0))
      chunks.push(chunk)
    }
  } catch (thrown) {
    error = (thrown as Error).message
  }
  expect(await source.next(want)).toBeUndefined()
  return { chunks, values: chunks.flatMap(valuesOf), error }
}

function batchesOf<T>(members: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(members.length / size) }, (_, i) =>
    members.slice(i * size, (i + 1) * size),
  )
}

const numbers = Array.from({ length: 23 }, (_, i) => i)
const INPUTS = [
  ['ndjson', `${numbers.join('\n')}\n`, numbers],
  ['ndjson', numbers.map((n) => `${n}\r\n\n`).join(''), numbers],
  ['json', JSON.stringify(numbers, undefined, 2), numbers],
  ['json', `[${numbers.join(' , ')}]`, numbers],
  ['lines', numbers.join('\n'), numbers.map(String)],
  ['nul', numbers.join('\0'), numbers.map(String)],
  ['csv', `n\n${numbers.join('\n')}\n`, numbers.map((n) => ({ n: `${n}` }))],
] as const

describe.each([1, 2, 5, 23, 24, 1000])('batches of %i', (size) => {
  test.each(INPUTS)('hold consecutive items of %s: %j', async (framing, text, members) => {
    for (const blocks of [[1], [7], [1 << 20]]) {
      for (const want of [ONE, { items: 3, bytes: 1 << 20 }, { items: 3, bytes: 4 }, MANY]) {
        const source = batchItems(
          sourceOf(text, framing, { blocks, ...(framing === 'csv' && { dialect }) }),
          size,
        )
        expect(await readAll(source, want)).toMatchObject({
          values: batchesOf<unknown>(members, size),
          error: undefined,
        })
      }
    }
  })
})

test('no input has no batches', async () => {
  expect((await readAll(batchItems(sourceOf('', 'ndjson'), 3), MANY)).values).toEqual([])
  expect((await readAll(batchItems(sourceOf('[]', 'json'), 3), MANY)).values).toEqual([])
})

describe('a batch', () => {
  /** Yields one chunk per call, whatever is wanted, and reports how much that was. */
  function manual() {
    const wanted: number[] = []
    const waiting: ((chunk: Chunk | undefined) => void)[] = []
    const source: ChunkSource = {
      next({ items }) {
        wanted.push(items)
        return new Promise((resolve) => waiting.push(resolve))
      },
      close() {},
    }
    const give = (text: string | undefined) => {
      const count = text === undefined ? 0 : text.split('\n').length - 1
      waiting.shift()!(
        text === undefined
          ? undefined
          : { seq: 0, count, payload: { kind: 'bytes', bytes: Buffer.from(text), framing: 'ndjson' } },
      )
    }
    return { source, wanted, give }
  }

  test('is there as soon as it is full, without waiting for the next item', async () => {
    const { source, wanted, give } = manual()
    const batches = batchItems(source, 3)
    const first = batches.next(MANY)
    give('1\n2\n')
    await Promise.resolve()
    give('3\n')
    expect(valuesOf((await first)!)).toEqual([[1, 2, 3]])
    expect(wanted).toEqual([3_000_000, 1])
  })

  test('leaves the rest of a chunk to the next one, and shares the memory of whole batches', async () => {
    const { source, give } = manual()
    const batches = batchItems(source, 2)
    const first = batches.next(MANY)
    give('1\n2\n3\n4\n5\n')
    const chunk = (await first)!
    expect(textOf(chunk)).toBe('1\n2\n3\n4\n')
    const second = batches.next(MANY)
    give('6\n')
    expect(valuesOf((await second)!)).toEqual([[5, 6]])
    const third = batches.next(MANY)
    give('7\n8\n9\n')
    expect(valuesOf((await third)!)).toEqual([[7, 8]])
    const last = batches.next(MANY)
    give(undefined)
    expect(valuesOf((await last)!)).toEqual([[9]])
    expect(await batches.next(MANY)).toBeUndefined()
  })

  test('never wants more than is asked of it', async () => {
    const { source, wanted, give } = manual()
    const batches = batchItems(source, 4)
    const first = batches.next(ONE)
    give('1\n2\n3\n')
    await Promise.resolve()
    give('4\n')
    await first
    expect(wanted).toEqual([4, 1])
  })
})

describe('remaining', () => {
  test('counts batches, those that have begun too', async () => {
    const source = batchItems(sourceOf('1\n2\n3\n4\n5\n6\n7\n', 'ndjson'), 3)
    expect(source.remaining!()).toBeUndefined()
    await source.next(ONE)
    expect(source.remaining!()).toBe(2)
    await source.next(ONE)
    await source.next(ONE)
    expect(source.remaining!()).toBe(0)
  })
})

describe('the location of a bad member', () => {
  test.each([
    ['ndjson', '1\n\n\n2\n\n3\n\n {"é" 4}\n5\n', 'in:8:7'],
    ['json', '[\n  1,\n  2,\n\n  3\n  ,\n   {"é" 4},\n 5\n]', 'in:7:9'],
  ] as const)('is exact, however the batch was put together: %s %j', async (framing, text, expected) => {
    for (const blocks of [[1], [3], [1 << 20]])
      for (const size of [1, 2, 3, 4, 9]) {
        const options: SourceOptions = { blocks, tolerant: true }
        const { chunks } = await readAll(batchItems(sourceOf(text, framing, options), size), MANY)
        const locations = chunks.flatMap((chunk) => {
          const items = readItems(chunk.payload as Parameters<typeof readItems>[0])
          return Array.from({ length: chunk.count }, (_, i) => {
            const value = items.next()
            const at = value instanceof BadItem ? locate(chunk, i, value.at) : undefined
            return at && `${at.file}:${at.line}:${at.column}`
          })
        })
        expect(locations.filter((at) => at !== undefined)).toEqual([expected])
      }
  })
})

describe('an error of the input', () => {
  test('comes after a batch with all items before it, and names the batch', async () => {
    for (const blocks of [[1], [1 << 20]]) {
      const source = batchItems(sourceOf('1\n2\n3\n4\n{"a"', 'ndjson', { blocks, batch: 3 }), 3)
      const { values, error } = await readAll(source, MANY)
      expect(values).toEqual([[1, 2, 3], [4]])
      expect(error).toMatch(/^in:5:5: item 1: /)
    }
  })
})

describe('a member that is too long', () => {
  test.each([
    ['ndjson', '1\n2\n3\n"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"\n5\n6\n7\n'],
    ['json', '[1,2,3,"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",5,6,7]'],
    ['lines', '1\n2\n3\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n5\n6\n7\n'],
  ] as const)('fails its batch alone: %s', async (framing, text) => {
    for (const size of [1, 2, 3, 4, 10]) {
      const inner = sourceOf(text, framing, { blocks: [5], maxItemBytes: 12, tolerant: true })
      const { values, chunks } = await readAll(batchItems(inner, size), MANY)
      const strings = framing === 'lines'
      const expected = batchesOf([1, 2, 3, 'long', 5, 6, 7], size).map((batch) =>
        batch.includes('long')
          ? { bad: 'longer than 512 MiB, the longest text that Node can hold' }
          : batch.map((n) => (strings ? String(n) : n)),
      )
      expect(values).toEqual(expected)
      const bad = chunks.find(({ payload }) => payload.kind === 'bytes' && payload.isTooLong)!
      expect(itemText(bad.payload as Parameters<typeof itemText>[0], 0)).toContain('xxxx')
    }
  })
})

test('a selection of batches has their indexes', async () => {
  const batches = batchItems(sourceOf(numbers.join('\n'), 'ndjson', { blocks: [4] }), 5)
  const { chunks } = await (async () => {
    const selected = selectItems(batches, [{ from: 1, to: 1 }, { from: 3 }])
    const all: Chunk[] = []
    for (let c = await selected.next(MANY); c !== undefined; c = await selected.next(MANY)) all.push(c)
    return { chunks: all }
  })()
  expect(chunks.flatMap(({ indexes = [] }) => [...indexes])).toEqual([1, 3, 4])
  expect(chunks.flatMap(valuesOf)).toEqual([
    [5, 6, 7, 8, 9],
    [15, 16, 17, 18, 19],
    [20, 21, 22],
  ])
})
