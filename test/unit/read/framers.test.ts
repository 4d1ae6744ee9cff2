// The items that each framing finds in a text, whatever blocks its bytes arrive in, and the location of its errors.
import { describe, expect, test } from 'vitest'
import { advance, locate } from '../../../src/framing/location.js'
import { sliceChunk } from '../../../src/framing/slice.js'
import type { InputFraming } from '../../../src/model.js'
import type { Want } from '../../../src/source.js'
import fc from '../../helpers/fast-check.js'
import { runs } from '../../helpers/random.js'
import { payloadOf } from '../framing/chunks.js'
import { MANY, ONE, readAll, type SourceOptions, sourceOf, textOf, valuesOf } from './helpers.js'

const BOM = '\ufeff'

describe('a framer', () => {
  test.each<[InputFraming | undefined, string, unknown[]]>([
    ['ndjson', '', []],
    ['ndjson', ' \n\t\r\n\n', []],
    ['ndjson', '1\n"a"\n\n{"a":1}\n', [1, 'a', { a: 1 }]],
    ['ndjson', '1\r\n2\r\n \r\n3', [1, 2, 3]],
    ['ndjson', `${BOM}1\n2`, [1, 2]],
    ['ndjson', BOM, []],
    ['ndjson', '{"__proto__":1}\n', [JSON.parse('{"__proto__":1}')]],
    ['json', '', []],
    ['json', ' \n', []],
    ['json', '[]', []],
    ['json', ' [ \n ] \n', []],
    ['json', `${BOM}[1]`, [1]],
    ['json', '[1,"a,]\\"\\\\",[1,[2]],{"b":"}"}]', [1, 'a,]"\\', [1, [2]], { b: '}' }]],
    ['json', '[\r\n  1 ,\r\n  2\r\n]\r\n', [1, 2]],
    [
      'json',
      `["${'x'.repeat(40)}\\\\","${'\\"'.repeat(40)}",""]`,
      [`${'x'.repeat(40)}\\`, '"'.repeat(40), ''],
    ],
    ['lines', '', []],
    ['lines', '\n\r\n', []],
    ['lines', 'a\n\n b \r\n\r\nü', ['a', ' b ', 'ü']],
    ['lines', `${BOM}a`, ['a']],
    ['nul', '', []],
    ['nul', 'a\0\0b\n\0', ['a', '', 'b\n']],
    ['nul', 'a\0b', ['a', 'b']],
    [undefined, '', []],
    [undefined, '\n \n', []],
    [undefined, `${BOM} \n [1, 2]`, [1, 2]],
    [undefined, '\n{"a":1}\n2\n', [{ a: 1 }, 2]],
    [undefined, '-1\n', [-1]],
  ])('finds in %s %j the items %j, for every block and chunk size', async (framing, text, expected) => {
    const bytes = Buffer.from(text)
    for (let size = 1; size <= bytes.length + 1; size++) {
      for (const want of [ONE, MANY]) {
        const { values, error } = await readAll(sourceOf(text, framing, { blocks: [size] }), want)
        expect(error).toBeUndefined()
        expect(values).toEqual(expected)
      }
    }
  })
})

