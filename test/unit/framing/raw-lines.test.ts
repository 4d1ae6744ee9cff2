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
  { weight: 3, arbitrary: text },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
)
/** The JSON of one result, or of any number of them. */
const item = fc.oneof(
  {
    weight: 3,
    arbitrary: value.map((one) => [JSON.stringify(one), rawLineOf(JSON.stringify(one))] as const),
  },
  {
    weight: 1,
    arbitrary: fc.array(value, { maxLength: 3 }).map((values) => {
      const line = values.reduce<string>((so, one) => withResult(so, JSON.stringify(one)), '') || NO_RESULTS
      return [line, line] as const
    }),
  },
)

const bytesOf = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''))

describe('raw lines', () => {
  test('give the bytes that lines of JSON give, whatever is in the strings', () => {
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const json = bytesOf(items.map(([line]) => line))
        const raw = bytesOf(items.map(([, line]) => line))
        expect(rawOutput(raw).toString()).toBe(unquoted(resultLines(json)).toString())
      }),
      { seed: SEED, numRuns: 1000 },
    )
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

  test('are written without a copy where all of them are text', () => {
    const lines = Buffer.from('a\n\n"b"\n{}\n')
    expect(rawOutput(lines)).toBe(lines)
  })
})
