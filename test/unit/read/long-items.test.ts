// An item that exceeds the limit while it is read: its bytes are dropped, it fails, and what follows it is read on.
import { describe, expect, test } from 'vitest'
import { TOO_LONG } from '../../../src/framing/bytes.js'
import { itemText } from '../../../src/framing/items.js'
import { locate, locationText } from '../../../src/framing/location.js'
import { packToWorker, unpackToWorker } from '../../../src/ipc/pack.js'
import type { InputFraming } from '../../../src/model.js'
import fc from '../../helpers/fast-check.js'
import { MANY, ONE, readAll, type SourceOptions, sourceOf, valuesOf } from './helpers.js'

const LIMIT = 12
const dialect = { delimiter: ',' }
const BAD = { bad: TOO_LONG }
const x = (count: number) => 'x'.repeat(count)

/** Cuts at every byte, in blocks of up to `LIMIT` bytes: larger ones may hold a whole long item. */
function* splits(): Generator<readonly number[]> {
  for (let size = 1; size <= LIMIT; size++) {
    yield [size]
    yield [size, LIMIT]
  }
}

async function read(text: string, framing: InputFraming | undefined, options: SourceOptions, want = MANY) {
  const source = sourceOf(text, framing, { dialect, maxItemBytes: LIMIT, ...options })
  const { chunks, values, error } = await readAll(source, want)
  const locations = chunks.flatMap((chunk) =>
    Array.from({ length: chunk.count }, (_, offset) => locationText(locate(chunk, offset, 0))),
  )
  const indexes = chunks.flatMap(({ seq, count }) => Array.from({ length: count }, (_, n) => seq + n))
  expect(indexes).toEqual(values.map((_, index) => index))
  return { values, locations, error }
}

