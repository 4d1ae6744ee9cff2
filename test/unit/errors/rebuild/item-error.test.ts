// The error objects that a caller receives, made from what crossed from a worker.
import { inspect } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { describe, expect, test } from 'vitest'
import type { ErrorData } from '../../../../src/error-data.js'
import { toErrorData } from '../../../../src/errors/capture/to-error-data.js'
import * as classes from '../../../../src/errors/classes.js'
import { makeCallbackError, makeItemError } from '../../../../src/errors/rebuild/item-error.js'
import { captureCallSite } from '../../../../src/errors/stacks.js'
import type { Failure } from '../../../../src/model.js'

const cross = (thrown: unknown): ErrorData => deserialize(serialize(toErrorData(thrown)))
const make = (failure: Failure, site?: { stack?: string }) =>
  makeItemError({ index: 2, site }, { offset: 0, failure, workerId: 1, pid: 4131, attempts: 3 })
const makeThrown = (thrown: unknown) => make({ kind: 'error', error: cross(thrown) })

class Mine extends TypeError {
  code = 'E'
}

function remoteOf(error: Error): classes.RemoteTraceback {
  if (!(error.cause instanceof classes.RemoteTraceback))
    throw new TypeError(`cause is ${inspect(error.cause)}`)
  return error.cause
}

