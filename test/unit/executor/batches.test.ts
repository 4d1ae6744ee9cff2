// Small chunks share messages: how many, and what becomes of them when one cannot be sent or the worker crashes.
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { ToWorker } from '../../../src/ipc/protocol.js'
import { type FakeWorker, fakeTransport, numbers, range, setUp, sorted, start } from './fakes.js'

const runs = ({ sent }: FakeWorker) =>
  sent.flatMap((message) => (message.type === 'run' ? [message.chunks.length] : []))

/** A worker whose items are known to be cheap. */
function warm(count: number, encode?: (message: ToWorker) => void) {
  const world = setUp({ processes: 1 }, fakeTransport(encode && { encode }))
  const call = start(world.executor, numbers(count), { chunkSize: 1 })
  const worker = world.workers[0]!
  worker.ready()
  worker.settleCheap(worker.chunks[0]!)
  return { ...world, call, worker }
}

describe('chunks of one cheap item', () => {
  test('are dispatched by the hundred, in one message, and refilled once half of them have settled', () => {
    const { worker } = warm(1000)
    const before = runs(worker).length
    const held = worker.chunks.length - 1
    expect(held).toBeGreaterThan(64)
    expect(held).toBeLessThanOrEqual(128)
    // Nothing follows until half of them have settled; then as many as have settled, together.
    const next = worker.chunks.slice(1)
    for (const chunk of next.slice(0, held - 65)) worker.settleCheap(chunk)
    expect(runs(worker)).toHaveLength(before)
    worker.settleCheap(next[held - 65]!)
    expect(runs(worker)).toHaveLength(before + 1)
    expect(runs(worker).at(-1)).toBe(64)
  })

  test('fail alone if they cannot be sent; the others of the message run once', async () => {
    const encode = (message: ToWorker) => {
      if (message.type !== 'run') return
      const values = message.chunks.flatMap(({ payload }) =>
        payload.kind === 'values' ? payload.values : [],
      )
      if (values.includes(20)) throw new Error('20 could not be cloned')
    }
    const { worker, call } = warm(50, encode)
    for (let round = 0; round < 50; round++) for (const chunk of worker.chunks) worker.settle(chunk)
    await call.done
    expect(sorted(call.indexes())).toEqual(range(50))
    expect(call.failed()).toMatchObject([{ index: 20, failure: { kind: 'encoding' } }])
    expect(worker.chunks.map(({ index }) => index)).toHaveLength(49)
  })

  test('run elsewhere, once, if their worker crashes; only the running one fails', async () => {
    const { worker, call, workers } = warm(60)
    const [first] = worker.chunks.slice(1)
    worker.setRecord({ running: [{ id: first!.id, offset: 0, since: 0 }] })
    worker.exit()
    const other = workers[1]!
    other.ready()
    for (let round = 0; round < 60; round++) for (const chunk of other.chunks) other.settle(chunk)
    await call.done
    expect(sorted(call.indexes())).toEqual(range(60))
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'crash' } }])
  })
})

describe('calls of one cheap item', () => {
  /** A worker that has run a call of the task before, and `count` more calls. */
  function callAgain(count: number) {
    const { executor, worker } = warm(1)
    const before = runs(worker).length
    for (let i = 0; i < count; i++) start(executor, numbers(1))
    return { worker, messages: () => runs(worker).slice(before) }
  }

  test('share a message if they begin in one turn of the event loop', async () => {
    const { messages } = callAgain(3)
    await setImmediate()
    expect(messages()).toEqual([3])
  })

  test('are dispatched by the hundred: their cost is that of the task', async () => {
    const { messages } = callAgain(1000)
    await setImmediate()
    expect(messages()).toEqual([128])
  })
})

test('a call that a failure may stop has few chunks in flight, however small', () => {
  const { executor, workers } = setUp({ processes: 1 })
  void executor.execute({
    task: { name: 'default', calling: 'item', reply: 'values' },
    source: numbers(1000),
    chunkSize: 1,
    mayStop: true,
    onSettled() {},
    signal: new AbortController().signal,
  })
  const worker = workers[0]!
  worker.ready()
  worker.settleCheap(worker.chunks[0]!)
  expect(worker.chunks.length - 1).toBeLessThanOrEqual(3)
})
