// What crosses the process boundary for anything a job can throw. Each test sends the data through v8's serializer, as
// the channel does.

import { deserialize, serialize } from 'node:v8'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { ErrorData } from '../../../../src/error-data.js'
import { toErrorData } from '../../../../src/errors/capture/to-error-data.js'

type ErrorNode = Extract<ErrorData, { type: 'error' }>
type NonErrorData = Extract<ErrorData, { type: 'thrown' }>

function cross(thrown: unknown): ErrorData {
  return deserialize(serialize(toErrorData(thrown)))
}

function crossError(thrown: unknown): ErrorNode {
  const data = cross(thrown)
  if (data.type !== 'error') throw new TypeError(`not taken for an error: ${data.preview}`)
  return data
}

function crossNonError(thrown: unknown): NonErrorData {
  const data = cross(thrown)
  if (data.type !== 'thrown') throw new TypeError(`taken for an error: ${data.message}`)
  return data
}

function causesOf(data: ErrorData): ErrorData[] {
  return data.type === 'error' && data.cause !== undefined ? [data.cause, ...causesOf(data.cause)] : []
}

describe('an error', () => {
  test('keeps name, message and frames, without the header', () => {
    const data = crossError(new TypeError('two\n    at lines'))
    expect(data).toMatchObject({
      name: 'TypeError',
      builtin: 'TypeError',
      message: 'two\n    at lines',
      props: {},
    })
    expect(data.frames.split('\n')[0]).toMatch(/^ {4}at .*to-error-data\.test\.ts:\d+:\d+\)?$/)
  })

  test('keeps its frames if the job read the stack before, even if it changed the message since', () => {
    const error = new Error('first\n    at lines')
    const frames = crossError(new Error('first')).frames.split('\n').length
    void error.stack
    expect(crossError(error).frames.split('\n')).toHaveLength(frames)
    error.message = 'second'
    expect(crossError(error)).toMatchObject({ message: 'second' })
    expect(crossError(error).frames).toContain('to-error-data.test.ts')
  })

  test('has a normal stack after it was captured', () => {
    const error = new RangeError('kept')
    const first = crossError(error)
    expect(error.stack).toBe(`RangeError: kept\n${first.frames}`)
    expect(crossError(error)).toEqual(first)
  })

  test.each([
    ['a class without a name', class Named extends TypeError {}, 'Named', 'TypeError'],
    [
      'a class with a name field',
      class A extends Error {
        override name = 'Own'
      },
      'Own',
      'Error',
    ],
    [
      'a class with a name getter',
      class B extends RangeError {
        override get name() {
          return 'Got'
        }
      },
      'Got',
      'RangeError',
    ],
    [
      'a class whose name getter throws',
      class C extends Error {
        override get name(): string {
          throw new Error('no')
        }
      },
      'C',
      'Error',
    ],
    ['an anonymous class', (() => class extends SyntaxError {})(), 'SyntaxError', 'SyntaxError'],
  ])('of %s has the right name and built-in class', (_, Class, name, builtin) => {
    expect(crossError(new Class('m'))).toMatchObject({ name, builtin, message: 'm' })
  })

  test('may be of an old-style class that never called Error', () => {
    function Old(this: { message: string }) {
      this.message = 'old'
    }
    Old.prototype = Object.create(Error.prototype, { constructor: { value: Old } })
    expect(crossError(Reflect.construct(Old, []))).toMatchObject({ name: 'Old', message: 'old', frames: '' })
  })

  test('of another realm keeps its class', () => {
    const error: unknown = runInContext(
      'class Mine extends RangeError {}; Object.assign(new Mine("far"), { code: 7 })',
      createContext(),
    )
    expect(crossError(error)).toMatchObject({
      name: 'Mine',
      builtin: 'RangeError',
      message: 'far',
      props: { code: 7 },
    })
  })

  test('that is a DOMException keeps name and class', () => {
    expect(crossError(AbortSignal.abort().reason)).toMatchObject({
      name: 'AbortError',
      builtin: 'DOMException',
      props: {},
    })
  })

  test('that is a SyntaxError of a module keeps the location that Node put above its header', () => {
    const error = new SyntaxError('Unexpected identifier')
    error.stack = `file:///jobs/a.mjs:3\nlet a b\n      ^\n\nSyntaxError: Unexpected identifier\n    at compile (node:x:1:1)`
    expect(crossError(error).frames).toBe('    at file:///jobs/a.mjs:3:7\n    at compile (node:x:1:1)')
  })

  test('whose stack was set to other text keeps the text after the message', () => {
    const error = new Error('remote')
    error.stack = 'Error: remote\nTraceback (most recent call last):\n  File "a.py", line 1'
    expect(crossError(error).frames).toBe('Traceback (most recent call last):\n  File "a.py", line 1')
  })

  test.each([
    ['deleted', (error: Error) => Reflect.deleteProperty(error, 'stack')],
    ['a number', (error: Error) => Object.assign(error, { stack: 5 })],
    [
      'a getter that throws',
      (error: Error) =>
        Object.defineProperty(error, 'stack', {
          get() {
            throw error
          },
        }),
    ],
  ])('whose stack is %s lacks only its frames', (_, spoil) => {
    const error = new Error('m')
    spoil(error)
    expect(crossError(error)).toMatchObject({ name: 'Error', message: 'm', frames: '' })
  })

  test.each([
    ['a number', 5, '5'],
    ['undefined', undefined, ''],
    ['an object', { a: 1 }, '{ a: 1 }'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
  ])('whose message is %s has it as text', (_, message, text) => {
    expect(crossError(Object.assign(new Error(), { message })).message).toBe(text)
  })

  test('whose getters all throw is still an error', () => {
    const error = new Error('hidden')
    // `stack` first: to redefine it V8 formats it, which reads the others.
    for (const key of ['stack', 'name', 'message', 'cause', 'errors', 'code']) {
      Object.defineProperty(error, key, {
        enumerable: true,
        get() {
          throw undefined
        },
      })
    }
    expect(crossError(error)).toMatchObject({
      name: 'Error',
      message: '[message cannot be read]',
      props: { code: '[cannot be read]' },
      cause: { preview: '[cause that cannot be read]' },
    })
  })

  test('that is frozen crosses', () => {
    expect(crossError(Object.freeze(new Error('ice')))).toMatchObject({ name: 'Error', message: 'ice' })
  })

  test('behind a proxy is captured through it', () => {
    const data = crossError(new Proxy(Object.assign(new TypeError('in'), { code: 'E' }), {}))
    expect(data).toMatchObject({
      name: 'TypeError',
      builtin: 'TypeError',
      message: 'in',
      props: { code: 'E' },
    })
  })
})

