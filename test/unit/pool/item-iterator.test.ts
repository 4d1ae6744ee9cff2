// The iterator of `imap` and `collect`, against a flow whose ranges the test delivers.
import { describe, expect, test } from 'vitest'
import { CallbackError, PoolTerminatedError, TimeoutError } from '../../../src/errors/classes.js'
import { captureCallSite } from '../../../src/errors/stacks.js'
import type { ItemFailure, SettledRange } from '../../../src/model.js'
import { ItemIterator, type ItemIteratorOptions } from '../../../src/pool/item-iterator.js'
import type { PoolCall } from '../../../src/pool/pool-core.js'
import { errorOf } from '../../helpers/errors.js'
import { readAll } from '../../helpers/iterables.js'

const DONE = { done: true, value: undefined }

/** A range that begins with item `seq`; an Error among the values stands for an item that failed with kind `timeout`. */
function rangeOf(seq: number, ...values: unknown[]): SettledRange {
  const failures: ItemFailure[] = values.flatMap((value, offset) =>
    value instanceof Error
      ? [{ offset, failure: { kind: 'timeout', timeoutMs: 5 }, workerId: 0, pid: 9, attempts: 1 }]
      : [],
  )
  const items = values.map((_, i) => `item ${seq + i}`)
  const results = values.map((value) => (value instanceof Error ? undefined : value))
  return {
    chunk: { seq, count: values.length, payload: { kind: 'values', values: items } },
    from: 0,
    count: values.length,
    results: { kind: 'values', values: results },
    failures,
    workerId: 0,
    pid: 9,
    attempts: 1,
  }
}

const failedItem = new Error('the item failed')

