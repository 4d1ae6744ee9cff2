// Items that exceed their timeout: found by the flight record of their worker. They are aborted first, alone; the worker
// ends only if they do not stop.
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { RetryOptions } from '../../../src/plan.js'
import { ago, type FakeWorker, numbers, range, setUp, sorted, start } from './fakes.js'

const endFor = (item: number) => ({
  type: 'terminate',
  isImmediate: true,
  why: `item ${item} exceeded 1 s in the same worker`,
})

const DEFAULTS = { chunkSize: 3, timeoutMs: 1_000 }

function oneWorker({
  concurrency = 1,
  items = 3,
  ...settings
}: {
  concurrency?: number
  items?: number
  chunkSize?: number
  retry?: RetryOptions
} = {}) {
  const world = setUp({ processes: 1, concurrency })
  const call = start(world.executor, numbers(items), { ...DEFAULTS, ...settings })
  const worker = world.workers[0]!
  worker.ready()
  return { ...world, call, worker }
}

const running = (worker: FakeWorker, n: number, offset: number, forMs: number) => ({
  id: worker.chunks[n]!.id,
  offset,
  since: ago(forMs),
})

const sentTypes = (worker: FakeWorker) => worker.sent.map(({ type }) => type)

describe('an item that exceeds its timeout', () => {
  test('fails, the items before it keep their results and those after it run elsewhere', async () => {
    const { call, worker, clock, latest } = oneWorker()
    worker.settle(worker.chunks[0]!, { count: 1 })
    worker.setRecord({ running: [running(worker, 0, 1, 1_000)] })
    clock.advance(1_000)
    worker.answerExpire()
    expect(worker.sent.at(-1)).toEqual(endFor(1))
    worker.exit(0, null)
    expect(call.failed()).toMatchObject([
      { index: 1, failure: { kind: 'timeout', timeoutMs: 1_000, ended: 'ended' } },
    ])
    latest(0).ready()
    expect(latest(0).chunks.map(({ index, count }) => [index, count])).toEqual([[2, 1]])
    latest(0).settleAll()
    await call.done
    expect(sorted(call.indexes())).toEqual(range(3))
  })

  test('has the rest of its time if it began later than it could have', () => {
    const { worker, clock } = oneWorker()
    worker.setRecord({ running: [running(worker, 0, 0, 400)] })
    clock.advance(1_000)
    expect(sentTypes(worker)).not.toContain('expire')
    // Real time passes on the clock that workers share: it must not be more than the difference to 600.
    clock.advance(400)
    expect(sentTypes(worker)).not.toContain('expire')
    worker.setRecord({ running: [running(worker, 0, 0, 1_000)] })
    clock.advance(200)
    expect(sentTypes(worker)).toContain('expire')
  })

  test('is judged by the time before the record was read, not after', () => {
    const { worker, clock } = oneWorker()
    worker.inspect = () => {
      const since = ago(999)
      while (ago(1_001) < since);
      return {
        outcomes: [],
        running: [{ id: worker.chunks[0]!.id, offset: 0, since }],
        begun: new Map(),
        unrecorded: [],
      }
    }
    clock.advance(1_000)
    expect(sentTypes(worker)).not.toContain('expire')
  })

  test('is not looked for while items settle in time', () => {
    const { worker, clock } = oneWorker()
    for (let from = 0; from < 2; from++) {
      clock.advance(900)
      worker.settle(worker.chunks[0]!, { from, count: 1 })
    }
    clock.advance(900)
    expect(sentTypes(worker)).not.toContain('expire')
  })

  test('keeps its result if it ends before the worker is asked to abort it, and nothing runs twice', async () => {
    const { call, worker, clock } = oneWorker({ items: 6, chunkSize: 6 })
    worker.setRecord({ running: [running(worker, 0, 1, 1_000)] })
    worker.settle(worker.chunks[0]!, { count: 1 })
    clock.advance(1_000)
    expect(sentTypes(worker).at(-1)).toBe('expire')
    worker.settle(worker.chunks[0]!, { from: 1, count: 5 })
    clock.advance(100_000)
    expect(sentTypes(worker)).not.toContain('terminate')
    await call.done
    expect(call.failed()).toEqual([])
    expect(sorted(call.indexes())).toEqual(range(6))
  })

  test('leaves its worker alive if it stops at its signal', () => {
    const { call, worker, clock } = oneWorker({ items: 2, chunkSize: 2 })
    worker.setRecord({ running: [running(worker, 0, 0, 1_000)] })
    clock.advance(1_000)
    expect(worker.sent.at(-1)).toEqual({ type: 'expire', id: worker.chunks[0]!.id, offset: 0 })
    worker.answerExpire({ listens: true })
    clock.advance(1_999)
    const failure = { kind: 'timeout', timeoutMs: 1_000, ended: 'stopped' } as const
    worker.settle(worker.chunks[0]!, { count: 1, failures: [{ offset: 0, failure }] })
    worker.setRecord({ running: [running(worker, 0, 1, 0)] })
    clock.advance(2_000)
    expect(sentTypes(worker)).not.toContain('terminate')
    expect(worker.kills).toEqual([])
    expect(call.failed()).toMatchObject([{ index: 0, failure }])
  })

  test('has its worker ended if it listens and does not stop', () => {
    const { call, worker, clock } = oneWorker({ items: 1 })
    worker.setRecord({ running: [running(worker, 0, 0, 1_000)] })
    clock.advance(1_000)
    worker.answerExpire({ listens: true })
    clock.advance(2_000)
    // Its outcome may have arrived and not have been read.
    expect(sentTypes(worker)).not.toContain('terminate')
    clock.advance(20)
    expect(worker.sent.at(-1)).toEqual(endFor(0))
    worker.exit(0, null)
    expect(call.failed()).toMatchObject([{ failure: { kind: 'timeout', ended: 'ended' } }])
  })

  test('never runs again without retries, even if its worker, which does not answer, has to be killed', async () => {
    const { call, worker, clock, latest, workers } = oneWorker({ items: 1 })
    worker.setRecord({ running: [running(worker, 0, 0, 1_000)] })
    clock.advance(1_000)
    clock.advance(100)
    // The answer may have arrived and not have been read.
    expect(worker.kills).toEqual([])
    clock.advance(20)
    expect(worker.kills).toEqual(['SIGTERM'])
    clock.advance(2_000)
    expect(worker.kills).toEqual(['SIGTERM', 'SIGKILL'])
    worker.exit()
    await call.done
    expect(call.failed()).toMatchObject([{ failure: { kind: 'timeout', ended: 'killed' } }])
    expect(workers.flatMap(({ chunks }) => chunks)).toHaveLength(1)
    expect(latest(0).chunks.length).toBeLessThanOrEqual(1)
  })
})

