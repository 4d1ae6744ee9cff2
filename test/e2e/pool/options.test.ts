// Bad options, arguments and job modules: which calls throw and which reject. The checks themselves are in
// test/unit/pool/check-options.test.ts.
import { describe, expect, test } from 'vitest'
import { JobError } from '../../../src/index.js'
import { errorOf, initializersUrl, makePool, sharedPool, thrownBy } from './helpers.js'

const shared = sharedPool({ processes: 1 })

describe('a call with bad options or arguments', () => {
  test.for([
    [{ chunksize: 2 }, 'did you mean chunkSize?'],
    [{ signal: {} }, 'signal must be an AbortSignal'],
    [{ callback: () => {} }, 'unknown option callback'],
    [{ bufferSize: 2 }, 'unknown option bufferSize'],
    [{ timeout: '1' }, 'timeout must be'],
  ] as const)('map rejects %o', async ([options, message]) => {
    const error = await errorOf(shared.pool.map('square', [1], options as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(message)
  })

  test('rejects if the method returns a promise, and throws otherwise', async () => {
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

describe('initArgs', () => {
  test('that no worker can receive are a TypeError of the constructor', () => {
    const error = thrownBy(() => makePool({ initArgs: [1, () => 1] }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('initArgs[1] is [Function (anonymous)]')
  })

  test('are those of the moment when the pool was made, in replaced workers too', async () => {
    const initArgs: unknown[] = ['hello']
    const options = { processes: 1, initializer: 'setUp', initArgs, maxTasksPerChild: 1 }
    const pool = makePool<typeof import('./fixtures/initializers.js')>(options, initializersUrl)
    initArgs[0] = () => 1
    expect([await pool.apply('greet'), await pool.apply('greet')]).toEqual(['hello', 'hello'])
  })

  test('are received at any depth that the constructor accepts', async () => {
    let list: unknown = 'end'
    for (let node = 0; node < 1_500; node++) list = { list }
    const options = { processes: 1, initializer: 'setUp', initArgs: ['deep', list] }
    const pool = makePool<typeof import('./fixtures/initializers.js')>(options, initializersUrl)
    expect(await pool.apply('greet')).toBe('deep')
  })
})

describe('a job', () => {
  test('without the task causes a JobError that names similar exports; the pool lives on', async () => {
    const pool = makePool<Record<string, (...args: unknown[]) => unknown>>({ processes: 1 })
    const error = await errorOf(pool.map('sqare', [1]))
    expect(error).toBeInstanceOf(JobError)
    expect(error.message).toMatch(/has no export 'sqare'; did you mean .*#square\?/)
    expect(error.stack).toContain('options.test.ts')
    expect(await errorOf(pool.imap('sqare', [1]).next())).toBeInstanceOf(JobError)
    expect(await errorOf(pool.applyAsync('sqare', [1]).get())).toBeInstanceOf(JobError)
    expect(await pool.apply('square', [3])).toBe(9)
  })

  test('that does not exist causes a JobError in every call, a new one each time', async () => {
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

  test('that does not compile, or throws while loading, causes a JobError in every call', async () => {
    for (const file of ['../../fixtures/broken/syntax-error.ts', './fixtures/throws-on-load.mjs']) {
      const pool = makePool({}, new URL(file, import.meta.url))
      const pending = [errorOf(pool.map('square', [1])), errorOf(pool.imap('square', [1]).next())]
      for (const error of await Promise.all(pending)) expect(error).toBeInstanceOf(JobError)
      expect(await errorOf(pool.apply('square', [1]))).toBeInstanceOf(JobError)
    }
  })

  test('may be a CommonJS module, given as a relative path or a file: string', async () => {
    type Common = { double(n: number): number; answer: number }
    const path = 'test/e2e/pool/fixtures/common.cjs'
    const pool = makePool<Common>({ processes: 1 }, path)
    expect(await pool.apply('double', [21])).toBe(42)
    expect(await errorOf(pool.apply('answer' as never))).toBeInstanceOf(JobError)
    const byUrl = makePool<Common>({ processes: 1 }, new URL(path, `file://${process.cwd()}/`).href)
    expect(await byUrl.map('double', [1])).toEqual([2])
  })
})