describe('an error that a task threw', () => {
  test('keeps its class, name, message and properties', () => {
    const error = makeThrown(Object.assign(new Mine('bad'), { extra: new Map([[1, 2]]) }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ name: 'Mine', message: 'bad', code: 'E', extra: new Map([[1, 2]]) })
    expect(Object.keys(error)).toEqual(['code', 'extra'])
  })

  test.each([EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])(
    'is of the built-in class $name again',
    (Class) => {
      expect(makeThrown(new Class('m'))).toBeInstanceOf(Class)
      expect(Object.hasOwn(makeThrown(new Class('m')), 'name')).toBe(false)
    },
  )

  test('is a DOMException again', () => {
    const error = makeThrown(AbortSignal.abort().reason)
    expect(error).toBeInstanceOf(DOMException)
    expect(error).toMatchObject({ name: 'AbortError', code: 20 })
  })

  test('has the remote text, the worker and the attempts in its cause', () => {
    const remote = remoteOf(makeThrown(new Mine('bad', { cause: new Error('why') })))
    expect(remote).toMatchObject({ workerId: 1, pid: 4131, index: 2, attempts: 3 })
    expect(remote.message).toBe('item 2, worker 1 (pid 4131), attempt 3')
    expect(remote.stack).toMatch(
      /^RemoteTraceback: item 2, worker 1 \(pid 4131\), attempt 3\n"""\nError: why\n {4}at test\/unit\/.*:\d+:\d+/,
    )
    expect(remote.stack).toContain('Mine: bad\n    at test/unit/errors/rebuild/item-error.test.ts:')
  })

  test('has its own causes behind the RemoteTraceback, rebuilt all the way down', () => {
    const why = new Mine('why', { cause: { plain: 'value' } })
    const { cause } = remoteOf(makeThrown(new Error('bad', { cause: why })))
    expect(cause).toBeInstanceOf(TypeError)
    expect(cause).toMatchObject({ name: 'Mine', message: 'why', cause: { plain: 'value' } })
    expect((cause as Error).stack).toMatch(/^Mine: why\n {4}at .*item-error\.test\.ts:\d+:\d+/)
    expect('cause' in remoteOf(makeThrown(new Error('bad')))).toBe(false)
  })

  test('has aggregated errors rebuilt with their causes', () => {
    const error = makeThrown(new AggregateError([new Mine('a', { cause: 0 }), null], 'all'))
    expect(error).toBeInstanceOf(AggregateError)
    const { errors } = error as AggregateError
    expect(errors[0]).toBeInstanceOf(TypeError)
    expect(errors[0]).toMatchObject({ name: 'Mine', cause: 0 })
    expect(errors[1]).toBeNull()
  })

  test('is a new object each time', () => {
    const data = cross(new Error('m', { cause: new Error('why') }))
    const [a, b] = [make({ kind: 'error', error: data }), make({ kind: 'error', error: data })]
    expect(a).not.toBe(b)
    expect(remoteOf(a)).not.toBe(remoteOf(b))
    expect(remoteOf(a).cause).not.toBe(remoteOf(b).cause)
  })

  test('shows the frames of the caller, and its stack may be assigned', () => {
    const site = callFromHere()
    const error = make({ kind: 'error', error: cross(new Mine('bad')) }, site)
    expect(error.stack).toMatch(/^Mine: bad\n {4}at callFromHere \(.*item-error\.test\.ts:\d+:\d+\)\n/)
    expect(inspect(error)).toContain('[cause]: RemoteTraceback: item 2')
    error.stack = 'other'
    expect(error.stack).toBe('other')
  })

  test('treats `__proto__` as data', () => {
    const thrown = new Error('m')
    Object.defineProperty(thrown, '__proto__', { value: { polluted: true }, enumerable: true })
    const error = makeThrown(thrown)
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype)
    expect(Object.getOwnPropertyDescriptor(error, '__proto__')?.value).toEqual({ polluted: true })
  })
})

function callFromHere() {
  function publicCall() {
    return captureCallSite(publicCall)
  }
  return publicCall()
}

describe('an error for another failure', () => {
  test.each([undefined, null, 0, '', 'x', { a: 1 }])(
    'is a NonErrorThrown with the value for a thrown %j',
    (value) => {
      const error = makeThrown(value)
      expect(error).toBeInstanceOf(classes.NonErrorThrown)
      expect(error).toMatchObject({ value, code: 'ERR_POOL_NON_ERROR_THROWN' })
      expect(remoteOf(error).stack).toContain('not an Error, so no stack')
    },
  )

  test('has a preview in its message if the thrown value cannot be cloned', () => {
    expect(makeThrown(Symbol('s'))).toMatchObject({
      value: undefined,
      message: 'job threw a symbol: Symbol(s)',
    })
  })

  const crashed = { exitCode: null, signal: 'SIGKILL', afterMs: 5, stderrTail: [] }
  test.each<[Failure, new (...args: never[]) => Error, object]>([
    [
      { kind: 'oom', ...crashed },
      classes.WorkerLostError,
      { kind: 'oom', exitCode: null, signal: 'SIGKILL', pid: 4131, index: 2, attempts: 3 },
    ],
    [{ kind: 'timeout', timeoutMs: 5 }, classes.TimeoutError, { index: 2, attempts: 3 }],
    [
      { kind: 'encoding', side: 'argument', path: 'a.f', message: 'm', preview: 'p' },
      classes.ArgumentEncodingError,
      { index: 2, attempts: 3, path: 'a.f' },
    ],
    [
      { kind: 'encoding', side: 'result', path: '[1]', message: 'm', preview: 'p' },
      classes.ResultEncodingError,
      { index: 2, attempts: 3, path: '[1]' },
    ],
    [{ kind: 'input', message: 'm', at: 0 }, classes.InputError, { index: 2, message: 'item 2: m' }],
    [
      { kind: 'validation', issues: [{ path: 'a', message: 'm' }] },
      classes.InputValidationError,
      { index: 2, attempts: 3, issues: [{ path: 'a', message: 'm' }] },
    ],
  ])('has its fields and no remote side for %j', (failure, Class, fields) => {
    const error = make(failure, callFromHere())
    expect(error).toBeInstanceOf(Class)
    expect(error).toBeInstanceOf(classes.PoolError)
    expect(error).toMatchObject(fields)
    expect(error.cause).toBeUndefined()
    expect(error.stack).toMatch(new RegExp(`^${Class.name}: .*\\n {4}at callFromHere`, 's'))
  })

  test('has an uncaught error of the worker as its cause', () => {
    const error = make({ kind: 'crash', ...crashed, escaped: cross(new Mine('late')) })
    expect(error.cause).toBeInstanceOf(TypeError)
    expect(error.cause).toMatchObject({ name: 'Mine', message: 'late' })
    expect(make({ kind: 'crash', ...crashed, escaped: cross('x') }).cause).toBe('x')
  })

  test('has what a callback threw and the result of the task', () => {
    const error = makeCallbackError('callback', undefined, undefined, { result: [] }, callFromHere())
    expect(error).toMatchObject({ cause: undefined, result: [], error: undefined })
    expect(error.message).toBe('callback threw; the task itself succeeded')
    expect(error.stack).toContain('at callFromHere')
  })
})
