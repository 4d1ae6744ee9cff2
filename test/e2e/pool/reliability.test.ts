// Timeouts, retries, recycling and limits as options of a pool. The scheduler's tests cover the details.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import {
  type ApplyOptions,
  InitializerError,
  PoolBrokenError,
  type RemoteTraceback,
  TimeoutError,
  WorkerLostError,
} from '../../../src/index.js'
import { errorOf, initializersUrl, makePool, outputLog, range, readAll } from './helpers.js'

function tempFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolrun-pool-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'log')
}

test('timeout: an item that takes longer fails with TimeoutError, in a busy loop too; the pool lives on', async () => {
  const ways = [
    // It ends by itself, unless the machine keeps it waiting for 100 ms.
    { task: 'stubborn', end: /ended|killed/, killAfter: 10_000 },
    { task: 'spin', end: /killed/, killAfter: 100 },
  ] as const
  for (const { task, end, killAfter } of ways) {
    const pool = makePool({ processes: 1, timeout: 100, killAfter })
    const error = await errorOf<TimeoutError>(pool.apply(task, [] as never))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error.message).toMatch(/^item 0 exceeded 100 ms on worker 0 \(pid \d+\); the worker was \w+$/)
    expect(error.message).toMatch(end)
    expect(error).toMatchObject({ index: 0, attempts: 1 })
    expect(error.stack).toContain('reliability.test.ts')
    expect(await pool.map('square', [1, 2])).toEqual([1, 4])
  }
})

test('timeout: of items that take next to no time, only the one that hangs fails, whatever they return', async () => {
  const pool = makePool({ processes: 1, killAfter: 100 })
  const expected = {
    numbers: (n: number) => n,
    texts: String,
    nothing: () => undefined,
    objects: (n: number) => ({ n }),
  }
  for (const [returns, resultOf] of Object.entries(expected)) {
    const items = range(8_000).map((n) => ({ n, hangs: n === 6_000, returns }))
    const outcomes = await readAll(pool.imap('hangOrReturn', items, { timeout: 500 }))
    const [failed] = outcomes.splice(6_000, 1)
    expect(failed, returns).toMatch(/^item 6000 exceeded 500 ms on worker 0/)
    expect(outcomes, returns).toEqual(items.filter(({ hangs }) => !hangs).map(({ n }) => resultOf(n)))
  }
})

test('timeout: an async generator that never waits ends at its next yield, after its finally', async () => {
  const log = outputLog()
  const pool = makePool({ processes: 1, onWorkerOutput: log.onWorkerOutput })
  const error = await errorOf(pool.apply('busyPages', [], { timeout: 100 }))
  expect(error).toBeInstanceOf(TimeoutError)
  expect(error.message).toContain('it stopped at its signal')
  await log.received('busyPages ended')
})

test('timeout: that of a call overrides that of its pool, and counts from when the item begins', async () => {
  const pool = makePool({ processes: 1, timeout: 60_000, killAfter: 100 })
  const read = await readAll(pool.imap('later', [1, 30_000, 1], { timeout: 500, chunkSize: 3 }))
  expect(read).toEqual([1, expect.stringContaining('exceeded 500 ms'), 1])
  expect(await pool.map('later', Array(8).fill(150), { timeout: 1_000 })).toHaveLength(8)
})

test('retries: further attempts; the error says how many there were', async () => {
  const log = tempFile()
  const pool = makePool({ processes: 1, retries: 2 })
  expect(await pool.map('failTwice', [log])).toEqual([3])
  expect(readFileSync(log, 'utf8')).toBe('1\n2\n3\n')
  const error = await errorOf(pool.apply('failAt2', [2]))
  expect(error.cause).toMatchObject({ attempts: 3 })
})

test('retries, retryDelay and retryOn of a call override those of its pool', async () => {
  const pool = makePool({ processes: 1, retries: 2, retryOn: ['crash'] })
  const attempts = async (options: ApplyOptions) => {
    const { cause } = await errorOf(pool.apply('failAt2', [2], options))
    return (cause as RemoteTraceback).attempts
  }
  expect(await attempts({})).toBe(1)
  expect(await attempts({ retryOn: ['error'] })).toBe(3)
  expect(await attempts({ retryOn: ['error'], retries: 1 })).toBe(2)
  const began = performance.now()
  expect(await attempts({ retryOn: ['error'], retries: 2, retryDelay: 100 })).toBe(3)
  // At least half of 100 ms and half of 200 ms.
  expect(performance.now() - began).toBeGreaterThanOrEqual(150)
})

test('maxTasksPerChild: counts items, whatever the chunk size (Python counts chunks)', async () => {
  const pool = makePool({ processes: 1, maxTasksPerChild: 2 })
  for (const chunkSize of [1, 4, undefined]) {
    const pids = await pool.map('pid', range(4), { chunkSize })
    const runs = [...new Set(pids)].map((pid) => pids.filter((other) => other === pid).length)
    expect(Math.max(...runs)).toBeLessThanOrEqual(2)
    expect(pids).toHaveLength(4)
  }
})

