// The promises that make this pool more than Python's, each under its number. Where a table row or the end of a process
// already shows one, the test here looks at it from another side.
import { describe, expect, test } from 'vitest'
import {
  CallbackError,
  InitializerError,
  PoolTerminatedError,
  type RemoteTraceback,
  WorkerLostError,
} from '../../../src/index.js'
import { waitUntilNoneLeft } from '../../helpers/no-orphans.js'
import {
  collected,
  drain,
  endless,
  errorOf,
  feed,
  initializersUrl,
  makePool,
  openPool,
  outputLog,
  range,
  sharedPool,
  untilGone,
} from './helpers.js'

const shared = sharedPool()
type Initializers = typeof import('./fixtures/initializers.js')

describe('workers that die', () => {
  test('P1: a dead worker costs exactly the item it was running', async () => {
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

  test('P2: idle workers that are killed are replaced without a word', async () => {
    const pool = makePool({ processes: 2 })
    const pids = new Set(await pool.map('pid', range(20), { chunkSize: 1 }))
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await Promise.all([...pids].map(untilGone))
    expect(await pool.map('square', [1, 2, 3])).toEqual([1, 4, 9])
    pool.close()
    await pool.join()
  })

  test('P3, P4: a worker that dies before it is ready breaks the pool, which starts no other', async () => {
    const pool = makePool<Initializers>({ initializer: 'exits' }, initializersUrl)
    const errors = await Promise.all(range(5).map(() => errorOf(pool.apply('greet'))))
    for (const error of errors) expect(error).toBeInstanceOf(InitializerError)
    expect(errors[0]!.message).toMatch(/[12] workers? started/)
  })

  test('P8: what a task does to its process never ends this one', async () => {
    const error = await errorOf(shared.pool.apply('exit', [0]))
    expect(error.message).toMatch(/exited with code 0 before returning$/)
  })

  test('P19: a crash while a big argument is on its way is P1', async () => {
    const pool = makePool({ processes: 1 })
    const read = await drain(
      pool.imap('exitAt2', [1, 2, new Uint8Array(20_000_000) as never, 4], { chunkSize: 1 }),
    )
    expect(read.map((value) => (typeof value === 'object' ? 'bytes' : value))).toEqual([
      1,
      expect.stringContaining('exited with code 5'),
      'bytes',
      4,
    ])
  })

  test('P21: a result that was sent before its worker died is kept', async () => {
    const pool = makePool({ processes: 1 })
    expect(await pool.map('returnThenDie', [1, 2])).toEqual([1, 2])
    expect(await errorOf(pool.apply('hold', ['until its worker dies']))).toBeInstanceOf(WorkerLostError)
    expect(await pool.apply('square', [3])).toBe(9)
  })

  test('P23: a job that refuses every way to stop is killed all the same', async () => {
    const log = outputLog()
    const { pool, mark } = openPool({ onWorkerOutput: log.onWorkerOutput, killAfter: 100 })
    const held = errorOf(pool.apply('clingToLife'))
    await log.heard('clinging')
    await pool.terminate()
    expect(await held).toBeInstanceOf(PoolTerminatedError)
    await waitUntilNoneLeft(mark, 'a job that clings to life')
  })
})

describe('errors and callbacks', () => {
  test('P5: a callback that throws anything, or rejects, is a CallbackError; the pool lives', async () => {
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

  test('P6: an exception that cannot be rebuilt by its class fails its item alone', async () => {
    const read = await drain(shared.pool.imapUnordered('throwFrozen', [1, 2]))
    expect(read).toEqual(['frozen', 'frozen'])
    expect(await shared.pool.apply('square', [2])).toBe(4)
  })

  test('P7: what cannot be encoded in an error does not hide it, nor its causes', async () => {
    const error = await errorOf<{ cause: RemoteTraceback }>(shared.pool.apply('throwChain'))
    expect(error.cause.cause).toMatchObject({ name: 'RangeError', message: 'the disk is full' })
  })

  test('P18: each failed item, and each reader, has an error object of its own', async () => {
    const result = shared.pool.mapAsync('failAt2', [2])
    const errors = await Promise.all([errorOf(result), errorOf(result), errorOf(result.get())])
    expect(new Set(errors).size).toBe(3)
    expect(new Set(errors.map(({ cause }) => cause)).size).toBe(3)
  })
})

describe('inputs', () => {
  test('P9: an endless input is fine, and read no further than the window by default', async () => {
    const items = endless()
    let read = 0
    for await (const value of shared.pool.imap('square', items)) {
      expect(value).toBe(read ** 2)
      if (++read === 5_000) break
    }
    expect(items.taken).toBeLessThanOrEqual(5_000 + 2 * 1024)
  })

  test('P10: close() wakes a call that waits for its reader, or for its input', async () => {
    const pool = makePool()
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

  test('P11: what is counted is what was given, not what was announced', async () => {
    const items = Object.assign([1, 2, 3], { [Symbol.iterator]: () => [7][Symbol.iterator]() })
    expect(await shared.pool.map('square', items)).toEqual([49])
  })

  test('P12: results are per item, whatever the chunk', async () => {
    expect(await drain(shared.pool.imap('failOdd', range(9), { chunkSize: 9 }))).toHaveLength(9)
  })

  test('P13: a bad chunk size is no list of nothing', async () => {
    expect(await errorOf(shared.pool.starmap('mul', [[1, 2]], { chunkSize: 0 }))).toBeInstanceOf(RangeError)
  })
})

describe('ends', () => {
  test('P14: a map that failed fast does not keep join waiting', async () => {
    const pool = makePool({ killAfter: 100 })
    await errorOf(pool.map('failAt2HoldRest', [1, 2, 3, 4], { chunkSize: 1 }))
    pool.close()
    await pool.join()
  })

  test('P15: terminate ends what is deaf, within killAfter and a second, again and again', async () => {
    const log = outputLog()
    const pool = makePool({ onWorkerOutput: log.onWorkerOutput, killAfter: 200 })
    const results = [pool.applyAsync('spin'), pool.applyAsync('stubborn', [1])]
    await Promise.all([log.heard('spinning'), log.heard('stubborn 1')])
    const began = performance.now()
    await Promise.all([pool.terminate(), pool.terminate(), pool.join()])
    expect(performance.now() - began).toBeLessThan(1_200)
    for (const result of results) expect(await errorOf(result)).toBeInstanceOf(PoolTerminatedError)
  })

  test('P16: whatever was pending rejects with PoolTerminatedError, and iterators are then done', async () => {
    const pool = makePool()
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
