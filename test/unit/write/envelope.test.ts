import { describe, expect, it } from 'vitest'
import type { SettledRange } from '../../../src/model.js'
import { envelopes } from '../../../src/write/envelope.js'
import fc from '../../helpers/fast-check.js'

const json = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'é', '日本', '🙂', '\n'),
)
const index = fc.oneof(
  fc.nat(),
  fc.constantFrom(0, 9, 10, 99_999, 100_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 7, Number.MAX_SAFE_INTEGER),
)
const ms = fc.oneof(
  fc.double({ min: 0, max: 10, noNaN: true }),
  fc.constantFrom(0, 0.0004, 0.0005, 0.001, 0.01, 1, 4.095, 4.096, 1000, 86_400_000.0015, 2 ** 53),
)

const items = fc.array(fc.record({ value: json, index, ms }), { minLength: 1, maxLength: 20 })

interface Scenario {
  readonly items: readonly { value: unknown; index: number; ms: number }[]
  readonly attempts: number
  readonly isTimed: boolean
  /** Offset of the first item, in its chunk. */
  readonly from: number
}

function rangeOf({ items, attempts, isTimed, from }: Scenario): SettledRange {
  const before = Array<number>(from).fill(0)
  const payload = { kind: 'bytes', bytes: new Uint8Array(), framing: 'ndjson' } as const
  const count = from + items.length
  const indexes = [...before, ...items.map(({ index }) => index)]
  const timings = {
    startedAt: new Float64Array(items.length),
    ms: Float64Array.from(items, ({ ms }) => ms),
  }
  return {
    chunk: { seq: 0, count, payload, indexes },
    from,
    count: items.length,
    results: { kind: 'json', bytes: new Uint8Array() },
    failures: [],
    workerId: 0,
    pid: 1,
    attempts,
    ...(isTimed && { timings }),
  }
}

describe('envelopes', () => {
  it('are the JSON of index, ok, value, attempts and milliseconds in microseconds, one per line', () => {
    const scenario = fc.record({
      items,
      attempts: fc.constantFrom(1, 2, 12),
      isTimed: fc.boolean(),
      from: fc.nat(3),
    })
    fc.assert(
      fc.property(scenario, (scenario) => {
        const { items, attempts, isTimed, from } = scenario
        const lines = Buffer.from(items.map(({ value }) => `${JSON.stringify(value)}\n`).join(''))
        const written = envelopes(rangeOf(scenario), lines, from, from + items.length)
        const expected = items.map(({ index, value, ms }) => {
          const envelope = {
            index,
            ok: true,
            value,
            attempts,
            ms: isTimed ? Math.round(ms * 1000) / 1000 : null,
          }
          return `${JSON.stringify(envelope)}\n`
        })
        expect(Buffer.from(written).toString()).toBe(expected.join(''))
      }),
    )
  })

  it.each([
    [5, 5],
    [6, 5],
  ])('from %i up to %i are none', (from, to) => {
    const range = rangeOf({ items: [{ value: 1, index: 1, ms: 1 }], attempts: 1, isTimed: true, from: 5 })
    expect(envelopes(range, Buffer.from(''), from, to)).toHaveLength(0)
  })

  it('of part of a range carry the times of that part', () => {
    const three = [1, 2, 3].map((n) => ({ value: n, index: n, ms: n / 1000 }))
    const range = rangeOf({ items: three, attempts: 1, isTimed: true, from: 5 })
    expect(Buffer.from(envelopes(range, Buffer.from('2\n3\n'), 6, 8)).toString()).toBe(
      '{"index":2,"ok":true,"value":2,"attempts":1,"ms":0.002}\n{"index":3,"ok":true,"value":3,"attempts":1,"ms":0.003}\n',
    )
  })
})
