// Whatever a caller may iterate, as chunks: on demand, in order, with its own errors, and always released.
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../../src/model.js'
import { valuesSource } from '../../../src/pool/values-source.js'
import { endless, errorOf, feed, range, thrownBy } from './helpers.js'

const want = (items: number, bytes = Number.POSITIVE_INFINITY) => ({ items, bytes })
const valuesOf = (chunk: Chunk | undefined) =>
  chunk?.payload.kind === 'values' ? [...chunk.payload.values] : undefined
const take = async (source: ReturnType<typeof valuesSource>, items: number) =>
  valuesOf(await source.next(want(items)))

describe('synchronous inputs', () => {
  test('are answered at once, never beyond what is wanted, and say where each chunk begins', () => {
    const source = valuesSource(range(5))
    expect(source.next(want(2))).toMatchObject({ seq: 0, count: 2 })
    expect(source.remaining?.()).toBe(3)
    expect(source.next(want(9))).toMatchObject({ seq: 2, count: 3 })
    expect(source.next(want(9))).toBeUndefined()
    expect(source.next(want(9))).toBeUndefined()
  })

  test('are not touched before anything is wanted', () => {
    const items = endless()
    valuesSource(items)
    expect(items.taken).toBe(0)
  })

  test('holes, undefined, null, 0 and empty strings are items', async () => {
    // biome-ignore lint/suspicious/noSparseArray: holes are the subject
    const source = valuesSource([undefined, , null, 0, '', -0])
    expect(await take(source, 9)).toEqual([undefined, undefined, null, 0, '', -0])
  })

  test.for([undefined, null, 0, new Error('mine')])('throw %s after the items before it', (thrown) => {
    const source = valuesSource(
      (function* () {
        yield 1
        yield 2
        throw thrown
      })(),
    )
    expect(valuesOf(source.next(want(5)) as Chunk)).toEqual([1, 2])
    expect(thrownBy(() => source.next(want(5)))).toBe(thrown)
    expect(source.next(want(5))).toBeUndefined()
  })

  test('whose [Symbol.iterator] throws tell it on the first demand', () => {
    const source = valuesSource({
      [Symbol.iterator]() {
        throw new Error('no iterator')
      },
    })
    expect(thrownBy(() => source.next(want(1))).message).toBe('no iterator')
  })

  test('are returned once when closed early, and not at all after their end', async () => {
    const items = endless()
    const source = valuesSource(items)
    source.next(want(1))
    await source.close()
    await source.close()
    expect(items.returned).toBe(1)
    expect(source.next(want(1))).toBeUndefined()

    let returned = 0
    const ended = valuesSource({
      [Symbol.iterator]: () => ({
        next: () => ({ done: true, value: 1 }),
        return: () => ++returned as never,
      }),
    })
    ended.next(want(1))
    await ended.close()
    expect(returned).toBe(0)
  })

  test('whose return throws reject close', async () => {
    const source = valuesSource({
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return() {
          throw new Error('in return')
        },
      }),
    })
    source.next(want(1))
    expect((await errorOf(source.close())).message).toBe('in return')
  })

  test('may close themselves while they are read', async () => {
    let cleaned = false
    const holder: { source?: ReturnType<typeof valuesSource> } = {}
    function* items() {
      try {
        yield 1
        holder.source?.end()
        yield 2
        yield 3
      } finally {
        cleaned = true
      }
    }
    const source = valuesSource(items())
    holder.source = source
    expect(valuesOf(source.next(want(9)) as Chunk)).toEqual([1, 2])
    await source.close()
    expect(cleaned).toBe(true)
  })

  test('large values make small chunks, whatever their kind', () => {
    const kinds: (() => unknown)[] = [
      () => 'x'.repeat(20_000),
      () => new Uint8Array(20_000),
      () => ({ nested: ['x'.repeat(20_000)] }),
    ]
    for (const kind of kinds) {
      const source = valuesSource(Array.from({ length: 100 }, kind))
      const chunk = source.next(want(100, 65_536)) as Chunk
      expect(chunk.count).toBeGreaterThan(1)
      expect(chunk.count).toBeLessThanOrEqual(5)
    }
    expect(valuesSource(range(9999)).next(want(4096, 65_536))).toMatchObject({ count: 4096 })
  })

  test('one object given twice becomes two', () => {
    const item = { n: 1 }
    const [first, second] = valuesOf(valuesSource([item, item]).next(want(2)) as Chunk)!
    expect(first).toEqual(second)
    expect(first).not.toBe(second)
  })
})

describe('asynchronous inputs', () => {
  test('what has come is given when the input pauses, the rest later', async () => {
    const items = feed<number>()
    const source = valuesSource(items)
    items.push(1, 2)
    expect(await take(source, 9)).toEqual([1, 2])
    const next = take(source, 9)
    items.push(3)
    expect(await next).toEqual([3])
    items.end()
    expect(await take(source, 9)).toBeUndefined()
  })

  test('are asked for one item at a time and no further than wanted', async () => {
    const items = feed<number>()
    items.push(1, 2, 3)
    const source = valuesSource(items)
    expect(await take(source, 2)).toEqual([1, 2])
    expect(items.asked).toBe(2)
  })

  test('reject after the items before', async () => {
    const source = valuesSource(
      (async function* () {
        yield 1
        throw undefined
      })(),
    )
    expect(await take(source, 5)).toEqual([1])
    expect(await errorOf(take(source, 5))).toBe(undefined)
    expect(await take(source, 5)).toBeUndefined()
  })

  test('that break the protocol are an error, not a hang', async () => {
    const source = valuesSource({
      [Symbol.asyncIterator]: () => ({ next: async () => undefined as never }),
    })
    expect(await errorOf(take(source, 1))).toBeInstanceOf(TypeError)
  })

  test('end() gives what was gathered, closes the input, and does not wait for one that is stuck', async () => {
    const items = feed<number>()
    const source = valuesSource(items)
    const waiting = take(source, 5)
    source.end()
    expect(await waiting).toBeUndefined()
    await source.close()
    expect(items.returned).toBe(1)

    const stuck = valuesSource(
      (async function* () {
        yield 1
        await new Promise(() => {})
      })(),
    )
    expect(await take(stuck, 5)).toEqual([1])
    const never = take(stuck, 5)
    await stuck.close()
    expect(await never).toBeUndefined()
  })

  test('an item that came after its batch had left is the first of the next', async () => {
    const items = feed<number>()
    const source = valuesSource(items)
    items.push(1)
    expect(await take(source, 5)).toEqual([1])
    items.push(2)
    await new Promise((resolve) => setImmediate(resolve))
    source.end()
    expect(await take(source, 5)).toEqual([2])
    expect(await take(source, 5)).toBeUndefined()
  })
})