describe('own properties', () => {
  test('that can be cloned are kept, `__proto__` and non-enumerable ones too', () => {
    const error = Object.assign(new Error('m'), {
      code: 'E',
      errno: -2,
      nested: { a: [1, new Date(0)] },
      big: 1n,
    })
    Object.defineProperty(error, 'hidden', { value: 1, enumerable: false })
    Object.defineProperty(error, '__proto__', { value: 'data', enumerable: true })
    const { props } = crossError(error)
    expect(props).toMatchObject({ code: 'E', errno: -2, nested: { a: [1, new Date(0)] }, big: 1n, hidden: 1 })
    expect(Object.getOwnPropertyDescriptor(props, '__proto__')?.value).toBe('data')
  })

  test('that cannot be cloned become previews', () => {
    const cyclic: { self?: unknown; f: () => void } = { f() {} }
    cyclic.self = cyclic
    const error = Object.assign(new Error('m'), {
      run() {},
      symbol: Symbol('s'),
      cyclic,
      weak: new WeakMap(),
    })
    expect(crossError(error).props).toEqual({
      run: '[Function: run]',
      symbol: 'Symbol(s)',
      cyclic: '<ref *1> { f: [Function: f], self: [Circular *1] }',
      weak: 'WeakMap { <items unknown> }',
    })
  })

  test('include `code` and `status` where a class defines them', () => {
    class HttpError extends Error {
      get status() {
        return 404
      }
    }
    expect(crossError(new HttpError('m')).props).toEqual({ status: 404 })
  })

  test('have their getters called only once, not again by the channel', () => {
    let reads = 0
    const tricky = {
      get once() {
        if (++reads > 1) throw new Error('read again')
        return 'value'
      },
    }
    expect(crossError(Object.assign(new Error('m'), { tricky })).props).toEqual({ tricky: { once: 'value' } })
  })

  test('include `errors` if its elements are not Errors', () => {
    const data = crossError(Object.assign(new Error('m'), { errors: [{ path: 'a' }] }))
    expect(data.props).toEqual({ errors: [{ path: 'a' }] })
    expect(data).not.toHaveProperty('errors')
  })
})

