import { describe, expect, test } from 'vitest'
import {
  noResults,
  type ResultRange,
  shares,
  singles,
  without,
} from '../../../../src/executor/scheduler/ranges.js'
import type { Chunk, ItemFailure } from '../../../../src/model.js'
import fc from '../../../helpers/fast-check.js'

const failureAt = (offset: number): ItemFailure => ({
  offset,
  failure: { kind: 'timeout', timeoutMs: 1 },
  workerId: 0,
  pid: 1,
  attempts: 1,
})

/** Items are `ok`, `failed` or `again`: failed and excluded. */
const items = fc.array(fc.constantFrom('ok', 'ok', 'failed', 'again'), { minLength: 1, maxLength: 40 })

function rangeOf(kinds: readonly string[], from: number, kind: 'json' | 'values'): ResultRange {
  const failures = kinds.flatMap((what, i) => (what === 'ok' ? [] : [failureAt(from + i)]))
  const text = kinds.map((what, i) => (what === 'ok' ? `"r${from + i}"\n` : '')).join('')
  const values = kinds.map((what, i) => (what === 'ok' ? `r${from + i}` : undefined))
  return {
    from,
    count: kinds.length,
    failures,
    results: kind === 'json' ? { kind, bytes: Buffer.from(text) } : { kind, values },
  }
}

function resultsOf({ from, count, results, failures }: ResultRange): [number, unknown][] {
  const failed = new Set(failures.map(({ offset }) => offset))
  const offsets = Array.from({ length: count }, (_, i) => from + i)
  if (results.kind === 'values') {
    expect(results.values).toHaveLength(count)
    return offsets
      .filter((offset) => !failed.has(offset))
      .map((offset) => [offset, results.values[offset - from]])
  }
  const lines = Buffer.from(results.bytes).toString().split('\n').slice(0, -1)
  const good = offsets.filter((offset) => !failed.has(offset))
  expect(lines).toHaveLength(good.length)
  return good.map((offset, i) => [offset, JSON.parse(lines[i]!)])
}

describe('without', () => {
  test.each(['json', 'values'] as const)(
    'is the parts between them, each with its own results (%s)',
    (kind) => {
      fc.assert(
        fc.property(items, fc.nat(10), (kinds, from) => {
          const range = rangeOf(kinds, from, kind)
          const excluded = range.failures.filter(({ offset }) => kinds[offset - from] === 'again')
          const parts = without(range, excluded)
          const covered = parts.flatMap((part) => Array.from({ length: part.count }, (_, i) => part.from + i))
          expect(covered).toEqual(kinds.flatMap((what, i) => (what === 'again' ? [] : [from + i])))
          expect(parts.every(({ count }) => count > 0)).toBe(true)
          expect(parts.flatMap(resultsOf)).toEqual(
            kinds.flatMap((what, i) => (what === 'ok' ? [[from + i, `r${from + i}`]] : [])),
          )
          expect(parts.flatMap(({ failures }) => failures.map(({ offset }) => offset))).toEqual(
            kinds.flatMap((what, i) => (what === 'failed' ? [from + i] : [])),
          )
        }),
      )
    },
  )
})

describe('singles', () => {
  test('are the items themselves, with their indexes', () => {
    const chunks: fc.Arbitrary<Chunk> = fc.nat(30).map((n) => ({
      seq: 100,
      count: n + 1,
      payload: {
        kind: 'bytes',
        framing: 'ndjson',
        bytes: Buffer.from(Array.from({ length: n + 1 }, (_, i) => `{"n":${i}}\n`).join('')),
      },
      origin: { file: 'in', offset: 0, line: 1, column: 1 },
    }))
    fc.assert(
      fc.property(chunks, fc.array(fc.nat(30)), (chunk, drawn) => {
        const offsets = [...new Set(drawn)].filter((offset) => offset < chunk.count).sort((a, b) => a - b)
        const found = singles(chunk, offsets)
        expect(found.map(({ seq, count, origin }) => [seq, count, origin?.line])).toEqual(
          offsets.map((offset) => [100 + offset, 1, offset + 1]),
        )
        const texts = found.map(
          ({ payload }) => payload.kind === 'bytes' && Buffer.from(payload.bytes).toString(),
        )
        expect(texts).toEqual(offsets.map((offset) => `{"n":${offset}}\n`))
      }),
    )
  })

  test('cost a few walks over the chunk, not one per item', () => {
    const count = 20_000
    const bytes = Buffer.from('{"n":12345}\n'.repeat(count))
    const chunk: Chunk = { seq: 0, count, payload: { kind: 'bytes', framing: 'ndjson', bytes } }
    // One walk each would be 200 million steps; this is 300 thousand.
    expect(
      singles(
        chunk,
        Array.from({ length: count }, (_, offset) => offset),
      ),
    ).toHaveLength(count)
  })
})

test('noResults is one empty value per item, or no line', () => {
  expect(noResults('values', 2)).toEqual({ kind: 'values', values: [undefined, undefined] })
  expect(noResults('json', 2)).toEqual({ kind: 'json', bytes: new Uint8Array(0) })
})

describe('shares', () => {
  const chunk = (count: number): Chunk => ({
    seq: 100,
    count,
    payload: { kind: 'bytes', framing: 'ndjson', bytes: Buffer.from('1\n'.repeat(count)) },
  })

  test.each([
    [10, 0, 4, [3, 3, 3, 1]],
    [10, 7, 4, [1, 1, 1]],
    [10, 2, 1, [8]],
    [10, 10, 4, []],
    [3, 0, 3, [1, 1, 1]],
  ])('of %i items from %i on are up to %i chunks', (count, from, most, counts) => {
    const parts = shares(chunk(count), from, most)
    expect(parts.map((part) => part.count)).toEqual(counts)
    let seq = 100 + from
    for (const part of parts) {
      expect(part.seq).toBe(seq)
      expect(part.payload).toMatchObject({ bytes: Buffer.from('1\n'.repeat(part.count)) })
      seq += part.count
    }
  })
})
