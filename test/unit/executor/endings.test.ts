// Every way to end a call, or all calls, in every state in which it can be asked for.
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { WorkerHandle } from '../../../src/transport/transport.js'
import { ago, type FakeWorker, faultOf, numbers, setUp, start, turn } from './fakes.js'

const sentTypes = (worker: FakeWorker) => worker.sent.map(({ type }) => type)
const ON = ['error', 'crash', 'timeout', 'oom'] as const

describe('a drained call', () => {
  test('lets running items finish and takes nothing new', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const source = numbers(10)
    const call = start(executor, source, { chunkSize: 3 })
    const [worker] = workers
    worker!.ready()
    const taken = source.taken
    call.drain.abort()
    expect(sentTypes(worker!)).toEqual(['run', 'return'])
    worker!.settle(worker!.chunks[0]!, { count: 1 })
    worker!.message({ type: 'returned', ids: [worker!.chunks[0]!.id], kept: [1], waits: false })
    await call.done
    expect(call.indexes()).toEqual([0])
    expect(source.taken).toBe(taken)
  })

  test('does not wait for its source', async () => {
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

  test('has chunks of other calls in the same worker run again', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const first = start(executor, numbers(2), { chunkSize: 1 })
    const [worker] = workers
    worker!.ready()
    worker!.settleCheap(worker!.chunks[0]!)
    const second = start(executor, numbers(1), { chunkSize: 1 })
    await setImmediate()
    const behind = worker!.chunks[2]!
    first.drain.abort()
    worker!.message({ type: 'returned', ids: [behind.id], kept: [0], waits: false })
    worker!.settle(worker!.chunks[1]!)
    await first.done
    worker!.settle(worker!.chunks.at(-1)!)
    await second.done
    expect(second.failed()).toEqual([])
    expect(second.indexes()).toEqual([0])
  })

  test('can still be aborted if an item does not end', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(3), { chunkSize: 1 })
    workers[0]!.ready()
    call.drain.abort()
    call.controller.abort()
    expect(sentTypes(workers[0]!)).toEqual(['run', 'return', 'cancel'])
    clock.advance(2_000)
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
    workers[0]!.exit()
    await call.done
  })

  test('is done when its worker crashes, and what was running has failed', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const call = start(executor, numbers(3), { chunkSize: 3 })
    workers[0]!.ready()
    call.drain.abort()
    workers[0]!.setRecord({
      running: [{ id: workers[0]!.chunks[0]!.id, offset: 1, since: ago(1) }],
      outcomes: [],
    })
    workers[0]!.exit()
    await call.done
    expect(call.failed().map(({ index }) => index)).toEqual([0, 1])
  })
})

describe('an aborted call', () => {
  test('asks its source for nothing more while its items are being cancelled', () => {
    const { executor, workers } = setUp({ processes: 2 })
    const source = numbers(100)
    const call = start(executor, source, { chunkSize: 1 })
    workers[0]!.ready()
    call.controller.abort()
    const taken = source.taken
    workers[1]!.ready()
    expect(source.taken).toBe(taken)
  })

  test('whose worker is being terminated for a timeout ends when that worker has exited', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(2), { chunkSize: 2, timeoutMs: 100 })
    workers[0]!.ready()
    workers[0]!.setRecord({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(100) }] })
    clock.advance(100)
    workers[0]!.answerExpire()
    call.controller.abort()
    expect(sentTypes(workers[0]!)).toEqual(['run', 'expire', 'terminate'])
    workers[0]!.exit(0, null)
    await call.done
    expect(call.settled).toEqual([])
  })

  test('ends immediately if nothing of it is in a worker', async () => {
    const { executor } = setUp({ processes: 1 })
    const call = start(executor, numbers(2))
    call.controller.abort()
    await call.done
  })

  test('takes nothing if it was aborted before it began', async () => {
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
  test('fails the pool, and the others are killed', async () => {
    const { executor, workers } = setUp({ processes: 2 })
    const call = start(executor, numbers(5))
    workers[1]!.failToSpawn()
    expect(await faultOf(call.done)).toMatchObject({
      fault: { kind: 'spawn', error: { message: 'spawn EAGAIN' } },
    })
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
    workers[0]!.exit()
    await executor.close()
    expect(workers).toHaveLength(2)
  })

  test('fails the pool also if it should replace another', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const call = start(executor, numbers(5), { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.exit()
    workers[1]!.failToSpawn()
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'spawn' } })
  })
})