describe('causes and aggregated errors', () => {
  test('are kept all the way down, Errors or not', () => {
    const inner = new TypeError('inner', { cause: 'root' })
    const data = crossError(new AggregateError([inner, 0, null], 'all', { cause: new Error('why') }))
    expect(data).toMatchObject({
      builtin: 'AggregateError',
      cause: { message: 'why' },
      errors: [
        { name: 'TypeError', cause: { type: 'thrown', value: 'root' } },
        { type: 'thrown', typeName: 'number', value: 0 },
        { type: 'thrown', typeName: 'null', value: null },
      ],
    })
  })

  test('end where they form a cycle', () => {
    const a: Error = new Error('a')
    a.cause = new Error('b', { cause: a })
    expect(causesOf(cross(a))).toMatchObject([
      { message: 'b' },
      { omitted: true, preview: '[circular: Error: a]' },
    ])
    const group = new AggregateError([], 'group')
    group.errors = [group]
    expect(crossError(group).errors).toMatchObject([
      { omitted: true, preview: '[circular: AggregateError: group]' },
    ])
  })

  test('are cut where the chain or the list is too long, with a note', () => {
    let error = new Error('0')
    for (let i = 1; i < 1000; i++) error = new Error(`${i}`, { cause: error })
    const chain = causesOf(cross(error))
    expect(chain).toHaveLength(20)
    expect(chain.at(-1)).toMatchObject({ omitted: true, preview: '[cut: more than 20 errors deep]' })
    const parts = crossError(new AggregateError(Array.from({ length: 60 }, () => new Error('part')))).errors
    expect(parts).toHaveLength(51)
    expect(parts?.at(-1)).toMatchObject({ omitted: true, preview: '[10 more errors]' })
  })

  test('stay bounded if they fan out at every level', () => {
    let error = new Error('leaf')
    for (let i = 0; i < 10; i++)
      error = new AggregateError(
        Array.from({ length: 50 }, () => error),
        `${i}`,
      )
    expect(JSON.stringify(cross(error)).length).toBeLessThan(2_000_000)
  })

  test('do not include `cause: undefined` or a method named cause', () => {
    class WithMethod extends Error {}
    Object.assign(WithMethod.prototype, { cause() {} })
    expect(crossError(new Error('m', { cause: undefined }))).not.toHaveProperty('cause')
    expect(crossError(new WithMethod('m'))).not.toHaveProperty('cause')
  })
})

describe('a huge error', () => {
  test('is cut with a note, and every later text keeps its beginning', () => {
    const data = crossError(
      Object.assign(new Error('m'.repeat(1e6), { cause: new Error('why') }), { body: 'x'.repeat(1e6) }),
    )
    expect(data.message).toMatch(/^m{65000,65536}… \[cut, 9344\d\d more characters\]$/)
    expect(String(data.props.body).length).toBeLessThanOrEqual(200)
    expect(data.cause).toMatchObject({ message: 'why' })
  })

  test('has a bounded number of properties', () => {
    const error = Object.assign(
      new Error('m'),
      Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i])),
    )
    const { props } = crossError(error)
    expect(Object.keys(props)).toHaveLength(101)
    expect(props['…']).toBe('[more properties]')
  })
})

describe('a thrown value that is not an Error', () => {
  test.each([
    [undefined, 'undefined', 'undefined'],
    [null, 'null', 'null'],
    [0, 'number', '0'],
    [-0, 'number', '-0'],
    ['', 'string', "''"],
    ['x', 'string', "'x'"],
    [false, 'boolean', 'false'],
    [10n, 'bigint', '10n'],
    [{ a: 1 }, 'object', '{ a: 1 }'],
    [[1, 2], 'array', '[ 1, 2 ]'],
  ])('%o crosses as itself', (thrown, typeName, preview) => {
    expect(crossNonError(thrown)).toEqual({ type: 'thrown', typeName, preview, value: thrown, cloned: true })
  })

  test.each([
    [function run() {}, 'function', '[Function: run]'],
    [Symbol('s'), 'symbol', 'Symbol(s)'],
    [{ f() {} }, 'object', '{ f: [Function: f] }'],
  ])('%o crosses as a preview because it cannot be cloned', (thrown, typeName, preview) => {
    expect(crossNonError(thrown)).toEqual({ type: 'thrown', typeName, preview, cloned: false })
  })

  test('may be a revoked proxy, or one whose every trap throws', () => {
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    expect(crossNonError(revoked.proxy)).toMatchObject({ typeName: 'object', cloned: false })
    const trap = () => {
      throw new Error('trapped')
    }
    const hostile = new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap })
    expect(crossNonError(hostile)).toMatchObject({ typeName: 'object', cloned: false })
  })

  test('may have an endless prototype chain', () => {
    const endless: object = new Proxy(
      {},
      { getPrototypeOf: () => new Proxy({}, { getPrototypeOf: () => endless }) },
    )
    expect(crossNonError(endless)).toMatchObject({ typeName: 'object' })
  })

  test('may be a huge string, which crosses as its beginning', () => {
    expect(crossNonError('x'.repeat(1e6))).toMatchObject({ typeName: 'string', cloned: false })
  })
})

describe('a job with its own Error.prepareStackTrace', () => {
  test('has it bypassed and restored', () => {
    const previous = Error.prepareStackTrace
    const own = () => 'mine'
    try {
      Error.prepareStackTrace = own
      const data = crossError(new Error('m'))
      expect(Error.prepareStackTrace).toBe(own)
      expect(data.frames).toContain('to-error-data.test.ts')
    } finally {
      Error.prepareStackTrace = previous
    }
  })
})
