// The outcome of a call with one item, against an executor that the test drives.
import { describe, expect, test } from 'vitest'
import type { Failure, SettledRange } from '../../../src/model.js'
import { SingleCall } from '../../../src/pool/single-call.js'
import { FakeExecutor } from '../run/fake-executor.js'

const task = { name: 'default', calling: 'spread', reply: 'values' } as const
const FAILURE: Failure = { kind: 'timeout', timeoutMs: 5 }

function call(signal?: AbortSignal) {
  const executor = new FakeExecutor()
  let ends = 0
  const outcome = new SingleCall({
    owner: {},
    item: ['a'],
    task,
    signal,
    errorOf: (thrown) => ({ from: thrown }),
    onEnd: () => void ends++,
  }).execute(executor)
  return { executor, outcome, ends: () => ends }
}

const settled = (value: unknown, failures: readonly Failure[] = []) =>
  ({
    chunk: { seq: 0, count: 1 },
    results: { kind: 'values', values: [value] },
    failures: failures.map((failure) => ({ offset: 0, failure, workerId: 0, pid: 1, attempts: 1 })),
  }) as unknown as SettledRange

async function errorOf(outcome: ReturnType<SingleCall['execute']>): Promise<unknown> {
  const ended = await outcome
  return ended.ok ? 'no error' : ended.makeError({})
}

describe('a call with one item', () => {
  test('supplies one item and succeeds with its value, before the execution ends', async () => {
    const { executor, outcome, ends } = call()
    expect(executor.execution.source.remaining?.()).toBe(1)
    expect(executor.take()).toEqual({
      seq: 0,
      count: 1,
      payload: { kind: 'values', values: [['a']] },
    })
    expect(executor.execution.source.remaining?.()).toBe(0)
    expect(executor.take()).toBeUndefined()
    executor.settle(settled(undefined))
    expect(await outcome).toEqual({ ok: true, value: undefined })
    expect(ends()).toBe(0)
    executor.end()
    await Promise.resolve()
    expect(ends()).toBe(1)
  })

  test('fails with the error of its item, made anew each time', async () => {
    const { executor, outcome } = call()
    executor.settle(settled(null, [FAILURE]))
    const first = await errorOf(outcome)
    expect(first).toMatchObject({ name: 'TimeoutError' })
    expect(await errorOf(outcome)).not.toBe(first)
  })

  test('fails with the error for what the executor rejects with', async () => {
    const { executor, outcome, ends } = call()
    executor.fail('a fault')
    expect(await errorOf(outcome)).toEqual({ from: 'a fault' })
    expect(ends()).toBe(1)
  })

  test('fails if the execution ends and its item has never settled', async () => {
    const { executor, outcome } = call()
    executor.end()
    expect(await errorOf(outcome)).toMatchObject({
      name: 'PoolBrokenError',
      message: expect.stringContaining('item 0 never settled'),
    })
  })

  test.each([['before it begins'], ['while it runs']])(
    'fails with the reason of a signal that aborts %s, whatever settles then',
    async (when) => {
      const controller = new AbortController()
      if (when === 'before it begins') controller.abort('enough')
      const { executor, outcome } = call(controller.signal)
      controller.abort('enough')
      executor.settle(settled(1))
      expect(await errorOf(outcome)).toBe('enough')
      expect(executor.aborted).toBe(true)
    },
  )

  test('keeps its value if the signal aborts after it has settled', async () => {
    const controller = new AbortController()
    const { executor, outcome } = call(controller.signal)
    executor.settle(settled(1))
    controller.abort()
    expect(await outcome).toEqual({ ok: true, value: 1 })
  })
})
