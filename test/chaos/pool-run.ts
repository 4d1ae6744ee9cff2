// One `Pool`, drawn at random: concurrent calls, aborts, consumers that stop early, kills from outside, and a close or a
// termination. Runs in this process and returns what was wrong.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Pool as PoolOf } from '../../src/pool/pool.js'
import { killMarked, listMarked, MARK, waitUntilNoneLeft } from '../helpers/no-orphans.js'
import { createRandom } from '../helpers/random.js'
import type { Order } from './job/orders.js'
import { type Bench, killWorkers } from './launch.js'
import { drawConcurrency, drawOrders } from './scenario.js'
import { allowedOutcomes, checkNoneTwice, mayRepeatAttempts } from './verify.js'

type Library = typeof import('../../src/index.js')
interface Job {
  default(order: Order): Order
}
type AnyPool = PoolOf<Job>

interface CallPlan {
  readonly kind: 'apply' | 'map' | 'imap' | 'imapUnordered' | 'collect'
  readonly orders: readonly Order[]
  readonly slowInput: boolean
  readonly chunkSize: number | undefined
  readonly abortAfterMs: number | undefined
  /** The consumer stops after this many results. */
  readonly stopAfter: number | undefined
}

interface PoolPlan {
  readonly seed: number
  readonly calls: readonly CallPlan[]
  readonly processes: number
  readonly concurrency: number
  readonly retries: number
  readonly timeoutMs: number | undefined
  readonly maxTasksPerChild: number | undefined
  readonly cheap: boolean
  readonly killEveryMs: number | undefined
  readonly kills: number
  readonly freezes: boolean
  readonly terminateAfterMs: number | undefined
}

export interface PoolRun {
  readonly plan: PoolPlan
  readonly items: number
  readonly begun: number
  readonly kills: number
  readonly durationMs: number
  readonly wrong: readonly string[]
}

/** Distance between the first item indexes of two calls, so that every index belongs to one call. */
const CALL_SPAN = 100_000

export function drawPoolPlan(seed: number): PoolPlan {
  const random = createRandom(seed)
  const { chance, int, pick } = random
  const cheap = chance(0.3)
  const timeoutMs = chance(0.35) ? int(300, 800) : undefined
  const calls = Array.from({ length: int(1, 6) }, (_, call): CallPlan => {
    const kind = pick(['apply', 'map', 'imap', 'imapUnordered', 'collect'] as const)
    const count = kind === 'apply' ? 1 : cheap ? int(0, 5_000) : pick([0, int(1, 20), int(20, 150)])
    const peaceful = chance(kind === 'map' ? 0.7 : 0.3)
    const orders = drawOrders(random, {
      count,
      cheap,
      peaceful,
      timed: timeoutMs !== undefined,
      malformed: false,
    })
    return {
      kind,
      orders: orders.map((order) => ({
        ...order,
        do: translated(order.do, kind),
        i: call * CALL_SPAN + order.i,
      })),
      slowInput: chance(0.2),
      chunkSize: chance(0.4) ? pick([1, 3, 50]) : undefined,
      abortAfterMs: chance(0.15) ? int(0, 600) : undefined,
      stopAfter: chance(0.15) ? int(0, 20) : undefined,
    }
  })
  return {
    seed,
    calls,
    processes: int(1, 4),
    concurrency: drawConcurrency(random),
    retries: chance(0.3) ? int(1, 2) : 0,
    timeoutMs,
    maxTasksPerChild: chance(0.2) ? Math.max(pick([1, 3, 10, 100]), cheap ? 500 : 5) : undefined,
    cheap,
    killEveryMs: chance(0.5) ? int(20, 300) : undefined,
    kills: int(1, 6),
    freezes: timeoutMs !== undefined && chance(0.3),
    terminateAfterMs: chance(0.2) ? int(0, 1_000) : undefined,
  }
}

/** Structured clone can carry a bigint, and `apply` passes no attempt to its task. */
function translated(what: Order['do'], kind: CallPlan['kind']): Order['do'] {
  return what === 'bigint' || (what === 'flaky' && kind === 'apply') ? 'throw' : what
}

export async function performPool(plan: PoolPlan, { root, limitMs }: Bench): Promise<PoolRun> {
  const { Pool } = (await import(pathToFileURL(join(root, 'dist/index.js')).href)) as Library
  const folder = mkdtempSync(join(tmpdir(), 'poolrun-chaos-'))
  const log = join(folder, 'begun')
  writeFileSync(log, '')
  const mark = `chaos-${process.pid}-pool-${plan.seed}`
  const wrong: string[] = []
  const began = performance.now()
  const pool: AnyPool = new Pool<Job>(pathToFileURL(join(root, 'test/chaos/job/job.ts')), {
    processes: plan.processes,
    concurrency: plan.concurrency,
    retries: plan.retries,
    timeout: plan.timeoutMs,
    maxTasksPerChild: plan.maxTasksPerChild,
    maxWorkerRestarts: 1_000_000,
    killAfter: 500,
    env: { CHAOS_LOG: log, CHAOS_LEAST_MS: plan.cheap ? '0' : '0.05', [MARK]: mark },
    onWorkerOutput: () => {},
  })
  const over = new AbortController()
  const killing = killWorkers(plan, mark, log, over.signal)
  try {
    const calls = plan.calls.map((call) => observe(pool, call))
    if (plan.terminateAfterMs !== undefined) {
      await pause(plan.terminateAfterMs)
      await within(pool.terminate(), limitMs, 'terminate')
    }
    const observed = await within(Promise.all(calls), limitMs, 'the calls')
    pool.close()
    await within(pool.join(), limitMs, 'join')
    over.abort()
    const kills = await killing
    for (const [call, seen] of observed.entries()) verifyCall(plan, plan.calls[call]!, seen, kills, wrong)
    await waitUntilNoneLeft(mark, 'the pool', 2_000)
  } catch (error) {
    wrong.push(error instanceof Error ? error.message : String(error), ...listMarked(mark))
  } finally {
    over.abort()
    killMarked(mark)
  }
  const kills = await killing
  const begun = readFileSync(log, 'utf8').split('\n').filter(Boolean)
  rmSync(folder, { recursive: true, force: true })
  // `apply` passes no attempt to its task.
  const withoutAttempt = new Set(
    plan.calls.flatMap(({ kind, orders }) => (kind === 'apply' ? orders.map(({ i }) => `${i}`) : [])),
  )
  const starts = begun
    .map((line) => line.split(' '))
    .filter(([index]) => plan.retries === 0 || !withoutAttempt.has(index!))
    .map(([index, attempt]) => `${index} attempt ${attempt}`)
  if (!plan.cheap && !mayRepeatAttempts(plan))
    checkNoneTwice(starts, 'begun', (text) => void wrong.push(text))
  const items = plan.calls.reduce((sum, { orders }) => sum + orders.length, 0)
  return { plan, items, begun: begun.length, kills, durationMs: performance.now() - began, wrong }
}