/** A call whose flow delivers what the test pushes: ranges, `undefined` for its end, or `{ error }` to throw. */
function setUp(options: Partial<ItemIteratorOptions> = {}) {
  const delivered: (SettledRange | undefined | { readonly error: unknown })[] = []
  let wake = () => {}
  const log: string[] = []
  const flow = {
    nextReady: () =>
      delivered[0] !== undefined && 'chunk' in delivered[0] ? (delivered.shift() as SettledRange) : undefined,
    async next() {
      while (delivered.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      const next = delivered.shift()
      if (next !== undefined && 'error' in next) throw next.error
      return next
    },
    async cancel() {
      log.push('cancel')
    },
  }
  const source = {
    async close() {
      log.push('close')
    },
  }
  const call = { flow, source, itemHandedOut: () => log.push('handed out'), wasCutShort: false }
  function imap() {
    return new ItemIterator<unknown>({
      call: call as unknown as PoolCall,
      site: captureCallSite(imap),
      errorOf: (thrown) => thrown,
      ...options,
    })
  }
  const iterator = imap()
  const deliver = (...next: typeof delivered) => {
    delivered.push(...next)
    wake()
  }
  return { iterator, deliver, log, source }
}

describe('next', () => {
  test('returns the results of all ranges in order, then is done', async () => {
    const { iterator, deliver, log } = setUp()
    deliver(rangeOf(0, 'a', undefined), rangeOf(2, 'c'), undefined)
    expect(await readAll(iterator)).toEqual(['a', undefined, 'c'])
    expect(await iterator.next()).toEqual(DONE)
    expect(log).toEqual(['handed out', 'handed out', 'handed out'])
  })

  test('rejects for a failed item and continues with the next one', async () => {
    const { iterator, deliver } = setUp()
    deliver(rangeOf(0, 'a', failedItem, 'c', failedItem), rangeOf(4, failedItem, 'f'), undefined)
    const message = (index: number) => `item ${index} exceeded 5 ms on worker 0 (pid 9)`
    expect(await readAll(iterator)).toEqual(['a', message(1), 'c', message(3), message(4), 'f'])
  })

  test('shows where the iterator was made in the stack of a failed item', async () => {
    const { iterator, deliver } = setUp()
    deliver(rangeOf(0, failedItem))
    expect((await errorOf(iterator.next())).stack).toMatch(/^TimeoutError: .*\n {4}at setUp \(/)
  })

  test('answers concurrent calls in order', async () => {
    const { iterator, deliver } = setUp()
    const steps = Promise.all(Array.from({ length: 5 }, () => iterator.next()))
    deliver(rangeOf(0, 'a', 'b'))
    deliver(rangeOf(2, 'c'), undefined)
    expect((await steps).map(({ done, value }) => (done ? 'done' : value))).toEqual([
      'a',
      'b',
      'c',
      'done',
      'done',
    ])
  })

  test('rejects with TimeoutError and leaves the item to the next call', async () => {
    const { iterator, deliver } = setUp()
    const error = await errorOf(iterator.next({ timeout: 0 }))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error.message).toBe('no result was ready after 0 ms')
    expect(error.stack).toContain('item-iterator.test.ts')
    deliver(rangeOf(0, 'a', 'b'), undefined)
    expect(await iterator.next({ timeout: 60_000 })).toEqual({ done: false, value: 'a' })
    expect(await readAll(iterator)).toEqual(['b'])
  })

  test('gives the item of a call that timed out to another one that waits', async () => {
    const { iterator, deliver } = setUp()
    const timedOut = errorOf(iterator.next({ timeout: 0 }))
    const waiting = iterator.next()
    expect(await timedOut).toBeInstanceOf(TimeoutError)
    deliver(rangeOf(0, 'a'), undefined)
    expect((await waiting).value).toBe('a')
    expect(await iterator.next()).toEqual(DONE)
  })

  test.for([
    [{ timeout: -1 }, RangeError],
    [{ timeout: '1' }, TypeError],
    [{ time: 1 }, TypeError],
  ] as const)('rejects the options %o', async ([options, Kind]) => {
    expect(await errorOf(setUp().iterator.next(options as never))).toBeInstanceOf(Kind)
  })

  test.for([undefined, null, new Error('of the input')])(
    'rejects with %o if the flow throws it, cancels the call, and is done',
    async (thrown) => {
      const { iterator, deliver, log } = setUp()
      deliver(rangeOf(0, 'a'), { error: thrown })
      expect((await iterator.next()).value).toBe('a')
      expect(await errorOf<unknown>(iterator.next())).toBe(thrown)
      expect(await iterator.next()).toEqual(DONE)
      expect(log).toContain('cancel')
    },
  )

  test('rejects with the error that errorOf makes', async () => {
    const made = new PoolTerminatedError('made')
    const { iterator, deliver } = setUp({ errorOf: (thrown) => (thrown === 'a fault' ? made : thrown) })
    deliver({ error: 'a fault' })
    expect(await errorOf(iterator.next())).toBe(made)
  })
})

describe('onFailure', () => {
  test('is called and awaited for each failed item, which is skipped', async () => {
    const calls: unknown[] = []
    const { iterator, deliver } = setUp({
      async onFailure(error, index, item) {
        await undefined
        calls.push([(error as Error).name, index, item])
      },
    })
    deliver(rangeOf(0, failedItem, 'b'), rangeOf(2, failedItem), undefined)
    expect(await readAll(iterator)).toEqual(['b'])
    expect(calls).toEqual([
      ['TimeoutError', 0, 'item 0'],
      ['TimeoutError', 2, 'item 2'],
    ])
  })

  test('that throws rejects next with CallbackError, cancels the call, and then it is done', async () => {
    const { iterator, deliver, log } = setUp({
      onFailure() {
        throw undefined
      },
    })
    deliver(rangeOf(0, 'a', failedItem, 'c'))
    expect((await iterator.next()).value).toBe('a')
    const error = await errorOf<CallbackError>(iterator.next())
    expect(error).toBeInstanceOf(CallbackError)
    expect(error.message).toBe('onFailure for item 1 threw; the task itself had failed')
    expect(error).toMatchObject({ cause: undefined, error: { name: 'TimeoutError' } })
    expect(await iterator.next()).toEqual(DONE)
    expect(log).toContain('cancel')
  })
})

describe('return', () => {
  test('cancels the call, closes the source and is done, also a second time', async () => {
    const { iterator, deliver, log } = setUp()
    deliver(rangeOf(0, 'a', 'b'))
    await iterator.next()
    expect(await iterator.return()).toEqual(DONE)
    expect(log).toEqual(['handed out', 'cancel', 'close'])
    expect(await iterator.next()).toEqual(DONE)
    expect(await iterator.return()).toEqual(DONE)
  })

  test('answers the calls of next that wait, and drops a range that arrives later', async () => {
    const { iterator, deliver } = setUp()
    const waiting = [iterator.next(), iterator.next()]
    await iterator.return()
    expect(await Promise.all(waiting)).toEqual([DONE, DONE])
    deliver(rangeOf(0, 'a'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(await iterator.next()).toEqual(DONE)
  })

  test('rejects with what closing the source threw', async () => {
    const { iterator, source } = setUp()
    source.close = async () => {
      throw new Error('in return')
    }
    expect((await errorOf(iterator.return())).message).toBe('in return')
  })

  test('is called by break and by await using', async () => {
    const left = setUp()
    left.deliver(rangeOf(0, 'a', 'b'))
    for await (const value of left.iterator) if (value === 'a') break
    expect(left.log).toContain('close')

    const disposed = setUp()
    await disposed.iterator[Symbol.asyncDispose]()
    expect(disposed.log).toContain('close')
  })
})
