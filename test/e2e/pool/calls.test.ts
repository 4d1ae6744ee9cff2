// Many calls in one pool: they share the workers fairly, and none stalls another.
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { CallbackError, TimeoutError } from '../../../src/index.js'
import {
  collected,
  endless,
  errorOf,
  feed,
  firstWaitsForLast,
  makePool,
  outputLog,
  range,
  readAll,
  sharedPool,
} from './helpers.js'

const log = outputLog()
const shared = sharedPool({ onWorkerOutput: log.onWorkerOutput })

describe('concurrent calls', () => {
  test('of all methods interleave, also if made in a callback', async () => {
    const { pool } = shared
    const items = range(200)
    const squares = items.map((n) => n * n)
    let inner: Promise<number[]> | undefined
    const started = pool.mapAsync('square', items, {
      callback: () => {
        inner = pool.map('square', items)
      },
    })
    const [mapped, streamed, unordered, kept, failed] = await Promise.all([
      pool.map('square', items, { chunkSize: 3 }),
      collected(pool.imap('square', items)),
      collected(pool.imapUnordered('square', items, { chunkSize: 7 })),
      collected(pool.collect('failOdd', items, { onFailure: () => {} })),
      errorOf(pool.map('failAt2', items)),
      started,
    ])
    expect(mapped).toEqual(squares)
    expect(streamed).toEqual(squares)
    expect(unordered.sort((a, b) => a - b)).toEqual(squares)
    expect(kept).toEqual(items.filter((n) => n % 2 === 0))
    expect(failed.message).toBe('Something bad happened!')
    expect(await inner).toEqual(squares)
  })

  test('share the workers: a short call does not wait for a long one', async () => {
    const { pool } = shared
    let longHasEnded = false
    const controller = new AbortController()
    const long = pool
      .map('later', Array(5_000).fill(1), { chunkSize: 1, signal: controller.signal })
      .then(() => {}, () => {}) // biome-ignore format: one line
      .then(() => {
        longHasEnded = true
      })
    await pool.map('later', [1, 1, 1, 1, 1])
    expect(longHasEnded).toBe(false)
    controller.abort()
    await long
  })

  test('continue while the consumer of another call is slow', async () => {
    const items = endless()
    const iterator = shared.pool.imap('square', items, { bufferSize: 3 })
    await iterator.next()
    expect(await shared.pool.map('square', range(500))).toHaveLength(500)
    expect(items.taken).toBeLessThanOrEqual(4)
    await iterator.return()
  })

  test('read their inputs in the context of the caller', async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen = new Set<unknown>()
    function* input() {
      for (const n of range(2000)) {
        seen.add(storage.getStore())
        yield n
      }
    }
    const read = () => readAll(shared.pool.imap('square', input(), { bufferSize: 50 }))
    const [results] = await Promise.all([storage.run('call', read), shared.pool.map('square', range(300))])
    expect(results).toHaveLength(2000)
    expect([...seen]).toEqual(['call'])
  })

  test('continue while another call waits for its input', async () => {
    const items = feed<number>()
    const iterator = shared.pool.imap('square', items)
    const waiting = iterator.next()
    expect(await shared.pool.map('square', [1, 2])).toEqual([1, 4])
    items.push(3)
    expect(await waiting).toEqual({ done: false, value: 9 })
    await iterator.return()
    expect(items.returned).toBe(1)
  })
})

describe('an AbortSignal', () => {
  test('rejects a map with its reason, the same object, and cancels running items', async () => {
    const controller = new AbortController()
    const reason = { why: 'because' }
    const held = errorOf<unknown>(shared.pool.map('hold', ['mapped'], { signal: controller.signal }))
    await log.received('holding mapped')
    controller.abort(reason)
    expect(await held).toBe(reason)
    await log.received('released mapped')
  })

  test('that was aborted before the call rejects it, and no item is taken', async () => {
    const items = endless()
    const signal = AbortSignal.abort(new Error('before'))
    expect((await errorOf(shared.pool.map('square', items, { signal }))).message).toBe('before')
    expect((await errorOf(shared.pool.apply('square', [1], { signal }))).message).toBe('before')
    expect(items.taken).toBe(0)
  })

  test('ends an iterator: next() rejects once, then it is done; the input is released', async () => {
    const controller = new AbortController()
    const items = endless()
    const iterator = shared.pool.imap('square', items, { bufferSize: 4, signal: controller.signal })
    await iterator.next()
    controller.abort(undefined)
    expect(await errorOf(iterator.next())).toMatchObject({ name: 'AbortError' })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    expect(items.returned).toBe(1)
  })

  test('of one call does not affect another', async () => {
    const controller = new AbortController()
    const aborted = errorOf(shared.pool.map('later', Array(50).fill(2), { signal: controller.signal }))
    const other = shared.pool.map('later', Array(20).fill(2))
    controller.abort()
    expect(await aborted).toMatchObject({ name: 'AbortError' })
    expect(await other).toHaveLength(20)
  })
})

