// Calls from their first chunk to their end, with an executor whose workers are moved by hand.
import { describe, expect, test } from 'vitest'
import { warningText } from '../../../src/errors/warning-text.js'
import { fakeTransport, faultOf, numbers, range, setUp, sorted, start, turn } from './fakes.js'

describe('dispatch', () => {
  test('sends nothing to a worker before it is ready', () => {
    const { executor, workers } = setUp()
    start(executor, numbers(4), { chunkSize: 1 })
    expect(workers.map(({ chunks }) => chunks.length)).toEqual([0, 0])
    workers[0]!.ready()
    expect(workers[0]!.chunks).toHaveLength(1)
  })

  test('settles every item once and resolves', async () => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(5), { chunkSize: 2 })
    for (const worker of workers) worker.ready()
    let handled = 0
    for (let more = true; more; ) {
      more = false
      for (const worker of workers)
        for (const chunk of worker.chunks.slice(0, 99).filter(({ id }) => id > handled)) {
          handled = chunk.id
          worker.settle(chunk)
          more = true
        }
    }
    await call.done
    expect(sorted(call.indexes())).toEqual(range(5))
  })

  test('begins with chunks of one item, which grow with the measured cost', () => {
    const { executor, workers } = setUp({ processes: 1 })
    start(executor, numbers(100_000))
    const [worker] = workers
    worker!.ready()
    const sizes: number[] = []
    for (let n = 0; n < 6; n++) {
      const chunk = worker!.chunks[n]!
      sizes.push(chunk.count)
      worker!.settle(chunk, { busyMs: chunk.count * 0.01 })
    }
    expect(sizes[0]).toBe(1)
    expect(Math.max(...sizes)).toBeGreaterThan(50)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(400)
  })

  test('prefetches nothing behind an expensive item', () => {
    const { executor, workers } = setUp({ processes: 1 })
    start(executor, numbers(10))
    const [worker] = workers
    worker!.ready()
    worker!.settleExpensive(worker!.chunks[0]!)
    expect(worker!.chunks).toHaveLength(2)
  })

  test('leaves the last items to workers that are starting, instead of prefetching them', () => {
    const { executor, workers } = setUp({ processes: 2 })
    start(executor, numbers(3), { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.settleCheap(workers[0]!.chunks[0]!)
    expect(workers[0]!.chunks).toHaveLength(2)
    workers[1]!.ready()
    expect(workers[1]!.chunks).toHaveLength(1)
  })

  test('takes work back from another worker if the first one that is asked does not answer', () => {
    const { executor, workers, clock } = setUp({ processes: 3 })
    start(executor, numbers(8), { chunkSize: 4 })
    const [silent, busy, idle] = workers
    for (const worker of workers) worker.ready()
    const isAsked = ({ sent }: (typeof workers)[number]) => sent.some(({ type }) => type === 'return')
    expect(workers.map(({ chunks }) => chunks.length)).toEqual([1, 1, 0])
    clock.advance(5)
    expect([silent!, busy!, idle!].filter(isAsked)).toHaveLength(1)
    clock.advance(5)
    expect([silent!, busy!, idle!].map(isAsked)).toEqual([true, true, false])
  })

  test('makes chunks small enough to share near the end of a known input', () => {
    const { executor, workers } = setUp({ processes: 2 })
    const call = start(executor, numbers(40))
    workers[0]!.ready()
    workers[1]!.ready()
    for (let n = 0; n < 30; n++)
      for (const worker of workers) {
        const chunk = worker.chunks[n]
        if (chunk !== undefined) worker.settleCheap(chunk)
      }
    expect(sorted(call.indexes())).toEqual(range(40))
    expect(workers[0]!.chunks.at(-1)!.count).toBeLessThanOrEqual(2)
  })

  test('serves calls in turn, so that a long one does not starve a short one', () => {
    const { executor, workers } = setUp({ processes: 1 })
    start(executor, numbers(1000), { chunkSize: 1 })
    start(executor, numbers(1000), { chunkSize: 1 })
    const [worker] = workers
    worker!.ready()
    for (let n = 0; n < 10; n++) worker!.settleExpensive(worker!.chunks[n]!)
    const indexes = worker!.chunks.slice(0, 10).map(({ index }) => index)
    expect(indexes).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
  })

  test('waits until the job has loaded even for an empty input', async () => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(0))
    let over = false
    void call.done.then(() => {
      over = true
    })
    await turn()
    expect(over).toBe(false)
    workers[0]!.ready()
    await call.done
  })
})