describe('an item over the limit', () => {
  test.each<[InputFraming | undefined, string, unknown[], string[]]>([
    ['ndjson', `1\n"${x(40)}"\n3\n`, [1, BAD, 3], ['in:1:1', 'in:2:1', 'in:3:1']],
    ['ndjson', `"${x(40)}"\r\n\n  \n"${x(40)}"`, [BAD, BAD], ['in:1:1', 'in:4:1']],
    ['ndjson', `1\n${x(40)}\n`, [1, BAD], ['in:1:1', 'in:2:1']],
    // Its tail looks like a blank line, or like an item.
    ['ndjson', `"${x(30)}"${' '.repeat(30)}\n2\n`, [BAD, 2], ['in:1:1', 'in:2:1']],
    ['ndjson', `${x(30)} 7 8 9\n2\n`, [BAD, 2], ['in:1:1', 'in:2:1']],
    // White space around lines is not an item.
    ['ndjson', `1\n${' '.repeat(40)}\n2\n${' '.repeat(40)}`, [1, 2], ['in:1:1', 'in:3:1']],
    ['ndjson', `1\n${' '.repeat(40)}"${x(40)}"\n2`, [1, BAD, 2], ['in:1:1', 'in:2:41', 'in:3:1']],
    [undefined, `"${x(40)}"\n2\n`, [BAD, 2], ['in:1:1', 'in:2:1']],
    ['lines', `a\n${x(40)}\r\nb\n`, ['a', BAD, 'b'], ['in:1:1', 'in:2:1', 'in:3:1']],
    ['lines', `${' '.repeat(40)}\n\nb`, [BAD, 'b'], ['in:1:1', 'in:3:1']],
    ['lines', `a\n${'ä😀'.repeat(10)}`, ['a', BAD], ['in:1:1', 'in:2:1']],
    [
      'nul',
      `a\0${'ä😀\n'.repeat(10)}z\0\0b`,
      ['a', BAD, '', 'b'],
      ['in:1:1', 'in:1:3', 'in:11:3', 'in:11:4'],
    ],
    ['json', `[1,\n"${x(40)}", 3]`, [1, BAD, 3], ['in:1:2', 'in:2:1', 'in:2:45']],
    [
      'json',
      `[ {"a":\n["${'],\\"\\\\'.repeat(9)}"],"b":\n[{}]} \n,[2]\n,   "${'ä'.repeat(40)}"]\n`,
      [BAD, [2], BAD],
      ['in:1:3', 'in:4:2', 'in:5:5'],
    ],
    ['json', `[1${' '.repeat(40)},\n${' '.repeat(40)}2]`, [BAD, 2], ['in:1:2', 'in:2:41']],
    [undefined, `[${'1'.repeat(40)},\n${' '.repeat(40)}2]`, [BAD, 2], ['in:1:2', 'in:2:41']],
  ])('fails alone wherever the input is cut: %s %j', async (framing, text, values, locations) => {
    for (const blocks of splits())
      for (const tolerant of [false, true])
        for (const want of [ONE, MANY]) {
          const found = await read(text, framing, { blocks, tolerant }, want)
          expect(found, String(blocks)).toEqual({ values, locations, error: undefined })
        }
  })

  const header = 'a,b\n'
  const csvBad = (location: string, message = TOO_LONG) => ({ bad: `${location}: ${message}` })

  test.each<[string, unknown[]]>([
    [`1,2\n3,${x(40)}\n5,6\n`, [{ a: '1', b: '2' }, csvBad('in:3:1'), { a: '5', b: '6' }]],
    [`"${'1,""\r\n'.repeat(9)}",2\r\n\r\n5,6`, [csvBad('in:2:1'), { a: '5', b: '6' }]],
    // It has another fault, which is what a shorter record fails with, too.
    [
      `x"${x(40)},1\n5,6\n`,
      [csvBad('in:2:1', 'a quote inside a field that does not begin with one'), { a: '5', b: '6' }],
    ],
    [`${x(11)}${','.repeat(40)}\r\n5,6\n`, [csvBad('in:2:1'), { a: '5', b: '6' }]],
  ])('is a bad record of CSV in a tolerant source: %j', async (text, values) => {
    for (const blocks of splits())
      for (const want of [ONE, MANY]) {
        const found = await read(header + text, 'csv', { blocks, tolerant: true }, want)
        expect(found, String(blocks)).toMatchObject({ values, error: undefined })
      }
  })

  test.each<[InputFraming, boolean, string, unknown[], string]>([
    ['csv', false, `${header}1,2\n3,${x(40)}\n5,6\n`, [{ a: '1', b: '2' }], `in:3:1: item 1: ${TOO_LONG}`],
    // As any last record without its line end.
    ['csv', true, `${header}1,2\n3,${x(40)}`, [{ a: '1', b: '2' }], `in:3:1: item 1: ${TOO_LONG}`],
    [
      'csv',
      true,
      `${header}"${x(40)}\n5,6\n`,
      [],
      'in:2:1: item 0: a quote that is opened here is never closed: the input is torn',
    ],
    ['csv', true, `a,${x(40)}\n5,6\n`, [], `in:1:1: ${TOO_LONG} in the header`],
    ['json', true, `[1,\n"${x(40)}`, [1], `in:2:1: item 1: ${TOO_LONG}`],
    ['json', true, `[1,\n"${x(40)}"`, [1], `in:2:1: item 1: ${TOO_LONG}`],
    ['json', true, `[1,\n "${x(40)}"},3]`, [1], `in:2:2: item 1: ${TOO_LONG}`],
    ['json', true, `["${x(40)}",]`, [BAD], 'in:1:45: item 1: Trailing comma'],
    ['json', true, `[1,"${x(40)}"\n `, [1], `in:1:4: item 1: ${TOO_LONG}`],
  ])('ends the input where a shorter one does: %s %s %j', async (framing, tolerant, text, values, error) => {
    for (const blocks of splits())
      for (const want of [ONE, MANY]) {
        const found = await read(text, framing, { blocks, tolerant }, want)
        expect({ values: found.values, error: found.error }, String(blocks)).toEqual({ values, error })
      }
  })

  test('leaves every other item as it is', async () => {
    const character = fc.constantFrom('x', 'ä', '😀', '"', '\\', ',', '[', '}', '\r', '\n', ' ')
    const texts = fc.array(fc.string({ unit: character, maxLength: 30 }), { maxLength: 8 })
    const blocks = fc.array(fc.integer({ min: 1, max: LIMIT }), { minLength: 1, maxLength: 4 })
    const formats: Record<InputFraming, (texts: string[]) => string> = {
      ndjson: (all) => all.map((text) => `${JSON.stringify(text)}\r\n`).join(' \n'),
      json: (all) => `[${all.map((text) => `\n${JSON.stringify(text)} `).join(',')}]`,
      lines: (all) => all.map((text) => `${JSON.stringify(text)}\n`).join('\n'),
      nul: (all) => all.map((text) => `${text}\0`).join(''),
      csv: (all) => `a\n${all.map((text) => `"${text.replaceAll('"', '""')}"\r\n`).join('\n')}`,
    }
    const framings = fc.constantFrom(...(Object.keys(formats) as InputFraming[]))
    await fc.assert(
      fc.asyncProperty(framings, texts, blocks, fc.boolean(), async (framing, all, sizes, one) => {
        const text = formats[framing](all)
        const options = { tolerant: true, blocks: sizes }
        const whole = await read(text, framing, { ...options, maxItemBytes: Number.POSITIVE_INFINITY })
        const found = await read(text, framing, options, one ? ONE : MANY)
        expect(found).toMatchObject({ locations: whole.locations, error: undefined })
        expect(found.values).toHaveLength(all.length)
        for (const [i, value] of found.values.entries()) {
          const bytes = Buffer.byteLength(formats[framing]([all[i]!]))
          const isBad = JSON.stringify(value)?.includes(TOO_LONG)
          if (!isBad) expect(value).toEqual(whole.values[i])
          // Shorter items have no more bytes than this, longer ones are not read together with their end.
          if (bytes <= LIMIT) expect(isBad).toBe(false)
          if (bytes > 2 * LIMIT + 6) expect(isBad).toBe(true)
        }
      }),
      { numRuns: 350 },
    )
  })

  test('is counted once among the items that are left', async () => {
    for (const [framing, text] of [
      ['ndjson', `1\n"${x(40)}"\n3\n`],
      ['json', `[1,"${x(40)}",3]`],
      ['csv', `a\n1\n${x(40)}\n3\n`],
    ] as const)
      for (const blocks of splits()) {
        const source = sourceOf(text, framing, { dialect, maxItemBytes: LIMIT, tolerant: true, blocks })
        const counted: (number | undefined)[] = []
        while ((await source.next(ONE)) !== undefined) counted.push(source.remaining())
        expect([undefined, 2]).toContain(counted[0])
        expect([undefined, 1]).toContain(counted[1])
        expect(counted[2]).toBe(0)
      }
  })

  test('is not kept in memory: only its beginning is', async () => {
    const block = 64 * 1024
    const bytes = 64 * block
    for (const [framing, open, close] of [
      ['ndjson', '"', '"\n'],
      ['json', '["', '"]'],
      ['lines', '', '\n'],
      ['nul', '', '\0'],
      ['csv', 'a\n', '\n'],
    ] as const) {
      const text = `${open}${x(bytes)}${close}`
      const source = sourceOf(text, framing, {
        dialect,
        tolerant: true,
        maxItemBytes: 2 * block,
        blocks: [block],
      })
      const chunk = await source.next(MANY)
      expect(chunk).toMatchObject({ seq: 0, count: 1 })
      const { payload } = chunk!
      if (payload.kind !== 'bytes') throw new TypeError('not bytes')
      expect(payload.bytes.buffer.byteLength).toBeLessThan(2 * block)
      expect(itemText(payload, 0)).toMatch(/^"?x{60000,}…$/)
      expect(await source.next(MANY)).toBeUndefined()
    }
  })

  test('reaches the worker as what it is', async () => {
    const source = sourceOf(`${x(40)}\n`, 'lines', { maxItemBytes: LIMIT, blocks: [LIMIT] })
    const { payload, count } = (await source.next(ONE))!
    const chunk = {
      id: 1,
      task: { name: 'default', calling: 'item', reply: 'json' },
      count,
      index: 0,
      attempt: 1,
      recordEachItem: false,
      isSmall: false,
      payload,
    } as const
    const sent = unpackToWorker(structuredClone(packToWorker({ type: 'run', chunks: [chunk] })))
    if (sent.type !== 'run') throw new TypeError(sent.type)
    expect(valuesOf({ seq: 0, count: 1, payload: sent.chunks[0]!.payload })).toEqual([BAD])
  })
})
