// Results as rows of CSV and TSV, against csv-stringify and csv-parse as the reference.
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { describe, expect, test } from 'vitest'
import { Table } from '../../../src/write/table.js'
import fc from '../../helpers/fast-check.js'

const linesOf = (...values: readonly unknown[]) =>
  Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''))
const tableOf = (delimiter = ',') => new Table('csv', delimiter, stringify)

function written(table: Table, ...values: readonly unknown[]): string {
  return Buffer.from(table.rows(linesOf(...values))).toString()
}

describe('a table', () => {
  test.each<[unknown[], string]>([
    [[{ a: 1, b: 'x' }], 'a,b\n1,x\n'],
    [[{ a: 1, b: 2 }, { b: 3, a: 4 }, { b: 5 }, {}], 'a,b\n1,2\n4,3\n,5\n,\n'],
    [
      [
        { a: null, b: true },
        { a: -1.5e-7, b: '' },
      ],
      'a,b\n,true\n-1.5e-7,\n',
    ],
    [[{ a: { n: [1, 'x'] }, b: [] }], 'a,b\n"{""n"":[1,""x""]}",[]\n'],
    [
      [
        { a: 'x,y', b: 'say "hi"' },
        { a: 'l1\nl2', b: '\r' },
      ],
      'a,b\n"x,y","say ""hi"""\n"l1\nl2","\r"\n',
    ],
    [
      [
        { a: 'tab\there', b: '\\' },
        { a: 'ä€😀', b: '\u2028' },
      ],
      'a,b\ntab\there,\\\nä€😀,\u2028\n',
    ],
    [[{ 'x,y': 1, 'q"': 2, '': 3 }], '"x,y","q""",\n1,2,3\n'],
    [[{ a: null }, { a: '' }, { a: 1 }, {}], 'a\n""\n""\n1\n""\n'],
    [[JSON.parse('{"__proto__":1,"a":2}')], '__proto__,a\n1,2\n'],
    [[], ''],
  ])('has rows for %j', (values, expected) => {
    const table = tableOf()
    expect(table.begin(linesOf(...values))).toBe(values.length > 0)
    expect(table.check(linesOf(...values))).toEqual([])
    expect(written(table, ...values)).toBe(expected)
  })

  test('writes its header once, and takes it from the first result that has keys', () => {
    const table = tableOf()
    expect(table.begin(linesOf({}))).toBe(false)
    expect(table.begin(linesOf({}, { b: 1, a: 2 }, { c: 1 }))).toBe(true)
    expect([written(table, { b: 1 }), written(table), written(table, { a: 2 })]).toEqual([
      'b,a\n1,\n',
      '',
      ',2\n',
    ])
  })

  test.each([
    [';', { a: 'x;y', b: 'x,y' }, 'a;b\n"x;y";x,y\n'],
    ['|', { a: 'x|y', b: 1 }, 'a|b\n"x|y"|1\n'],
    ['§', { a: 'x§y', b: 'Â' }, 'a§b\n"x§y"§Â\n'],
    ['.', { a: 1.5, b: 1 }, 'a.b\n"1.5".1\n'],
    ['u', { a: true, b: null }, 'aub\n"true"u\n'],
    [' ', { a: 'x y', b: 1 }, 'a b\n"x y" 1\n'],
  ])('separates by %j', (delimiter, value, expected) => {
    expect(written(tableOf(delimiter), value)).toBe(expected)
  })

  test('separates tsv by tabs, and quotes as csv does', () => {
    const table = new Table('tsv', ',', stringify)
    expect(written(table, { a: 'x\ty', b: 'x,y' })).toBe('a\tb\n"x\ty"\tx,y\n')
  })
})

describe('a result that is not a row', () => {
  const failures = (table: Table, lines: Buffer) =>
    table.check(lines).map(({ line, failure }) => [line, failure.kind === 'encoding' && failure.path])

  test('is named by its line, and its path', () => {
    const table = tableOf()
    table.begin(linesOf({ a: 1, b: 2 }))
    const lines = linesOf(
      { a: 1 },
      { a: 1, c: { d: '}' } },
      { 'a"': 1 },
      5,
      [1],
      null,
      'x',
      { b: 1, a: [2] },
      { A: 1 },
    )
    expect(failures(table, lines)).toEqual([
      [1, 'c'],
      [2, 'a"'],
      [3, ''],
      [4, ''],
      [5, ''],
      [6, ''],
      [8, 'A'],
    ])
    expect(table.check(lines)[0]).toMatchObject({ failure: { side: 'result', preview: '{"d":"}"}' } })
  })

  test('fails the whole item if it is one of several', () => {
    const table = tableOf()
    const lines = Buffer.from(
      '\x1e\n\x1e{"a":1}\x1e{"a":2}\n\x1e{"a":1}\x1e{"b":2}\x1e{"c":3}\n\x1e{"a":1}\x1e7\n',
    )
    expect(table.begin(lines)).toBe(true)
    expect(failures(table, lines)).toEqual([
      [2, '[1].b'],
      [3, '[1]'],
    ])
  })

  test('is one without keys as long as there is no header', () => {
    const table = tableOf()
    expect(failures(table, Buffer.from('\x1e\n{}\n'))).toEqual([[1, '']])
  })
})

const cell = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'a', ',', '"', '\n', '\r', ' x ', '\\', '\\"', '{', '}', ':'),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 2 }),
)
const textOf = (value: unknown) =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)

test.each([',', ';', '\t', 'e', '€'])('any rows can be read again, separated by %j', (delimiter) => {
  const rows = fc
    .uniqueArray(fc.string({ unit: 'binary', minLength: 1 }), { minLength: 1, maxLength: 4 })
    .filter((names) => !names.some((name) => /^\d+$/.test(name)) && names[0]![0] !== '\ufeff')
    .chain((names) =>
      fc.tuple(fc.constant(names), fc.array(fc.array(cell, { maxLength: names.length }), { minLength: 1 })),
    )
  fc.assert(
    fc.property(rows, ([names, cells]) => {
      const whole = names.map(() => 0)
      const values = [whole, ...cells].map((row) =>
        Object.fromEntries(row.map((value, i) => [names[i]!, value])),
      )
      const table = tableOf(delimiter)
      table.begin(linesOf(...values))
      expect(table.check(linesOf(...values))).toEqual([])
      const text = written(table, ...values)
      const utf8 = (value: string) => Buffer.from(value).toString()
      expect(parse(text, { delimiter, record_delimiter: '\n' })).toEqual([
        names.map(utf8),
        ...[whole, ...cells].map((row) => names.map((_, i) => utf8(textOf(row[i])))),
      ])
    }),
    { numRuns: 300 },
  )
})
