import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { findUncloneable, findUnjsonable } from '../../../../src/errors/capture/find-unserializable.js'
import { CARRIED, REFUSED, TOO_DEEP } from '../../worker/hostile.js'

const everyTrapThrows = () => {
  const trap = () => {
    throw undefined
  }
  return new Proxy({}, { get: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap })
}

describe.each([
  { search: 'JSON', find: findUnjsonable },
  { search: 'structured clone', find: findUncloneable },
])('the search for what $search refuses', ({ find }) => {
  test('does not throw where every trap throws', () => {
    expect(find([everyTrapThrows()])?.path).toBe('[0]')
  })

  test.each([undefined, null, 0, Object.create(null)])(
    'does not throw where a getter throws %s',
    (thrown) => {
      const value = {
        get a() {
          throw thrown
        },
      }
      expect(find(value)?.path).toBe('a')
    },
  )

  test('does not throw where the thrown error has an unreadable message', () => {
    const error = Object.defineProperty(new Error(), 'message', { get: () => everyTrapThrows() })
    const value = {
      get a() {
        throw error
      },
    }
    expect(find(value)?.path).toBe('a')
  })
})

describe('findUnjsonable', () => {
  test.each(CARRIED)('accepts $what', ({ make }) => {
    expect(findUnjsonable(make())).toBeUndefined()
  })

  test.each(REFUSED)('finds $what', ({ make, path }) => {
    expect(findUnjsonable(make())?.path).toBe(path)
  })

  test('returns the path and a preview of the first part', () => {
    expect(findUnjsonable({ a: 1, b: [0, 5n], c: () => {} })).toEqual({
      path: 'b[1]',
      message: 'a bigint has no form in JSON',
      preview: '5n',
    })
  })

  test('previews an error without its stack, whose frames are not the job’s alone', () => {
    expect(findUnjsonable([new TypeError('no')])?.preview).toBe('[TypeError: no]')
  })

  test('truncates the preview', () => {
    const preview = findUnjsonable(new Map([['k', 'x'.repeat(10_000)]]))?.preview
    expect(preview?.length).toBe(200)
    expect(preview?.endsWith('…')).toBe(true)
  })

  test('does not take a value that occurs twice for a cycle', () => {
    const shared = { a: 1 }
    expect(findUnjsonable({ one: shared, two: [shared] })).toBeUndefined()
  })
})

describe('findUncloneable', () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle

  test.each([
    ['a cycle', cycle],
    ['a Map of a Set', new Map([[1, new Set([2n])]])],
    ['an invalid Date', new Date(Number.NaN)],
    ['bytes', new Uint8Array(3)],
    ['an error', new TypeError('x')],
    ['undefined', undefined],
  ])('accepts %s', (_what, value) => {
    expect(findUncloneable(value)).toBeUndefined()
  })

  test.each([
    ['a function', () => {}, ''],
    ['a symbol', Symbol('a'), ''],
    ['a function inside', { a: [{ f() {} }] }, 'a[0].f'],
    ['a function in a Map', { m: new Map([['k', () => {}]]) }, "m.get('k')"],
    ['a function in a Set', [new Set([1, () => {}])], '[0][1]'],
    ['a promise', { p: Promise.resolve() }, 'p'],
    ['a WeakMap', new WeakMap(), ''],
  ])('finds %s', (_what, value, path) => {
    expect(findUncloneable(value)?.path).toBe(path)
  })

  test('shows a promise without what async hooks have put on it', () => {
    const promise = new AsyncLocalStorage().run({ secret: 1 }, () => Promise.resolve(1))
    expect(findUncloneable([promise])).toMatchObject({ path: '[0]', preview: 'Promise' })
  })

  test('finds a getter that throws', () => {
    const value = {
      a: {
        get b() {
          throw new Error('no')
        },
      },
    }
    expect(findUncloneable(value)).toEqual({ path: 'a.b', message: 'no', preview: 'unreadable' })
  })

  test('terminates on a cycle with a function in it', () => {
    const value: { self?: unknown; f: () => void } = { f: () => {} }
    value.self = value
    expect(findUncloneable(value)?.path).toBe('f')
  })

  test('reports nesting that would overflow the stack', () => {
    expect(findUncloneable(TOO_DEEP())?.message).toMatch(/stack/)
  })
})
