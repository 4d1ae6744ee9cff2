// Synchronous iterables as chunks: on demand, in order, with their own errors, and always released.
import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../../../src/model.js'
import { openSource } from '../../../../src/pool/sources/open.js'
import { errorOf, thrownBy } from '../../../helpers/errors.js'
import { endless, range } from '../../../helpers/iterables.js'

const want = (items: number, bytes = Number.POSITIVE_INFINITY) => ({ items, bytes })
const valuesOf = (chunk: Chunk | undefined) =>
  chunk?.payload.kind === 'values' ? [...chunk.payload.values] : undefined
const take = async (source: ReturnType<typeof openSource>, items: number) =>
  valuesOf(await source.next(want(items)))

describe('a synchronous source', () => {
  test('returns chunks without a promise, never larger than wanted, with the place of the first item', () => {
    const source = openSource(range(5))
    expect(source.next(want(2))).toMatchObject({ seq: 0, count: 2 })
    expect(source.remaining?.()).toBe(3)
    expect(source.next(want(9))).toMatchObject({ seq: 2, count: 3 })
    expect(source.next(want(9))).toBeUndefined()
    expect(source.next(want(9))).toBeUndefined()
  })

  test('does not touch its input before the first next', () => {
    const items = endless()
    openSource(items)
    expect(items.taken).toBe(0)
  })

  test('takes holes, undefined, null, 0 and empty strings as items', async () => {
    // biome-ignore lint/suspicious/noSparseArray: holes are the subject
    const source = openSource([undefined, , null, 0, '', -0])
    expect(await take(source, 9)).toEqual([undefined, undefined, null, 0, '', -0])
  })

  test('reads each item of an array once where that can be seen', async () => {
    const reads: PropertyKey[] = []
    const get = (target: unknown[], key: PropertyKey) => {
      reads.push(key)
      return Reflect.get(target, key)
    }
    const source = openSource(new Proxy([1, 'b', 3], { get }))
    expect(await take(source, 2)).toEqual([1, 'b'])
    expect(await take(source, 9)).toEqual([3])
    expect(reads.filter((key) => /^\d/.test(String(key)))).toEqual(['0', '1', '2'])
  })

  test('makes no instance of a class of arrays', async () => {
    let made = 0
    class Own extends Array<unknown> {
      constructor() {
        super()
        made++
      }
    }
    const items = new Own()
    items.push(1, 'b', 3)
    expect(await take(openSource(items), 2)).toEqual([1, 'b'])
    expect(made).toBe(1)
  })

  test('takes what is added to an array, and not what is cut off, between two chunks', async () => {
    const items: unknown[] = [1, 2, 3]
    const source = openSource(items)
    expect(await take(source, 2)).toEqual([1, 2])
    items.push('d')
    expect(await take(source, 1)).toEqual([3])
    items.push('e')
    items.length = 4
    expect(await take(source, 9)).toEqual(['d'])
    items.push('f')
    expect(await take(source, 9)).toBeUndefined()
  })

  test.for([undefined, null, 0, new Error('mine')])('throws %s after the items before it', (thrown) => {
    const source = openSource(
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

  test('throws what [Symbol.iterator] throws from the first next', () => {
    const source = openSource({
      [Symbol.iterator]() {
        throw new Error('no iterator')
      },
    })
    expect(thrownBy(() => source.next(want(1))).message).toBe('no iterator')
  })

  test('calls return of the iterator once when it is closed early, but not after the end', async () => {
    const items = endless()
    const source = openSource(items)
    source.next(want(1))
    await source.close()
    await source.close()
    expect(items.returned).toBe(1)
    expect(source.next(want(1))).toBeUndefined()

    let returned = 0
    const ended = openSource({
      [Symbol.iterator]: () => ({
        next: () => ({ done: true, value: 1 }),
        return: () => ++returned as never,
      }),
    })
    ended.next(want(1))
    await ended.close()
    expect(returned).toBe(0)
  })

  test('rejects close with what return throws', async () => {
    const source = openSource({
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

  test('may be stopped by its own input while it is read', async () => {
    let cleaned = false
    const holder: { source?: ReturnType<typeof openSource> } = {}
    function* items() {
      try {
        yield 1
        holder.source?.stopReading()
        yield 2
        yield 3
      } finally {
        cleaned = true
      }
    }
    const source = openSource(items())
    holder.source = source
    expect(valuesOf(source.next(want(9)) as Chunk)).toEqual([1, 2])
    await source.close()
    expect(cleaned).toBe(true)
  })
})