describe('chunks are the same at every split of the input', () => {
  test.each<[InputFraming, string]>([
    ['ndjson', `${BOM}{"a":"ä€😀"}\r\n\n  \n[1,\t2]\n"\\"\\\\"\n\n7`],
    ['json', ` [ {"a" : "ä,]€\\\\"} ,\n\n  "\\"${'😀'.repeat(9)}\\\\\\"",[[],[{}]]\n,-1.5e3 , null ] \n`],
    ['lines', `${BOM}ä\r\n\n\r\nb\n😀c`],
    ['nul', 'ä\n\0\0b😀\nc\0d'],
  ])('in %s', async (framing, text) => {
    const read = async (blocks: number[]) => {
      const { chunks } = await readAll(sourceOf(text, framing, { blocks }), ONE)
      return chunks.map((chunk) => ({ ...chunk, payload: textOf(chunk) }))
    }
    const size = Buffer.byteLength(text)
    const whole = await read([size])
    expect(whole.length).toBeGreaterThanOrEqual(3)
    const input = Buffer.from(text).toString('latin1')
    for (const { payload, origin } of whole) {
      expect(input.slice(origin!.offset, origin!.offset + payload.length)).toBe(payload)
    }
    for (let first = 1; first < size; first++) {
      expect(await read([first, 1000])).toEqual(whole)
      expect(await read([first, 1])).toEqual(whole)
    }
  })

  test('and slices of a chunk equal the chunks that smaller wants take', async () => {
    for (const [framing, text] of [
      ['ndjson', '{"ä":1}\n\n \n22\n"€"\n4'],
      ['json', '[{"ä":1},\n  22 , "€"\n,4]'],
      ['lines', 'ä\n\n22\r\n€\n4'],
      ['nul', 'ä\0\n\0€\x004'],
    ] as const) {
      const [whole] = (await readAll(sourceOf(text, framing))).chunks
      const singles = (await readAll(sourceOf(text, framing), ONE)).chunks
      const slices = singles.map((_, n) => {
        // Counts for the flow window as the same part of the whole.
        const { itemBytes, ...slice } = sliceChunk(whole!, n, n + 1)
        expect(itemBytes).toBe(Math.ceil(payloadOf(whole!).bytes.length / singles.length))
        return slice
      })
      expect(slices).toEqual(singles)
    }
  })
})

test.each([
  ['behind the first line', '[1,\ntru, 2]', false],
  ['behind a good one in a tolerant source', '[1, tru, 2]', true],
])('a bad element of a detected array is only found when it is parsed: %s', async (_, text, tolerant) => {
  const { values, error } = await readAll(sourceOf(text, undefined, { tolerant }))
  expect(error).toBeUndefined()
  expect(values).toEqual([1, { bad: 'Unexpected end of the array element' }, 2])
})

describe('the size of a chunk', () => {
  const items = Array.from({ length: 20 }, (_, n) => `"${'x'.repeat(n)}"`)

  test.each<[InputFraming, string]>([
    ['ndjson', items.join('\n')],
    ['json', `[${items.join(',')}]`],
    ['lines', items.join('\n')],
    ['nul', items.join('\0')],
  ])('never exceeds the wanted bytes, except for a single item: %s', async (framing, text) => {
    const { chunks, values } = await readAll(sourceOf(text, framing), { items: 100, bytes: 15 })
    expect(values).toHaveLength(20)
    for (const chunk of chunks) {
      if (chunk.count > 1) expect(textOf(chunk).length).toBeLessThanOrEqual(15)
    }
    expect(chunks.some((chunk) => chunk.count > 1)).toBe(true)
    expect(chunks.map((chunk) => chunk.seq)).toEqual(
      chunks.map((_, n) => chunks.slice(0, n).reduce((sum, { count }) => sum + count, 0)),
    )
  })

  test('never exceeds the wanted items', async () => {
    const { chunks } = await readAll(sourceOf('[1,2,3,4,5]', 'json'), { items: 2, bytes: 1000 })
    expect(chunks.map((chunk) => chunk.count)).toEqual([2, 2, 1])
  })
})

