import { afterEach, describe, expect, test } from 'vitest'
import { Context, currentTask, installCurrentTask } from '../../../src/worker/task-context.js'

const KEY = Symbol.for('poolrun.currentTask')
afterEach(() => {
  delete (globalThis as { [KEY]?: unknown })[KEY]
})

test('params are the same frozen data for every task, down to their parts', () => {
  installCurrentTask(1, { list: [{ a: 1 }], none: null })
  const { params } = new Context(0, 1, 0)
  expect(params).toEqual({ list: [{ a: 1 }], none: null })
  expect(new Context(1, 2, 0).params).toBe(params)
  const [first] = params.list as { a: number }[]
  expect([params, params.list, first].every(Object.isFrozen)).toBe(true)
  installCurrentTask(1)
  expect(new Context(0, 1, 0).params).toEqual({})
})

describe('currentTask()', () => {
  test('throws outside a worker', () => {
    expect(() => currentTask()).toThrow('currentTask() was called outside a task of a poolrun worker')
  })

  test.each([1, 2])('is the context of the task that runs, at a concurrency of %d', (concurrency) => {
    const callTask = installCurrentTask(concurrency)
    const context = new Context(7, 2, 1)
    expect(callTask(context, () => currentTask(), 'item', 0)).toBe(context)
    expect(currentTask).toBeTypeOf('function')
  })

  test('throws before the first task', () => {
    installCurrentTask(1)
    expect(() => currentTask()).toThrow('outside a task')
  })

  test('is the context of each task where several run at the same time, across what they await', async () => {
    const callTask = installCurrentTask(3)
    const seen = await Promise.all(
      [0, 1, 2].map((index) =>
        callTask(
          new Context(index, 1, 0),
          async () => {
            const before = currentTask().index
            await new Promise(setImmediate)
            return [before, currentTask().index]
          },
          'item',
          0,
        ),
      ),
    )
    expect(seen).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ])
  })

  test('outlasts what a task awaits where one runs at a time', async () => {
    const callTask = installCurrentTask(1)
    const context = new Context(0, 1, 0)
    const task = async () => {
      await new Promise(setImmediate)
      return currentTask()
    }
    const seen = await callTask(context, task, 'item', 0)
    expect(seen).toBe(context)
  })

  test('returns what the task returns, and throws what it throws', () => {
    for (const concurrency of [1, 2]) {
      const callTask = installCurrentTask(concurrency)
      const context = new Context(0, 1, 0)
      const throws = () => {
        throw new RangeError('no')
      }
      expect(callTask(context, (...args) => args, 'item', 5)).toEqual([5, context])
      expect(callTask(context, (...args) => args, 'spread', [5, 6])).toEqual([5, 6])
      expect(() => callTask(context, throws, 'item', 0)).toThrow(RangeError)
    }
  })
})

describe('a context', () => {
  test('has index, attempt and worker', () => {
    expect(new Context(3, 2, 1)).toMatchObject({ index: 3, attempt: 2, workerId: 1 })
  })

  test('listens once its signal was read, not before', () => {
    const context = new Context(0, 1, 0)
    expect(context.listens).toBe(false)
    expect(context.signal.aborted).toBe(false)
    expect(context.listens).toBe(true)
    expect(context.signal).toBe(context.signal)
  })

  test('aborts its signal with an AbortError that has the reason', () => {
    const context = new Context(0, 1, 0)
    const { signal } = context
    context.abort('the item was cancelled', 'AbortError')
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({ name: 'AbortError', message: 'the item was cancelled' })
  })

  test('has an aborted signal if it was aborted before the signal was read', () => {
    const context = new Context(0, 1, 0)
    context.abort('too late', 'AbortError')
    expect(context.signal.aborted).toBe(true)
  })
})
