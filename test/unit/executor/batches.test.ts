// Small chunks travel together: how many, in how many messages, and what becomes of them when one is bad or the worker dies.
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
  worker.settle(worker.chunks[0]!, { busyMs: 0.001 })
  return { ...world, call, worker }
}

describe('chunks of one cheap item', () => {
  test('are handed out by the hundred, and again once half of them are done, a message each time', () => {
    const { worker } = warm(1000)
    const before = runs(worker).length
    const held = worker.chunks.length - 1
    expect(held).toBeGreaterThan(64)
    expect(held).toBeLessThanOrEqual(128)
    // Until half of them are done nothing follows; then as many as were done, together.
    const next = worker.chunks.slice(1)
    for (const chunk of next.slice(0, held - 65)) worker.settle(chunk, { busyMs: 0.001 })
    expect(runs(worker)).toHaveLength(before)
    worker.settle(next[held - 65]!, { busyMs: 0.001 })
    expect(runs(worker)).toHaveLength(before + 1)
    expect(runs(worker).at(-1)).toBe(64)
  })

  test('one that cannot be sent fails alone; the others of its message run once', async () => {
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

  test('are not lost with their worker: one was running, the rest run elsewhere, once', async () => {
    const { worker, call, workers } = warm(60)
    const [first] = worker.chunks.slice(1)
    worker.records({ running: [{ id: first!.id, offset: 0, since: 0 }] })
    worker.die()
    const other = workers[1]!
    other.ready()
    for (let round = 0; round < 60; round++) for (const chunk of other.chunks) other.settle(chunk)
    await call.done
    expect(sorted(call.indexes())).toEqual(range(60))
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'crash' } }])
  })
})

test('a call that a failure may stop has few chunks under way, however small', () => {
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
  worker.settle(worker.chunks[0]!, { busyMs: 0.001 })
  expect(worker.chunks.length - 1).toBeLessThanOrEqual(3)
})