describe('iterators', () => {
  test('answer concurrent next() calls in order', async () => {
    const iterator = shared.pool.imap('square', range(3))
    const steps = await Promise.all(range(5).map(() => iterator.next()))
    expect(steps.map(({ done, value }) => (done ? 'done' : value))).toEqual([0, 1, 4, 'done', 'done'])
  })

  test('release the input and cancel running items on break', async () => {
    const items = endless()
    for await (const value of shared.pool.imap('square', items, { bufferSize: 8 })) if (value === 9) break
    expect(items.returned).toBe(1)
    const taken = items.taken
    expect(await shared.pool.map('square', range(50))).toHaveLength(50)
    expect(items.taken).toBe(taken)
  })

  test('are done after return(), also for a second return()', async () => {
    const iterator = shared.pool.imap('square', [1, 2])
    await iterator.return()
    expect(await iterator.return()).toEqual({ done: true, value: undefined })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  test('answer a waiting next() on return()', async () => {
    const iterator = shared.pool.imap('hold', ['waited for'])
    const waiting = iterator.next()
    await log.received('holding waited for')
    await iterator.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await log.received('released waited for')
  })

  test('reject return() with what the return of the input throws, and free the workers', async () => {
    const input = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return() {
          throw new Error('in return')
        },
      }),
    }
    const iterator = shared.pool.imap('square', input, { bufferSize: 2 })
    await iterator.next()
    expect((await errorOf(iterator.return())).message).toBe('in return')
    expect(await shared.pool.apply('square', [2])).toBe(4)
    expect((await errorOf(shared.pool.map('failAt2', [2]))).message).toBe('Something bad happened!')
  })

  test('leave the item of a next() that timed out to the following one', async () => {
    const items = feed<number>()
    const iterator = shared.pool.imap('square', items)
    const hurried = errorOf(iterator.next({ timeout: 1 }))
    const patient = iterator.next()
    expect(await hurried).toBeInstanceOf(TimeoutError)
    items.push(2, 3)
    items.end()
    expect((await patient).value).toBe(4)
    expect(await iterator.next({ timeout: 20_000 })).toEqual({ done: false, value: 9 })
    expect((await iterator.next()).done).toBe(true)
  })

  test('reject with a new error for each failed item that shows where the iterator was made', async () => {
    const iterator = shared.pool.imap('failOdd', [1, 3])
    const [first, second] = [await errorOf(iterator.next()), await errorOf(iterator.next())]
    expect(first).not.toBe(second)
    expect(first.stack).toMatch(/^RangeError: 1 is odd\n.*calls\.test\.ts/)
  })
})

describe('collect', () => {
  test('calls onFailure for each failure with its index and item, and awaits it', async () => {
    const failures: unknown[] = []
    const values = await collected(
      shared.pool.collect('failOdd', range(6), {
        async onFailure(error, index, item) {
          await undefined
          failures.push([(error as Error).message, index, item])
        },
      }),
    )
    expect(values).toEqual([0, 2, 4])
    expect(failures).toEqual([1, 3, 5].map((n) => [`${n} is odd`, n, n]))
  })

  test('rejects with CallbackError if onFailure throws, then is done, and cancels the rest', async () => {
    const items = endless()
    const iterator = shared.pool.collect('failOdd', items, {
      bufferSize: 4,
      onFailure() {
        throw new Error('in onFailure')
      },
    })
    expect((await iterator.next()).value).toBe(0)
    const error = await errorOf<CallbackError>(iterator.next())
    expect(error).toBeInstanceOf(CallbackError)
    expect(error.message).toBe('onFailure for item 1 threw; the task itself had failed')
    expect(error).toMatchObject({ cause: { message: 'in onFailure' }, error: { message: '1 is odd' } })
    expect((await iterator.next()).done).toBe(true)
    expect(items.returned).toBe(1)
  })

  test('emits a warning for the first failure without onFailure', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    expect(await collected(shared.pool.collect('failOdd', range(4)))).toEqual([0, 2])
    expect((await warned).message).toContain('first item 1: RangeError: 1 is odd')
  })

  test('yields in order of completion if unordered', async () => {
    const options = { unordered: true, chunkSize: 1 }
    const values = await collected(shared.pool.collect('firstWaitsForLast', firstWaitsForLast(30), options))
    expect(values[0]).not.toBe(0)
    expect(values.sort((a, b) => a - b)).toEqual(range(30))
  })
})

test('concurrency is the number of items that run at the same time in one worker', async () => {
  const pool = makePool({ processes: 1, concurrency: 4 })
  expect(Math.max(...(await pool.map('crowd', range(12), { chunkSize: 1 })))).toBe(4)
})

test('failed and successful items of every chunk size and order are all delivered', async () => {
  const items = range(40)
  for (const chunkSize of [1, 7, 100, undefined])
    for (const bufferSize of [1, 10, undefined]) {
      const read = await readAll(shared.pool.imap('failOdd', items, { chunkSize, bufferSize }))
      expect(read).toEqual(items.map((n) => (n % 2 === 1 ? `${n} is odd` : n)))
      expect(
        await readAll(shared.pool.imapUnordered('failOdd', items, { chunkSize, bufferSize })),
      ).toHaveLength(40)
    }
})
