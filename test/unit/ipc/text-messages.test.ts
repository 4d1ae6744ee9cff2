import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ChunkMessage, ResultsMessage } from '../../../src/ipc/protocol.js'
import { rangesFromText, textFromWorker, textToWorker } from '../../../src/ipc/text-messages.js'
import fc from '../../helpers/fast-check.js'
import { SEED } from '../../helpers/random.js'

const task = { name: 'default', calling: 'item', reply: 'values' } as const

function chunkOf(values: readonly unknown[], rest: Partial<ChunkMessage> = {}): ChunkMessage {
  const payload = { kind: 'values', values } as const
  const fixed = { id: 7, task, index: 3, attempt: 1, recordEachItem: false, isSmall: true }
  return { ...fixed, count: values.length, payload, ...rest }
}

function rangeOf(values: readonly unknown[], rest: Partial<ResultsMessage> = {}): ResultsMessage {
  const results = { kind: 'values', values } as const
  return { id: 1, from: 0, count: values.length, results, failures: [], busyMs: 0.25, ...rest }
}

const textOfChunks = (...chunks: readonly ChunkMessage[]) => textToWorker({ type: 'run', chunks })
const textOfRanges = (...ranges: readonly ResultsMessage[]) =>
  textFromWorker('secret', { type: 'settled', ranges })

/** The values at the other end; `undefined` if they are not sent as text. */
function received(values: readonly unknown[]): readonly unknown[] | undefined {
  const text = textOfRanges(rangeOf(values))
  const [range] = (text === undefined ? undefined : rangesFromText(JSON.parse(text).ranges)) ?? []
  return range?.results.kind === 'values' ? range.results.values : undefined
}

describe('a message of small calls', () => {
  test('is the same message at the other end', () => {
    const chunks = [
      chunkOf([1, 'é\ud800"\\', true, null], { index: [3, 5, 8, 9], timeoutMs: 1.5 }),
      chunkOf([[1, { a: [] }]], { task: { ...task, calling: 'spread', timed: 'durations' }, attempt: 2 }),
      chunkOf([2], {
        task: { ...task, rows: true, timed: true, reply: 'json' },
        recordEachItem: true,
        isSmall: false,
      }),
      chunkOf([3], { mayRetry: true }),
    ]
    expect(JSON.parse(textOfChunks(...chunks)!)).toEqual({ type: 'run', chunks })
    const ranges = [rangeOf([1.5, 'x']), rangeOf([{ a: null, b: { c: [false] } }], { id: 2, from: 9 })]
    expect(JSON.parse(textOfRanges(...ranges)!)).toEqual({ token: 'secret', type: 'settled', ranges })
    const withMemory = textFromWorker('secret', { type: 'settled', ranges, rss: 12 })
    expect(JSON.parse(withMemory!)).toEqual({ token: 'secret', type: 'settled', ranges, rss: 12 })
  })

  test('has values that look as structured clone would make them, or is not text', () => {
    const value = fc.oneof(
      fc.anything({
        maxDepth: 2,
        withDate: true,
        withMap: true,
        withTypedArray: true,
        withNullPrototype: true,
      }),
      fc.jsonValue({ maxDepth: 2 }),
    )
    let texts = 0
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), (values) => {
        const actual = received(values)
        if (actual === undefined) return
        texts++
        expect(isDeepStrictEqual(actual, structuredClone(values))).toBe(true)
      }),
      { seed: SEED, numRuns: 500 },
    )
    expect(texts).toBeGreaterThan(50)
  })

  test('of tasks without a result keeps `undefined`', () => {
    expect(received([undefined])).toEqual([undefined])
    expect(received([undefined, undefined])).toEqual([undefined, undefined])
    expect(received([undefined, 1])).toBeUndefined()
  })

  const shared = { a: 1 }
  const cycle: unknown[] = []
  cycle.push(cycle)
  test.each<[what: string, value: unknown]>([
    ['-0', -0],
    ['NaN', Number.NaN],
    ['a BigInt', 1n],
    ['a Date', new Date(0)],
    ['an Error', new Error('x')],
    ['a class', new (class A {})()],
    ['a Proxy', new Proxy({}, {})],
    ['holes', Array(2)],
    ['an array with a property', Object.assign([1], { a: 1 })],
    ['an object twice', [shared, shared]],
    ['a cycle', cycle],
    ['a property without a value', { a: undefined }],
    ['a Buffer', Buffer.from('x')],
    ['a long string', 'x'.repeat(20_000)],
    ['many strings', Array(60).fill('x'.repeat(1_000))],
    ['many values', Array(65).fill(0)],
    ['many properties', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, 0]))],
    ['many objects', Array.from({ length: 17 }, () => [])],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', {
        enumerable: true,
        get: () => {
          throw new Error()
        },
      }),
    ],
  ])('is not text with %s', (_, value) => {
    expect(received([value])).toBeUndefined()
    expect(textOfChunks(chunkOf([value]))).toBeUndefined()
  })

  test('may have the same object in two of its chunks, where it becomes two', () => {
    const { chunks } = JSON.parse(textOfChunks(chunkOf([shared]), chunkOf([shared]))!)
    expect(chunks.map(({ payload }: ChunkMessage) => payload)).toEqual([
      { kind: 'values', values: [shared] },
      { kind: 'values', values: [shared] },
    ])
  })

  test('is not text with failures, timings, bytes, or many chunks', () => {
    const failure = { kind: 'lost', why: {} } as never
    expect(textOfRanges(rangeOf([1], { failures: [{ offset: 0, failure }] }))).toBeUndefined()
    const timings = { startedAt: new Float64Array(0), ms: new Float64Array(1) }
    expect(textOfRanges(rangeOf([1], { timings }))).toBeUndefined()
    expect(textOfRanges(rangeOf([], { results: { kind: 'json', bytes: Buffer.alloc(1) } }))).toBeUndefined()
    const payload = { kind: 'bytes', bytes: Buffer.alloc(1), framing: 'lines' } as never
    expect(textOfChunks(chunkOf([], { payload }))).toBeUndefined()
    expect(textOfChunks(...Array(33).fill(chunkOf([1])))).toBeUndefined()
    expect(textToWorker({ type: 'ping' })).toBeUndefined()
  })

  test('does not call what a job has added to the language', () => {
    const prototypes = [Array.prototype, Object.prototype, Number.prototype, String.prototype] as {
      toJSON?: unknown
    }[]
    try {
      for (const prototype of prototypes)
        Object.defineProperty(prototype, 'toJSON', { value: () => 'changed', configurable: true })
      expect(JSON.parse(textOfRanges(rangeOf([[1], 'x', { a: 'y' }]))!).ranges[0].results.values).toEqual([
        [1],
        'x',
        { a: 'y' },
      ])
    } finally {
      for (const prototype of prototypes) delete prototype.toJSON
    }
  })
})

test.each<[what: string, ranges: unknown]>([
  ['no list', {}],
  ['an id that is no number', [{ ...rangeOf([1]), id: '1' }]],
  ['fewer values than it counts', [{ ...rangeOf([1]), count: 2 }]],
])('ranges with %s are malformed', (_, ranges) => {
  expect(rangesFromText(ranges)).toBeUndefined()
})
