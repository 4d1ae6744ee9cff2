// An item that takes too long: found by what its worker has written down, ended politely and then not.
import { describe, expect, test } from 'vitest'
import { ago, type FakeWorker, numbers, range, setUp, sorted, start } from './fakes.js'

const DEFAULTS = { chunkSize: 3, timeoutMs: 1_000 }

function oneWorker({
  concurrency = 1,
  items = 3,
  ...settings
}: {
  concurrency?: number
  items?: number
  chunkSize?: number
} = {}) {
  const world = setUp({ processes: 1, concurrency })
  const call = start(world.executor, numbers(items), { ...DEFAULTS, ...settings })
  const worker = world.workers[0]!
  worker.ready()
  return { ...world, call, worker }
}

const running = (worker: FakeWorker, place: number, offset: number, forMs: number) => ({
  id: worker.chunks[place]!.id,
  offset,
  since: ago(forMs),
})

const told = (worker: FakeWorker) => worker.sent.map(({ type }) => type)

describe('an item over its time', () => {
  test('fails, the items before it keep their results and those after it run elsewhere', async () => {
    const { call, worker, clock, latest } = oneWorker()
    worker.settle(worker.chunks[0]!, { count: 1 })
    worker.records({ running: [running(worker, 0, 1, 1_000)] })
    clock.advance(1_000)
    expect(told(worker).at(-1)).toBe('terminate')
    worker.die(0, null)
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'timeout', timeoutMs: 1_000 } }])
    latest(0).ready()
    expect(latest(0).chunks.map(({ index, count }) => [index, count])).toEqual([[2, 1]])
    latest(0).settleAll()
    await call.done
    expect(sorted(call.indexes())).toEqual(range(3))
  })

  test('is given the rest of its time when it began later than it could have', () => {
    const { worker, clock } = oneWorker()
    worker.records({ running: [running(worker, 0, 0, 400)] })
    clock.advance(1_000)
    expect(told(worker)).not.toContain('terminate')
    clock.advance(598)
    expect(told(worker)).not.toContain('terminate')
    worker.records({ running: [running(worker, 0, 0, 1_000)] })
    clock.advance(2)
    expect(told(worker)).toContain('terminate')
  })

  test('is judged by the time at which it was looked for, not by how long the looking took', () => {
    const { worker, clock } = oneWorker()
    worker.inspect = () => {
      const since = ago(999)
      while (ago(1_001) < since);
      return { outcomes: [], running: [{ id: worker.chunks[0]!.id, offset: 0, since }], unrecorded: [] }
    }
    clock.advance(1_000)
    expect(told(worker)).not.toContain('terminate')
  })

  test('is not looked for while items of the chunk go on settling in time', () => {
    const { worker, clock } = oneWorker()
    for (let from = 0; from < 2; from++) {
      clock.advance(900)
      worker.settle(worker.chunks[0]!, { from, count: 1 })
    }
    clock.advance(900)
    expect(told(worker)).not.toContain('terminate')
  })

  test('that ends while its worker is being told keeps its result, and nothing runs twice', async () => {
    const { call, worker, clock, latest } = oneWorker({ items: 6, chunkSize: 6 })
    worker.records({ running: [running(worker, 0, 1, 1_000)] })
    worker.settle(worker.chunks[0]!, { count: 1 })
    clock.advance(1_000)
    expect(told(worker).at(-1)).toBe('terminate')
    // Items 1 to 3 ended all the same, and item 4 began.
    worker.settle(worker.chunks[0]!, { from: 1, count: 3 })
    worker.records({ running: [running(worker, 0, 4, 3)] })
    worker.die(0, null)
    expect(call.failed()).toMatchObject([{ index: 4, failure: { kind: 'crash' } }])
    latest(0).ready()
    expect(latest(0).chunks.map(({ index, count }) => [index, count])).toEqual([[5, 1]])
    latest(0).settleAll()
    await call.done
    expect(sorted(call.indexes())).toEqual(range(6))
  })

  test('never runs again without retries, however its worker dies', async () => {
    const { call, worker, clock, latest, workers } = oneWorker({ items: 1 })
    worker.records({ running: [running(worker, 0, 0, 1_000)] })
    clock.advance(1_000)
    clock.advance(100)
    clock.advance(1_900)
    expect(worker.kills).toEqual(['SIGTERM', 'SIGKILL'])
    worker.die()
    await call.done
    expect(call.failed()).toMatchObject([{ failure: { kind: 'timeout' } }])
    expect(workers.flatMap(({ chunks }) => chunks)).toHaveLength(1)
    expect(latest(0).chunks.length).toBeLessThanOrEqual(1)
  })

  test('says so also when its worker answers and dies in good order', () => {
    const { call, worker, clock } = oneWorker({ items: 1 })
    worker.records({ running: [running(worker, 0, 0, 1_000)] })
    clock.advance(1_000)
    worker.say({ type: 'terminating' })
    worker.say({ type: 'cancelled', ids: worker.chunks.map(({ id }) => id) })
    clock.advance(1_000)
    expect(worker.kills).toEqual([])
    worker.die(0, null)
    expect(call.failed()).toMatchObject([{ failure: { kind: 'timeout' } }])
  })
})

