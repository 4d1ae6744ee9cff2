// Failed items that are retried: which, how often, when, and what becomes of them when the run ends meanwhile.
import { describe, expect, test } from 'vitest'
import type { Failure } from '../../../src/model.js'
import type { RetryOptions } from '../../../src/plan.js'
import { ago, numbers, range, setUp, sorted, start } from './fakes.js'

const FAILURE: Failure = {
  kind: 'error',
  error: { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' },
}
const on = ['error', 'crash', 'timeout', 'oom'] as const

function oneWorker(items: number, chunkSize: number, retry: Partial<RetryOptions>) {
  const world = setUp({ processes: 1, random: () => 0.5 })
  const call = start(world.executor, numbers(items), {
    chunkSize,
    retry: { retries: 1, delayMs: 0, on, ...retry },
  })
  const worker = world.workers[0]!
  worker.ready()
  return { ...world, call, worker }
}

describe('an item that fails and may be retried', () => {
  test('settles when it has succeeded, alone, as flaky, with its earlier failures', async () => {
    const { call, worker } = oneWorker(3, 3, {})
    worker.settle(worker.chunks[0]!, { failures: [{ offset: 1, failure: FAILURE }] })
    expect(sorted(call.indexes())).toEqual([0, 2])
    expect(worker.chunks[1]).toMatchObject({ index: 1, count: 1, attempt: 2, recordEachItem: true })
    worker.settle(worker.chunks[1]!)
    await call.done
    expect(call.failed()).toEqual([])
    expect(call.settled.at(-1)).toMatchObject({ flaky: [{ failure: FAILURE, attempts: 1 }] })
  })

  test('fails after its last attempt, with its earlier failures', async () => {
    const { call, worker } = oneWorker(1, 1, { retries: 2 })
    for (let n = 0; n < 3; n++)
      worker.settle(worker.chunks[n]!, { failures: [{ offset: 0, failure: FAILURE }] })
    await call.done
    const [failure] = call.settled[0]!.failures
    expect(failure).toMatchObject({ attempts: 3, earlier: [{ attempts: 1 }, { attempts: 2 }] })
  })

  test('is retried alone; the others of its chunk settle in parts', async () => {
    const { call, worker } = oneWorker(8, 8, {})
    const failures = [0, 1, 4, 7].map((offset) => ({ offset, failure: FAILURE }))
    worker.settle(worker.chunks[0]!, { failures })
    expect(call.settled.map(({ from, count }) => [from, count])).toEqual([
      [2, 2],
      [5, 2],
    ])
    for (let n = 1; n <= 4; n++) worker.settle(worker.chunks[n]!)
    await call.done
    expect(sorted(call.indexes())).toEqual(range(8))
    for (const { chunk, from, count, results } of call.settled)
      expect(results).toEqual({
        kind: 'values',
        values: range(count).map((i) => chunk.seq + from + i),
      })
  })

  test('is retried elsewhere after its worker crashed', async () => {
    const { call, worker, latest } = oneWorker(1, 1, {})
    worker.setRecord({ running: [{ id: worker.chunks[0]!.id, offset: 0, since: ago(1) }] })
    worker.exit()
    latest(0).ready()
    expect(latest(0).chunks[0]).toMatchObject({ index: 0, attempt: 2 })
    latest(0).settleAll()
    await call.done
    expect(call.settled).toMatchObject([{ flaky: [{ failure: { kind: 'crash' } }] }])
  })

  test('fails without a retry if the kind of failure is not retried', async () => {
    const { call, worker } = oneWorker(1, 1, { on: ['crash'] })
    worker.settle(worker.chunks[0]!, { failures: [{ offset: 0, failure: FAILURE }] })
    await call.done
    expect(call.failed()).toHaveLength(1)
  })

  test('is retried for a kind that is not retried by default, if that was asked for', () => {
    const failure: Failure = { kind: 'encoding', side: 'result', path: '', message: '', preview: '' }
    const { worker } = oneWorker(1, 1, { on: ['encoding'] })
    worker.settle(worker.chunks[0]!, { failures: [{ offset: 0, failure }] })
    expect(worker.chunks).toHaveLength(2)
  })
})

describe('the delay before a retry', () => {
  test('is half fixed and half random, and doubles', () => {
    const { worker, clock } = oneWorker(1, 1, { retries: 3, delayMs: 100 })
    let ran = 1
    for (const pause of [75, 150, 300]) {
      worker.settle(worker.chunks.at(-1)!, { failures: [{ offset: 0, failure: FAILURE }] })
      clock.advance(pause - 1)
      expect(worker.chunks).toHaveLength(ran)
      clock.advance(1)
      expect(worker.chunks).toHaveLength(++ran)
    }
  })

  test('lets other items run first', () => {
    const { worker, clock } = oneWorker(3, 1, { delayMs: 100 })
    worker.settleExpensive(worker.chunks[0]!, { failures: [{ offset: 0, failure: FAILURE }] })
    expect(worker.chunks[1]).toMatchObject({ index: 1 })
    clock.advance(100)
    worker.settleExpensive(worker.chunks[1]!)
    expect(worker.chunks[2]).toMatchObject({ index: 0, attempt: 2 })
  })

  test('keeps the call open, and close waits for it', async () => {
    const { executor, call, worker, clock } = oneWorker(1, 1, { delayMs: 100 })
    worker.settle(worker.chunks[0]!, { failures: [{ offset: 0, failure: FAILURE }] })
    const closed = executor.close()
    expect(worker.sent.at(-1)).toMatchObject({ type: 'run' })
    clock.advance(100)
    worker.settle(worker.chunks[1]!)
    await call.done
    expect(worker.sent.at(-1)).toEqual({ type: 'stop' })
    worker.exit(0, null)
    await closed
  })

  test.each(['drain', 'controller'] as const)('ends with the call: %s', async (which) => {
    const { call, worker } = oneWorker(2, 2, { delayMs: 100 })
    worker.settle(worker.chunks[0]!, { failures: [{ offset: 1, failure: FAILURE }] })
    call[which].abort()
    await call.done
    expect(call.indexes()).toEqual([0])
  })
})

describe('a drained call', () => {
  test('retries nothing: the failed item has not run', async () => {
    const { call, worker } = oneWorker(1, 1, {})
    call.drain.abort()
    worker.settle(worker.chunks[0]!, { failures: [{ offset: 0, failure: FAILURE }] })
    await call.done
    expect(call.indexes()).toEqual([])
    expect(worker.chunks).toHaveLength(1)
  })
})

test('thousands of attempts remember a hundred failures, and their delay is never NaN', async () => {
  const { call, worker } = oneWorker(1, 1, { retries: 5_000 })
  const attempt = (n: number) =>
    worker.message({
      type: 'settled',
      ranges: [
        {
          id: n,
          from: 0,
          count: 1,
          results: { kind: 'values', values: [undefined] },
          failures: [{ offset: 0, failure: FAILURE }],
          busyMs: 1,
        },
      ],
    })
  for (let n = 1; n <= 5_001; n++) attempt(n)
  await call.done
  expect(worker.chunks).toHaveLength(5_001)
  const [failure] = call.settled[0]!.failures
  expect(failure!.attempts).toBe(5_001)
  expect(failure!.earlier!.length).toBeLessThanOrEqual(100)
  expect(failure!.earlier!.at(-1)).toMatchObject({ attempts: 5_000 })
  expect(failure!.earlier!.every((one) => one.earlier === undefined)).toBe(true)
})