describe('an error has its location and comes after all items before it', () => {
  test.each<[InputFraming | undefined, string, unknown[], string]>([
    ['json', '[1,,2]', [1], 'in:1:4: item 1: missing element'],
    ['json', '[,1]', [], 'in:1:2: item 0: missing element'],
    ['json', '[1,\n]', [1], 'in:2:1: item 1: Trailing comma'],
    [
      'json',
      '[1, 2] x',
      [1, 2],
      'in:1:8: unexpected text after the JSON array; for one JSON value per line, use --input-format ndjson',
    ],
    [
      'json',
      '[1]]',
      [1],
      'in:1:4: unexpected text after the JSON array; for one JSON value per line, use --input-format ndjson',
    ],
    ['json', '[1}', [], "in:1:3: item 0: Unexpected token '}'"],
    ['json', '[1, {"a":2}}]', [1], "in:1:12: item 1: Unexpected token '}'"],
    [
      'json',
      '[1, 2',
      [1],
      'in:1:6: item 1: Unexpected end of JSON: the array is torn, its closing bracket is missing',
    ],
    [
      'json',
      '[1,',
      [1],
      'in:1:4: item 1: Unexpected end of JSON: the array is torn, its closing bracket is missing',
    ],
    [
      'json',
      '[',
      [],
      'in:1:2: item 0: Unexpected end of JSON: the array is torn, its closing bracket is missing',
    ],
    [
      'json',
      '[{"ä":1}\n',
      [{ ä: 1 }],
      'in:2:1: item 1: Unexpected end of JSON: the array is torn, its closing bracket is missing',
    ],
    ['json', '[1,"ab\n, 2]', [1], 'in:1:7: item 1: Bad control character in string'],
    ['json', '[1, {"a": [}', [1], "in:1:12: item 1: Unexpected token '}'"],
    [
      'json',
      '{"a":1}',
      [],
      "in:1:1: expected a JSON array, which begins with '['; for one JSON value per line, use --input-format ndjson",
    ],
    ['json', ' \n x', [], "in:2:2: expected a JSON array, which begins with '['"],
    [
      'ndjson',
      '1\n\n{"a":',
      [1],
      'in:3:6: item 1: Unexpected end of JSON; the last line is torn: it has no line end and is not complete',
    ],
    [
      'ndjson',
      '"ä"\n"ä',
      ['ä'],
      'in:2:3: item 1: Unterminated string; the last line is torn: it has no line end and is not complete',
    ],
    [
      undefined,
      'hello\nworld\n',
      [],
      'in:1:1: item 0: this is not JSON; for plain text, one item per line, use --input-format lines',
    ],
    [
      undefined,
      '\n2024-01-31 x\n',
      [],
      'in:2:1: item 0: this is not JSON; for plain text, one item per line, use --input-format lines',
    ],
    [
      undefined,
      'true story',
      [],
      'in:1:1: item 0: this is not JSON; for plain text, one item per line, use --input-format lines',
    ],
    // A line that only begins like an array.
    ...[
      ['[a].txt\n', [], "in:1:2: item 0: Unexpected token 'a'"],
      ['\n[info] started\n', [], "in:2:2: item 0: Unexpected token 'i'"],
      ['[2024-01-31] x', [], "in:1:6: item 0: Unexpected token '-'"],
      ['[test]', [], "in:1:3: item 0: Unexpected token 'e'"],
      ['[a', [], "in:1:2: item 0: Unexpected token 'a'"],
      ['[1].txt\n[2].txt\n', [1], 'in:1:4: unexpected text after the JSON array'],
      ['[1, 2] x', [1, 2], 'in:1:8: unexpected text after the JSON array'],
      ['[10, Downing St].txt\n', [10], "in:1:6: item 1: Unexpected token 'D'"],
      ['[]-x', [], 'in:1:3: unexpected text after the JSON array'],
    ].map(([text, before, fault]): [undefined, string, unknown[], string] => [
      undefined,
      String(text),
      before as unknown[],
      `${fault}; for plain text, one item per line, use --input-format lines`,
    ]),
    [
      undefined,
      '[1]\n[2]\n',
      [1],
      'in:2:1: unexpected text after the JSON array; for one JSON value per line, use --input-format ndjson',
    ],
    [
      undefined,
      '[1] {"a":2}',
      [1],
      'in:1:5: unexpected text after the JSON array; for one JSON value per line, use --input-format ndjson',
    ],
  ])('in %s %j', async (framing, text, before, message) => {
    const size = Buffer.byteLength(text)
    for (let block = 1; block <= size; block++) {
      for (const want of [ONE, MANY]) {
        const { values, error } = await readAll(sourceOf(text, framing, { blocks: [block] }), want)
        expect({ values, error }).toEqual({ values: before, error: message })
      }
    }
  })

  test('and ends the source', async () => {
    const source = sourceOf('[1,]', 'json')
    await source.next(MANY)
    expect(() => source.next(MANY)).toThrow('Trailing comma')
    expect(await source.next(MANY)).toBeUndefined()
  })

  test('but an element that is not JSON is only found when it is parsed', async () => {
    const { values, error } = await readAll(sourceOf('[1, tru, {"a" 1}, 1 2, [}, 3]', 'json'))
    expect(error).toBeUndefined()
    expect(values).toEqual([
      1,
      { bad: 'Unexpected end of the array element' },
      { bad: "Expected ':'" },
      { bad: "Expected ',' or ']'" },
      { bad: "Unexpected token '}'" },
      3,
    ])
  })
})

