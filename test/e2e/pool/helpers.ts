// Pools for tests: each is ended with its test (or its file), and then no process of it may be left.
import { afterAll, beforeAll, inject, onTestFinished } from 'vitest'
import type { PoolOptions, WorkerLineInfo } from '../../../src/index.js'
import { Pool } from '../../../src/index.js'
import { MARK, waitUntilNoneLeft } from '../../helpers/no-orphans.js'

export type Job = typeof import('./fixtures/job.js')

/** By the name that the compiled file would have. */
export const jobUrl = new URL('./fixtures/job.js', import.meta.url)
export const initializersUrl = new URL('./fixtures/initializers.ts', import.meta.url)

process.env.POOLRUN_CACHE_DIR ??= inject('cacheDir')

let pools = 0

export function openPool<Of extends object = Job>(options: PoolOptions = {}, job: string | URL = jobUrl) {
  const mark = `pool-${process.pid}-${++pools}`
  const env = { ...options.env, [MARK]: mark }
  const pool = new Pool<Of>(job, { processes: 2, killAfter: 500, ...options, env })
  const end = async () => {
    await pool.terminate()
    await waitUntilNoneLeft(mark, 'the pool')
  }
  return { pool, end, mark }
}

/** A pool of the test's own. */
export function makePool<Of extends object = Job>(options?: PoolOptions, job?: string | URL): Pool<Of> {
  const { pool, end } = openPool<Of>(options, job)
  onTestFinished(end)
  return pool
}

/** One pool for all tests of a file that leave it as it was. */
export function sharedPool(options?: PoolOptions): { readonly pool: Pool<Job> } {
  let opened: ReturnType<typeof openPool<Job>> | undefined
  beforeAll(() => {
    opened = openPool<Job>(options)
  })
  afterAll(() => opened?.end())
  return {
    get pool() {
      return opened!.pool
    },
  }
}

/** Collects what workers print, and lets a test wait for a line. */
export function outputLog() {
  const lines: { readonly line: string; readonly info: WorkerLineInfo }[] = []
  const waiting = new Set<{ line: string; times: number; resolve: () => void }>()
  const seen = (text: string) => lines.filter(({ line }) => line === text).length
  const onWorkerOutput = (line: string, info: WorkerLineInfo) => {
    lines.push({ line, info })
    for (const wait of waiting) if (seen(wait.line) >= wait.times && waiting.delete(wait)) wait.resolve()
  }
  const heard = (line: string, times = 1) =>
    new Promise<void>((resolve) => {
      if (seen(line) >= times) resolve()
      else waiting.add({ line, times, resolve })
    })
  return { lines, onWorkerOutput, heard }
}

/** What a promise rejects with; fails if it does not. */
export async function errorOf<E = Error>(promise: PromiseLike<unknown>): Promise<E> {
  try {
    await promise
  } catch (error) {
    return error as E
  }
  throw new Error('it was expected to reject')
}

export function thrownBy<E = Error>(call: () => unknown): E {
  try {
    call()
  } catch (error) {
    return error as E
  }
  throw new Error('it was expected to throw')
}

/** Reads an iterator past its failures: values, and errors as their messages. */
export async function drain<T>(iterator: AsyncIterator<T>): Promise<(T | string)[]> {
  const read: (T | string)[] = []
  for (;;) {
    try {
      const { done, value } = await iterator.next()
      if (done) return read
      read.push(value)
    } catch (error) {
      read.push(error instanceof Error ? error.message : String(error))
    }
  }
}

/** Until a worker's process has ended and this process has heard of it. */
export async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return new Promise((resolve) => setImmediate(resolve))
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export const range = (n: number) => Array.from({ length: n }, (_, i) => i)

/** 0, 1, 2 … without end; counts what was taken and whether it was released. */
export function endless() {
  const source = {
    taken: 0,
    returned: 0,
    [Symbol.iterator]() {
      return {
        next: () => ({ done: false as const, value: source.taken++ }),
        return: () => {
          source.returned++
          return { done: true as const, value: undefined }
        },
      }
    },
  }
  return source
}

/** An asynchronous input that the test feeds by hand. */
export function feed<T>() {
  const values: T[] = []
  let ended = false
  let wake = () => {}
  const source = {
    asked: 0,
    returned: 0,
    push(...more: T[]) {
      values.push(...more)
      wake()
    },
    end() {
      ended = true
      wake()
    },
    [Symbol.asyncIterator]() {
      return {
        async next(): Promise<IteratorResult<T, undefined>> {
          source.asked++
          while (values.length === 0 && !ended)
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          return values.length > 0
            ? { done: false, value: values.shift()! }
            : { done: true, value: undefined }
        },
        async return() {
          source.returned++
          return { done: true as const, value: undefined }
        },
      }
    },
  }
  return source
}

export const collected = async <T>(iterable: AsyncIterable<T>): Promise<T[]> => {
  const values: T[] = []
  for await (const value of iterable) values.push(value)
  return values
}
