// Braces in patterns, as bash expands them.
import { describe, expect, test } from 'vitest'
import { expandBraces } from '../../../src/read/braces.js'

describe('expandBraces', () => {
  // What bash 5 prints.
  test.each([
    ['x{1..12}', 'x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 x12'],
    ['{01..12}', '01 02 03 04 05 06 07 08 09 10 11 12'],
    ['{1..10..3}', '1 4 7 10'],
    ['{10..1..4}', '10 6 2'],
    ['{1..3..0}', '1 2 3'],
    ['{3..1..1}', '3 2 1'],
    ['{+1..3}', '1 2 3'],
    ['{-2..1}', '-2 -1 0 1'],
    ['{-01..2}', '-01 000 001 002'],
    ['{001..-1}', '001 000 -01'],
    ['{0..010..5}', '000 005 010'],
    ['{08..11..2}', '08 10'],
    ['{-5..-10..2}', '-5 -7 -9'],
    ['{a..e}', 'a b c d e'],
    ['{e..a..2}', 'e c a'],
    ['{a..c..-1}', 'a b c'],
    ['{1..a}', '{1..a}'],
    ['{1...3}', '{1...3}'],
    ['{1..2..3..4}', '{1..2..3..4}'],
    ['{1..2}{a..b}', '1a 1b 2a 2b'],
    ['a{b,c}d{e,f}', 'abde abdf acde acdf'],
    ['{a,b{1..2},}c', 'ac b1c b2c c'],
    ['x{{1..3},y}', 'x1 x2 x3 xy'],
    ['{a..b,c}', 'a..b c'],
    ['{{a,b}}', '{a} {b}'],
    ['{a}', '{a}'],
    ['{}', '{}'],
    ['{a,b', '{a,b'],
    ['{a,{b', '{a,{b'],
    ['{a{1..2}', '{a1 {a2'],
    ['{a,b}}', 'a} b}'],
    ['{a,b}{', 'a{ b{'],
  ])('%s', (pattern, names) => {
    expect(expandBraces(pattern).join(' ')).toBe(names)
  })

  test('leaves alone what a backslash protects', () => {
    expect(expandBraces('\\{a,b}')).toEqual(['\\{a,b}'])
    expect(expandBraces('{a\\,b,c}')).toEqual(['a\\,b', 'c'])
    expect(expandBraces('\x24{a,b}')).toEqual(['\x24{a,b}'])
  })

  test.each(['{1..99999999999}', '{1..1000}{1..1000}{1..1000}', 'x{1..2}{1..999999}'])(
    'refuses to fill the memory: %s',
    (pattern) => {
      expect(() => expandBraces(pattern)).toThrow(/^.*stands for more than 1,000,000 names$/)
    },
  )
})
