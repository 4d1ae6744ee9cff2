// The inputs that other CSV readers are tested with, and those on which readers differ, cut at every byte: the items
// must be those that csv-parse finds in the whole text.
import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import fc from '../../helpers/fast-check.js'
import { runs } from '../../helpers/random.js'
import { MANY, ONE, type Reading, readAll, type SourceOptions, sourceOf } from './helpers.js'

const CSV = { delimiter: ',' } as const
const TSV = { delimiter: '\t' } as const

const SPECTRUM = [
  'first,last,address,city,zip\nJohn,Doe,120 any st.,"Anytown, WW",08123\n',
  'a,b,c\n1,"",""\n2,3,4\n',
  'a,b,c\r\n1,"",""\r\n2,3,4\r\n',
  'a,b\n1,"ha ""ha"" ha"\n3,4\n',
  'a,b\r\n1,"ha ""ha"" ha"\r\n3,4\r\n',
  'key,val\n1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"\n',
  'a,b,c\n1,2,3\n"Once upon \na time",5,6\n7,8,9\n',
  'a,b,c\r\n1,2,3\r\n"Once upon \r\na time",5,6\r\n7,8,9\r\n',
  'a,b\n1,"ha \n""ha"" \nha"\n3,4\n',
  'a,b,c\n1,2,3\n',
  'a,b,c\n1,2,3\n4,5,ʤ\n',
  'Name,Place\r\n"Ю, ""Я""",東京\r\n,\r\n',
]

const PAPA = [
  'A,b,c',
  'A,b,c\nd,E,f',
  'A,b,c\rd,E,f',
  'A,b,c\r\nd,E,f',
  'a, b ,c',
  'A,"B",C',
  'A," B ",C',
  'A,"B,B",C',
  'A,"B\nB",C',
  'A,"B\rB",C',
  'A,"B\r\nB",C',
  'A,"B""B""B",C',
  'A,"""B""",C',
  'A,"""B"",",C\nd,e,f',
  'a,"b""c""d,e',
  'a,"b,c\nd,e,f',
  'a,"b,c\nd,"e,f',
  'a,"b"c,d\ne,f,g',
  'A,B "B"", C',
  'A, "B" ,C',
  'a,b,c\nd,e,"f"\n',
  'a,b,c\nd,e,"f"',
  'a,b,c\n"d","e","f"\r\n"g","h","i"',
  ',b,c\nd,e,f',
  'a,,c\nd,,f',
  'a,b,c,\nd,e,f,',
  'a,b,c\n\nd,e,f\n',
  'a,b,c\n \nd,e,f',
  'a,b,c\r\n\r\n\r\nd,e,f\r\n\r\n',
  '\n\na,b\n1,2',
  'a,b\n1,2,3\n4',
  ' a , b \n" c",d ',
  '\ufeffa,b\n1,2',
  '"\na",b\nc,"d\n"',
  '"a,",",b"\n",",",,"',
]

const CPYTHON = [
  '',
  'abc',
  'abc\ndef',
  '1,2,3,4,5',
  '1,2,3,"I think, therefore I am",5,6',
  '1,2,3,"""I see,"" said the blind man","as he picked up his hammer and saw"',
  '1,2,3,"""I see,""\nsaid the blind man","as he picked up his\nhammer and saw"\n9,8,7,6,5',
  '12,12,1",',
  ',',
  '""',
  '"",',
  ',""',
  '""""',
  '""""""',
  'a""b',
  'a"b"c',
  '"a"b',
  'a"b',
  '"a" "b"',
  ' "a"',
  '"ab"c',
  'ab\0c',
  '"ab\0c"',
  'a,"',
  '"a',
  'a,b\r',
  'a,b\r\n',
  'a,b\n',
  'a,b\rc,d',
  'a,b\r\rc,d',
  'a,b\n\rc,d',
  'a,b\r\n\r\nc,d',
  '1,",3,",5',
  '1,",3,",",\n,"',
  '"a\r",b\n"\r\n",d',
  `${'x'.repeat(300)},"${'y'.repeat(300)}"`,
]

/** What csv-parse finds in the whole text; `undefined` where it finds a fault, or reads what nobody can have meant. */
function rowsOf(text: string, delimiter: string): string[][] | undefined {
  // Only CRLF at the very end may have been cut after its CR.
  const whole = text.replace(/\r$/, '')
  try {
    const rows: string[][] = parse(whole, {
      bom: true,
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      relax_quotes: delimiter === '\t',
      skip_empty_lines: true,
    })
    return hasLoneCr(whole, delimiter) || hasNulAfterQuote(whole, delimiter) ? undefined : rows
  } catch {
    return undefined
  }
}

