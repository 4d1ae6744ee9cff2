// How many attempts begin: the rate of a call, and the pause that a job asks for.
import { describe, expect, test } from 'vitest'
import type { Failure, RetryAdvice } from '../../../src/model.js'
import { type FakeWorker, numbers, range, setUp, sorted, start } from './fakes.js'

const indexesOf = (worker: FakeWorker) => worker.chunks.map(({ index, count }) => [index, count])
const dispatched = (workers: readonly FakeWorker[]) =>
  workers.reduce((sum, { chunks }) => sum + chunks.length, 0)

describe('a call with a rate', () => {
  test('gives workers one item at a time, an interval after the one before', () => {
    const { executor, workers, clock } = setUp({ processes: 2, concurrency: 4 })
    start(executor, numbers(20), { intervalMs: 100, chunkSize: 5 })
    for (const worker of workers) worker.ready()
    const counts = range(5).map(() => {
      const count = dispatched(workers)
      clock.advance(99)
      expect(dispatched(workers)).toBe(count)
      clock.advance(1)
      return count
    })
    expect(counts).toEqual([1, 2, 3, 4, 5])
    for (const { chunks } of workers) for (const { count } of chunks) expect(count).toBe(1)
  })

  test('never gives a worker more than it can begin', () => {
    const { executor, workers, clock } = setUp({ processes: 1, concurrency: 2 })
    const call = start(executor, numbers(4), { intervalMs: 10 })
    const [worker] = workers
    worker!.ready()
    for (let i = 0; i < 10; i++) clock.advance(50)
    expect(indexesOf(worker!)).toEqual([
      [0, 1],
      [1, 1],
    ])
    worker!.settle(worker!.chunks[0]!)
    expect(indexesOf(worker!)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ])
    // Time that was not used is not saved up.
    worker!.settle(worker!.chunks[1]!)
    expect(worker!.chunks).toHaveLength(3)
    clock.advance(10)
    expect(worker!.chunks).toHaveLength(4)
    worker!.settleAll()
    expect(sorted(call.indexes())).toEqual(range(4))
  })

  test('begins with the first worker that is ready, and not before', () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    start(executor, numbers(3), { intervalMs: 100 })
    clock.advance(1_000)
    workers[0]!.ready()
    expect(workers[0]!.chunks).toHaveLength(1)
    workers[0]!.settleAll()
    expect(workers[0]!.chunks).toHaveLength(1)
  })

  test('counts retries', () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const retry = { retries: 1, delayMs: 0, on: ['error'] as const }
    start(executor, numbers(2), { intervalMs: 100, retry })
    const [worker] = workers
    worker!.ready()
    worker!.settle(worker!.chunks[0]!, { failures: [{ offset: 0, failure: failed() }] })
    expect(worker!.chunks).toHaveLength(1)
    clock.advance(100)
    worker!.settle(worker!.chunks[1]!)
    clock.advance(100)
    expect(worker!.chunks.map(({ index, attempt }) => [index, attempt])).toEqual([
      [0, 1],
      [0, 2],
      [1, 1],
    ])
  })

  test('does not hold back other calls, and ends when all of its items have settled', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const limited = start(executor, numbers(2), { intervalMs: 1_000 })
    const other = start(executor, numbers(3), { chunkSize: 1 })
    const [worker] = workers
    worker!.ready()
    for (let i = 0; i < 4; i++) worker!.settle(worker!.chunks[i]!)
    await other.done
    expect(limited.indexes()).toEqual([0])
    clock.advance(1_000)
    worker!.settle(worker!.chunks[4]!)
    await limited.done
    expect(clock.hasTimers).toBe(false)
  })

  test('is drained while it waits', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(3), { intervalMs: 60_000 })
    workers[0]!.ready()
    workers[0]!.settleAll()
    call.drain.abort()
    await call.done
    expect(call.indexes()).toEqual([0])
    expect(clock.hasTimers).toBe(false)
  })

  test('is aborted while it waits', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(3), { intervalMs: 60_000 })
    workers[0]!.ready()
    workers[0]!.settleAll()
    call.controller.abort()
    await call.done
    expect(clock.hasTimers).toBe(false)
  })
})

