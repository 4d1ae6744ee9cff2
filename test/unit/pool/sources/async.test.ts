// Asynchronous iterables as chunks: on demand, in order, without waiting for a full chunk, and always released.
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../../../src/model.js'
import { openSource } from '../../../../src/pool/sources/open.js'
import { errorOf } from '../../../helpers/errors.js'
import { feed } from '../../../helpers/iterables.js'

const want = (items: number, bytes = Number.POSITIVE_INFINITY) => ({ items, bytes })
const valuesOf = (chunk: Chunk | undefined) =>
  chunk?.payload.kind === 'values' ? [...chunk.payload.values] : undefined
const take = async (source: ReturnType<typeof openSource>, items: number) =>
  valuesOf(await source.next(want(items)))

describe('an asynchronous source', () => {
  test('returns what has arrived when the input pauses, and the rest later', async () => {
    const items = feed<number>()
    const source = openSource(items)
    items.push(1, 2)
    expect(await take(source, 9)).toEqual([1, 2])
    const next = take(source, 9)
    items.push(3)
    expect(await next).toEqual([3])
    items.end()
    expect(await take(source, 9)).toBeUndefined()
  })

  test('reads one item at a time and no further than wanted', async () => {
    const items = feed<number>()
    items.push(1, 2, 3)
    const source = openSource(items)
    expect(await take(source, 2)).toEqual([1, 2])
    expect(items.nextCalls).toBe(2)
  })

  test('rejects after the items before the error', async () => {
    const source = openSource(
      (async function* () {
        yield 1
        throw undefined
      })(),
    )
    expect(await take(source, 5)).toEqual([1])
    expect(await errorOf(take(source, 5))).toBe(undefined)
    expect(await take(source, 5)).toBeUndefined()
  })

  test('rejects if the iterator does not return an object', async () => {
    const source = openSource({
      [Symbol.asyncIterator]: () => ({ next: async () => undefined as never }),
    })
    expect(await errorOf(take(source, 1))).toBeInstanceOf(TypeError)
  })

  test('stopReading returns what was read, closes the input, and does not wait for a stuck one', async () => {
    const items = feed<number>()
    const source = openSource(items)
    const waiting = take(source, 5)
    source.stopReading()
    expect(await waiting).toBeUndefined()
    await source.close()
    expect(items.returned).toBe(1)

    const stuck = openSource(
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

  test('puts an item that arrived after its chunk was returned into the next chunk', async () => {
    const items = feed<number>()
    const source = openSource(items)
    items.push(1)
    expect(await take(source, 5)).toEqual([1])
    items.push(2)
    await new Promise((resolve) => setImmediate(resolve))
    source.stopReading()
    expect(await take(source, 5)).toEqual([2])
    expect(await take(source, 5)).toBeUndefined()
  })
})