/** By regular expressions, so that a mistake in the scanner is not made here, too. */
function outsideQuotes(text: string, delimiter: string): string {
  const quoted = new RegExp(`(^|[${delimiter}\\n])"(?:[^"]|"")*"`, 'g')
  return text.replace(/^\ufeff/, '').replace(quoted, '$1Q')
}

const hasLoneCr = (text: string, delimiter: string) => /\r(?!\n)/.test(outsideQuotes(text, delimiter))
const hasNulAfterQuote = (text: string, delimiter: string) => outsideQuotes(text, delimiter).includes('Q\0')

function expected(text: string, delimiter: string): { values?: unknown[]; failed: boolean } {
  const rows = rowsOf(text, delimiter)
  if (rows === undefined) return { failed: true }
  const [names, ...records] = rows
  if (names === undefined) return { values: [], failed: false }
  if (new Set(names).size < names.length) return { values: [], failed: true }
  const wrong = records.findIndex((fields) => fields.length !== names.length)
  const good = wrong === -1 ? records : records.slice(0, wrong)
  const values = good.map((fields) => Object.fromEntries(fields.map((field, i) => [names[i], field])))
  return { values, failed: wrong !== -1 }
}

async function compare(text: string, blocks: readonly number[], options: SourceOptions): Promise<Reading> {
  const want = blocks.length % 2 === 0 ? ONE : MANY
  const reading = await readAll(sourceOf(text, 'csv', { ...options, blocks }), want)
  const { values, failed } = expected(text, options.dialect!.delimiter)
  const told = `${JSON.stringify(text)} in blocks of ${blocks}`
  if (values !== undefined) expect(reading.values, told).toEqual(values)
  expect(reading.error !== undefined, `${told}: ${reading.error}`).toBe(failed)
  return reading
}

async function compareAtEveryByte(text: string, options: SourceOptions): Promise<void> {
  const size = Math.max(1, Buffer.byteLength(text))
  const whole = await compare(text, [size], options)
  for (let first = 1; first < size; first++) {
    const { values, error } = await compare(text, [first, size], options)
    expect({ values, error }).toEqual({ values: whole.values, error: whole.error })
  }
  const { values, error } = await compare(text, [1], options)
  expect({ values, error }).toEqual({ values: whole.values, error: whole.error })
}

/** With a header before it, as wide as its first record. */
function withHeader(text: string, { delimiter }: typeof CSV | typeof TSV): string {
  const width = rowsOf(text, delimiter)?.[0]?.length ?? 2
  return `${Array.from({ length: width }, (_, i) => `h${i}`).join(delimiter)}\n${text.replace('\ufeff', '')}`
}

describe.each([
  ['csv-spectrum', SPECTRUM],
  ['Papa Parse', PAPA],
  ['CPython', CPYTHON],
])('the inputs of %s', (_, texts) => {
  test.each(texts.map((text) => [JSON.stringify(text.slice(0, 60)), text]))('%s', async (_name, text) => {
    await compareAtEveryByte(text, { dialect: CSV })
    await compareAtEveryByte(withHeader(text, CSV), { dialect: CSV })
    const tabs = text.replaceAll(',', '\t')
    await compareAtEveryByte(withHeader(tabs, TSV), { dialect: TSV })
  })
})

