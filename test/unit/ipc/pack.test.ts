// What crosses the channel arrives as it was sent, whatever it is; a malformed message is refused.
import { deserialize, serialize } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { packFromWorker, packToWorker, unpackFromWorker, unpackToWorker } from '../../../src/ipc/pack.js'
import type {
  ChunkMessage,
  FromWorker,
  OutgoingMessage,
  ResultsMessage,
  ToWorker,
} from '../../../src/ipc/protocol.js'
import { TooLargeError, Undecodable } from '../../../src/ipc/values.js'
import type { Failure, Payload, Results } from '../../../src/model.js'
import fc from '../../helpers/fast-check.js'
import { linkedList, wasmModule } from '../../helpers/undecodable.js'

const task = { name: 'default', calling: 'item', reply: 'values' } as const

/** As Node's channel does. */
const cross = (packed: object): unknown => deserialize(serialize(packed))

function chunkOf(values: readonly unknown[]): ChunkMessage {
  const payload = { kind: 'values', values } as const
  return {
    id: 7,
    task,
    count: values.length,
    index: 3,
    attempt: 1,
    recordEachItem: false,
    isSmall: false,
    payload,
  }
}

function receivedByWorker(chunk: ChunkMessage): ChunkMessage {
  const message = unpackToWorker(cross(packToWorker({ type: 'run', chunks: [chunk] })))
  return message.type === 'run' ? message.chunks[0]! : expect.unreachable()
}

function receivedByParent(range: ResultsMessage): ResultsMessage | undefined {
  const message: OutgoingMessage = { type: 'settled', ranges: [range] }
  const back = unpackFromWorker({
    token: 'secret',
    ...(cross(packFromWorker(message)) as object),
  } as FromWorker)
  return back?.type === 'settled' ? back.ranges[0] : expect.unreachable()
}

const rangeOf = (values: readonly unknown[]): ResultsMessage => ({
  id: 1,
  from: 2,
  count: values.length,
  results: { kind: 'values', values },
  failures: [],
  busyMs: 1.5,
})

const valuesOf = (carrier: Payload | Results): readonly unknown[] =>
  carrier.kind === 'values' ? carrier.values : expect.unreachable()

/** One by one with `Object.is`, which tells -0 from 0; `toEqual` also refuses a typed array. */
function expectSame(actual: ArrayLike<unknown>, expected: readonly unknown[]) {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBe(expected[i])
}

const numbers = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 53),
)
const anything = fc.oneof(numbers, fc.string(), fc.boolean(), fc.constantFrom(null, undefined))
const lists = fc.oneof(
  fc.array(fc.integer(), { minLength: 60, maxLength: 200 }),
  fc.array(numbers, { maxLength: 200 }),
  fc.array(anything, { minLength: 60, maxLength: 200 }),
)

