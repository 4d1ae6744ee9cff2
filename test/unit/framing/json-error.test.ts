// The first error in a text that is not JSON. V8 decides whether it is.
import { expect, test } from 'vitest'
import { findJsonError } from '../../../src/framing/json-error.js'

test.each<[string, number, string]>([
  ['', 0, 'Unexpected end of JSON'],
  ['  ', 2, 'Unexpected end of JSON'],
  ['tru', 3, 'Unexpected end of JSON'],
  ['trux', 3, "Unexpected token 'x'"],
  ['x', 0, "Unexpected token 'x'"],
  ['😀', 0, "Unexpected token '😀'"],
  ['\u001b[31m', 0, 'Unexpected token U+001B'],
  ['"ab', 3, 'Unterminated string'],
  ['"a\nb"', 2, 'Bad control character in string'],
  ['"\\x"', 2, 'Bad escape in string'],
  ['"\\u12g4"', 5, 'Bad Unicode escape in string'],
  ['"\\u12', 5, 'Unterminated string'],
  ['"\\', 2, 'Unterminated string'],
  ['01', 1, "Unexpected token '1'"],
  ['-', 1, 'Unexpected end of JSON'],
  ['-x', 1, "Unexpected token 'x'"],
  ['1.', 2, 'Unexpected end of JSON'],
  ['1.x', 2, "Unexpected token 'x'"],
  ['1e+', 3, 'Unexpected end of JSON'],
  ['1.0.2', 3, "Unexpected token '.'"],
  ['1.5.', 3, "Unexpected token '.'"],
  ['1e5e', 3, "Unexpected token 'e'"],
  ['[1e5.2]', 4, "Expected ',' or ']'"],
  ['+1', 0, "Unexpected token '+'"],
  ['.5', 0, "Unexpected token '.'"],
  ['[1 2]', 3, "Expected ',' or ']'"],
  ['[1,]', 3, 'Trailing comma'],
  ['[1', 2, 'Unexpected end of JSON'],
  ['[1}', 2, "Expected ',' or ']'"],
  ['[,1]', 1, "Unexpected token ','"],
  ['{"a":1,}', 7, 'Trailing comma'],
  ['{"a":1 "b"}', 7, "Expected ',' or '}'"],
  ['{"a" 1}', 5, "Expected ':'"],
  ['{"a":}', 5, "Unexpected token '}'"],
  ['{a:1}', 1, "Expected a property name in double quotes, found 'a'"],
  ["{'a':1}", 1, `Expected a property name in double quotes, found '''`],
  ['{', 1, 'Unexpected end of JSON'],
  ['{"a"', 4, 'Unexpected end of JSON'],
  ['{"a":1} {"a":2}', 8, 'more than one JSON value on the line'],
  ['{"a":1}{"a":2}', 7, 'more than one JSON value on the line'],
  ['2024-01-31', 4, "Unexpected token '-'"],
  ['1 x', 2, "Unexpected token 'x'"],
  ['NaN', 0, "Unexpected token 'N'"],
])('findJsonError(%j) is at %i: %s', (text, at, message) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError)
  expect(findJsonError(text)).toEqual({ at, message })
})

test('findJsonError finds the first character that no number goes on with', () => {
  const begun = /^-?(?:(?:0|[1-9]\d*)(?:\.(?:\d+(?:[eE](?:[+-]?\d*)?)?)?|[eE](?:[+-]?\d*)?)?)?$/
  const characters = '01.eE+-'
  for (let n = 0; n < characters.length ** 5; n++) {
    const text = Array.from({ length: 5 }, (_, i) => characters[Math.floor(n / 7 ** i) % 7]).join('')
    let at = 0
    while (at < text.length && begun.test(text.slice(0, at + 1))) at++
    const valid = at === text.length && Number.isFinite(Number(text)) && /\d$/.test(text)
    if (valid) expect(findJsonError(text)).toBeUndefined()
    else expect(findJsonError(text), text).toMatchObject({ at })
  }
})

test('findJsonError agrees with V8 on every small change of a valid text', () => {
  const text = '{"a":[1,-2.5e+3,0,true,null],"b\\u00e4\\n":{"c":"x"},"d":[],"e":{}} '
  const insertions = [
    '',
    ',',
    ':',
    '"',
    '{',
    '}',
    '[',
    ']',
    '0',
    '1',
    '-',
    '.',
    'e',
    '+',
    ' ',
    '\n',
    '\\',
    't',
    'n',
  ]
  let refused = 0
  for (let at = 0; at <= text.length; at++) {
    for (const insertion of insertions) {
      for (const removed of [0, 1]) {
        const changed = text.slice(0, at) + insertion + text.slice(at + removed)
        const error = findJsonError(changed)
        expect([changed, error === undefined]).toEqual([changed, isJson(changed)])
        if (error === undefined) continue
        refused++
        expect(error.at).toBeLessThanOrEqual(changed.length)
      }
    }
  }
  expect(refused).toBeGreaterThan(1000)
})

test('findJsonError does not overflow the stack, however deep the nesting', () => {
  expect(findJsonError('['.repeat(1_000_000))).toEqual({ at: 1_000_000, message: 'Unexpected end of JSON' })
  expect(findJsonError('{"a":'.repeat(300_000))?.at).toBe(1_500_000)
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