describe('what readers lose', () => {
  test.each<[string, unknown[]]>([
    ['a,b\n1,"x"', [{ a: '1', b: 'x' }]],
    ['a,b\n1,"x"\r', [{ a: '1', b: 'x' }]],
    ['a,b\n1,2\r', [{ a: '1', b: '2' }]],
    ['a,b\n1,""', [{ a: '1', b: '' }]],
    ['a,b\n"""",""""""', [{ a: '"', b: '""' }]],
    ['"a"\n"x"', [{ a: 'x' }]],
    ['a\n1\n\r', [{ a: '1' }]],
  ])('the end of a last record without a line end: %j', async (text, values) => {
    const size = Buffer.byteLength(text)
    for (let first = 1; first <= size; first++) {
      const reading = await readAll(sourceOf(text, 'csv', { dialect: CSV, blocks: [first, size] }))
      expect(reading).toMatchObject({ values, error: undefined })
    }
  })

  test('a blank line that a read has cut between CR and LF does not begin a record', async () => {
    const text = 'a\tb\n1\t2\n\r\n\t"x\n9\t8"\n3\t4\n'
    const values = [
      { a: '1', b: '2' },
      { a: '', b: 'x\n9\t8' },
      { a: '3', b: '4' },
    ]
    for (let first = 1; first < text.length; first++) {
      const reading = await readAll(sourceOf(text, 'csv', { dialect: TSV, blocks: [first, 100] }), ONE)
      expect(reading).toMatchObject({ values, error: undefined })
    }
  })

  const LONE_CR =
    "a carriage return without a line feed outside quotes: lines end with LF or CRLF (tr '\\r' '\\n' converts old files)"

  test.each<[string, unknown[], string]>([
    ['a,b\r1,2\r3,4\r', [], `in:1:1: ${LONE_CR}`],
    ['a,b\r', [], ''],
    ['a,b\n1,x\ry\n3,4\n', [], `in:2:1: item 0: ${LONE_CR}`],
    ['a,b\n1,2\n3,4\r5,6\r', [{ a: '1', b: '2' }], `in:3:1: item 1: ${LONE_CR}`],
    ['a,b\n1,"2"\r3\n', [], `in:2:1: item 0: ${LONE_CR}`],
    ['a,b\n1,"2"\r3', [], `in:2:1: item 0: ${LONE_CR}`],
    ['a,b\n1,2\n\r3,4\n', [{ a: '1', b: '2' }], `in:3:1: item 1: ${LONE_CR}`],
    ['a,b\n1,"x"\0', [], 'in:2:1: item 0: text after a closing quote'],
    ['a,b\n1,"x"\0\n', [], 'in:2:1: item 0: text after a closing quote'],
    [
      'a,b\n1,2\n1,é"x"\n',
      [{ a: '1', b: '2' }],
      'in:3:1: item 1: a quote inside a field that does not begin with one',
    ],
    ['a,b\n1,x\ry,"z\n', [], `in:2:1: item 0: ${LONE_CR}`],
    ['a,b\n1,2\n3,\xff\n5,"6\n', [{ a: '1', b: '2' }], 'in:3:3: item 1: invalid UTF-8'],
    ['a,b\n1,"x\n', [], 'in:2:1: item 0: a quote that is opened here is never closed: the input is torn'],
  ])('%j is no data that nobody meant', async (text, values, message) => {
    const size = Buffer.byteLength(text)
    for (let first = 1; first <= size; first++) {
      const { values: found, error } = await readAll(
        sourceOf(Buffer.from(text, text.includes('\xff') ? 'latin1' : 'utf8'), 'csv', {
          dialect: CSV,
          blocks: [first, size],
        }),
      )
      expect({ found, error: error ?? '' }).toEqual({ found: values, error: message })
    }
  })

  test.each(['a,b\r', 'a,b\n'])('CR line ends after %j are refused before all was read', async (header) => {
    const text = `${header}${'1,2\r'.repeat(100_000)}`
    let read = 0
    const source = sourceOf(text, 'csv', { dialect: CSV, blocks: [4096] })
    const reading = await readAll({
      ...source,
      next: (want) => {
        read++
        return source.next(want)
      },
    })
    expect(reading.error).toContain('carriage return')
    expect(read).toBe(1)
  })

  test('in a tolerant source only the record at fault, and a torn last one', async () => {
    const text = 'a,b\n1,x\ry\n2,"x"z\n3,4\n5,\r6\n7\n8,9\n10'
    const bad = (message: string) => ({ bad: expect.stringContaining(message) })
    for (let first = 1; first < text.length; first++) {
      const options = { dialect: CSV, tolerant: true, blocks: [first, 100] }
      const { values, error } = await readAll(sourceOf(text, 'csv', options))
      expect(values).toEqual([
        bad('in:2:1: a carriage return'),
        bad('in:3:1: text after'),
        { a: '3', b: '4' },
        bad('in:5:1: a carriage return'),
        bad('in:6:1: expected 2 fields'),
        { a: '8', b: '9' },
      ])
      expect(error).toBe(
        'in:8:1: item 6: expected 2 fields as in the header, found 1; the last line is torn: it has no line end and is not complete',
      )
    }
  })
})

test('any text is read as csv-parse reads it, wherever it is cut', async () => {
  const unit = fc.constantFrom('"', '"', ',', '\t', '\n', '\r', '\r\n', 'a', ' ', 'é', '\0')
  const text = fc.string({ unit, maxLength: 24 })
  const dialect = fc.constantFrom(CSV, TSV)
  await fc.assert(
    fc.asyncProperty(text, dialect, fc.integer({ min: 1, max: 30 }), async (body, { delimiter }, first) => {
      const options = { dialect: delimiter === ',' ? CSV : TSV }
      await compare(`x${delimiter}y\n${body}`, [first, 100], options)
      await compare(body, [first, 1], options)
    }),
    { numRuns: runs(1500) },
  )
})
