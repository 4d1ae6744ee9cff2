// Every way to end a call, or all of them, in every state in which that can be asked for.
import { describe, expect, test } from 'vitest'
import type { WorkerHandle } from '../../../src/transport/transport.js'
import { ago, type FakeWorker, faultOf, numbers, setUp, start, turn } from './fakes.js'

const told = (worker: FakeWorker) => worker.sent.map(({ type }) => type)
const ON = ['error', 'crash', 'timeout', 'oom'] as const

describe('a drained call', () => {
  test('lets what runs end and takes nothing more', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const source = numbers(10)
    const call = start(executor, source, { chunkSize: 3 })
    const [worker] = workers
    worker!.ready()
    const taken = source.taken
    call.drain.abort()
    expect(told(worker!)).toEqual(['run', 'drain'])
    worker!.settle(worker!.chunks[0]!, { count: 1 })
    worker!.say({ type: 'cancelled', ids: [worker!.chunks[0]!.id] })
    await call.done
    expect(call.indexes()).toEqual([0])
    expect(source.taken).toBe(taken)
  })

  test('gives up what waits, and a source that answers later', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    let answer: (chunk: undefined) => void = () => {}
    const source = { next: () => new Promise<undefined>((resolve) => (answer = resolve)), close() {} }
    const call = start(executor, source)
    workers[0]!.ready()
    call.drain.abort()
    await call.done
    answer(undefined)
    await turn()
    expect(call.indexes()).toEqual([])
  })

  test('has what other calls had in the same worker run on', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const first = start(executor, numbers(2), { chunkSize: 1 })
    const [worker] = workers
    worker!.ready()
    worker!.settle(worker!.chunks[0]!, { busyMs: 0.01 })
    const second = start(executor, numbers(1), { chunkSize: 1 })
    const behind = worker!.chunks[2]!
    first.drain.abort()
    worker!.say({ type: 'cancelled', ids: [behind.id] })
    worker!.settle(worker!.chunks[1]!)
    await first.done
    worker!.settle(worker!.chunks.at(-1)!)
    await second.done
    expect(second.failed()).toEqual([])
    expect(second.indexes()).toEqual([0])
  })

  test('whose item does not end can still be aborted', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(3), { chunkSize: 1 })
    workers[0]!.ready()
    call.drain.abort()
    call.controller.abort()
    expect(told(workers[0]!)).toEqual(['run', 'drain', 'cancel'])
    clock.advance(2_000)
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
    workers[0]!.die()
    await call.done
  })

  test('whose worker dies is over, and what the worker ran has failed', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const call = start(executor, numbers(3), { chunkSize: 3 })
    workers[0]!.ready()
    call.drain.abort()
    workers[0]!.records({
      running: [{ id: workers[0]!.chunks[0]!.id, offset: 1, since: ago(1) }],
      outcomes: [],
    })
    workers[0]!.die()
    await call.done
    expect(call.failed().map(({ index }) => index)).toEqual([0, 1])
  })
})

describe('an aborted call', () => {
  test('asks its source for nothing more while what it ran is being cancelled', () => {
    const { executor, workers } = setUp({ processes: 2 })
    const source = numbers(100)
    const call = start(executor, source, { chunkSize: 1 })
    workers[0]!.ready()
    call.controller.abort()
    const taken = source.taken
    workers[1]!.ready()
    expect(source.taken).toBe(taken)
  })

  test('whose worker is being ended for a timeout is over when that worker is gone', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(2), { chunkSize: 2, timeoutMs: 100 })
    workers[0]!.ready()
    workers[0]!.records({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(100) }] })
    clock.advance(100)
    call.controller.abort()
    expect(told(workers[0]!)).toEqual(['run', 'terminate'])
    workers[0]!.die(0, null)
    await call.done
    expect(call.settled).toEqual([])
  })

  test('is over at once when it has nothing in a worker', async () => {
    const { executor } = setUp({ processes: 1 })
    const call = start(executor, numbers(2))
    call.controller.abort()
    await call.done
  })

  test('was aborted before it began: it takes nothing', async () => {
    const { executor } = setUp({ processes: 1 })
    const source = numbers(5)
    await executor.execute({
      task: { name: 'default', calling: 'item', reply: 'values' },
      source,
      onSettled: () => {},
      signal: AbortSignal.abort(),
    })
    expect(source.taken).toBe(0)
  })
})