describe('values', () => {
  test('arrive as they were sent, many numbers among them', () => {
    fc.assert(
      fc.property(lists, (values) => {
        const { payload } = receivedByWorker(chunkOf(values))
        expectSame(payload.kind === 'values' ? payload.values : [], values)
        const { results } = receivedByParent(rangeOf(values))!
        expectSame(results.kind === 'values' ? results.values : [], values)
      }),
    )
  })

  test('are not packed if one of them is not a number', () => {
    for (const odd of [undefined, null, '5', -0, 1n, new Date(5)]) {
      const values: unknown[] = [...Array(100).keys(), odd, ...Array(100).keys()]
      const { results } = receivedByParent(rangeOf(values))!
      expect(results).toEqual({ kind: 'values', values })
    }
  })

  test('take four bytes each where they are a million integers', () => {
    const values = Array.from({ length: 1_000_000 }, (_, n) => n)
    expect(serialize(packToWorker({ type: 'run', chunks: [chunkOf(values)] })).length).toBeLessThan(4_001_000)
  })

  const LENGTHS = [3, 200]
  const nested = { n: 1 }
  const KINDS: readonly [what: string, item: (n: number) => object][] = [
    [
      'of one shape',
      (n) => ({ n, name: `item ${n}`, ok: true, ratio: n / 7, rest: n % 2 === 0 ? null : -0 }),
    ],
    ['of several shapes', (n) => (n % 2 === 0 ? { n } : { m: n })],
    ['that share one', (n) => ({ n, nested })],
  ]
  const cases = KINDS.flatMap(([what, item]) => LENGTHS.map((length) => [length, what, item] as const))

  test.each(cases)('may be %i objects %s', (length, _what, item) => {
    const values = Array.from({ length }, (_, n) => item(n))
    const { payload } = receivedByWorker(chunkOf(values))
    expect(payload).toStrictEqual({ kind: 'values', values })
    const { results } = receivedByParent(rangeOf(values))!
    expect(results).toStrictEqual({ kind: 'values', values })
  })

  test.each(cases)(
    'of %i arguments %s are as many objects, also where one is there twice',
    (length, _what, item) => {
      const values = Array.from({ length }, (_, n) => item(n))
      values[length - 1] = values[0]!
      const { payload } = receivedByWorker(chunkOf(values))
      expect(payload).toStrictEqual({ kind: 'values', values })
      expect(new Set(valuesOf(payload)).size).toBe(length)
    },
  )

  test.each(cases)('of %i results %s are one object where one is there twice', (length, _what, item) => {
    const values = Array.from({ length }, (_, n) => item(n))
    values[length - 1] = values[0]!
    const { results } = receivedByParent(rangeOf(values))!
    expect(results).toStrictEqual({ kind: 'values', values })
    expect(valuesOf(results).at(-1)).toBe(valuesOf(results)[0])
  })

  test('share what is inside of several of them', () => {
    for (const length of LENGTHS) {
      const values = Array.from({ length }, () => ({ nested }))
      const { payload } = receivedByWorker(chunkOf(values))
      const objects = valuesOf(payload)
      expect(new Set(objects.map((object) => (object as { nested: object }).nested)).size).toBe(1)
    }
  })

  test('that cannot be cloned are refused, also where one is there twice', () => {
    const values: unknown[] = Array.from({ length: 100 }, (_, n) => ({ n, call: n }))
    const bad = { n: 1, call: () => 1 }
    values.push(bad, bad)
    expect(() => receivedByWorker(chunkOf(values))).toThrow('could not be cloned')
    expect(() => receivedByParent(rangeOf(values))).toThrow('could not be cloned')
  })

  test('take few bytes each where they are objects of one shape', () => {
    const values = Array.from({ length: 1_000 }, (_, n) => ({ aLongName: n, another: n % 2 === 0 }))
    expect(serialize(packToWorker({ type: 'run', chunks: [chunkOf(values)] })).length).toBeLessThan(6_000)
  })

  test('are encoded, which counts their bytes, where they are objects with much text', () => {
    const text = 'x'.repeat(20_000)
    const values = Array.from({ length: 100 }, (_, n) => ({ n, text }))
    expect(receivedByWorker(chunkOf(values)).payload).toStrictEqual({ kind: 'values', values })
    expect(() => packToWorker({ type: 'run', chunks: [chunkOf(values)] }, 1_000_000)).toThrow(TooLargeError)
    const short = Array.from({ length: 100 }, (_, n) => ({ n, text: text.slice(0, 9_000) }))
    expect(() => packToWorker({ type: 'run', chunks: [chunkOf(short)] }, 1_000_000)).toThrow(TooLargeError)
  })

  test('arrive as an array that can be added to', () => {
    const { results } = receivedByParent(rangeOf([...Array(100).keys()]))!
    expect(Array.isArray(results.kind === 'values' && results.values)).toBe(true)
  })
})