const failed = (retry?: RetryAdvice): Failure => ({
  kind: 'error',
  error: { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' },
  ...(retry !== undefined && { retry }),
})

describe('what a job says to a failure', () => {
  const retry = { retries: 3, delayMs: 10_000, on: ['error'] as const }

  function oneFailure(advice: RetryAdvice) {
    const world = setUp({ processes: 2, random: () => 1 })
    const call = start(world.executor, numbers(8), { chunkSize: 2, retry })
    for (const worker of world.workers) worker.ready()
    const [first, second] = world.workers
    first!.settle(first!.chunks[0]!, { count: 1, failures: [{ offset: 0, failure: failed(advice) }] })
    return { ...world, call, first: first!, second: second! }
  }

  test('makes it final', () => {
    const { call } = oneFailure('never')
    expect(call.failed()).toMatchObject([{ index: 0, failure: { kind: 'error' } }])
  })

  test('chooses the delay in place of the usual one', () => {
    const { call, first, second, clock } = oneFailure({ afterMs: 50, everyone: false })
    first.settle(first.chunks[0]!, { from: 1 })
    const again = () => [first, second].flatMap(({ chunks }) => chunks).filter(({ attempt }) => attempt === 2)
    clock.advance(49)
    expect(again()).toEqual([])
    clock.advance(1)
    for (const worker of [first, second]) for (const chunk of worker.chunks.slice(1)) worker.settle(chunk)
    expect(again()).toHaveLength(1)
    expect(call.failed()).toEqual([])
  })

  test('pauses everyone: nothing is dispatched before then, and what has not begun is taken back', () => {
    const { executor, call, first, second, clock } = oneFailure({ afterMs: 500, everyone: true })
    expect(executor.pausedForMs).toBe(500)
    expect(second.sent.at(-1)).toEqual({ type: 'return' })
    const [chunk] = second.chunks
    second.message({ type: 'returned', ids: [chunk!.id], kept: [1], waits: false })
    second.settle(chunk!, { count: 1 })
    first.settle(first.chunks[0]!, { from: 1 })
    const before = dispatched([first, second])
    clock.advance(499)
    expect(dispatched([first, second])).toBe(before)
    expect(executor.pausedForMs).toBe(1)
    clock.advance(1)
    expect(executor.pausedForMs).toBeUndefined()
    for (let i = 0; i < 8; i++)
      for (const worker of [first, second]) for (const each of worker.chunks.slice(1)) worker.settle(each)
    expect(sorted(call.indexes())).toEqual(range(8))
    expect(call.failed()).toEqual([])
  })

  test.each([
    ['is aborted', ({ call }) => call.controller.abort()],
    ['fails with the pool', ({ executor }) => void executor.terminate()],
  ] satisfies [string, (world: ReturnType<typeof oneFailure>) => void][])(
    'leaves no timer of its pause behind when the call %s',
    async (_, end) => {
      const world = oneFailure({ afterMs: 500_000, everyone: true })
      end(world)
      for (const worker of world.workers) worker.exit(0, null)
      await world.call.done.catch(() => {})
      expect(world.clock.hasTimers).toBe(false)
    },
  )

  test('pauses calls that are opened later, too', () => {
    const { executor, call, workers, clock } = oneFailure({ afterMs: 500, everyone: true })
    call.controller.abort()
    for (const worker of workers) {
      const [chunk] = worker.chunks
      worker.message({ type: 'cancelled', ids: [chunk!.id], begun: [1] })
    }
    const before = dispatched(workers)
    start(executor, numbers(1))
    expect(dispatched(workers)).toBe(before)
    clock.advance(500)
    expect(dispatched(workers)).toBe(before + 1)
  })
})