describe('several items in one worker', () => {
  /** Items 0 and 2 run; item 0 has exceeded its time and does not stop. */
  function oneOfTwoIsLate(settings: Parameters<typeof oneWorker>[0] = {}, answers = true) {
    const world = oneWorker({ concurrency: 2, items: 4, chunkSize: 2, ...settings })
    const { worker, clock } = world
    worker.setRecord({ running: [running(worker, 0, 0, 1_000), running(worker, 1, 0, 300)] })
    clock.advance(1_000)
    if (answers) worker.answerExpire()
    clock.advance(2_000)
    clock.advance(20)
    return world
  }

  test('have as long again as the one that exceeded its time, and nothing else begins there', async () => {
    const { call, worker, clock } = oneOfTwoIsLate()
    expect(sentTypes(worker)).toEqual(['run', 'expire', 'return'])
    worker.settle(worker.chunks[1]!, { count: 1 })
    expect(sentTypes(worker)).not.toContain('terminate')
    worker.message({ type: 'cancelled', ids: [worker.chunks[1]!.id], begun: [1] })
    // Nothing but the item that does not end is left.
    expect(worker.sent.at(-1)).toEqual(endFor(0))
    worker.exit(0, null)
    expect(call.failed()).toMatchObject([{ index: 0, failure: { kind: 'timeout' } }])
    expect(call.indexes()).toContain(2)
    clock.advance(1)
  })

  test('fail as crashed if they take longer, and the failure names the item at fault', () => {
    const { call, worker, clock } = oneOfTwoIsLate()
    clock.advance(1_999)
    expect(sentTypes(worker)).not.toContain('terminate')
    clock.advance(1)
    expect(sentTypes(worker).at(-1)).toBe('terminate')
    worker.exit(0, null)
    expect(call.failed().sort((a, b) => a.index - b.index)).toMatchObject([
      { index: 0, failure: { kind: 'timeout' } },
      { index: 2, failure: { kind: 'crash', because: { index: 0, timeoutMs: 1_000 } } },
    ])
  })

  test('run again without losing an attempt where retries were requested', () => {
    const retry = { retries: 1, delayMs: 0, on: ['crash'] } as const
    const { call, worker, clock, latest } = oneOfTwoIsLate({ retry })
    clock.advance(2_000)
    worker.exit(0, null)
    expect(call.failed()).toMatchObject([{ index: 0, failure: { kind: 'timeout' } }])
    latest(0).ready()
    expect(latest(0).chunks.map(({ index, attempt }) => [index, attempt])).toContainEqual([2, 1])
  })

  test('have the same time in a worker that does not answer: it may compute', () => {
    const { call, worker, clock } = oneOfTwoIsLate({}, false)
    expect(sentTypes(worker)).toEqual(['run', 'expire', 'return'])
    expect(worker.kills).toEqual([])
    clock.advance(2_000)
    clock.advance(100)
    expect(worker.kills).toEqual(['SIGTERM'])
    worker.exit()
    expect(call.failed().sort((a, b) => a.index - b.index)).toMatchObject([
      { index: 0, failure: { kind: 'timeout', ended: 'killed' } },
      { index: 2, failure: { kind: 'crash', because: { index: 0 } } },
    ])
  })

  test('include one that hangs, which is found although the others keep settling', () => {
    const { worker, clock } = oneWorker({ concurrency: 2, items: 1_000, chunkSize: 1 })
    let n = 0
    while (!sentTypes(worker).includes('expire') && n < 20) {
      n++
      worker.setRecord({ running: [running(worker, 0, 0, n * 100)] })
      clock.advance(100)
      const chunk = worker.chunks[n]
      if (chunk !== undefined) worker.settle(chunk)
    }
    expect(n).toBe(10)
  })

  test('have all their time if they begin late', () => {
    const { worker, clock } = oneWorker({ concurrency: 2, items: 4, chunkSize: 2 })
    worker.setRecord({ running: [running(worker, 0, 0, 900)] })
    clock.advance(1_000)
    worker.setRecord({ running: [running(worker, 0, 0, 950), running(worker, 1, 0, 5)] })
    clock.advance(99)
    expect(sentTypes(worker)).not.toContain('expire')
  })
})

