// Results as jobs really return them, and worse. Each is made anew, so that no test sees what another one did to it.

export interface Hostile {
  readonly what: string
  make(): unknown
  /** Path of the part that JSON cannot carry; `undefined` where it carries the value, as `text`. */
  readonly path?: string
  readonly text?: string
}

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
  get length() {
    return Math.hypot(this.x, this.y)
  }
}

class Money {
  constructor(readonly cents: number) {}
  toJSON() {
    return `${this.cents / 100} €`
  }
}

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

const throwing = (message: string) => ({
  enumerable: true,
  get() {
    throw new Error(message)
  },
})

export const CARRIED: readonly Hostile[] = [
  { what: 'undefined', make: () => undefined, text: 'null' },
  { what: 'null', make: () => null, text: 'null' },
  { what: 'a negative zero', make: () => -0, text: '0' },
  { what: 'an empty string', make: () => '', text: '""' },
  { what: 'a string with line breaks', make: () => 'a\nb\r\u2028', text: '"a\\nb\\r\u2028"' },
  { what: 'half a surrogate pair', make: () => '\ud800', text: '"\\ud800"' },
  { what: 'a property that is undefined', make: () => ({ a: undefined, b: 1 }), text: '{"b":1}' },
  { what: 'a sparse array', make: () => Object.assign([], { 2: 1 }), text: '[null,null,1]' },
  {
    what: 'an object without a prototype',
    make: () => Object.assign(Object.create(null), { a: 1 }),
    text: '{"a":1}',
  },
  { what: 'a Date', make: () => [new Date(0)], text: '["1970-01-01T00:00:00.000Z"]' },
  { what: 'a class instance', make: () => new Point(3, 4), text: '{"x":3,"y":4}' },
  { what: 'a toJSON', make: () => [new Money(250)], text: '["2.5 €"]' },
  { what: 'a toJSON that returns undefined', make: () => ({ toJSON: () => undefined }), text: 'null' },
  {
    what: 'a property called toJSON that is not a function',
    make: () => ({ toJSON: 'x' }),
    text: '{"toJSON":"x"}',
  },
  { what: 'a property called constructor', make: () => ({ constructor: 'x' }), text: '{"constructor":"x"}' },
  {
    what: 'an own __proto__',
    make: () => JSON.parse('{"__proto__":{"a":1}}'),
    text: '{"__proto__":{"a":1}}',
  },
  {
    what: 'a getter',
    make: () => ({
      get a() {
        return 1
      },
    }),
    text: '{"a":1}',
  },
  {
    what: 'the same object twice',
    make: () => {
      const a = {}
      return [a, a]
    },
    text: '[{},{}]',
  },
  { what: 'bytes', make: () => Buffer.from('a'), text: '{"type":"Buffer","data":[97]}' },
  { what: 'a symbol key', make: () => ({ [Symbol('a')]: 1 }), text: '{}' },
  { what: '200 levels', make: () => nested(200), text: `${'['.repeat(200)}1${']'.repeat(200)}` },
]

export const REFUSED: readonly Hostile[] = [
  { what: 'a BigInt', make: () => 1n, path: '' },
  { what: 'a function', make: () => () => {}, path: '' },
  { what: 'a symbol', make: () => Symbol('a'), path: '' },
  { what: 'NaN', make: () => Number.NaN, path: '' },
  { what: 'an infinity inside', make: () => ({ a: [1, -1 / 0] }), path: 'a[1]' },
  { what: 'NaN deep inside', make: () => ({ a: { 'b-c': [{ d: Number.NaN }] } }), path: 'a["b-c"][0].d' },
  { what: 'a BigInt in a class instance', make: () => Object.assign(new Point(1, 2), { z: 3n }), path: 'z' },
  { what: 'a method', make: () => ({ run() {} }), path: 'run' },
  { what: 'a Map', make: () => [new Map()], path: '[0]' },
  { what: 'a Set', make: () => ({ a: new Set([1]) }), path: 'a' },
  {
    what: 'a cycle',
    make: () => {
      const a: { b?: unknown } = {}
      a.b = { a }
      return a
    },
    path: 'b.a',
  },
  {
    what: 'an array in itself',
    make: () => {
      const a: unknown[] = []
      a.push(a)
      return a
    },
    path: '[0]',
  },
  {
    what: 'a getter that throws',
    make: () => ({ a: Object.defineProperties({}, { b: throwing('no') }) }),
    path: 'a.b',
  },
  {
    what: 'a getter that returns NaN',
    make: () => ({
      get a() {
        return Number.NaN
      },
    }),
    path: 'a',
  },
  {
    what: 'a toJSON that throws',
    make: () => [
      {
        toJSON() {
          throw new Error('no')
        },
      },
    ],
    path: '[0]',
  },
  {
    what: 'a toJSON that cannot be read',
    make: () => [Object.defineProperties({}, { toJSON: throwing('no') })],
    path: '[0]',
  },
  {
    what: 'a constructor that cannot be read',
    make: () => [Object.defineProperties({}, { constructor: throwing('no') })],
    path: '[0].constructor',
  },
  { what: 'an invalid date', make: () => ({ at: new Date('soon') }), path: 'at' },
  {
    what: 'an own __proto__ with a BigInt',
    make: () => Object.defineProperty({}, '__proto__', { value: 1n, enumerable: true }),
    path: '__proto__',
  },
  {
    what: 'a proxy that throws',
    make: () => [
      new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('no')
          },
        },
      ),
    ],
    path: '[0]',
  },
  {
    what: 'a revoked proxy',
    make: () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return [1, proxy]
    },
    path: '[1]',
  },
]

export const TOO_DEEP = () => nested(100_000)