async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  const timer = new AbortController()
  const late = pause(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what}: has not ended after ${ms} ms`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}

// ── one call ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface Seen {
  /** Indexes of results, in the order in which they were delivered. */
  readonly values: number[]
  /** Failed items: the index, if it is known, and the name of the error. */
  readonly failures: { readonly index: number | undefined; readonly name: string }[]
  /** What ended the call before its items did. */
  ended: string | undefined
  stopped: boolean
}

async function observe(pool: AnyPool, call: CallPlan): Promise<Seen> {
  const { kind, orders, slowInput, chunkSize, abortAfterMs, stopAfter } = call
  const seen: Seen = { values: [], failures: [], ended: undefined, stopped: false }
  const signal = abortAfterMs === undefined ? undefined : AbortSignal.timeout(abortAfterMs)
  const input = slowInput ? slowly(orders) : orders
  const value = ({ i }: Order) => seen.values.push(i)
  try {
    if (kind === 'apply') value(await pool.apply('default', [orders[0]!], { signal }))
    else if (kind === 'map')
      for (const result of await pool.map('default', input, { chunkSize, signal })) value(result)
    else if (kind === 'collect') {
      const onFailure = (error: unknown, _index: number, { i }: Order) =>
        void seen.failures.push({ index: i, name: nameOf(error) })
      for await (const result of pool.collect('default', input, { chunkSize, signal, onFailure })) {
        value(result)
        if (seen.values.length === stopAfter) {
          seen.stopped = true
          break
        }
      }
    } else {
      const results = pool[kind]('default', input, { chunkSize, signal })
      for (let i = 0; ; i++) {
        if (i === stopAfter) {
          seen.stopped = true
          await results.return()
          break
        }
        try {
          const { done, value: result } = await results.next()
          if (done) break
          value(result)
        } catch (error) {
          const name = nameOf(error)
          if (isEnd(name)) throw error
          seen.failures.push({ index: kind === 'imap' ? orders[i]?.i : undefined, name })
        }
      }
    }
  } catch (error) {
    const name = nameOf(error)
    if (isEnd(name) || kind === 'collect') seen.ended = name
    else seen.failures.push({ index: kind === 'apply' ? orders[0]?.i : undefined, name })
  }
  return seen
}

async function* slowly<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const [i, item] of items.entries()) {
    if (i % 10 === 0) await pause(5)
    yield item
  }
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : typeof error)
/** `AbortSignal.timeout` aborts with a DOMException that is also named TimeoutError; `verifyCall` distinguishes them. */
const isEnd = (name: string) =>
  name === 'PoolTerminatedError' || name === 'PoolStateError' || name === 'AbortError'

function verifyCall(plan: PoolPlan, call: CallPlan, seen: Seen, kills: number, wrong: string[]): void {
  const { kind, orders, abortAfterMs } = call
  const all = plan.calls.flatMap((other) => other.orders)
  // An item of another call may crash the worker that runs an item of this one.
  const beside = allowedOutcomes({ ...plan, orders: all }, kills)
  const positions = new Map(all.map((order, position) => [order.i, position]))
  const may = (index: number) => beside(positions.get(index) ?? -1)
  const report = (text: string) => void wrong.push(`${kind}: ${text}`)
  const own = new Set(orders.map(({ i }) => i))
  const aborted = abortAfterMs !== undefined || seen.ended !== undefined || seen.stopped
  checkNoneTwice(seen.values, 'delivered', report)
  for (const index of seen.values) {
    if (!own.has(index)) report(`result of another call's item ${index}`)
    if (!may(index).has('ok')) report(`item ${index} cannot have succeeded`)
  }
  if (
    kind !== 'imapUnordered' &&
    seen.values.some((index, position) => position > 0 && index <= seen.values[position - 1]!)
  )
    report('results out of order')
  if (seen.ended !== undefined && plan.terminateAfterMs === undefined && abortAfterMs === undefined)
    report(`ended by ${seen.ended}`)
  if (aborted) return
  for (const { index, name } of seen.failures) {
    const allowed = index === undefined ? orders.some(({ i }) => may(i).has(name)) : may(index).has(name)
    if (!allowed && plan.terminateAfterMs === undefined) report(`item ${index} failed with ${name}`)
  }
  if (plan.terminateAfterMs !== undefined) return
  const total = seen.values.length + seen.failures.length
  if (kind === 'map' && seen.failures.length > 0) {
    if (seen.values.length > 0) report('a map that failed delivered results')
  } else if (total !== orders.length) report(`${total} of ${orders.length} items were delivered`)
}