describe('pack and unpack', () => {
  test('keep everything of a chunk', () => {
    const bytes = new Uint8Array([0x31, 0x2c, 0x32])
    const table = { names: ['a', ''], delimiter: ';' }
    const chunks: ChunkMessage[] = [
      { ...chunkOf([1]), index: [3, 9], attempt: 2, recordEachItem: true, timeoutMs: 20 },
      { ...chunkOf([]), payload: { kind: 'bytes', bytes, framing: 'json', cuts: [1] } },
      { ...chunkOf([]), payload: { kind: 'bytes', bytes, framing: 'lines' } },
      { ...chunkOf([]), payload: { kind: 'bytes', bytes, framing: 'csv', table, batch: 2 } },
    ]
    expect(unpackToWorker(cross(packToWorker({ type: 'run', chunks })))).toEqual({ type: 'run', chunks })
  })

  test('keep everything of a settled range', () => {
    const failures = [{ offset: 2, failure: { kind: 'input', message: 'no', at: 1 } as const }]
    const timings = { startedAt: new Float64Array([1]), ms: new Float64Array([2]) }
    const results = { kind: 'json', bytes: new Uint8Array([0x31, 0x0a]) } as const
    const range: ResultsMessage = { ...rangeOf([]), count: 1, failures, timings, results }
    expect(receivedByParent(range)).toEqual(range)
  })

  test('do not change other messages', () => {
    const stop: ToWorker = { type: 'stop' }
    expect(packToWorker(stop)).toBe(stop)
    const ready: OutgoingMessage = { type: 'ready', exports: {} }
    expect(packFromWorker(ready)).toBe(ready)
  })

  test('put what is large last, so that nothing has to be moved for what follows', () => {
    const bytes = new Uint8Array(100_000)
    const chunk: ChunkMessage = { ...chunkOf([]), payload: { kind: 'bytes', bytes, framing: 'ndjson' } }
    const range: ResultsMessage = { ...rangeOf([]), results: { kind: 'json', bytes } }
    for (const packed of [
      packToWorker({ type: 'run', chunks: [chunk] }),
      { token: 'x'.repeat(32), ...packFromWorker({ type: 'settled', ranges: [range], rss: 5 }) },
    ]) {
      const message = serialize(packed)
      // V8 leaves room for 64 bytes behind what it writes.
      expect(message.length - message.lastIndexOf(Buffer.alloc(100_000)) - 100_000).toBeLessThan(64)
    }
  })
})

/** A value that is fine when it is weighed, and `then` when it is encoded. */
function changing(then: unknown): object {
  let reads = 0
  return {
    get part() {
      return reads++ === 0 ? 1 : then
    },
  }
}

describe('a value that cannot be read at the other end', () => {
  const cannotBeSent = (side: 'argument' | 'result') => ({ kind: 'encoding', side, path: '' })

  test('is refused before it is sent', () => {
    for (const value of [linkedList(2_500), wasmModule()]) {
      expect(() => packToWorker({ type: 'run', chunks: [chunkOf([1, value])] })).toThrow()
      expect(() => packFromWorker({ type: 'settled', ranges: [rangeOf([1, value])] })).toThrow()
    }
  })

  test('does not reach the reader of the message, even if it changes while it is sent', () => {
    const value = () => changing(linkedList(2_500))
    const { payload } = receivedByWorker(chunkOf([value()]))
    expect(payload.kind === 'values' && payload.values).toEqual([expect.any(Undecodable)])
    const { results, failures } = receivedByParent(rangeOf([value()]))!
    expect(results).toEqual({ kind: 'values', values: [undefined] })
    expect(failures).toMatchObject([{ offset: 2, failure: cannotBeSent('result') }])
  })

  test('leaves what travels inside the message as it is', () => {
    const bad = changing(wasmModule())
    const ranges = [rangeOf(['a']), { ...rangeOf([bad]), id: 2 }]
    const packed = cross(packFromWorker({ type: 'settled', ranges })) as object
    const back = unpackFromWorker({ token: 'secret', ...packed } as FromWorker)
    expect(back).toMatchObject({
      ranges: [
        { results: { values: ['a'] }, failures: [] },
        { results: { values: [undefined] }, failures: [{ failure: cannotBeSent('result') }] },
      ],
    })
  })

  test('inside a failure fails its item, at its offset', () => {
    const failure = (value: unknown): Failure => ({
      kind: 'error',
      error: { type: 'thrown', typeName: 'object', preview: 'x', value, cloned: true },
    })
    const failures = [{ offset: 3, failure: failure(changing(linkedList(2_500))) }]
    const back = receivedByParent({ ...rangeOf(['a', undefined]), failures })!
    expect(back.failures).toMatchObject([{ offset: 3, failure: cannotBeSent('result') }])
    expect(back.results).toEqual({ kind: 'values', values: ['a', undefined] })
  })

  test('among the arguments of the initializer is reported to the session', () => {
    const init = {
      type: 'init',
      workerId: 1,
      initArgs: [wasmModule()],
      params: { a: 1 },
    } as unknown as ToWorker
    expect(unpackToWorker(cross(packToWorker(init)))).toEqual({
      type: 'init',
      workerId: 1,
      initArgs: [],
      undecodable: 'Unable to deserialize cloned data.',
    })
  })

  test('in the reason of an exit makes the message malformed', () => {
    const escaped = {
      type: 'thrown',
      typeName: 'object',
      preview: 'x',
      value: wasmModule(),
      cloned: true,
    } as const
    const packed = cross(packFromWorker({ type: 'dying', escaped })) as object
    expect(unpackFromWorker({ token: 'secret', ...packed } as FromWorker)).toBeUndefined()
  })
})