describe('a prefetched item', () => {
  test('is timed from the moment when the cancelled item in front of it was returned', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const first = start(executor, numbers(2), { chunkSize: 1 })
    const [worker] = workers
    worker!.ready()
    worker!.settleCheap(worker!.chunks[0]!)
    start(executor, numbers(1), { chunkSize: 1, timeoutMs: 1_000 })
    await setImmediate()
    const [, front, behind] = worker!.chunks
    expect(behind).toBeDefined()
    clock.advance(700)
    first.controller.abort()
    worker!.message({ type: 'cancelled', ids: [front!.id], begun: [] })
    worker!.setRecord({ running: [{ id: behind!.id, offset: 0, since: ago(1_000) }] })
    clock.advance(999)
    expect(sentTypes(worker!)).not.toContain('expire')
    clock.advance(1)
    expect(sentTypes(worker!)).toContain('expire')
  })

  test('is not late while an item of another call runs in front of it, even without a flight recorder', () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    start(executor, numbers(2), { chunkSize: 1, timeoutMs: 10_000 })
    const [worker] = workers
    worker!.ready()
    worker!.settleCheap(worker!.chunks[0]!)
    start(executor, numbers(1), { chunkSize: 1, timeoutMs: 100 })
    clock.advance(9_999)
    expect(sentTypes(worker!)).not.toContain('expire')
    clock.advance(1)
    expect(sentTypes(worker!)).toContain('expire')
  })
})

describe('a worker that begins nothing', () => {
  test('is terminated as stuck after two inspections, a timeout apart, that show nothing; its items run elsewhere', async () => {
    const { call, worker, clock, latest } = oneWorker()
    worker.setRecord({})
    clock.advance(1_000)
    clock.advance(999)
    expect(sentTypes(worker)).not.toContain('terminate')
    clock.advance(1)
    expect(sentTypes(worker)).toContain('terminate')
    // A process stopped by a signal reacts to SIGKILL only.
    clock.advance(100)
    clock.advance(1_900)
    expect(worker.kills).toEqual(['SIGTERM', 'SIGKILL'])
    worker.exit()
    latest(0).ready()
    // Each alone: one of them may be what the worker cannot begin.
    for (let n = 0; n < 3; n++) latest(0).settleAll()
    await call.done
    expect(call.failed()).toEqual([])
  })

  test('is not terminated if it has begun something meanwhile', () => {
    const { worker, clock } = oneWorker()
    worker.setRecord({})
    clock.advance(1_000)
    worker.setRecord({ running: [running(worker, 0, 0, 10)] })
    clock.advance(1_000)
    expect(sentTypes(worker)).not.toContain('terminate')
  })
})

describe('a timeout without a flight recorder', () => {
  test('fails the first item that has not settled', async () => {
    const { call, worker, clock, latest } = oneWorker()
    worker.settle(worker.chunks[0]!, { count: 1 })
    clock.advance(1_000)
    worker.answerExpire()
    expect(sentTypes(worker).at(-1)).toBe('terminate')
    worker.exit()
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'timeout' } }])
    latest(0).ready()
    latest(0).settleAll()
    await call.done
    expect(sorted(call.indexes())).toEqual(range(3))
  })
})

describe('Ctrl-Z', () => {
  test('suspends the workers and their time', () => {
    const { executor, worker, clock } = oneWorker()
    executor.suspend()
    clock.advance(50)
    executor.resume()
    expect(worker.kills).toEqual(['SIGSTOP', 'SIGCONT'])
  })
})
