// The guarantees that go beyond Python's Pool, each with its number. python-table.test.ts and life.test.ts test some of
// them too, in other situations.
import { describe, expect, test } from 'vitest'
import {
  CallbackError,
  InitializerError,
  PoolTerminatedError,
  type RemoteTraceback,
} from '../../../src/index.js'
import { waitUntilNoneLeft } from '../../helpers/no-orphans.js'
import {
  collected,
  endless,
  errorOf,
  feed,
  initializersUrl,
  makePool,
  openPool,
  outputLog,
  range,
  readAll,
  sharedPool,
  untilExited,
} from './helpers.js'

const shared = sharedPool()
type Initializers = typeof import('./fixtures/initializers.js')

describe('workers that crash', () => {
  test('P1: a crash costs exactly the item that was running', async () => {
    const failures: number[] = []
    const values = await collected(
      shared.pool.collect('exitAt2', range(30), {
        chunkSize: 10,
        onFailure: (_, index) => failures.push(index),
      }),
    )
    expect(failures).toEqual([2])
    expect(values).toEqual(range(30).filter((n) => n !== 2))
  })

  test('P2: idle workers that are killed are replaced, and no item is affected', async () => {
    const pool = makePool({ processes: 2 })
    const pids = new Set(await pool.map('pid', range(20), { chunkSize: 1 }))
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await Promise.all([...pids].map(untilExited))
    expect(await pool.map('square', [1, 2, 3])).toEqual([1, 4, 9])
    pool.close()
    await pool.join()
  })

  test('P3, P4: a worker that exits before it is ready breaks the pool, and no other is started', async () => {
    const pool = makePool<Initializers>({ initializer: 'exits' }, initializersUrl)
    const errors = await Promise.all(range(5).map(() => errorOf(pool.apply('greet'))))
    for (const error of errors) expect(error).toBeInstanceOf(InitializerError)
    expect(errors[0]!.message).toMatch(/[12] workers? started/)
  })

  test('P8: a task cannot end this process', async () => {
    const error = await errorOf(shared.pool.apply('exit', [0]))
    expect(error.message).toMatch(/exited with code 0 before returning$/)
  })

  test('P19: P1 also holds while a large argument is being sent', async () => {
    const pool = makePool({ processes: 1 })
    const read = await readAll(
      pool.imap('exitAt2', [1, 2, new Uint8Array(4_000_000) as never, 4], { chunkSize: 1 }),
    )
    expect(read.map((value) => (typeof value === 'object' ? 'bytes' : value))).toEqual([
      1,
      expect.stringContaining('exited with code 5'),
      'bytes',
      4,
    ])
  })

  test('P21: a result that was sent before its worker crashed is kept', async () => {
    const pool = makePool({ processes: 1 })
    const pids = await pool.map('returnThenDie', [1, 2])
    expect(pids).toEqual([expect.any(Number), pids[0]])
    await untilExited(pids[0]!)
    expect(await pool.apply('square', [3])).toBe(9)
  })

  test('P23: a job that refuses every way to stop is killed', async () => {
    const log = outputLog()
    const { pool, mark } = openPool({ onWorkerOutput: log.onWorkerOutput, killAfter: 100 })
    const held = errorOf(pool.apply('clingToLife'))
    await log.received('clinging')
    await pool.terminate()
    expect(await held).toBeInstanceOf(PoolTerminatedError)
    await waitUntilNoneLeft(mark, 'a job that clings to life')
  })
})

describe('errors and callbacks', () => {
  test('P5: a callback that throws anything, or rejects, is a CallbackError; the pool lives on', async () => {
    for (const callback of [
      () => {
        throw null
      },
      () => Promise.reject(5),
    ]) {
      const error = await errorOf<CallbackError>(shared.pool.mapAsync('square', [2], { callback }))
      expect(error).toBeInstanceOf(CallbackError)
      expect(error.result).toEqual([4])
    }
    expect(await shared.pool.apply('square', [2])).toBe(4)
  })

  test('P6: an error that its class cannot rebuild fails only its item', async () => {
    const read = await readAll(shared.pool.imapUnordered('throwFrozen', [1, 2]))
    expect(read).toEqual(['frozen', 'frozen'])
    expect(await shared.pool.apply('square', [2])).toBe(4)
  })

  test('P7: an error with properties that cannot be cloned keeps its causes', async () => {
    const error = await errorOf<{ cause: RemoteTraceback }>(shared.pool.apply('throwChain'))
    expect(error.cause.cause).toMatchObject({ name: 'RangeError', message: 'the disk is full' })
  })

  test('P18: each get() and await rejects with a new error object', async () => {
    const result = shared.pool.mapAsync('failAt2', [2])
    const errors = await Promise.all([errorOf(result), errorOf(result), errorOf(result.get())])
    expect(new Set(errors).size).toBe(3)
    expect(new Set(errors.map(({ cause }) => cause)).size).toBe(3)
  })
})

