// Values of jobs and callers as bytes: what can be decoded arrives unchanged, and nothing else does harm.
import { describe, expect, test } from 'vitest'
import { decode, encode, IncomingValues, OutgoingValues, Undecodable } from '../../../src/ipc/values.js'
import { isReadable, linkedList, selfCaused, wasmModule } from '../../helpers/undecodable.js'

const bytes = () => new Uint8Array([1, 2, 3])

/** The typed arrays in a value, however they are reached. */
function viewsIn(value: unknown, seen = new Set<unknown>()): ArrayBufferView[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return []
  seen.add(value)
  if (ArrayBuffer.isView(value)) return [value]
  const parts: unknown[] = Object.getOwnPropertyNames(value).map((name) => Reflect.get(value, name))
  if (value instanceof Map) parts.push(...value.keys(), ...value.values())
  if (value instanceof Set) parts.push(...value)
  return parts.flatMap((part) => viewsIn(part, seen))
}

/** A typed array with enough bytes to be an attachment. */
const large = <T>(type: { from(values: readonly number[] | readonly bigint[]): T }): T =>
  type.from(
    Array.from({ length: 20_000 }, (_, n) =>
      type === (BigInt64Array as unknown) ? BigInt(n) : n,
    ) as number[],
  )

const cycle: Record<string, unknown> = { a: [bytes()] }
cycle.self = [cycle, cycle]

const wide = Array.from({ length: 20_000 }, (): unknown => ({ a: 1 }))
wide.push({ b: bytes() })

let deep: unknown = bytes()
for (let level = 0; level < 1_000; level++) deep = { deep }

describe('decode', () => {
  test.each<[string, unknown]>([
    ['a typed array', bytes()],
    ['a Float64Array', new Float64Array([1.5, -0])],
    ['a DataView', new DataView(new ArrayBuffer(3))],
    ['an empty typed array', [new Uint8Array(), 'x']],
    ['a Buffer', Buffer.from('abc')],
    ['one in an object in an array', [1, { a: { b: bytes() } }]],
    [
      'the key and the value of a Map',
      new Map<unknown, unknown>([
        [bytes(), 1],
        ['k', [bytes()]],
      ]),
    ],
    ['one in a Set', new Set([1, bytes(), 'x'])],
    ['one in a cycle', cycle],
    ['one behind 20,000 objects', wide],
    ['one below 1,000 levels', deep],
    ['the cause of an error', new Error('e', { cause: { a: bytes() } })],
    ['an own __proto__', JSON.parse('{"__proto__":1,"a":[]}')],
    ['no typed array', { a: [1, 'x', null, new Date(0), new Map([[1, new Set([2])]])] }],
  ])('gives %s a buffer of its own size, and changes nothing else', (_what, value) => {
    const before = viewsIn(value).length
    const own = decode(encode(value))
    expect(own).toEqual(value)
    const views = viewsIn(own)
    expect(views.length).toBe(before)
    for (const view of views) {
      expect(view.buffer.byteLength).toBe(view.byteLength)
      expect(view.byteOffset).toBe(0)
    }
  })

  test('keeps class and identity of a typed array that occurs twice', () => {
    const shared = Buffer.from('abc')
    const [a, b] = decode(encode([shared, { shared }])) as [Buffer, { shared: Buffer }]
    expect(a).toBe(b.shared)
    expect(Buffer.isBuffer(a)).toBe(true)
  })

  test('keeps the order of a Map', () => {
    const map = new Map<unknown, unknown>([
      [1, 'a'],
      [bytes(), 'b'],
      [2, 'c'],
    ])
    const own = decode(encode(map)) as Map<unknown, unknown>
    expect([...own.values()]).toEqual(['a', 'b', 'c'])
  })
})

