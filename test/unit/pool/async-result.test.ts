// The handle of a call, against outcomes that the test resolves itself.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { CallbackError, ResultNotReadyError, TimeoutError } from '../../../src/errors/classes.js'
import { attachCallSite, captureCallSite } from '../../../src/errors/stacks.js'
import { AsyncResult } from '../../../src/pool/async-result.js'
import { failed, type Outcome, succeeded } from '../../../src/pool/outcome.js'
import type { Callbacks } from '../../../src/pool/types.js'
import { errorOf, thrownBy } from '../../helpers/errors.js'

/** Stands for the public method that makes the handle. */
function applyAsync<T>(outcome: Promise<Outcome<T>>, callbacks: Callbacks<T> = {}) {
  return new AsyncResult(outcome, captureCallSite(applyAsync), callbacks)
}

const failure = () => failed((site) => attachCallSite(new RangeError('bad'), site))
const done = <T>(value: T, callbacks?: Callbacks<T>) =>
  applyAsync<T>(Promise.resolve(succeeded(value)), callbacks)
const bad = (callbacks?: Callbacks<never>) => applyAsync<never>(Promise.resolve(failure()), callbacks)

function pendingResult<T>(callbacks?: Callbacks<T>) {
  let settle = (_: Outcome<T>) => {}
  const outcome = new Promise<Outcome<T>>((resolve) => {
    settle = resolve
  })
  return { result: applyAsync(outcome, callbacks), settle }
}

describe('get', () => {
  test.for([undefined, null, 0, '', [1, 2]])(
    'resolves with %o, also when it is called again',
    async (value) => {
      const result = done(value)
      expect(await result.get()).toBe(value)
      expect(await result.get(0)).toBe(value)
      expect(await result).toBe(value)
    },
  )

  test('rejects with a new error each time', async () => {
    const result = bad()
    const errors = await Promise.all([errorOf(result.get()), errorOf(result.get()), errorOf(result)])
    for (const error of errors) expect(error).toBeInstanceOf(RangeError)
    expect(new Set(errors).size).toBe(3)
  })

  test('shows its own caller in the stack, and await shows the caller of the call', async () => {
    const result = bad()
    const callsGet = () => result.get()
    expect((await errorOf(callsGet())).stack).toMatch(/^RangeError: bad\n {4}at callsGet \(/)
    expect((await errorOf(result)).stack).toMatch(/^RangeError: bad\n {4}at bad \(/)
  })

  test('rejects with TimeoutError if the result is late, and loses nothing', async () => {
    const { result, settle } = pendingResult<number>()
    const error = await errorOf(result.get(0))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error.message).toBe('the result was not ready after 0 ms')
    expect(error.stack).toContain('async-result.test.ts')
    const waiting = result.get()
    settle(succeeded(7))
    expect(await waiting).toBe(7)
    expect(await result.get(0)).toBe(7)
  })

  test.for([
    [-1, RangeError],
    [Number.NaN, TypeError],
    ['1', TypeError],
  ] as const)('rejects the timeout %o', async ([timeout, Kind]) => {
    expect(await errorOf(done(1).get(timeout as number))).toBeInstanceOf(Kind)
  })
})

describe('wait', () => {
  test('resolves with whether the result is ready, for a failure too', async () => {
    const { result, settle } = pendingResult<number>()
    expect(await result.wait(0)).toBe(false)
    settle(failure())
    expect(await result.wait()).toBe(true)
    expect(await result.wait(0)).toBe(true)
  })

  test('rejects a bad timeout', async () => {
    expect(await errorOf(done(1).wait(-1))).toBeInstanceOf(RangeError)
  })
})

describe('ready and successful', () => {
  test('ready is false and successful throws before the result is ready', () => {
    const { result } = pendingResult()
    expect(result.ready()).toBe(false)
    expect(thrownBy(() => result.successful())).toBeInstanceOf(ResultNotReadyError)
  })

  test.for([
    [succeeded(1), true],
    [failure(), false],
  ] as const)('successful distinguishes success and failure', async ([outcome, expected]) => {
    const result = applyAsync<number>(Promise.resolve(outcome))
    await result.wait()
    expect(result.ready()).toBe(true)
    expect(result.successful()).toBe(expected)
  })
})

describe('callbacks', () => {
  const warnings: (readonly [string, string])[] = []
  vi.spyOn(process, 'emitWarning').mockImplementation((message, options) => {
    const { type } = options as { type: string }
    warnings.push([type, String(message)])
  })
  afterEach(() => {
    warnings.length = 0
  })

  test('callback runs once with the result, before it is ready', async () => {
    const calls: unknown[] = []
    const result: AsyncResult<number[]> = done([], {
      callback: (value) => calls.push([value, result.ready()]),
      errorCallback: () => calls.push('errorCallback'),
    })
    expect(await result).toEqual([])
    expect(await result).toEqual([])
    expect(calls).toEqual([[[], false]])
  })

  test('errorCallback runs once with the error, before the result is ready', async () => {
    const calls: unknown[] = []
    const result: AsyncResult<never> = bad({
      callback: () => calls.push('callback'),
      errorCallback: (error) => calls.push([(error as Error).message, result.ready()]),
    })
    await result.wait()
    expect(calls).toEqual([['bad', false]])
    expect((await errorOf(result)).message).toBe('bad')
  })

  test('a promise from a callback delays the result', async () => {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const result = done(1, { callback: () => released })
    expect(await result.wait(1)).toBe(false)
    release()
    expect(await result).toBe(1)
  })

  test.for([
    [
      'throws',
      () => {
        throw undefined
      },
    ],
    ['rejects', () => Promise.reject(undefined)],
  ] as const)('a callback that %s is a CallbackError with the result', async ([, callback]) => {
    const error = await errorOf<CallbackError>(done([4], { callback }))
    expect(error).toBeInstanceOf(CallbackError)
    expect(error).toMatchObject({ result: [4], error: undefined, cause: undefined })
    expect(error.message).toBe('callback threw; the task itself succeeded')
  })

  test('an errorCallback that throws is a CallbackError with the error of the task', async () => {
    const error = await errorOf<CallbackError>(
      bad({
        errorCallback: () => {
          throw 'mine'
        },
      }),
    )
    expect(error).toBeInstanceOf(CallbackError)
    expect(error).toMatchObject({ cause: 'mine', error: { message: 'bad' }, result: undefined })
  })

  test('a callback that throws causes a warning only if nobody waits for the result', async () => {
    const throwing = () => {
      throw new Error('mine')
    }
    const { result, settle } = pendingResult<number>({ callback: throwing })
    const waiting = errorOf(result)
    settle(succeeded(1))
    await waiting
    expect(warnings).toEqual([])

    await done(1, { callback: throwing }).wait()
    expect(warnings).toEqual([])
    const unread = pendingResult<number>({ callback: throwing })
    unread.settle(succeeded(1))
    await vi.waitUntil(() => unread.result.ready())
    expect(warnings).toEqual([['CallbackError', 'callback threw; the task itself succeeded']])
  })
})
