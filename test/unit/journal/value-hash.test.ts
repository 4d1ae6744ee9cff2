// Equal values have one hash however they are spelled, and different ones have others.
import { describe, expect, test } from 'vitest'
import { ValueHash } from '../../../src/journal/value-hash.js'

function hashOf(text: string | Buffer, seed = 1): string {
  const hash = new ValueHash(seed)
  const bytes = Buffer.from(text as string)
  hash.json(bytes, 0, bytes.length)
  return `${hash.high}:${hash.low}`
}

function textHashOf(text: string): string {
  const hash = new ValueHash(1)
  const bytes = Buffer.from(text)
  hash.text(bytes, 0, bytes.length)
  return `${hash.high}:${hash.low}`
}

describe('one value has one hash', () => {
  test.each<[string, string, string]>([
    ['white space', '{"a":[1,{"b":null}]}', ' { "a" :\t[ 1 , { "b" : null } ]\r\n} '],
    ['the order of keys', '{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}'],
    ['escapes', '"aä\\/"', '"\\u0061\\u00e4/"'],
    ['half of a surrogate pair', '"\\ud800a"', '"\\uD800\\u0061"'],
    ['escapes in keys', '{"a\\u0062":1}', '{"ab":1}'],
    ['numbers', '[1,0,100,0.5,-2,-0]', '[1.0,0e5,1e2,5e-1,-2.00,-0.0]'],
    ['numbers that JavaScript cannot hold', '9007199254740993', '9007199254740992'],
    ['empty arrays and objects', '[{},[]]', '[ { } , [ ] ]'],
  ])('whatever its %s', (_, text, other) => {
    expect(JSON.parse(text)).toEqual(JSON.parse(other))
    expect(hashOf(other)).toBe(hashOf(text))
  })

  test('also as a line of text', () => {
    expect(textHashOf('a"b\\c ü')).toBe(hashOf(JSON.stringify('a"b\\c ü')))
  })
})

test('different values, and what is no JSON, have different hashes', () => {
  const texts = [
    ...[
      'null',
      'true',
      'false',
      '""',
      '"null"',
      '0',
      '"0"',
      '[]',
      '{}',
      '[[]]',
      '[{}]',
      '{"a":[]}',
      '[0]',
      '[0,0]',
    ],
    ...[
      '[1,2]',
      '[2,1]',
      '[[1],2]',
      '[1,[2]]',
      '{"a":1,"b":2}',
      '{"a":2,"b":1}',
      '{"a":{"b":1}}',
      '{"b":{"a":1}}',
    ],
    ...[
      '{"a":1}',
      '{"a":"1"}',
      '["a",1]',
      '"\\ud800"',
      '"\\ud801"',
      '"\\ufffd"',
      '{"\\ud800":1}',
      '{"\\ud801":1}',
      '"\\u0000"',
      '"\\u0000\\u0000"',
      '-1',
      '1',
      '1.5',
      '15',
      '1e21',
      '10',
    ],
    ...[
      '',
      '{',
      '[1',
      '[1,]',
      '{"a"}',
      '{"a":}',
      '{,}',
      '1 2',
      '"',
      '"\\"',
      'nul',
      'truex',
      '[1]]',
      '{"a" 1}',
    ],
    ...['"a', '01', '-', '1.', '+1', "'a'", '"\\x"'],
    ...Array.from({ length: 20_000 }, (_, i) => String(100 + i)),
    ...Array.from({ length: 20_000 }, (_, i) => `"item-${i}"`),
  ]
  expect(new Set(texts.map((text) => hashOf(text))).size).toBe(texts.length)
})

test('a value of any depth has a hash', () => {
  const deep = '['.repeat(20_000) + ']'.repeat(20_000)
  expect(hashOf(deep)).not.toBe(hashOf(`[${deep}]`))
})

test('another seed leads to other hashes', () => {
  expect(hashOf('{"a":1}', 2)).not.toBe(hashOf('{"a":1}', 1))
})

test('bytes that are not UTF-8 have a hash, too', () => {
  expect(hashOf(Buffer.from([0x22, 0xff, 0x22]))).not.toBe(hashOf(Buffer.from([0x22, 0xfe, 0x22])))
})