test('arguments are spread as they are, whatever else their array has', () => {
  const args = Object.assign([1, 'a'], { more: linkedList(5_000) })
  const chunk = { ...chunkOf([args]), task: { ...task, calling: 'spread' as const } }
  const { payload } = receivedByWorker(chunk)
  expect(payload).toEqual({ kind: 'values', values: [[1, 'a']] })
})

test('a message does not become larger than the channel can carry', () => {
  const large = (payload: ChunkMessage['payload']) => () =>
    packToWorker({ type: 'run', chunks: [{ ...chunkOf([]), payload }, chunkOf(['x'.repeat(300)])] }, 1_000)
  expect(large({ kind: 'values', values: ['small'] })).not.toThrow()
  for (const bytes of [new Uint8Array(900), new Uint8Array(1_200)])
    expect(large({ kind: 'bytes', bytes, framing: 'lines' })).toThrow('and at most 1,000 can be sent')
  expect(large({ kind: 'values', values: ['x'.repeat(300)] })).toThrow(TooLargeError)
  expect(large({ kind: 'values', values: [{ a: 'x'.repeat(900) }] })).toThrow(TooLargeError)
  const lines = { ...rangeOf([]), results: { kind: 'json', bytes: new Uint8Array(1_001) } } as const
  expect(() => packFromWorker({ type: 'settled', ranges: [lines] }, 1_000)).toThrow(TooLargeError)
  const init = { type: 'init', initArgs: ['x'.repeat(1_000)] } as unknown as ToWorker
  expect(() => packToWorker(init, 1_000)).toThrow(TooLargeError)
})

test.each<[string, object]>([
  ['no rows', { type: 'settled' }],
  ['a row that is a number', { type: 'settled', rows: [5] }],
  ['no count', { type: 'settled', rows: [[1, 0, undefined, undefined, 0, undefined, []]] }],
  ['a count that is not an integer', { type: 'settled', rows: [[1, 0, 1.5, undefined, 0, undefined, []]] }],
  ['failures that are not an array', { type: 'settled', rows: [[1, 0, 1, {}, 0, undefined, []]] }],
  ['no content', { type: 'settled', rows: [[1, 0, 1, undefined, 0, undefined]] }],
  ['content of another kind', { type: 'settled', rows: [[1, 0, 1, undefined, 0, undefined, new Map()]] }],
  ['cancelled but no ids', { type: 'cancelled' }],
])('a message of a worker with %s is refused', (_, message) => {
  expect(unpackFromWorker({ token: 'secret', ...message } as unknown as FromWorker)).toBeUndefined()
})
