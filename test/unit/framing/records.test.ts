// Chunks of CSV and TSV as they are in the input must mean what the same records mean as lines of JSON, whatever is done
// with them.

import { setFlagsFromString } from 'node:v8'
import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import { type BytesPayload, isJsonText, itemRanges, itemText, withLines } from '../../../src/framing/items.js'
import { readItems } from '../../../src/framing/parse.js'
import { sliceChunk } from '../../../src/framing/slice.js'
import { strideChunk } from '../../../src/framing/stride.js'
import { ItemKeys } from '../../../src/journal/item-keys.js'
import type { Chunk } from '../../../src/model.js'
import { batchItems } from '../../../src/read/batches.js'
import { asSingleItem } from '../../../src/read/single-call.js'
import fc from '../../helpers/fast-check.js'
import { runs } from '../../helpers/random.js'
import { MANY, ONE, readAll, sourceOf, valuesOf } from '../read/helpers.js'
import { payloadOf } from './chunks.js'

const TWO = { items: 2, bytes: 1000 }

interface RandomTable {
  readonly text: string
  readonly delimiter: string
  readonly names: readonly string[]
}

const NAMES = ['a', '2', '1', '', '__proto__', 'constructor', 'toJSON', 'é', 'a "b"', 'x\ny', '\\', '[']

/** One that must be quoted is, others at random. TSV has text that only looks quoted, too. */
const table: fc.Arbitrary<RandomTable> = fc
  .record({
    delimiter: fc.constantFrom(',', ';', '\t', ' ', '§', '😀'),
    names: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 5 }),
    isAscii: fc.boolean(),
  })
  .chain(({ delimiter, names, isAscii }) => {
    const special = ['"', '\r', '\n', delimiter, '\0', '\u0001', '[', '{', '\\', ' ']
    const unit = fc.constantFrom('a', 'b', '7', ...special, ...(isAscii ? [] : ['é', '語', '😀', '\u2028']))
    const odd =
      delimiter === '\t'
        ? fc.constantFrom('5" disk', '"a"b', '"a""b"c"d"', '""x', '"a" "b"')
        : fc.constant('a')
    const field = fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.string({ unit, maxLength: 40 }), fc.boolean())
          .map(([content, quotes]) => quoted(content, delimiter, quotes)),
      },
      { weight: 1, arbitrary: odd },
    )
    const lineEnd = fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\n\r\n')
    const record = fc.tuple(fc.array(field, { minLength: names.length, maxLength: names.length }), lineEnd)
    return fc.tuple(fc.array(record, { maxLength: 12 }), fc.boolean()).map(([records, endsWithLine]) => {
      const header = `${names.map((name) => quoted(name, delimiter, true)).join(delimiter)}\n`
      // One empty field without quotes would be an empty line.
      const lines = records.map(([fields, end]) => `${fields.join(delimiter) || '""'}${end}`).join('')
      return { text: header + (endsWithLine ? lines : lines.replace(/[\r\n]+$/, '')), delimiter, names }
    })
  })

