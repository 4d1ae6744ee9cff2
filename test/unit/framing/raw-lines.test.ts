// Raw lines are a shorter way to the same output: what is written from them is what is written from lines of JSON.
import { describe, expect, test } from 'vitest'
import { isRawLine, rawLineOf, rawOutput, unquoted } from '../../../src/framing/raw-lines.js'
import { NO_RESULTS, resultLines, withResult } from '../../../src/framing/result-lines.js'
import fc from '../../helpers/fast-check.js'
import { SEED } from '../../helpers/random.js'

const LONE = ['\ud800', '\udc00', 'a\udbff']
const AWKWARD = [
  '',
  '\n',
  'a\nb',
  '\r',
  'a\r',
  '\x1e',
  '\x1e\n',
  'a\x1eb',
  '"',
  '"a"',
  '\\',
  '1',
  'null',
  '\0',
  '{}',
]
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(...AWKWARD, ...LONE),
  fc.array(fc.constantFrom(...AWKWARD, ...LONE), { maxLength: 4 }).map((parts) => parts.join('')),
)
const value = fc.oneof(
  { weight: 30, arbitrary: text },
  { weight: 1, arbitrary: fc.nat(70_000).map((length) => 'é'.repeat(length)) },
  { weight: 10, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
)
/** The results of an item: one, or any number of them. */
const item = fc.oneof(
  { weight: 3, arbitrary: value.map((one) => ({ results: [one], isOne: true })) },
  { weight: 1, arbitrary: fc.array(value, { maxLength: 3 }).map((results) => ({ results, isOne: false })) },
)
type Item = typeof item extends fc.Arbitrary<infer T> ? T : never

const jsonLine = ({ results, isOne }: Item) => {
  if (isOne) return JSON.stringify(results[0])
  return results.reduce<string>((line, one) => withResult(line, JSON.stringify(one)), '') || NO_RESULTS
}
const rawLine = (item: Item) => (item.isOne ? rawLineOf(jsonLine(item)) : jsonLine(item))
const written = ({ results }: Item) =>
  results.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
const bytesOf = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''))

describe('raw lines', () => {
  test('give the bytes of the strings, as lines of JSON do, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const expected = bytesOf(items.flatMap(written)).toString()
        expect(rawOutput(bytesOf(items.map(rawLine))).toString()).toBe(expected)
        expect(unquoted(resultLines(bytesOf(items.map(jsonLine)))).toString()).toBe(expected)
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  test('are written without a copy where all of them are text', () => {
    const lines = Buffer.from('a\n\n"b"\n{}\n')
    expect(rawOutput(lines)).toBe(lines)
  })

  test('are one line per item, so that they can be counted and divided', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(rawLineOf(JSON.stringify(one))).not.toContain('\n')
      }),
      { seed: SEED },
    )
  })

  test('are a string as it is if it is one line that no separator begins', () => {
    fc.assert(
      fc.property(text, (one) => {
        const isOneLine = !one.includes('\n') && !one.startsWith('\x1e')
        expect(isRawLine(one)).toBe(isOneLine)
        if (isOneLine) expect(rawLineOf(JSON.stringify(one))).toBe(one)
      }),
      { seed: SEED },
    )
  })
})

describe('lines of JSON', () => {
  test('are written without a copy where none of them is a string', () => {
    const lines = Buffer.from('1\n["a"]\n')
    expect(unquoted(lines)).toBe(lines)
  })
})
