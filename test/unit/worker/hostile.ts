// Results as jobs really return them, and worse. Each is made anew, so that no test sees what another one did to it.
import { createSecretKey } from 'node:crypto'
import { Readable } from 'node:stream'
import { runInNewContext } from 'node:vm'
import { createGzip } from 'node:zlib'

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

class Unset {
  a: string | undefined
}

class Digest extends Uint8Array {
  toJSON() {
    return Buffer.from(this).toString('hex')
  }
}

class Registry extends Map<string, unknown> {
  title = 'all'
  toJSON() {
    return Object.fromEntries(this)
  }
}

/** All it holds is out of sight of JSON. */
class Secret {
  readonly #value = 1
  get value() {
    return this.#value
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
  { what: 'a symbol key', make: () => ({ [Symbol('a')]: 1 }), text: '{}' },
  { what: 'an empty plain object', make: () => [{}, Object.create(null)], text: '[{},{}]' },
  {
    what: 'a plain object of another realm',
    make: () => runInNewContext('[{}, { a: [] }]'),
    text: '[{},{"a":[]}]',
  },
  { what: 'an array of a class', make: () => new (class List extends Array {})(), text: '[]' },
  { what: 'a class instance whose fields are undefined', make: () => new Unset(), text: '{}' },
  { what: 'a URL', make: () => new URL('http://a/b'), text: '"http://a/b"' },
  { what: 'bytes with a toJSON of their own', make: () => new Digest([1, 255]), text: '"01ff"' },
  { what: 'a Map with a toJSON', make: () => new Registry([['a', 1]]), text: '{"a":1}' },
  {
    what: 'boxed primitives',
    make: () => [Object('a'), Object(1), Object(false)],
    text: '["a",1,false]',
  },
  { what: 'an emitter with data', make: () => Object.assign(new EventTarget(), { a: 1 }), text: '{"a":1}' },
  { what: 'a proxy of data', make: () => new Proxy({ a: [1] }, {}), text: '{"a":[1]}' },
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

/** `JSON.stringify` writes these as `{}`, or as an object that says nothing. `message` is part of what is said. */
export const WRITTEN_AS_NOTHING: readonly (Hostile & { readonly message: string })[] = [
  {
    what: 'a Response',
    make: () => new Response('{}'),
    message: 'a Response has no form in JSON; is `await response.json()`',
  },
  { what: 'a Request', make: () => new Request('http://a'), message: 'a Request has' },
  {
    what: 'a Response of another fetch',
    make: () => new OtherResponse(),
    message: 'is `await response.json()`',
  },
  {
    what: 'Headers',
    make: () => new Headers({ a: 'b' }),
    message: 'a Headers has no form in JSON; convert it with Object',
  },
  { what: 'a ReadableStream', make: () => new ReadableStream(), message: 'a ReadableStream has' },
  { what: 'a WritableStream', make: () => new WritableStream(), message: 'a WritableStream has' },
  { what: 'a node stream', make: () => Readable.from([1]), message: 'a stream must be read by the job' },
  { what: 'a node stream that transforms', make: () => createGzip(), message: 'a Gzip has' },
  {
    what: 'a Blob',
    make: () => new Blob(['a']),
    message: 'a Blob has no form in JSON; convert it with `await x.text()`',
  },
  { what: 'a File', make: () => new File(['a'], 'a'), message: 'a File has' },
  { what: 'FormData', make: () => new FormData(), message: 'a FormData has' },
  { what: 'URLSearchParams', make: () => new URLSearchParams('a=1'), message: 'a URLSearchParams has' },
  {
    what: 'an ArrayBuffer',
    make: () => new ArrayBuffer(2),
    message: "an ArrayBuffer has no form in JSON; convert it with Buffer.from(x).toString('base64')",
  },
  { what: 'a SharedArrayBuffer', make: () => new SharedArrayBuffer(2), message: 'a SharedArrayBuffer has' },
  { what: 'a DataView', make: () => new DataView(new ArrayBuffer(2)), message: 'a DataView has' },
  {
    what: 'a Uint8Array',
    make: () => new Uint8Array([1]),
    message: 'a Uint8Array has no form in JSON; convert it with Array.from(x)',
  },
  { what: 'an empty Float64Array', make: () => new Float64Array(), message: 'Array.from(x)' },
  { what: 'a BigInt64Array', make: () => new BigInt64Array(1), message: 'Array.from(x, String)' },
  {
    what: 'a Buffer',
    make: () => Buffer.from('a'),
    message: "a Buffer has no form in JSON; convert it with buf.toString('base64')",
  },
  {
    what: 'bytes of another realm',
    make: () => runInNewContext('new Uint8Array(1)'),
    message: 'a Uint8Array has',
  },
  {
    what: 'bytes that a toJSON returns',
    make: () => ({ toJSON: () => Buffer.from('a') }),
    message: 'a Buffer has',
  },
  {
    what: 'a KeyObject',
    make: () => createSecretKey(Buffer.from('a')),
    message: 'a SecretKeyObject has no properties',
  },
  { what: 'a MessagePort', make: () => openPort(), message: 'a MessagePort has' },
  { what: 'a Map with properties', make: () => Object.assign(new Map(), { a: 1 }), message: 'a Map has' },
  { what: 'a Map behind a proxy', make: () => new Proxy(new Map([[1, 2]]), {}), message: 'a Map has' },
  { what: 'a Map of another realm', make: () => runInNewContext('new Map([[1, 2]])'), message: 'a Map has' },
  { what: 'a WeakMap', make: () => new WeakMap(), message: 'a WeakMap has' },
  { what: 'a WeakRef', make: () => new WeakRef({}), message: 'a WeakRef has' },
  {
    what: 'a Promise',
    make: () => Promise.resolve(1),
    message: 'a Promise has no form in JSON; is an await missing?',
  },
  { what: 'a RegExp', make: () => /a/, message: 'a RegExp has' },
  {
    what: 'an Error',
    make: () => new RangeError('a'),
    message: 'a RangeError has no form in JSON; throw it',
  },
  {
    what: 'an Error of a class with data',
    make: () => Object.assign(new OddError(), { code: 1 }),
    message: 'an OddError has',
  },
  { what: 'an Intl formatter', make: () => new Intl.NumberFormat(), message: 'a NumberFormat has' },
  { what: 'an AbortSignal', make: () => new AbortController().signal, message: 'an AbortSignal has' },
  { what: 'an Event', make: () => new Event('a'), message: 'an Event has' },
  { what: 'a timer', make: () => stoppedTimer(), message: 'a Timeout has' },
  {
    what: 'the iterator of a Map',
    make: () => new Map([[1, 2]]).values(),
    message: 'convert an iterator with [...x]',
  },
  {
    what: 'the iterator of an array',
    make: () => [1][Symbol.iterator](),
    message: 'convert an iterator with [...x]',
  },
  { what: 'a boxed symbol', make: () => Object(Symbol('a')), message: 'a symbol has' },
  { what: 'a boxed bigint', make: () => Object(1n), message: 'a bigint has' },
  { what: 'a boxed NaN', make: () => Object(Number.NaN), message: 'NaN has' },
  {
    what: 'a class instance with private fields only',
    make: () => new Secret(),
    message: 'a Secret has no properties that JSON could carry',
  },
  { what: 'an object that only inherits', make: () => Object.create({ a: 1 }), message: 'has no properties' },
]

class OddError extends Error {}

class OtherResponse {
  size = 0
  async json() {}
  async arrayBuffer() {}
}

function openPort(): object {
  const { port1, port2 } = new MessageChannel()
  port2.close()
  return port1
}

function stoppedTimer(): NodeJS.Timeout {
  const timer = setTimeout(() => {}, 1)
  clearTimeout(timer)
  return timer
}

export const TOO_DEEP = () => nested(100_000)