describe('a worker that crashes', () => {
  test('fails the item that was running; settled ones keep their results and later ones run elsewhere', async () => {
    const { executor, workers, latest } = setUp({ processes: 1 })
    const call = start(executor, numbers(4), { chunkSize: 4 })
    workers[0]!.ready()
    const [chunk] = workers[0]!.chunks
    workers[0]!.settle(chunk!, { from: 0, count: 1 })
    workers[0]!.setRecord({ running: [{ id: chunk!.id, offset: 1, since: 0 }] })
    workers[0]!.exit(5, null)
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'crash', exitCode: 5, signal: null } }])
    latest(0).ready()
    expect(latest(0).chunks[0]).toMatchObject({ index: 2, count: 2 })
    latest(0).settleAll()
    await call.done
    expect(sorted(call.indexes())).toEqual(range(4))
  })

  test('is replaced without a warning if it was idle', async () => {
    const { executor, workers, latest } = setUp({ processes: 1 })
    const source = numbers(2)
    const call = start(executor, source, { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.settleExpensive(workers[0]!.chunks[0]!)
    workers[0]!.settleExpensive(workers[0]!.chunks[1]!)
    await call.done
    workers[0]!.exit()
    const next = start(executor, numbers(1))
    latest(0).ready()
    latest(0).settleAll()
    await next.done
    expect(next.failed()).toEqual([])
  })

  test('ends the run once the restart limit is exceeded', async () => {
    const { executor, workers, latest } = setUp({ processes: 1, maxRestarts: 3 })
    const call = start(executor, numbers(100), { chunkSize: 1 })
    for (let n = 0; n < 4; n++) {
      latest(0).ready()
      latest(0).exit()
    }
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'restarts', limit: 3 } })
    expect(workers).toHaveLength(4)
    expect(call.failed()).toHaveLength(4)
  })

  test('ends the run and is not replaced if it was not ready yet', async () => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(3))
    workers[0]!.exit(1, null)
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'startup', phase: 'boot', exitCode: 1 } })
    expect(workers).toHaveLength(2)
    expect(workers[1]!.kills).toEqual(['SIGKILL'])
  })

  test.each([
    ['the job', ['loading'], 'load'],
    ['the initializer', ['loading', 'initializing'], 'initializer'],
  ] as const)('names %s if that was running', async (_, sent, phase) => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(3))
    for (const type of sent) workers[0]!.message({ type })
    workers[0]!.exit(4, null)
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'startup', phase, exitCode: 4 } })
  })
})

describe('an initializer', () => {
  const error = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const

  test('that fails ends every call once, and no worker is started again, unlike in Python’s Pool (gh-87472)', async () => {
    const { executor, workers } = setUp()
    const calls = [start(executor, numbers(3)), start(executor, numbers(3))]
    for (const worker of [...workers]) worker.message({ type: 'init-failed', stage: 'initializer', error })
    for (const { done } of calls)
      expect(await faultOf(done)).toMatchObject({ fault: { kind: 'initializer', error } })
    for (const worker of workers) worker.exit()
    expect(workers).toHaveLength(2)
    expect(await faultOf(start(executor, numbers(1)).done)).toMatchObject({ fault: { kind: 'initializer' } })
    expect(workers).toHaveLength(2)
  })

  test('that exceeds its time ends the run; the time begins when the job is sent', async () => {
    const { executor, workers, clock } = setUp({ initTimeoutMs: 1_000 })
    const call = start(executor, numbers(3))
    clock.advance(5_000)
    await turn()
    clock.advance(999)
    expect(workers[0]!.kills).toEqual([])
    clock.advance(1)
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'init-timeout', afterMs: 1_000 } })
  })
})

