// The behaviours of Python's Pool, one by one, and what this one does instead. Titles begin with the behaviour in Python's
// words. Workers that crash, are recycled or outlive their parent are in reliability.test.ts and life.test.ts, refused
// options in test/unit/pool/pool.test.ts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  ArgumentEncodingError,
  CallbackError,
  InitializerError,
  NonErrorThrown,
  Pool,
  PoolBrokenError,
  PoolStateError,
  PoolTerminatedError,
  RemoteTraceback,
  ResultEncodingError,
  ResultNotReadyError,
  TimeoutError,
  WorkerLostError,
} from '../../../src/index.js'
import {
  endless,
  errorOf,
  feed,
  firstWaitsForLast,
  initializersUrl,
  jobUrl,
  makePool,
  outputLog,
  range,
  readAll,
  sharedPool,
  thrownBy,
  untilExited,
} from './helpers.js'

const shared = sharedPool()
type Initializers = typeof import('./fixtures/initializers.js')

function tempFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolrun-pool-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'log')
}

const linesOf = (file: string) => readFileSync(file, 'utf8').trim().split('\n')

describe('construction', () => {
  test('`initializer` not callable: InitializerError', async () => {
    expect(thrownBy(() => new Pool(jobUrl, { initializer: (() => {}) as never }))).toBeInstanceOf(TypeError)
    const pool = makePool<Initializers>({ processes: 1, initializer: 'notAFunction' }, initializersUrl)
    const error = await errorOf(pool.apply('greet'))
    expect(error).toBeInstanceOf(InitializerError)
    expect((error.cause as Error).stack).toContain("exports no function named 'notAFunction'")
  })

  test('`initargs` wrong arity: InitializerError with the error of the initializer', async () => {
    expect(thrownBy(() => new Pool(jobUrl, { initArgs: 'abc' as never }))).toBeInstanceOf(TypeError)
    const pool = makePool<Initializers>(
      { processes: 1, initializer: 'needsTwo', initArgs: [1] },
      initializersUrl,
    )
    const error = await errorOf(pool.apply('greet'))
    expect(error).toBeInstanceOf(InitializerError)
    expect((error.cause as Error).stack).toContain('TypeError: needs two arguments, got 1')
  })

  test('initializer raises: pending and later calls fail, and at most `processes` workers were started', async () => {
    const log = tempFile()
    const pool = makePool<Initializers>({ initializer: 'throws', initArgs: [log] }, initializersUrl)
    const pending = [pool.apply('greet'), pool.mapAsync('greet', [1, 2]), pool.imap('greet', [1]).next()]
    const errors = await Promise.all(pending.map((one) => errorOf(one)))
    for (const error of errors) expect(error).toBeInstanceOf(InitializerError)
    expect(new Set(errors).size).toBe(3)
    expect(await errorOf(pool.map('greet', [1]))).toBeInstanceOf(InitializerError)
    expect(thrownBy(() => pool.imap('greet', [1]))).toBeInstanceOf(InitializerError)
    expect(thrownBy(() => pool.applyAsync('greet'))).toBeInstanceOf(InitializerError)
    await pool.terminate()
    expect(linesOf(log).length).toBeLessThanOrEqual(2)
  })

  test('initializer `sys.exit(4)`: InitializerError with the exit code', async () => {
    const pool = makePool<Initializers>({ processes: 1, initializer: 'exits' }, initializersUrl)
    const error = await errorOf(pool.apply('greet'))
    expect(error).toBeInstanceOf(InitializerError)
    expect(error.message).toContain('exited with code 4')
  })

  test('spawn fails in constructor: every call rejects with PoolBrokenError', async () => {
    const { execPath } = process
    process.execPath = '/no/such/node'
    try {
      const pool = makePool()
      const error = await errorOf(pool.apply('square', [2]))
      expect(error).toBeInstanceOf(PoolBrokenError)
      expect(error.message).toContain('cannot start a worker process')
    } finally {
      process.execPath = execPath
    }
  })
})