test('maxWorkerRestarts: too many crashes break the pool, for pending and later calls', async () => {
  const pool = makePool({ processes: 1, maxWorkerRestarts: 1 })
  const read = await readAll(pool.imap('exit', [1, 1, 1, 1, 1], { chunkSize: 1 }))
  expect(read.at(-1)).toContain('gave up')
  expect(await errorOf(pool.apply('square', [1]))).toBeInstanceOf(PoolBrokenError)
})

test('a job that writes to its channel loses its item; the host has nothing to catch, and the pool lives on', async () => {
  const pool = makePool({ processes: 1 })
  const caught: unknown[] = []
  const listener = (thrown: unknown) => void caught.push(thrown)
  process.on('uncaughtException', listener)
  onTestFinished(() => void process.off('uncaughtException', listener))
  for (const bytes of ['\\200\\000\\000\\000', '\\000\\000\\000\\006\\377\\017', 'x']) {
    const error = await errorOf<WorkerLostError>(pool.apply('damageChannel', [bytes]))
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error.message).toMatch(
      /^item 0 lost: .* \(the job had written to the channel between the worker and poolrun\)$/,
    )
  }
  expect(await pool.map('square', [1, 2])).toEqual([1, 4])
  expect(caught).toEqual([])
})

test('initTimeout: a worker that is not ready in time causes an InitializerError', async () => {
  type Initializers = typeof import('./fixtures/initializers.js')
  const pool = makePool<Initializers>({ initializer: 'hangs', initTimeout: 3_000 }, initializersUrl)
  expect(await errorOf(pool.apply('greet'))).toBeInstanceOf(InitializerError)
})

test('an exception outside any task: the running item is lost, with the exception as its cause', async () => {
  const pool = makePool({ processes: 1 })
  const error = await errorOf(pool.apply('throwLater', [5]))
  expect(error).toBeInstanceOf(WorkerLostError)
  expect(error.cause).toMatchObject({ message: 'escaped' })
  expect(await pool.apply('square', [2])).toBe(4)
})

test('maxMemory: an item that exceeds it fails with kind oom', async () => {
  const pool = makePool({ processes: 1, maxMemory: 200 * 2 ** 20 })
  const error = await errorOf<WorkerLostError>(pool.apply('swell', [600 * 2 ** 20]))
  expect(error).toBeInstanceOf(WorkerLostError)
  expect(error.kind).toBe('oom')
  expect(await pool.apply('square', [2])).toBe(4)
})

test('a chunk that kills its worker before any of its items begins: only the item at fault fails', async () => {
  // The worker has no room for the second item, and so receives none of the chunk.
  const pool = makePool<{ nothing(item: unknown): unknown }>({
    processes: 1,
    maxWorkerRestarts: 2,
    execArgv: ['--max-old-space-size=16'],
    onWorkerOutput: () => {},
  })
  const failures: [index: number, error: unknown][] = []
  const onFailure = (error: unknown, index: number) => void failures.push([index, error])
  const items = [2, Array.from({ length: 600_000 }, () => []), 3, 4]
  expect(await readAll(pool.collect('nothing', items, { chunkSize: 4, onFailure }))).toHaveLength(3)
  expect(failures).toEqual([[1, expect.objectContaining({ name: 'WorkerLostError', kind: 'oom', index: 1 })]])
})

test('fake timers of the program stop nothing: workers run in real time', async () => {
  const pool = makePool({ processes: 1, maxMemory: 1e9 })
  const names = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'] as const
  vi.useFakeTimers({ toFake: [...names, 'clearTimeout', 'clearInterval', 'performance', 'hrtime', 'Date'] })
  try {
    const input = (async function* () {
      yield* range(200)
    })()
    expect(await readAll(pool.imap('square', input))).toHaveLength(200)
    expect(await errorOf(pool.apply('exit', [5]))).toBeInstanceOf(WorkerLostError)
    expect(await errorOf(pool.apply('spin', [], { timeout: 100 }))).toBeInstanceOf(TimeoutError)
    expect(await errorOf(pool.apply('throwFrozen', [], { retries: 1, retryDelay: 5 }))).toMatchObject({
      cause: { attempts: 2 },
    })
    expect(await pool.map('square', [1, 2], { rate: 50 })).toEqual([1, 4])
    expect(await errorOf(pool.applyAsync('later', [200]).get(10))).toBeInstanceOf(TimeoutError)
    expect(await errorOf(pool.imap('later', [200]).next({ timeout: 10 }))).toBeInstanceOf(TimeoutError)
    pool.close()
    await pool.join()
  } finally {
    vi.useRealTimers()
  }
})