describe('a task', () => {
  test('that the job does not export ends the call with what it does export', async () => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(3), { spec: { name: 'squar', calling: 'item', reply: 'values' } })
    workers[0]!.ready({ square: 'function' })
    expect(await faultOf(call.done)).toEqual({ type: 'no-task', exports: { square: 'function' } })
  })

  test('whose argument cannot be cloned fails alone; its neighbours run', async () => {
    const encode = (message: { type: string }) => {
      const values = JSON.stringify(message, (_, value) => (typeof value === 'function' ? '()=>' : value))
      if (message.type === 'run' && values.includes('()=>')) throw new Error('could not be cloned')
    }
    const { executor, workers } = setUp({ processes: 1 }, fakeTransport({ encode }))
    const items = [0, { f: () => 1 }, 2]
    let given = false
    const source = {
      next: () => {
        if (given) return undefined
        given = true
        return { seq: 0, count: 3, payload: { kind: 'values', values: items } as const }
      },
      close() {},
    }
    const call = start(executor, source)
    workers[0]!.ready()
    for (let n = 0; n < 2; n++) workers[0]!.settle(workers[0]!.chunks[n]!)
    await call.done
    expect(call.failed()).toMatchObject([
      { index: 1, failure: { kind: 'encoding', side: 'argument', path: 'f' } },
    ])
    expect(sorted(call.indexes())).toEqual([0, 1, 2])
  })
})

describe('the end', () => {
  test('of an aborted call cancels what runs, and kills and replaces a worker that does not cancel in time', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(9), { chunkSize: 1 })
    workers[0]!.ready()
    const other = start(executor, numbers(1), { chunkSize: 1 })
    call.controller.abort()
    expect(workers[0]!.sent.at(-1)).toMatchObject({ type: 'cancel' })
    clock.advance(1_999)
    expect(workers[0]!.kills).toEqual([])
    clock.advance(1)
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
    workers[0]!.exit()
    await call.done
    expect(workers).toHaveLength(2)
    workers[1]!.ready()
    workers[1]!.settleAll()
    await other.done
    expect(call.failed()).toEqual([])
  })

  test('of an aborted call is when the worker reports its chunks as cancelled', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const call = start(executor, numbers(9), { chunkSize: 1 })
    workers[0]!.ready()
    call.controller.abort()
    workers[0]!.message({ type: 'cancelled', ids: workers[0]!.chunks.map(({ id }) => id), begun: [] })
    await call.done
    expect(workers[0]!.kills).toEqual([])
  })

  test('by close stops workers that were ready and kills those that were starting', async () => {
    const { executor, workers } = setUp({ processes: 2 })
    const call = start(executor, numbers(1))
    workers[0]!.ready()
    workers[0]!.settleAll()
    await call.done
    const closed = executor.close()
    expect(workers[0]!.sent.at(-1)).toEqual({ type: 'stop' })
    expect(workers[1]!.kills).toEqual(['SIGKILL'])
    for (const worker of workers) worker.exit(0, null)
    await closed
    expect(workers).toHaveLength(2)
  })

  test('by close kills a worker whose finalizer does not end, with a warning', async () => {
    const warnings: string[] = []
    const { executor, workers, clock } = setUp({
      processes: 1,
      emit: (event) => event.type === 'warning' && warnings.push(warningText(event.warning)),
    })
    const call = start(executor, numbers(0))
    workers[0]!.ready()
    await call.done
    const closed = executor.close()
    clock.advance(2_000)
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
    expect(warnings).toEqual(['worker 0 (pid 1000) did not stop within 2000 ms and was killed'])
    workers[0]!.exit()
    await closed
  })

  test('by terminate escalates from a message to SIGTERM to SIGKILL', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(1))
    workers[0]!.ready()
    const terminated = executor.terminate()
    expect(await faultOf(call.done)).toEqual({ type: 'terminated' })
    expect(workers[0]!.sent.at(-1)).toEqual({
      type: 'terminate',
      isImmediate: false,
      why: 'the pool was terminated',
    })
    clock.advance(100)
    expect(workers[0]!.kills).toEqual(['SIGTERM'])
    clock.advance(1_900)
    expect(workers[0]!.kills).toEqual(['SIGTERM', 'SIGKILL'])
    workers[0]!.exit()
    await terminated
  })

  test('by terminate gives a worker that answers its time', () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    start(executor, numbers(1))
    workers[0]!.ready()
    void executor.terminate()
    workers[0]!.message({ type: 'terminating' })
    clock.advance(1_999)
    expect(workers[0]!.kills).toEqual([])
    clock.advance(1)
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
  })
})