describe('OutgoingValues', () => {
  test('encode what may not be readable alone, and the rest together', () => {
    const outgoing = new OutgoingValues()
    const packed = outgoing.add([1, cycle, { a: 2 }])
    const other = outgoing.add([{ b: 3 }])
    expect(packed).toEqual({ list: 1, alone: [1, 0] })
    expect(other).toEqual({ list: 2 })
    const parts = outgoing.finish()!
    expect(parts).toHaveLength(3)
    const incoming = new IncomingValues(parts)
    expect(incoming.get(packed, 3)).toEqual([1, cycle, { a: 2 }])
    expect(incoming.get(other, 1)).toEqual([{ b: 3 }])
  })

  test.each<[string, unknown]>([
    ['a list of 2,500 nodes', linkedList(2_500)],
    ['such a list inside a Map', new Map([['k', linkedList(2_500)]])],
    ['a WebAssembly.Module', wasmModule()],
    ['a function', () => 1],
  ])('refuse %s, which could not be read at the other end', (_what, value) => {
    const outgoing = new OutgoingValues()
    expect(() => [outgoing.add([value]), outgoing.finish()]).toThrow()
  })

  test('send an error that is its own cause where Node can read it, and refuse it elsewhere', () => {
    const value = { a: [selfCaused()] }
    const outgoing = new OutgoingValues()
    const send = () => {
      const packed = outgoing.add([value])
      return new IncomingValues(outgoing.finish()).get(packed, 1) as [typeof value]
    }
    if (!isReadable(value)) return expect(send).toThrow('Unable to deserialize cloned data.')
    const error = send()[0].a[0]!
    expect(error).toMatchObject({ message: 'its own cause' })
    expect(error.cause).toBe(error)
  })

  test('refuse more bytes than a message may have, before they encode them', () => {
    const text = 'x'.repeat(400)
    const add = (...values: unknown[]) => {
      const outgoing = new OutgoingValues(1_000)
      for (const value of values) outgoing.add([value])
      return outgoing.finish()
    }
    expect(add({ text }, { text })).toHaveLength(2)
    expect(() => add({ text }, { text }, { text })).toThrow(
      'it takes 1,238 bytes, and at most 1,000 can be sent',
    )
    const view = new Uint8Array(20_000)
    expect(() => new OutgoingValues(20_000).add([{ view }])).toThrow('bytes, and at most 20,000 can be sent')
    expect(() => new OutgoingValues(20_000).add([{ view, self: cycle }])).toThrow(
      'at most 20,000 can be sent',
    )
    expect(() => add(new Uint8Array(2 ** 31))).toThrow('it takes 2,147,483,648 bytes')
    // Numbers are not weighed one by one.
    expect(() => add(Array.from({ length: 500 }, (_, i) => i + 0.5))).toThrow('bytes, and at most 1,000')
  })
})

describe('large typed arrays', () => {
  const values = [
    Buffer.alloc(20_000, 1),
    { a: [large(Uint8Array)] },
    large(Float64Array),
    large(BigInt64Array),
    new DataView(new ArrayBuffer(20_000)),
    large(Uint16Array).subarray(1),
    new (class Own extends Uint8Array {})(20_000),
  ]

  test('are parts of their own, and arrive with their type in buffers of their own size', () => {
    const outgoing = new OutgoingValues()
    const packed = outgoing.add(values)
    const parts = outgoing.finish()!
    expect(parts).toHaveLength(values.length)
    // As they are when they have crossed the channel.
    const received = new IncomingValues(parts.map((part) => part.slice())).get(packed, values.length)
    expect(received).toEqual(values.map((value, i) => (i === 6 ? new Uint8Array(20_000) : value)))
    for (const view of viewsIn(received)) expect(view.buffer.byteLength).toBe(view.byteLength)
    expect(Buffer.isBuffer(received[0])).toBe(true)
  })

  test('of one object in two chunks are two arrays at the other end', () => {
    const outgoing = new OutgoingValues()
    const shared = { bytes: Buffer.alloc(20_000) }
    const packed = [outgoing.add([shared, shared]), outgoing.add([shared])] as const
    const incoming = new IncomingValues(outgoing.finish()!.map((part) => part.slice()))
    const [first, second] = incoming.get(packed[0], 2)
    const [third] = incoming.get(packed[1], 1) as [typeof shared]
    expect(first).toBe(second)
    third.bytes[0] = 1
    expect(first).toEqual({ bytes: Buffer.alloc(20_000) })
  })

  test('are copied where that is wanted: the caller may change them before they are written', () => {
    const bytes = Buffer.alloc(20_000, 1)
    const copied = new OutgoingValues(undefined, (view) => view.slice())
    const packed = copied.add([bytes])
    bytes.fill(2)
    expect(new IncomingValues(copied.finish()).get(packed, 1)).toEqual([Buffer.alloc(20_000, 1)])
  })
})

describe('IncomingValues', () => {
  test('give those that cannot be decoded as Undecodable, and the others as they are', () => {
    const incoming = new IncomingValues([encode(['a', undefined, 'c']), encode(wasmModule())])
    const [first, bad, last] = incoming.get({ list: 0, alone: [1, 1] }, 3)
    expect([first, last]).toEqual(['a', 'c'])
    expect(bad).toBeInstanceOf(Undecodable)
  })

  test('give nothing but Undecodable if those that were encoded together cannot be decoded', () => {
    const incoming = new IncomingValues([encode([linkedList(2_500), 'a']), encode(['b'])])
    expect(incoming.get({ list: 0 }, 2)).toEqual([expect.any(Undecodable), expect.any(Undecodable)])
    expect(incoming.get({ list: 1 }, 1)).toEqual(['b'])
  })

  test.each<[string, Uint8Array[]]>([
    ['no parts', []],
    ['a part that is no list', [encode(5)]],
    ['a part that was cut off', [encode(['a']).subarray(0, 4)]],
    ['a typed array whose bytes are missing', [encode([large(Uint8Array)], () => 2)]],
    ['a typed array whose bytes do not fit', [encode([large(Float64Array)], () => 2), new Uint8Array(7)]],
  ])('never throw: %s', (_what, parts) => {
    expect(new IncomingValues(parts).get({ list: 0 }, 1)).toEqual([expect.any(Undecodable)])
  })
})