describe('chunks and input', () => {
  test('default chunksize: adapts, and every result is at the place of its item', async () => {
    const items = range(10_000)
    expect(await shared.pool.map('square', items)).toEqual(items.map((n) => n * n))
  })

  test.for([0, -1, 1.5, Number.NaN, '2'])('`imap*` chunksize: %s throws', (chunkSize) => {
    const options = { chunkSize: chunkSize as number }
    const Kind = Number.isInteger(chunkSize) ? RangeError : TypeError
    expect(thrownBy(() => shared.pool.imap('square', [1], options))).toBeInstanceOf(Kind)
    expect(thrownBy(() => shared.pool.imapUnordered('square', [1], options))).toBeInstanceOf(Kind)
    expect(thrownBy(() => shared.pool.collect('square', [1], options))).toBeInstanceOf(Kind)
  })

  test.for([0, -1])('`map` chunksize 0/-1: %s rejects with RangeError', async (chunkSize) => {
    expect(await errorOf(shared.pool.map('square', [1], { chunkSize }))).toBeInstanceOf(RangeError)
    expect(thrownBy(() => shared.pool.mapAsync('square', [1], { chunkSize }))).toBeInstanceOf(RangeError)
  })

  test('`map` input: any iterable in its order; an empty one gives [] and calls the callback', async () => {
    function* squares() {
      yield* [3, 1, 2]
    }
    async function* later() {
      yield* squares()
    }
    const { pool } = shared
    expect(await pool.map('echo', squares())).toEqual([3, 1, 2])
    expect(await pool.map('echo', later())).toEqual([3, 1, 2])
    expect(await pool.map('echo', new Set(['a', 'b']))).toEqual(['a', 'b'])
    expect(await pool.map('echo', 'héy')).toEqual(['h', 'é', 'y'])
    const called: unknown[] = []
    expect(await pool.mapAsync('echo', [], { callback: (all) => called.push(all) })).toEqual([])
    expect(called).toEqual([[]])
  })

  test('`map` one failure: rejects as soon as it settles, and cancels the rest', async () => {
    const log = outputLog()
    const pool = makePool({ onWorkerOutput: log.onWorkerOutput })
    const error = await errorOf(pool.map('failAt2HoldRest', [0, 2, ...range(50)], { chunkSize: 1 }))
    expect(error.message).toBe('Something bad happened!')
    await log.received('released 0')
    expect(log.lines.filter(({ line }) => line.startsWith('holding'))).toHaveLength(1)
    expect(await pool.map('square', [3])).toEqual([9])
  })

  test('`map`, several failures: the first that settles is raised', async () => {
    const pool = makePool({ processes: 1 })
    const error = await errorOf(pool.map('failOdd', [0, 1, 3], { chunkSize: 1 }))
    expect(error.message).toBe('1 is odd')
  })

  test('`starmap` bad tuple: that item fails with TypeError', async () => {
    expect(await shared.pool.starmap('mul', [[2, 3], [4, 5]])).toEqual([6, 20]) // biome-ignore format: pairs
    const error = await errorOf(shared.pool.starmap('mul', [[2, 3], 5 as never]))
    expect(error).toBeInstanceOf(TypeError)
    expect((error.cause as RemoteTraceback).index).toBe(1)
  })

  test('`apply(f, 5)`: TypeError before anything is sent', async () => {
    const error = await errorOf(shared.pool.apply('square', 5 as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.cause).toBeUndefined()
  })

  test.for([1, 2, undefined])(
    '`imap` order / laziness: continues after a failed item, chunkSize %s',
    async (chunkSize) => {
      const read = await readAll(shared.pool.imap('failAt2', range(6), { chunkSize }))
      expect(read).toEqual([0, 1, 'Something bad happened!', 3, 4, 5])
    },
  )

  test('`imap` chunksize>1 failure: no other result is lost', async () => {
    const read = await readAll(shared.pool.imap('failOdd', range(7), { chunkSize: 3 }))
    expect(read).toEqual([0, '1 is odd', 2, '3 is odd', 4, '5 is odd', 6])
  })

  test('`imap_unordered`: in order of completion, each item once, errors with their index', async () => {
    const items = firstWaitsForLast(30)
    const values = await readAll(shared.pool.imapUnordered('firstWaitsForLast', items, { chunkSize: 1 }))
    expect(values[0]).not.toBe(0)
    expect(values.sort((a, b) => Number(a) - Number(b))).toEqual(range(30))
    const iterator = shared.pool.imapUnordered('failAt2', range(5), { chunkSize: 1 })
    const seen: unknown[] = []
    for (;;) {
      try {
        const { done, value } = await iterator.next()
        if (done) break
        seen.push(value)
      } catch (error) {
        seen.push(((error as Error).cause as RemoteTraceback).index)
      }
    }
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4])
  })

  test('`imap` eagerness: takes at most `bufferSize` items that are not handed out yet', async () => {
    const items = endless()
    const iterator = shared.pool.imap('square', items, { bufferSize: 5, chunkSize: 2 })
    for (let handedOut = 0; handedOut < 40; handedOut++) {
      expect(items.taken - handedOut).toBeLessThanOrEqual(5)
      expect(await iterator.next()).toEqual({ done: false, value: handedOut ** 2 })
    }
    await iterator.return()
    expect(items.returned).toBe(1)
  })

  test('`.next(timeout)`: TimeoutError, and no item is lost', async () => {
    const items = feed<number>()
    const iterator = shared.pool.imap('square', items, { chunkSize: 3 })
    const error = await errorOf(iterator.next({ timeout: 5 }))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error.message).toBe('no result was ready after 5 ms')
    items.push(7, 8)
    items.end()
    expect(await readAll(iterator)).toEqual([49, 64])
  })

  test('input raises at item 3: the same error object, after the results of all items before it', async () => {
    const own = new Error('bad input')
    function* items() {
      yield* [0, 1, 4]
      throw own
    }
    const { pool } = shared
    expect(await errorOf(pool.map('echo', items()))).toBe(own)
    for (const iterator of [pool.imap('later', items()), pool.imapUnordered('later', items())]) {
      const values = await Promise.all([iterator.next(), iterator.next(), iterator.next()])
      expect(values.map(({ value }) => value).sort()).toEqual([0, 1, 4])
      expect(await errorOf(iterator.next())).toBe(own)
      expect(await iterator.next()).toEqual({ done: true, value: undefined })
    }
    expect(own.cause).toBeUndefined()
  })

  test('sized input raises midway / is shorter / is longer than its length', async () => {
    class Lying extends Array<number> {
      readonly #really: number
      constructor(length: number, really: number) {
        super(length)
        this.#really = really
      }
      override *[Symbol.iterator]() {
        for (let n = 0; n < Math.abs(this.#really); n++) yield n
        if (this.#really < 0) throw new Error('raised midway')
        return undefined
      }
    }
    const { pool } = shared
    expect(await pool.map('echo', new Lying(10, 3))).toEqual([0, 1, 2])
    expect(await pool.map('echo', new Lying(2, 50))).toEqual(range(50))
    expect((await errorOf(pool.map('echo', new Lying(5, -2)))).message).toBe('raised midway')
    expect(await readAll(pool.imap('echo', new Lying(10, 3)))).toEqual([0, 1, 2])
  })

  test.for([5, null, undefined, {}, () => {}])('input not iterable: %s is a TypeError', async (items) => {
    const input = items as never
    expect(await errorOf(shared.pool.map('square', input))).toBeInstanceOf(TypeError)
    expect(await errorOf(shared.pool.starmap('mul', input))).toBeInstanceOf(TypeError)
    for (const call of ['imap', 'imapUnordered', 'collect', 'mapAsync'] as const)
      expect(thrownBy(() => shared.pool[call]('square', input))).toBeInstanceOf(TypeError)
  })
})

describe('values that cannot be cloned', () => {
  test('unpicklable argument: only that item fails, with its index and path', async () => {
    const items = [1, { a: { f: () => 1 } }, 3]
    const iterator = shared.pool.imap('echo', items, { chunkSize: 3 })
    expect((await iterator.next()).value).toBe(1)
    const error = await errorOf<ArgumentEncodingError>(iterator.next())
    expect(error).toBeInstanceOf(ArgumentEncodingError)
    expect(error).toMatchObject({ index: 1, path: 'a.f', code: 'ERR_POOL_ARGUMENT_ENCODING' })
    expect((await iterator.next()).value).toBe(3)
  })

  test('unpicklable function: TypeError, because a task is named, not passed', async () => {
    const error = await errorOf(shared.pool.apply(((n: number) => n) as never, [1] as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('named by its export')
  })

  test('unpicklable result: only that item fails, with the path of the value; the worker lives on', async () => {
    const pool = makePool({ processes: 1 })
    const pid = await pool.apply('pid')
    const iterator = pool.imap('returnFunctionAt2', range(4), { chunkSize: 4 })
    await iterator.next()
    await iterator.next()
    const error = await errorOf<ResultEncodingError>(iterator.next())
    expect(error).toBeInstanceOf(ResultEncodingError)
    expect(error).toMatchObject({ index: 2, path: 'a.f' })
    expect((await iterator.next()).value).toBe(3)
    expect(await pool.apply('pid')).toBe(pid)
  })

  test('unpicklable exception: message, name and what can be cloned survive', async () => {
    const error = await errorOf<Error & { code: string; fn: unknown }>(shared.pool.apply('throwUncloneable'))
    expect(error.message).toBe('the message survives')
    expect(error.code).toBe('E_FN')
    expect(error.fn).toEqual(expect.any(String))
  })

  test('exception with required ctor args: rebuilt without calling its constructor', async () => {
    const error = await errorOf(shared.pool.apply('throwQuota'))
    expect(error.message).toBe('quota spent: MAIL')
    expect(error.name).toBe('QuotaError')
    expect(await shared.pool.apply('square', [3])).toBe(9)
  })

  test('exception attributes: kept, also those of a frozen error', async () => {
    const error = await errorOf(shared.pool.apply('throwQuota'))
    expect(error).toMatchObject({ code: 7, limit: { per: 'hour' } })
    const frozen = await errorOf<Error & { extra?: string }>(shared.pool.apply('throwFrozen'))
    expect(frozen).toBeInstanceOf(TypeError)
    frozen.extra = 'may be added'
  })
})

describe('errors', () => {
  test('remote traceback: the stack of the cause, with the location in the source', async () => {
    const error = await errorOf(shared.pool.apply('failAt2', [2]))
    const { stack } = error.cause as RemoteTraceback
    expect(stack).toMatch(
      /^RemoteTraceback: item 0, worker \d \(pid \d+\)\n"""\nError: Something bad happened!\n {4}at failAt2 \(test\/e2e\/pool\/fixtures\/job\.ts:\d+:\d+\)\n"""$/,
    )
  })

  test('own cause chain: rebuilt behind the RemoteTraceback, and rendered in its stack', async () => {
    const error = await errorOf(shared.pool.apply('throwChain'))
    const remote = error.cause as RemoteTraceback
    expect(remote.cause).toBeInstanceOf(RangeError)
    expect((remote.cause as Error).message).toBe('the disk is full')
    expect(remote.stack).toContain('The above exception was the direct cause of the following exception:')
  })

  test('ExceptionGroup: AggregateError.errors are rebuilt, with their causes', async () => {
    const error = await errorOf<AggregateError>(shared.pool.apply('throwAggregate'))
    expect(error).toBeInstanceOf(AggregateError)
    expect(error.errors.map(({ message }) => message)).toEqual(['a', 'b'])
    expect(error.errors[1]).toBeInstanceOf(TypeError)
    expect(error.errors[1].cause).toBeInstanceOf(RangeError)
    expect((error.cause as Error).stack).toContain('[2/2] TypeError: b')
  })

  test('`get()` twice: a new error each time, with the line of its get()', async () => {
    const result = shared.pool.applyAsync('failAt2', [2])
    const first = await errorOf(result.get())
    const second = await errorOf(result.get())
    expect(first).not.toBe(second)
    expect(first.cause).not.toBe(second.cause)
    expect(first.message).toBe(second.message)
    const lineOfCaller = ({ stack = '' }: Error) => /python-table\.test\.ts:(\d+)/.exec(stack)?.[1]
    expect(Number(lineOfCaller(second))).toBe(Number(lineOfCaller(first)) + 1)
  })
})

describe('AsyncResult', () => {
  test('`AsyncResult.get(t)`: TimeoutError, 0 polls, and nothing is lost', async () => {
    const result = shared.pool.applyAsync('later', [400])
    expect(await errorOf(result.get(0))).toBeInstanceOf(TimeoutError)
    const error = await errorOf(result.get(5))
    expect(error.message).toBe('the result was not ready after 5 ms')
    expect(await result.get()).toBe(400)
    expect(await result.get(0)).toBe(400)
    expect(await errorOf(result.get(-1))).toBeInstanceOf(RangeError)
    expect(await errorOf(result.get('1' as never))).toBeInstanceOf(TypeError)
  })

  test('`wait(t)`: resolves with whether it is ready', async () => {
    const result = shared.pool.applyAsync('later', [400])
    expect(await result.wait(1)).toBe(false)
    expect(await result.wait()).toBe(true)
    expect(await result.wait(0)).toBe(true)
  })

  test('`ready()` / `successful()`: ResultNotReadyError before it is ready', async () => {
    const result = shared.pool.applyAsync('failAt2', [2])
    expect(result.ready()).toBe(false)
    expect(thrownBy(() => result.successful())).toBeInstanceOf(ResultNotReadyError)
    await result.wait()
    expect(result.ready()).toBe(true)
    expect(result.successful()).toBe(false)
  })

  test('`callback` / `error_callback`: run once, before the result is ready; a promise is awaited', async () => {
    const calls: string[] = []
    let release = () => {}
    let called = () => {}
    const calling = new Promise<void>((resolve) => {
      called = resolve
    })
    const result = shared.pool.mapAsync('square', [1, 2], {
      callback: (all) => {
        calls.push(`callback ${all}, ready: ${result.ready()}`)
        called()
        return new Promise<void>((resolve) => {
          release = resolve
        })
      },
      errorCallback: () => calls.push('errorCallback'),
    })
    await calling
    expect(await shared.pool.map('square', [2])).toEqual([4])
    expect(calls).toEqual(['callback 1,4, ready: false'])
    expect(result.ready()).toBe(false)
    release()
    expect(await result).toEqual([1, 4])

    const failing = shared.pool.mapAsync('failOdd', [1, 3], {
      callback: () => calls.push('callback'),
      errorCallback: (error) => calls.push((error as Error).message),
    })
    await failing.wait()
    expect(calls).toHaveLength(2)
    expect(calls[1]).toMatch(/is odd/)
  })

  test('callback raises: CallbackError with cause and result, and a warning if nobody waits; the pool lives on', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    const unread = shared.pool.applyAsync('square', [3], {
      callback: () => {
        throw undefined
      },
    })
    expect((await warned).name).toBe('CallbackError')
    const error = await errorOf<CallbackError>(unread)
    expect(error).toBeInstanceOf(CallbackError)
    expect(error).toMatchObject({ result: 9, cause: undefined, code: 'ERR_POOL_CALLBACK' })

    const failing = shared.pool.applyAsync('failAt2', [2], {
      errorCallback: async () => {
        throw new Error('in the callback')
      },
    })
    const both = await errorOf<CallbackError>(failing)
    expect((both.error as Error).message).toBe('Something bad happened!')
    expect((both.cause as Error).message).toBe('in the callback')
    expect(await shared.pool.apply('square', [2])).toBe(4)
  })

  test('`pool.terminate()` in error_callback: allowed; pending calls reject', async () => {
    const pool = makePool()
    const held = pool.map('hold', [1, 2])
    const rejected = errorOf(held)
    const result = pool.applyAsync('failAt2', [2], { errorCallback: () => pool.terminate() })
    const iterator = pool.imap('hold', range(9))
    const failing = pool.imap('failAt2', [2])
    const [error, other] = await Promise.all([
      errorOf(failing.next()),
      errorOf(iterator.next()),
      pool.terminate(),
    ])
    expect(error).toBeInstanceOf(PoolTerminatedError)
    expect(other).toBeInstanceOf(PoolTerminatedError)
    expect(await rejected).toBeInstanceOf(PoolTerminatedError)
    expect(await result.wait()).toBe(true)
    await pool.join()
  })
})

describe('workers that exit', () => {
  test('SystemExit in task: WorkerLostError with the exit code; this process lives on', async () => {
    const pool = makePool({ processes: 1 })
    const error = await errorOf<WorkerLostError>(pool.apply('exit', [3]))
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject({
      exitCode: 3,
      signal: null,
      index: 0,
      kind: 'crash',
      pid: expect.any(Number),
    })
    expect(await pool.apply('square', [3])).toBe(9)
  })

  test.for([[null], [undefined], [0], ['x'], [{ a: 1 }], [false], [-0]])(
    'KeyboardInterrupt / BaseException in task: NonErrorThrown for %s',
    async ([value]) => {
      const error = await errorOf<NonErrorThrown>(shared.pool.apply('throwValue', [value]))
      expect(error).toBeInstanceOf(NonErrorThrown)
      expect(error.value).toEqual(value)
      expect(error.cause).toBeInstanceOf(RemoteTraceback)
    },
  )

  test('`os._exit(5)`, SIGKILL, segv in task: only that item fails', async () => {
    const pool = makePool({ processes: 1 })
    const iterator = pool.imap('killAt2', range(5), { chunkSize: 1 })
    const errors: unknown[] = []
    const values: number[] = []
    for (let n = 0; n < 5; n++)
      await iterator.next().then(
        ({ value }) => values.push(value!),
        (error: unknown) => errors.push(error),
      )
    expect(values).toEqual([0, 1, 3, 4])
    expect(errors).toMatchObject([{ index: 2, signal: 'SIGKILL', exitCode: null, name: 'WorkerLostError' }])
    const exited = await errorOf(pool.map('exitAt2', [2]))
    expect(exited).toMatchObject({ exitCode: 5, index: 0 })
    expect(exited.stack).toContain('python-table.test.ts')
  })

  test('SIGKILL of an **idle** worker: replaced, and no item is affected', async () => {
    const pool = makePool({ processes: 1 })
    const pid = await pool.apply('pid')
    process.kill(pid, 'SIGKILL')
    await untilExited(pid)
    expect(await pool.map('square', range(4))).toEqual([0, 1, 4, 9])
  })

  test('`imap` with a lost item: WorkerLostError at its place, then the iterator continues', async () => {
    const read = await readAll(shared.pool.imap('exitAt2', range(5), { chunkSize: 1 }))
    expect(read).toHaveLength(5)
    expect(read.filter((value) => typeof value === 'number')).toEqual([0, 1, 3, 4])
    expect(read[2]).toMatch(/^item 2 lost: worker \d \(pid \d+\) exited with code 5/)
  })
})

describe('life', () => {
  test('use after close/terminate: PoolStateError', async () => {
    const ways = [(pool: Pool<never>) => pool.close(), (pool: Pool<never>) => void pool.terminate()]
    for (const end of ways) {
      const pool = makePool({ processes: 1 })
      end(pool as never)
      expect(await errorOf(pool.apply('square', [1]))).toBeInstanceOf(PoolStateError)
      expect(await errorOf(pool.map('square', [1]))).toBeInstanceOf(PoolStateError)
      expect(thrownBy(() => pool.imap('square', [1]))).toBeInstanceOf(PoolStateError)
      expect(thrownBy(() => pool.collect('square', [1]))).toBeInstanceOf(PoolStateError)
      const error = thrownBy(() => pool.applyAsync('square', [1]))
      expect(error.message).toMatch(/^the pool is (closed|terminated)$/)
    }
  })

  test('`join` before close: PoolStateError; all three are idempotent', async () => {
    const pool = makePool({ processes: 1 })
    expect(await errorOf(pool.join())).toBeInstanceOf(PoolStateError)
    pool.close()
    pool.close()
    await Promise.all([pool.join(), pool.join()])
    await Promise.all([pool.terminate(), pool.terminate()])
    pool.close()
    await pool.join()
  })

  test('`with` exit: closes and joins, so pending results arrive, also if the block threw', async () => {
    let pending: Promise<number[]> | undefined
    await errorOf(
      (async () => {
        await using pool = new Pool<typeof import('./fixtures/job.js')>(jobUrl, { processes: 1 })
        pending = pool.map('square', [1, 2, 3])
        throw new Error('from the block')
      })(),
    )
    expect(await pending).toEqual([1, 4, 9])
  })

  test('`close()+join()`: items taken are finished and stay readable; an endless input is released', async () => {
    const pool = makePool({ processes: 1 })
    const result = pool.mapAsync('square', range(20))
    const listed = pool.imap('square', range(3000))
    const items = endless()
    const unbounded = pool.imap('square', items, { bufferSize: 10 })
    expect((await unbounded.next()).value).toBe(0)
    pool.close()
    await pool.join()
    expect(await result).toHaveLength(20)
    expect(await readAll(listed)).toHaveLength(3000)
    expect(items.returned).toBe(1)
    expect(await readAll(unbounded)).toHaveLength(items.taken - 1)
  })

  test('pickling a pool / nested pool: a task may use a pool of its own', async () => {
    const pool = makePool<typeof import('./fixtures/outer.js')>(
      { processes: 1 },
      new URL('./fixtures/outer.ts', import.meta.url),
    )
    expect(await pool.apply('sumOfSquares', [5])).toBe(30)
  })
})
