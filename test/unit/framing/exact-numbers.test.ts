// Numbers of items whose text a command is given.
import { describe, expect, it, test } from 'vitest'
import { parseKeepingNumbers, stringifyKeepingNumbers } from '../../../src/framing/exact-numbers.js'
import fc from '../../helpers/fast-check.js'

const throughBoth = (text: string) => stringifyKeepingNumbers(parseKeepingNumbers(text))

describe('numbers of an item', () => {
  it.each([
    '12345678901234567890',
    '-1202285736968061337',
    '9007199254740993',
    '1e400',
    '-1.5E-400',
    '0.1000000000000000055511151231257827',
    '[1152921504606846976,{}]',
    '{"id":1202285736968061337,"at":[1700000000123456789]}',
    '{"__proto__":1202285736968061337,"text":"1202285736968061337 \\" 1e400"}',
  ])('keep all digits, however many there are: %s', (text) => {
    expect(throughBoth(text)).toBe(text)
  })

  it.each([
    '1.0',
    '1e3',
    '100000000000000000000000',
    '0.30000000000000004',
    '-0',
    '9007199254740992',
    '1e-7',
  ])('are numbers where JavaScript can hold them: %s', (text) => {
    expect(parseKeepingNumbers(text)).toBe(JSON.parse(text))
  })

  it('finds them beside strings of any length, and lets those be rounded that are nested too deeply', () => {
    const long = `{"id":1202285736968061337,"text":"${String.raw`\n\"`.repeat(2_000_000)}"}`
    expect(throughBoth(long) === long).toBe(true)
    const [open, close] = ['['.repeat(100_000), ']'.repeat(100_000)]
    expect(parseKeepingNumbers(`${open}12345678901234567890${close}`)).toBeInstanceOf(Array)
  })

  test('that are kept have no fields', () => {
    expect(Object.keys(parseKeepingNumbers('1e400') as object)).toEqual([])
  })

  it('changes nothing about other JSON, and refuses what is not JSON', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        expect(throughBoth(text)).toBe(JSON.stringify(JSON.parse(text)))
      }),
    )
    expect(() => parseKeepingNumbers('12345678901234567890 1')).toThrow(SyntaxError)
  })
})
