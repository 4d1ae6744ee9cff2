// In which order hooks are called, what waits for them, and what becomes of the rest when one of them throws.
import { expect, test } from 'vitest'
import type { SettledRange } from '../../../src/model.js'
import { type SettleHook, SettleQueue } from '../../../src/run/settle-queue.js'
import { settledRange, valuesChunk } from '../policy/ranges.js'
import { turn } from './fake-executor.js'

const range = (seq: number, failed: number[] = []) => settledRange(valuesChunk(seq, 2), { failed })

function setUp(hook: SettleHook) {
  const done: number[] = []
  const errors: unknown[] = []
  const queue: SettleQueue = new SettleQueue({
    hook,
    onDone: ({ chunk }) => void done.push(chunk.seq),
    onError(error) {
      errors.push(error)
      queue.stop()
    },
  })
  return { queue, done, errors }
}

/** A hook whose promises the test resolves. */
function slowHook() {
  const called: number[] = []
  const releases: (() => void)[] = []
  const hook = ({ chunk }: SettledRange) => {
    called.push(chunk.seq)
    return new Promise<void>((resolve) => releases.push(resolve))
  }
  return { called, releases, hook }
}

test('a hook without a promise is done before push returns', () => {
  const { queue, done } = setUp(() => {})
  queue.push(range(4))
  queue.push(range(0))
  expect(done).toEqual([4, 0])
  expect(queue.idle).toBeUndefined()
})

test('hooks that return promises are called one after the other, in settle order', async () => {
  const { called, releases, hook } = slowHook()
  const { queue, done } = setUp(hook)
  for (const seq of [4, 0, 2]) queue.push(range(seq))
  expect({ called, done }).toEqual({ called: [4], done: [] })
  releases[0]!()
  await turn()
  expect({ called, done }).toEqual({ called: [4, 0], done: [4] })
  releases[1]!()
  await turn()
  releases[2]!()
  await queue.idle
  expect(done).toEqual([4, 0, 2])
})

test('items wait until their hook is called', async () => {
  const { releases, hook } = slowHook()
  const { queue } = setUp(hook)
  queue.push(range(0))
  expect(queue.waiting).toEqual({ ok: 0, failed: 0 })
  queue.push(range(2, [1]))
  queue.push(range(4))
  expect(queue.waiting).toEqual({ ok: 3, failed: 1 })
  releases[0]!()
  await turn()
  expect(queue.waiting).toEqual({ ok: 2, failed: 0 })
})

test.each([
  [
    'throws',
    () => {
      throw undefined
    },
  ],
  ['rejects', () => Promise.reject(undefined)],
])('a hook that %s, be it undefined, reports that, and its range is not done', async (_how, hook) => {
  const { queue, done, errors } = setUp(hook)
  queue.push(range(0))
  await turn()
  expect({ done, errors }).toEqual({ done: [], errors: [undefined] })
})

test('a stopped queue calls no further hook, finishes no range, and keeps what waits', async () => {
  const { called, releases, hook } = slowHook()
  const { queue, done } = setUp(hook)
  for (const seq of [0, 2]) queue.push(range(seq))
  queue.stop()
  releases[0]!()
  await queue.idle
  expect({ called, done }).toEqual({ called: [0], done: [] })
  expect(queue.waiting).toEqual({ ok: 2, failed: 0 })
})

test('the ranges whose hook was not called can be taken, and still count as waiting', async () => {
  const { called, releases, hook } = slowHook()
  const { queue, done } = setUp(hook)
  for (const seq of [4, 0, 2]) queue.push(range(seq, [1]))
  releases[0]!()
  await turn()
  expect(queue.stopAndTakeRest().map(({ chunk }) => chunk.seq)).toEqual([2])
  expect(queue.waiting).toEqual({ ok: 1, failed: 1 })
  releases[1]!()
  await queue.idle
  expect({ called, done }).toEqual({ called: [4, 0], done: [4] })
  expect(queue.stopAndTakeRest()).toEqual([])
})
