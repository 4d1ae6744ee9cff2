// Pools for tests. Each is terminated after its test (or file), and then none of its processes may be left.
import { afterAll, beforeAll, inject, onTestFinished } from 'vitest'
import type { PoolOptions, WorkerLineInfo } from '../../../src/index.js'
import { Pool } from '../../../src/index.js'
import { eventually } from '../../helpers/eventually.js'
import { range } from '../../helpers/iterables.js'
import { MARK, waitUntilNoneLeft } from '../../helpers/no-orphans.js'
import { tempSpace } from '../../helpers/temp-space.js'

export { errorOf, thrownBy } from '../../helpers/errors.js'
export { collected, endless, feed, range, readAll } from '../../helpers/iterables.js'

export type Job = typeof import('./fixtures/job.js')

/** With the extension that the compiled file would have. */
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

/** A pool for one test. */
export function makePool<Of extends object = Job>(options?: PoolOptions, job?: string | URL): Pool<Of> {
  const { pool, end } = openPool<Of>(options, job)
  onTestFinished(end)
  return pool
}

/** One pool for all tests of a file that do not close it. */
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

/** The items for the task of that name. With so many chunks of one item, the last begins after results have arrived. */
export function firstWaitsForLast(count: number): [n: number, last: number, flag: string][] {
  const flag = tempSpace().path('flag')
  return range(count).map((n) => [n, count - 1, flag])
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
  const received = (line: string, times = 1) =>
    new Promise<void>((resolve) => {
      if (seen(line) >= times) resolve()
      else waiting.add({ line, times, resolve })
    })
  return { lines, onWorkerOutput, received }
}

/** Waits until a worker's process has exited and this process has noticed. */
export async function untilExited(pid: number): Promise<void> {
  const isGone = () => {
    try {
      process.kill(pid, 0)
      return undefined
    } catch {
      return true
    }
  }
  await eventually(`the exit of ${pid}`, isGone)
  await new Promise((resolve) => setImmediate(resolve))
}