test('every chunk and every bad item has its line and column, wherever the input is cut', async () => {
  const start = { offset: 0, line: 1, column: 1 }
  const unit = fc.constantFrom(
    '\n',
    '\r\n',
    ' ',
    '\t',
    ' \n',
    '1',
    '"ä"',
    '{}',
    'x',
    '1.0.2',
    ',',
    '[',
    ']',
    '\0',
    '😀',
  )
  const framing = fc.constantFrom<InputFraming | undefined>('ndjson', 'json', 'lines', 'nul', undefined)
  const blocks = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(
      framing,
      fc.string({ unit, maxLength: 12 }),
      blocks,
      fc.boolean(),
      async (as, body, sizes, bom) => {
        const text = (bom ? BOM : '') + (as === 'json' ? `[${body}]` : body)
        const bytes = Buffer.from(text)
        const read = async (options: SourceOptions, want: Want) => {
          const { chunks, values, error } = await readAll(sourceOf(text, as, options), want)
          for (const { origin } of chunks) {
            const { line, column } = advance(
              start,
              bytes.subarray(bom ? 3 : 0),
              0,
              origin!.offset - (bom ? 3 : 0),
            )
            expect(origin).toMatchObject({ line, column })
          }
          const items = chunks.flatMap((chunk) => valuesOf(chunk).map((_, i) => locate(chunk, i, 0)))
          return { values, error, items }
        }
        const whole = await read({}, MANY)
        expect(await read({ blocks: sizes }, ONE)).toEqual(whole)
        expect(await read({ blocks: sizes }, MANY)).toEqual(whole)
        expect(await read({}, ONE)).toEqual(whole)
      },
    ),
    { numRuns: runs(2000) },
  )
})