function quoted(content: string, delimiter: string, always: boolean): string {
  const isPlain = !always && !/["\r\n\0]/.test(content) && !content.includes(delimiter)
  return isPlain ? content : `"${content.replaceAll('"', '""')}"`
}

/** What csv-parse finds in the whole text. */
function parsed({ text, delimiter, names }: RandomTable): string[] {
  const rows: string[][] = parse(text, {
    delimiter,
    record_delimiter: ['\r\n', '\n'],
    relax_quotes: delimiter === '\t',
    skip_empty_lines: true,
  })
  return rows.slice(1).map((fields) => {
    return `{${fields.map((field, i) => `${JSON.stringify(names[i])}:${JSON.stringify(field)}`).join(',')}}`
  })
}

function linesOf(chunk: Chunk): Chunk {
  return { ...chunk, payload: withLines(payloadOf(chunk)) }
}

function textsOf(payload: BytesPayload): (string | undefined)[] {
  return Array.from(itemRanges(payload), (_, offset) => itemText(payload, offset))
}

function hashesOf(chunk: Chunk, pointer?: readonly string[]): number {
  return new ItemKeys(7, pointer).digest(chunk, 0)
}

async function chunksOf({ text, delimiter }: RandomTable, block: number, items: number): Promise<Chunk[]> {
  const source = sourceOf(text, 'csv', { dialect: { delimiter }, blocks: [block] })
  const { chunks, error } = await readAll(source, { items, bytes: 1000 })
  expect(error).toBe(undefined)
  return chunks
}

describe('good records of CSV and TSV', () => {
  test('are the objects and the texts that csv-parse makes of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (given, block, items) => {
          const chunks = await chunksOf(given, block, items)
          const expected = parsed(given)
          expect(chunks.map(({ payload }) => payloadOf({ payload } as Chunk).framing)).toEqual(
            chunks.map(() => 'csv'),
          )
          expect(chunks.flatMap((chunk) => textsOf(payloadOf(chunk)))).toEqual(expected)
          const values = chunks.flatMap(valuesOf)
          expect(values).toEqual(expected.map((text) => JSON.parse(text)))
          expect(values.map((value) => JSON.stringify(value))).toEqual(
            expected.map((text) => JSON.stringify(JSON.parse(text))),
          )
        },
      ),
      { numRuns: runs(200) },
    )
  })

  test('are to every stage what their lines of JSON are', async () => {
    const range = fc.tuple(fc.nat(6), fc.nat(6), fc.integer({ min: 1, max: 3 }))
    await fc.assert(
      fc.asyncProperty(table, range, async (given, [from, to, step]) => {
        const [chunk] = await chunksOf(given, 10_000, 1000)
        if (chunk === undefined) return
        const lines = linesOf(chunk)
        const same = (part: Chunk, ofLines: Chunk) => {
          expect(part.count).toBe(ofLines.count)
          expect(valuesOf(part)).toEqual(valuesOf(ofLines))
          expect(textsOf(payloadOf(part))).toEqual(textsOf(payloadOf(ofLines)))
          expect(isJsonText(payloadOf(part))).toBe(isJsonText(payloadOf(ofLines)))
          expect(hashesOf(part)).toBe(hashesOf(ofLines))
          expect(hashesOf(part, [given.names[0]!])).toBe(hashesOf(ofLines, [given.names[0]!]))
        }
        same(chunk, lines)
        const end = Math.min(to, chunk.count)
        if (from < end) same(sliceChunk(chunk, from, end), sliceChunk(lines, from, end))
        if (from < end) same(strideChunk(chunk, from, end, step), strideChunk(lines, from, end, step))
        const batched = (whole: Chunk): Chunk => ({
          ...whole,
          count: Math.ceil(whole.count / step),
          payload: { ...payloadOf(whole), batch: step },
        })
        same(batched(chunk), batched(lines))
      }),
      { numRuns: runs(200) },
    )
  })

  test('are batches and arguments, however their chunks are cut', async () => {
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 60 }), async (given, block) => {
        const items = parsed(given).map((text) => JSON.parse(text))
        const source = () => sourceOf(given.text, 'csv', { dialect: given, blocks: [block] })
        const { values } = await readAll(batchItems(source(), 3))
        expect(values).toEqual(items.flatMap((_, i) => (i % 3 === 0 ? [items.slice(i, i + 3)] : [])))
        const one = await asSingleItem(source()).next(MANY)
        expect(valuesOf(one!)).toEqual([items])
      }),
      { numRuns: runs(100) },
    )
  })

  test('are passed on as they are, and share the memory of what was read', async () => {
    const { chunks } = await readAll(
      sourceOf('a,b\n1,"x ""y"""\r\n\n3,é\n', 'csv', { dialect: { delimiter: ',' } }),
    )
    expect(chunks).toMatchObject([{ count: 2, payload: { framing: 'csv', table: { names: ['a', 'b'] } } }])
    expect(Buffer.from(payloadOf(chunks[0]!).bytes).toString()).toBe('1,"x ""y"""\r\n\n3,é\n')
  })

  test('become lines of JSON in a chunk that has a bad one', async () => {
    const options = { dialect: { delimiter: ',' }, tolerant: true }
    const { chunks, values } = await readAll(sourceOf('a,b\n1,2\n3\n5,6\n7,8\n', 'csv', options), {
      items: 3,
      bytes: 1000,
    })
    expect(chunks.map(({ count, payload }) => [count, payloadOf({ payload } as Chunk).framing])).toEqual([
      [3, 'records'],
      [1, 'csv'],
    ])
    expect(values).toEqual([
      { a: '1', b: '2' },
      { bad: 'in:3:1: expected 2 fields as in the header, found 1' },
      { a: '5', b: '6' },
      { a: '7', b: '8' },
    ])
  })

  test.each<[string, object]>([
    ['replaceAll', String.prototype],
    ['latin1Slice', Buffer.prototype],
    ['utf8Slice', Buffer.prototype],
    ['toString', Buffer.prototype],
    ['parse', JSON],
    ['stringify', JSON],
    ['apply', Reflect],
    ['from', Array],
  ])('are read in a process in which a job has replaced %s', async (name, owner) => {
    const text = 'a,b\n1,"x ""y"""\n3,"é ""z"""\n'
    const { chunks } = await readAll(sourceOf(text, 'csv', { dialect: { delimiter: ',' } }), ONE)
    const original = Object.getOwnPropertyDescriptor(owner, name)!
    Object.defineProperty(owner, name, { ...original, value: () => 'replaced' })
    let values: unknown[]
    try {
      values = [readItems(payloadOf(chunks[0]!)).next(), readItems(payloadOf(chunks[1]!)).next()]
    } finally {
      Object.defineProperty(owner, name, original)
    }
    expect(values).toEqual([
      { a: '1', b: 'x "y"' },
      { a: '3', b: 'é "z"' },
    ])
  })

  test.each([1, 20, 100])('have one hidden class after the first few: %i fields', async (width) => {
    const row = (text: string) => `${Array.from({ length: width }, (_, i) => text + i).join(',')}\n`
    const text = row('n') + row('a').repeat(100) + row('b')
    const { values } = await readAll(sourceOf(text, 'csv', { dialect: { delimiter: ',' } }), TWO)
    expect(values).toHaveLength(101)
    expect(Object.entries(values[100]!).at(-1)).toEqual([`n${width - 1}`, `b${width - 1}`])
    expect(values.slice(-50).every((value) => haveSameMap(value, values[100]))).toBe(true)
  })
})

/** Of V8: whether two objects have one hidden class. */
function haveSameMap(a: unknown, b: unknown): boolean {
  setFlagsFromString('--allow-natives-syntax')
  return new Function('a', 'b', 'return %HaveSameMap(a, b)')(a, b)
}