describe('inputs', () => {
  test('P9: an endless input works, and is read no further ahead than the default window', async () => {
    const items = endless()
    let read = 0
    for await (const value of shared.pool.imap('square', items)) {
      expect(value).toBe(read ** 2)
      if (++read === 5_000) break
    }
    expect(items.taken).toBeLessThanOrEqual(5_000 + 2 * 1024)
  })

  test('P10: close() ends a call that waits for its consumer, or for its input', async () => {
    const pool = makePool({ processes: 1 })
    const throttled = pool.imap('square', endless(), { bufferSize: 2 })
    await throttled.next()
    const waiting = pool.imap('square', feed<number>())
    const next = waiting.next()
    const mapped = errorOf(pool.map('square', feed<number>()))
    pool.close()
    await pool.join()
    expect(await next).toEqual({ done: true, value: undefined })
    expect((await mapped).message).toBe('the pool was closed before all of the input was read')
  })

  test('P11: the items are those that the iterator yields, whatever the length says', async () => {
    const items = Object.assign([1, 2, 3], { [Symbol.iterator]: () => [7][Symbol.iterator]() })
    expect(await shared.pool.map('square', items)).toEqual([49])
  })

  test('P12: results are per item, whatever the chunk size', async () => {
    expect(await readAll(shared.pool.imap('failOdd', range(9), { chunkSize: 9 }))).toHaveLength(9)
  })

  test('P13: a bad chunk size is an error, not an empty result', async () => {
    expect(await errorOf(shared.pool.starmap('mul', [[1, 2]], { chunkSize: 0 }))).toBeInstanceOf(RangeError)
  })
})

describe('close and terminate', () => {
  test('P14: join does not wait for the cancelled items of a map that failed', async () => {
    const pool = makePool({ killAfter: 100 })
    await errorOf(pool.map('failAt2HoldRest', [1, 2, 3, 4], { chunkSize: 1 }))
    pool.close()
    await pool.join()
  })

  test('P15: terminate ends unresponsive tasks within killAfter and a second, and is idempotent', async () => {
    const log = outputLog()
    const pool = makePool({ onWorkerOutput: log.onWorkerOutput, killAfter: 200 })
    const results = [pool.applyAsync('spin'), pool.applyAsync('stubborn', [1])]
    await Promise.all([log.received('spinning'), log.received('stubborn 1')])
    const began = performance.now()
    await Promise.all([pool.terminate(), pool.terminate(), pool.join()])
    expect(performance.now() - began).toBeLessThan(1_200)
    for (const result of results) expect(await errorOf(result)).toBeInstanceOf(PoolTerminatedError)
  })

  test('a running task learns from the reason of its signal why it is cancelled', async () => {
    const log = outputLog()
    const pool = makePool({ processes: 1, onWorkerOutput: log.onWorkerOutput, killAfter: 5_000 })
    const ways: [abort: unknown, message: string][] = [
      [new Error('the user left'), 'the user left'],
      ['too late', 'too late'],
      [undefined, 'This operation was aborted'],
      [42, 'the item was cancelled'],
    ]
    for (const [i, [reason, message]] of ways.entries()) {
      const caller = new AbortController()
      const call = errorOf(pool.map('printReason', [1], { signal: caller.signal }))
      await log.received('waiting', i + 1)
      caller.abort(reason)
      await call
      await log.received(`AbortError: ${message}`)
    }
    const call = errorOf(pool.map('printReason', [1]))
    await log.received('waiting', ways.length + 1)
    await pool.terminate()
    expect(log.lines.map(({ line }) => line)).toContain('AbortError: the pool was terminated')
    await call
  })

  test('P16: pending calls reject with PoolTerminatedError, and iterators are done after that', async () => {
    const pool = makePool({ processes: 1 })
    const items = feed<number>()
    const iterator = pool.imap('square', items)
    items.push(1)
    await iterator.next()
    const pending = [
      pool.map('hold', [1]),
      pool.apply('hold', [2]),
      pool.starmapAsync('count', feed<[]>()).get(),
      iterator.next(),
    ].map((one) => errorOf(one))
    await pool.terminate()
    for (const error of await Promise.all(pending)) {
      expect(error).toBeInstanceOf(PoolTerminatedError)
      expect(error.stack).toContain('promises.test.ts')
    }
    expect((await iterator.next()).done).toBe(true)
    expect(items.returned).toBe(1)
  })
})
