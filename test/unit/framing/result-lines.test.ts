import { describe, expect, test } from 'vitest'
import {
  arrayLines,
  NO_RESULTS,
  parseResult,
  resultLines,
  withResult,
} from '../../../src/framing/result-lines.js'
import fc from '../../helpers/fast-check.js'
import { SEED } from '../../helpers/random.js'

/** A plain result, or any number of them. */
type Item = { readonly value: unknown } | { readonly values: readonly unknown[] }

const toText = (value: unknown) => JSON.stringify(value)

function lineOf(item: Item): string {
  if ('value' in item) return toText(item.value)
  return item.values.reduce<string>((line, value) => withResult(line, toText(value)), '') || NO_RESULTS
}

const linesOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')
const value = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.string({ unit: 'binary' }), fc.constant('\x1e\n'))
const item: fc.Arbitrary<Item> = fc.oneof(
  fc.record({ value }),
  fc.record({ values: fc.array(value, { maxLength: 4 }) }),
)

describe('lines of items', () => {
  test('become lines of their results', () => {
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const results = items.flatMap((item) => ('value' in item ? [item.value] : item.values))
        const lines = resultLines(Buffer.from(linesOf(items.map(lineOf))))
        expect(lines.toString()).toBe(linesOf(results.map(toText)))
      }),
      { seed: SEED },
    )
  })

  test('become lines of values, of which any number of results is an array', () => {
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const values = items.map((item) => ('value' in item ? item.value : item.values))
        const lines = items.map(lineOf)
        expect(arrayLines(Buffer.from(linesOf(lines))).toString()).toBe(linesOf(values.map(toText)))
        expect(lines.map(parseResult).map(toText)).toEqual(values.map(toText))
      }),
      { seed: SEED },
    )
  })

  test('are not copied where every item has one result', () => {
    const lines = Buffer.from('1\n2\n')
    expect([resultLines(lines), arrayLines(lines)]).toEqual([lines, lines])
    expect(resultLines(lines)).toBe(lines)
    expect(arrayLines(lines)).toBe(lines)
  })
})
