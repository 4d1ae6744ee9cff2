import { deserialize, serialize } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { withOwnBuffers } from '../../../src/ipc/own-buffers.js'

const bytes = () => new Uint8Array([1, 2, 3])

/** As it arrives: a part of a message that holds a secret. */
function received(value: unknown): unknown {
  return deserialize(serialize({ token: 'secret', value })).value
}

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

const cycle: Record<string, unknown> = { a: [bytes()] }
cycle.self = [cycle, cycle]

const wide = Array.from({ length: 20_000 }, (): unknown => ({ a: 1 }))
wide.push({ b: bytes() })

let deep: unknown = bytes()
for (let level = 0; level < 1_000; level++) deep = { deep }

describe('withOwnBuffers', () => {
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
    const own = withOwnBuffers(received(value))
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
    const [a, b] = withOwnBuffers(received([shared, { shared }])) as [Buffer, { shared: Buffer }]
    expect(a).toBe(b.shared)
    expect(Buffer.isBuffer(a)).toBe(true)
  })

  test('keeps the order of a Map', () => {
    const map = new Map<unknown, unknown>([
      [1, 'a'],
      [bytes(), 'b'],
      [2, 'c'],
    ])
    const own = withOwnBuffers(received(map)) as Map<unknown, unknown>
    expect([...own.values()]).toEqual(['a', 'b', 'c'])
  })
})