describe('a pool fault', () => {
  test('ends a call whose items are delayed, and they never run', async () => {
    const { executor, workers, clock } = setUp({ processes: 2, maxRestarts: 0 })
    const retry = { retries: 1, delayMs: 1_000, on: ON }
    const call = start(executor, numbers(5), { chunkSize: 1, retry })
    for (const worker of workers) worker.ready()
    workers[0]!.setRecord({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(1) }] })
    workers[0]!.exit()
    await faultOf(call.done)
    workers[1]!.exit()
    clock.advance(10_000)
    expect(call.settled).toEqual([])
    expect(workers).toHaveLength(2)
    await executor.close()
  })

  test('is not reported after terminate', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const call = start(executor, numbers(5))
    const terminated = executor.terminate()
    workers[0]!.exit()
    expect(await faultOf(call.done)).toEqual({ type: 'terminated' })
    await terminated
  })
})

type Ending = 'close' | 'terminate' | 'kill'

describe.each<Ending>(['close', 'terminate', 'kill'])('%s', (ending) => {
  test('is done immediately if nothing was started', async () => {
    await setUp().executor[ending]()
  })

  test('can be called again and again, mixed with the others', async () => {
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
    workers[0]!.exit()
    await Promise.all(all)
  })

  test('kills workers that are starting, and no other starts', async () => {
    const { executor, workers } = setUp({ processes: 2 })
    executor.start(2)
    const ended = executor[ending]()
    executor.start(2)
    expect(workers.every(({ kills }) => kills.includes('SIGKILL'))).toBe(true)
    for (const worker of workers) worker.exit()
    await ended
    executor.start(2)
    expect(workers).toHaveLength(2)
  })

  test('refuses later calls without touching their sources', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    executor.start(1)
    workers[0]!.ready()
    void executor[ending]()
    const source = numbers(3)
    expect(await faultOf(start(executor, source).done)).toEqual({ type: 'terminated' })
    expect(source.taken).toBe(0)
  })

  test('waits for a worker that is being terminated for a timeout', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(1), { chunkSize: 1, timeoutMs: 100 })
    workers[0]!.ready()
    workers[0]!.setRecord({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(100) }] })
    clock.advance(100)
    const ended = executor[ending]()
    workers[0]!.exit(0, null)
    await ended
    await call.done.catch(() => {})
    expect(workers).toHaveLength(1)
  })

  test('kills a worker whose finalizer does not end in time', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(0))
    workers[0]!.ready()
    await call.done
    void executor.close()
    const ended = executor[ending]()
    clock.advance(2_000)
    expect(workers[0]!.kills).toContain('SIGKILL')
    workers[0]!.exit()
    await ended
  })
})

test('close lets an open call finish and replaces workers that crash', async () => {
  const { executor, workers, latest } = setUp({ processes: 1 })
  const call = start(executor, numbers(4), { chunkSize: 1 })
  workers[0]!.ready()
  const closed = executor.close()
  workers[0]!.exit()
  for (let n = 0; n < 9; n++) {
    latest(0).ready()
    latest(0).settleAll()
  }
  await call.done
  latest(0).exit(0, null)
  await closed
  expect(call.indexes()).toHaveLength(4)
})

test('a worker that has exited is sent nothing', () => {
  const { executor, workers } = setUp({ processes: 1 })
  start(executor, numbers(4), { chunkSize: 1 })
  const handle: WorkerHandle = workers[0]!
  workers[0]!.ready()
  workers[0]!.exit()
  const sent = workers[0]!.sent.length
  void executor.terminate()
  expect(handle.pid).toBe(1000)
  expect(workers[0]!.sent).toHaveLength(sent)
})