describe('bytes that are not UTF-8', () => {
  const good = Buffer.from('"ä"\n')
  const bad = Buffer.from('"b\xff"\n', 'latin1')

  test.each<[InputFraming, Buffer, unknown[], string]>([
    [
      'ndjson',
      Buffer.concat([good, good, bad, good]),
      ['ä', 'ä'],
      'in:3:3: item 2: invalid UTF-8 (byte 12 of the input)',
    ],
    [
      'lines',
      Buffer.concat([good, bad, good]),
      ['"ä"'],
      'in:2:3: item 1: invalid UTF-8 (byte 7 of the input)',
    ],
    [
      'nul',
      Buffer.from('a\0\xc3\0b', 'latin1'),
      ['a'],
      'in:1:3: item 1: invalid UTF-8 (byte 2 of the input)',
    ],
    [
      'json',
      Buffer.from('["a",\n"b\xe2\x82", 3]', 'latin1'),
      ['a'],
      'in:2:3: item 1: invalid UTF-8 (byte 8 of the input)',
    ],
    [
      'json',
      Buffer.from('["\xed\xa0\x80"]', 'latin1'),
      [],
      'in:1:3: item 0: invalid UTF-8 (byte 2 of the input)',
    ],
  ])('are an error after the items before them: %s', async (framing, bytes, before, message) => {
    for (let block = 1; block <= bytes.length; block++) {
      for (const want of [ONE, MANY]) {
        const { values, error } = await readAll(sourceOf(bytes, framing, { blocks: [block] }), want)
        expect({ values, error }).toEqual({ values: before, error: message })
      }
    }
  })

  const twoBytes = { bad: 'Invalid UTF-8 (byte 2 of the item)' }
  test.each<[InputFraming, Buffer, unknown[]]>([
    ['ndjson', Buffer.concat([good, bad, good]), ['ä', twoBytes, 'ä']],
    ['lines', Buffer.concat([good, bad, good]), ['"ä"', twoBytes, '"ä"']],
    ['lines', Buffer.from('a\r\nbb\xff\r\nc', 'latin1'), ['a', twoBytes, 'c']],
    [
      'lines',
      Buffer.from('a\nbb\xc3\n\nb\xc3', 'latin1'),
      ['a', twoBytes, { bad: 'Invalid UTF-8 (byte 1 of the item)' }],
    ],
    ['nul', Buffer.from('a\0bb\xff\n\0\0c\0', 'latin1'), ['a', twoBytes, '', 'c']],
    ['nul', Buffer.from('bb\xed\xa0\x80', 'latin1'), [twoBytes]],
  ])('make only their item a bad one in a tolerant source: %s', async (framing, bytes, expected) => {
    for (let block = 1; block <= bytes.length; block++) {
      for (const want of [ONE, MANY]) {
        const source = sourceOf(bytes, framing, { tolerant: true, blocks: [block] })
        const { values, error } = await readAll(source, want)
        expect({ values, error }).toEqual({ values: expected, error: undefined })
      }
    }
  })

  test('in a torn last line end a tolerant source, too', async () => {
    const torn = Buffer.concat([good, bad, Buffer.from('"c\xff', 'latin1')])
    const { values, error } = await readAll(sourceOf(torn, 'ndjson', { tolerant: true }))
    expect(values).toHaveLength(2)
    expect(error).toMatch(/^in:3:3: item 2: Invalid UTF-8/)
  })

  test('are not seen in a character that two blocks share', async () => {
    const text = `"${'x'.repeat(256 * 1024 - 2)}€"\n`
    const { values, error } = await readAll(sourceOf(text, 'ndjson', { blocks: [256 * 1024] }))
    expect(error).toBeUndefined()
    expect(values).toEqual([JSON.parse(text)])
  })
})

describe('extreme sizes', () => {
  test.each<[InputFraming, string, string]>([
    ['ndjson', '"', '"\n'],
    ['json', '["', '"]'],
    ['lines', '', '\n'],
  ])('an item of 100 MB is read in linear time: %s', async (framing, head, tail) => {
    const text = Buffer.concat([Buffer.from(head), Buffer.alloc(100e6, 0x61), Buffer.from(tail)])
    const source = sourceOf(text, framing, { blocks: [64 * 1024] })
    const begun = performance.now()
    const chunk = await source.next(MANY)
    // Quadratic would be minutes.
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect(chunk?.count).toBe(1)
    expect(await source.next(MANY)).toBeUndefined()
  })

  test('an array nested a million levels deep overflows no stack', async () => {
    const depth = 1_000_000
    const text = `[${'['.repeat(depth)}${']'.repeat(depth)},1]`
    const source = sourceOf(text, 'json')
    expect(await source.next(ONE)).toMatchObject({ count: 1, payload: { bytes: { length: 2 * depth } } })
    expect((await readAll(source)).values).toEqual([1])
    const torn = await readAll(sourceOf('['.repeat(depth), 'json', { blocks: [1 << 16] }))
    expect(torn.error).toMatch(`in:1:${depth + 1}: item 0: Unexpected end`)
  })
})