describe('beside others in the same worker', () => {
  test('the others fail as lost', () => {
    const { call, worker, clock } = oneWorker({ concurrency: 2, items: 4, chunkSize: 2 })
    worker.records({ running: [running(worker, 0, 0, 1_000), running(worker, 1, 0, 300)] })
    clock.advance(1_000)
    worker.die(0, null)
    expect(call.failed().sort((a, b) => a.index - b.index)).toMatchObject([
      { index: 0, failure: { kind: 'timeout' } },
      { index: 2, failure: { kind: 'crash' } },
    ])
  })

  test('a hanging item is found although the others keep settling', () => {
    const { worker, clock } = oneWorker({ concurrency: 2, items: 1_000, chunkSize: 1 })
    let n = 0
    while (!told(worker).includes('terminate') && n < 20) {
      n++
      worker.records({ running: [running(worker, 0, 0, n * 100)] })
      clock.advance(100)
      const chunk = worker.chunks[n]
      if (chunk !== undefined) worker.settle(chunk)
    }
    expect(n).toBe(10)
  })

  test('an item that has not begun behind a busy neighbour has all its time', () => {
    const { worker, clock } = oneWorker({ concurrency: 2, items: 4, chunkSize: 2 })
    worker.records({ running: [running(worker, 0, 0, 900)] })
    clock.advance(1_000)
    worker.records({ running: [running(worker, 0, 0, 990), running(worker, 1, 0, 5)] })
    clock.advance(99)
    expect(told(worker)).not.toContain('terminate')
  })
})

describe('what waits in a worker', () => {
  test('is timed from the moment what was cancelled in front of it is gone', () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const first = start(executor, numbers(2), { chunkSize: 1 })
    const [worker] = workers
    worker!.ready()
    worker!.settle(worker!.chunks[0]!, { busyMs: 0.01 })
    start(executor, numbers(1), { chunkSize: 1, timeoutMs: 1_000 })
    const [, front, behind] = worker!.chunks
    expect(behind).toBeDefined()
    clock.advance(700)
    first.controller.abort()
    worker!.say({ type: 'cancelled', ids: [front!.id] })
    worker!.records({ running: [{ id: behind!.id, offset: 0, since: ago(1_000) }] })
    clock.advance(999)
    expect(told(worker!)).not.toContain('terminate')
    clock.advance(1)
    expect(told(worker!)).toContain('terminate')
  })

  test('is not taken for late, where nothing is written down, while another call’s item runs in front of it', () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    start(executor, numbers(2), { chunkSize: 1, timeoutMs: 10_000 })
    const [worker] = workers
    worker!.ready()
    worker!.settle(worker!.chunks[0]!, { busyMs: 0.01 })
    start(executor, numbers(1), { chunkSize: 1, timeoutMs: 100 })
    clock.advance(9_999)
    expect(told(worker!)).not.toContain('terminate')
    clock.advance(1)
    expect(told(worker!)).toContain('terminate')
  })
})

describe('a worker in which nothing begins', () => {
  test('is ended as stuck when two looks a whole timeout apart find nothing; its items run elsewhere', async () => {
    const { call, worker, clock, latest } = oneWorker()
    worker.records({})
    clock.advance(1_000)
    clock.advance(999)
    expect(told(worker)).not.toContain('terminate')
    clock.advance(1)
    expect(told(worker)).toContain('terminate')
    // Stopped by a signal, it answers nothing but the last one.
    clock.advance(100)
    clock.advance(1_900)
    expect(worker.kills).toEqual(['SIGTERM', 'SIGKILL'])
    worker.die()
    latest(0).ready()
    latest(0).settleAll()
    await call.done
    expect(call.failed()).toEqual([])
  })

  test('is not ended when it has begun something meanwhile', () => {
    const { worker, clock } = oneWorker()
    worker.records({})
    clock.advance(1_000)
    worker.records({ running: [running(worker, 0, 0, 10)] })
    clock.advance(1_000)
    expect(told(worker)).not.toContain('terminate')
  })
})

describe('where nothing is written down', () => {
  test('what stands first is taken for the one that runs', async () => {
    const { call, worker, clock, latest } = oneWorker()
    worker.settle(worker.chunks[0]!, { count: 1 })
    clock.advance(1_000)
    expect(told(worker).at(-1)).toBe('terminate')
    worker.die()
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'timeout' } }])
    latest(0).ready()
    latest(0).settleAll()
    await call.done
    expect(sorted(call.indexes())).toEqual(range(3))
  })
})

describe('Ctrl-Z', () => {
  test('stops the workers and their time', () => {
    const { executor, worker, clock } = oneWorker()
    executor.suspend()
    clock.advance(50)
    executor.resume()
    expect(worker.kills).toEqual(['SIGSTOP', 'SIGCONT'])
  })
})