describe('a worker that cannot be started', () => {
  test('breaks everything, and the others are ended', async () => {
    const { executor, workers } = setUp({ processes: 2 })
    const call = start(executor, numbers(5))
    workers[1]!.failToSpawn()
    expect(await faultOf(call.done)).toMatchObject({
      fault: { kind: 'spawn', error: { message: 'spawn EAGAIN' } },
    })
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
    workers[0]!.die()
    await executor.close()
    expect(workers).toHaveLength(2)
  })

  test('is also one that was to replace another', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const call = start(executor, numbers(5), { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.die()
    workers[1]!.failToSpawn()
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'spawn' } })
  })
})

describe('a fault', () => {
  test('while items wait to be tried again ends the call; their time never comes', async () => {
    const { executor, workers, clock } = setUp({ processes: 2, maxRestarts: 0 })
    const retry = { retries: 1, delayMs: 1_000, on: ON }
    const call = start(executor, numbers(5), { chunkSize: 1, retry })
    for (const worker of workers) worker.ready()
    workers[0]!.records({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(1) }] })
    workers[0]!.die()
    await faultOf(call.done)
    workers[1]!.die()
    clock.advance(10_000)
    expect(call.settled).toEqual([])
    expect(workers).toHaveLength(2)
    await executor.close()
  })

  test('of one that is terminated already is none', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const call = start(executor, numbers(5))
    const terminated = executor.terminate()
    workers[0]!.die()
    expect(await faultOf(call.done)).toEqual({ type: 'terminated' })
    await terminated
  })
})

type Ending = 'close' | 'terminate' | 'kill'

describe.each<Ending>(['close', 'terminate', 'kill'])('%s', (ending) => {
  test('before anything was started is done at once', async () => {
    await setUp().executor[ending]()
  })

  test('can be asked for again and again, in any order', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    executor.start(1)
    workers[0]!.ready()
    const all = [
      executor[ending](),
      executor.close(),
      executor.terminate(),
      executor.kill(),
      executor[ending](),
    ]
    workers[0]!.die()
    await Promise.all(all)
  })

  test('ends workers that are starting, and no other begins', async () => {
    const { executor, workers } = setUp({ processes: 2 })
    executor.start(2)
    const ended = executor[ending]()
    executor.start(2)
    expect(workers.every(({ kills }) => kills.includes('SIGKILL'))).toBe(true)
    for (const worker of workers) worker.die()
    await ended
    executor.start(2)
    expect(workers).toHaveLength(2)
  })

  test('refuses later calls, and leaves their sources alone', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    executor.start(1)
    workers[0]!.ready()
    void executor[ending]()
    const source = numbers(3)
    expect(await faultOf(start(executor, source).done)).toEqual({ type: 'terminated' })
    expect(source.taken).toBe(0)
  })

  test('while a worker is ending for a timeout waits for it', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(1), { chunkSize: 1, timeoutMs: 100 })
    workers[0]!.ready()
    workers[0]!.records({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(100) }] })
    clock.advance(100)
    const ended = executor[ending]()
    workers[0]!.die(0, null)
    await ended
    await call.done.catch(() => {})
    expect(workers).toHaveLength(1)
  })

  test('while a finalizer runs kills it at the end of its time at the latest', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(0))
    workers[0]!.ready()
    await call.done
    void executor.close()
    const ended = executor[ending]()
    clock.advance(2_000)
    expect(workers[0]!.kills).toContain('SIGKILL')
    workers[0]!.die()
    await ended
  })
})

test('close while a call is open lets it finish, replacing workers that die', async () => {
  const { executor, workers, latest } = setUp({ processes: 1 })
  const call = start(executor, numbers(4), { chunkSize: 1 })
  workers[0]!.ready()
  const closed = executor.close()
  workers[0]!.die()
  for (let n = 0; n < 9; n++) {
    latest(0).ready()
    latest(0).settleAll()
  }
  await call.done
  latest(0).die(0, null)
  await closed
  expect(call.indexes()).toHaveLength(4)
})

test('a dead worker is told nothing any more', () => {
  const { executor, workers } = setUp({ processes: 1 })
  start(executor, numbers(4), { chunkSize: 1 })
  const handle: WorkerHandle = workers[0]!
  workers[0]!.ready()
  workers[0]!.die()
  const sent = workers[0]!.sent.length
  void executor.terminate()
  expect(handle.pid).toBe(1000)
  expect(workers[0]!.sent).toHaveLength(sent)
})
