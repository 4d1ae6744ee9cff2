// Bad options and arguments: refused at the call, with a TypeError or RangeError that names them.
import { describe, expect, test } from 'vitest'
import { JobError, Pool } from '../../../src/index.js'
import { checkOptions } from '../../../src/pool/options.js'
import { errorOf, jobUrl, makePool, sharedPool, thrownBy } from './helpers.js'

const shared = sharedPool({ processes: 1 })

describe('the constructor refuses', () => {
  test.for([
    [{ process: 2 }, TypeError, 'unknown option process; did you mean processes?'],
    [{ chunkSize: 2 }, TypeError, 'unknown option chunkSize; there are processes, initializer,'],
    [{ initializer: '' }, TypeError, 'initializer must be'],
    [{ concurrency: 0 }, RangeError, 'concurrency must be at least 1, not 0'],
    [{ retries: -1 }, RangeError, 'retries must be at least 0'],
    [{ retries: 0.5 }, TypeError, 'retries must be an integer'],
    [{ timeout: 0 }, RangeError, 'timeout must be more than 0 ms'],
    [{ timeout: '2s' }, TypeError, "timeout must be a number of milliseconds, not '2s'"],
    [{ timeout: Number.NaN }, TypeError, 'timeout must be'],
    [{ initTimeout: 2 ** 31 }, RangeError, 'initTimeout must be at most'],
    [{ initTimeout: Number.POSITIVE_INFINITY }, RangeError, 'initTimeout must be at most'],
    [{ killAfter: -1 }, RangeError, 'killAfter must be 0 or more ms'],
    [{ maxWorkerRestarts: -1 }, RangeError, 'maxWorkerRestarts must be at least 0'],
    [{ maxMemory: 0 }, RangeError, 'maxMemory must be at least 1'],
    [{ env: { A: 1 } }, TypeError, 'env must be'],
    [{ execArgv: '--inspect' }, TypeError, 'execArgv must be an array of strings'],
    [{ onWorkerOutput: true }, TypeError, 'onWorkerOutput must be a function'],
    ['fast', TypeError, 'options must be an object'],
    [null, TypeError, 'options must be an object'],
  ] as const)('%o', ([options, Kind, message]) => {
    const error = thrownBy(() => new Pool(jobUrl, options as never))
    expect(error).toBeInstanceOf(Kind)
    expect(error.message).toContain(message)
  })

  test.for([undefined, null, 5, '', () => {}])('the job %s', (job) => {
    expect(thrownBy(() => new Pool(job as never))).toBeInstanceOf(TypeError)
  })
})

test('undefined stands for the default, of every option', () => {
  expect(checkOptions('pool', { processes: undefined, timeout: undefined })).toEqual({})
  expect(checkOptions('pool', { timeout: Number.POSITIVE_INFINITY, killAfter: 0 })).toBeDefined()
})

describe('a call refuses, before anything is sent', () => {
  test.for([
    [{ chunksize: 2 }, 'did you mean chunkSize?'],
    [{ signal: {} }, 'signal must be an AbortSignal'],
    [{ callback: () => {} }, 'unknown option callback'],
    [{ bufferSize: 2 }, 'unknown option bufferSize'],
    [{ timeout: '1' }, 'timeout must be'],
  ] as const)('map: %o', async ([options, message]) => {
    const error = await errorOf(shared.pool.map('square', [1], options as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(message)
  })

  test('others that do not fit', async () => {
    const { pool } = shared
    expect(await errorOf(pool.apply('square', [1], { chunkSize: 1 } as never))).toBeInstanceOf(TypeError)
    expect(thrownBy(() => pool.mapAsync('square', [1], { callback: 1 as never }))).toBeInstanceOf(TypeError)
    expect(thrownBy(() => pool.imap('square', [1], { bufferSize: 0 }))).toBeInstanceOf(RangeError)
    expect(thrownBy(() => pool.collect('square', [1], { onFailure: 1 as never }))).toBeInstanceOf(TypeError)
    expect(thrownBy(() => pool.collect('square', [1], { unordered: 1 as never }))).toBeInstanceOf(TypeError)
    expect(await errorOf(pool.imap('square', [1]).next({ timeout: -1 }))).toBeInstanceOf(RangeError)
    expect(await errorOf(pool.map('' as never, [1]))).toBeInstanceOf(TypeError)
    expect(thrownBy(() => pool.imap(5 as never, [1]))).toBeInstanceOf(TypeError)
  })
})

describe('the job', () => {
  test('a task that is not exported: JobError that names those that are; the pool lives', async () => {
    const pool = makePool<Record<string, (...args: unknown[]) => unknown>>({ processes: 1 })
    const error = await errorOf(pool.map('sqare', [1]))
    expect(error).toBeInstanceOf(JobError)
    expect(error.message).toMatch(/has no export 'sqare'; did you mean .*#square\?/)
    expect(error.stack).toContain('options.test.ts')
    expect(thrownBy(() => pool.imap('sqare', [1]))).toBeInstanceOf(JobError)
    expect(await pool.apply('square', [3])).toBe(9)
  })

  test('a module that is not there: every call says so, each with an error of its own', async () => {
    const pool = makePool({}, 'no/such/job.ts')
    const [first, second] = await Promise.all([
      errorOf(pool.apply('square', [1])),
      errorOf(pool.map('square', [])),
    ])
    expect(first).toBeInstanceOf(JobError)
    expect(first.message).toContain('job module not found: no/such/job.ts')
    expect(first).not.toBe(second)
    expect(first.stack).toContain('options.test.ts')
  })

  test('a module that does not compile, or throws while loading', async () => {
    for (const file of ['../../fixtures/broken/syntax-error.ts', './fixtures/throws-on-load.mjs']) {
      const pool = makePool({}, new URL(file, import.meta.url))
      const pending = [errorOf(pool.map('square', [1])), errorOf(pool.imap('square', [1]).next())]
      for (const error of await Promise.all(pending)) expect(error).toBeInstanceOf(JobError)
      expect(await errorOf(pool.apply('square', [1]))).toBeInstanceOf(JobError)
    }
  })

  test('a CommonJS module, a path from the working directory, a file: string', async () => {
    type Common = { double(n: number): number; answer: number }
    const path = 'test/e2e/pool/fixtures/common.cjs'
    const pool = makePool<Common>({ processes: 1 }, path)
    expect(await pool.apply('double', [21])).toBe(42)
    expect(await errorOf(pool.apply('answer' as never))).toBeInstanceOf(JobError)
    const byUrl = makePool<Common>({ processes: 1 }, new URL(path, `file://${process.cwd()}/`).href)
    expect(await byUrl.map('double', [1])).toEqual([2])
  })
})
