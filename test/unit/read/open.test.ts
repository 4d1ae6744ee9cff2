// Opening inputs: a source reads no more than is asked for, yields what is there, and releases its input when closed.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHUNK_BYTES } from '../../../src/defaults.js'
import { InputError } from '../../../src/errors/classes.js'
import { StreamReader } from '../../../src/read/byte-reader.js'
import { createByteSource } from '../../../src/read/byte-source.js'
import { itemLine, openInput } from '../../../src/read/open.js'
import { MANY, ONE, readAll, sourceOf, textOf, valuesOf } from './helpers.js'

let directory: string
const write = (name: string, content: string | Buffer) => {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}
const readFile = async (name: string, content: string) =>
  readAll(await openInput({ kind: 'file', path: write(name, content) }, undefined))

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'read-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('compressed files', () => {
  const text = Array.from({ length: 20_000 }, (_, n) => `{"n":${n},"pad":"${'x'.repeat(n % 100)}"}\n`).join(
    '',
  )
  const WHOLE = { items: 1_000_000, bytes: CHUNK_BYTES }

  test.each([
    ['gz', gzipSync],
    ['br', (text: string) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
  ] as const)('are read in chunks as large as those of the file itself: .%s', async (extension, compress) => {
    const sizesOf = async (path: string) => {
      const { chunks, error } = await readAll(await openInput({ kind: 'file', path }, undefined), WHOLE)
      expect(error).toBeUndefined()
      return chunks.map(({ count }) => count)
    }
    const plain = await sizesOf(write('in.ndjson', text))
    expect(await sizesOf(write(`in.ndjson.${extension}`, compress(text)))).toEqual(plain)
  })

  test('that are damaged yield all items before the damage', async () => {
    const bytes = Buffer.concat([gzipSync(text), gzipSync(text.slice(0, 1000))])
    bytes[bytes.length - 10]! ^= 0xff
    const { values, error } = await readAll(
      await openInput({ kind: 'file', path: write('damaged.ndjson.gz', bytes) }, undefined),
      WHOLE,
    )
    expect(values.slice(0, 20_000)).toEqual(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
    expect(error).toMatch(/cannot read .*damaged\.ndjson\.gz/)
  })
})

describe('streams', () => {
  test('yield an item when it is complete, without waiting for as many as are wanted', async () => {
    const stdin = new PassThrough()
    const source = await openInput({ kind: 'stdin' }, undefined, { stdin })
    const first = source.next(MANY)
    stdin.write('1\n2\n3')
    expect(valuesOf((await first)!)).toEqual([1, 2])
    const second = source.next(MANY)
    stdin.write('4\n')
    expect(valuesOf((await second)!)).toEqual([34])
    expect(source.remaining()).toBeUndefined()
    const end = source.next(MANY)
    stdin.end()
    expect(await end).toBeUndefined()
    expect(source.remaining()).toBe(0)
  })

  test('yield the first elements of an array before it ends', async () => {
    const stdin = new PassThrough()
    const source = await openInput({ kind: 'stdin' }, undefined, { stdin })
    const first = source.next(MANY)
    stdin.write('[{"a":1},\n{"a"')
    expect(valuesOf((await first)!)).toEqual([{ a: 1 }])
    source.close()
  })

  test('yield buffered items synchronously', async () => {
    const source = sourceOf('1\n2\n3\n', 'ndjson')
    await source.next(ONE)
    expect(source.remaining()).toBe(2)
    expect(source.next(ONE)).toMatchObject({ seq: 1 })
    expect(source.remaining()).toBe(1)
  })

  test('are not read before the first item is wanted, and then only a little ahead', async () => {
    let given = 0
    const endless = new Readable({
      read() {
        given += 16 * 1024
        this.push(Buffer.alloc(16 * 1024, '1234567\n'))
      },
    })
    const source = await openInput({ kind: 'stdin' }, 'ndjson', { stdin: endless })
    expect(given).toBe(0)
    await source.next(ONE)
    for (let n = 0; n < 20; n++) await new Promise(setImmediate)
    expect(given).toBeLessThan(512 * 1024)
    source.close()
  })

  test('take no memory for a long run of blanks', async () => {
    for (const [framing, blank] of [
      ['ndjson', ' \r\n'],
      ['lines', '\r\n'],
      ['json', ' \n'],
    ] as const) {
      const blocks = [
        framing === 'json' ? '[' : '',
        ...Array(400).fill(blank.repeat(16 * 1024)),
        '7',
        framing === 'json' ? ']' : '',
      ]
      const reader = new StreamReader(Readable.from(blocks.map((text) => Buffer.from(text))))
      const source = createByteSource(reader, { file: 'in', framing, tolerant: false })
      const chunk = await source.next(MANY)
      expect(textOf(chunk!)).toBe('7')
      expect(chunk!.origin!.line).toBe(400 * 16 * 1024 + 1)
      expect((chunk!.payload as { bytes: Uint8Array }).bytes.buffer.byteLength).toBeLessThanOrEqual(
        512 * 1024,
      )
    }
  })

  test('that fail between two reads do not count as ended', async () => {
    const stdin = new PassThrough()
    const source = await openInput({ kind: 'stdin' }, 'ndjson', { stdin })
    stdin.write('1\n')
    expect(textOf((await source.next(MANY))!)).toBe('1\n')
    stdin.destroy(new Error('unexpected end of file'))
    await new Promise((resolve) => stdin.once('close', resolve))
    expect(source.remaining()).toBeUndefined()
    await expect(source.next(MANY)).rejects.toThrow('unexpected end of file')
  })

  test('are destroyed by close, which ends a pending read', async () => {
    const stdin = new PassThrough()
    const source = await openInput({ kind: 'stdin' }, undefined, { stdin })
    const pending = source.next(MANY)
    source.close()
    expect(await pending).toBeUndefined()
    expect(stdin.destroyed).toBe(true)
    source.close()
    expect(await source.next(MANY)).toBeUndefined()
  })

  test('that fail reject with an InputError and its cause, after the items before it', async () => {
    const stdin = new PassThrough()
    const source = await openInput({ kind: 'stdin' }, undefined, { stdin })
    stdin.write('1\n2')
    expect(valuesOf((await source.next(MANY))!)).toEqual([1])
    const cause = new Error('EIO: broken')
    stdin.destroy(cause)
    const error = await Promise.resolve(source.next(MANY)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect(error).toMatchObject({ message: 'cannot read <stdin>: EIO: broken', cause })
  })

  test('count the remaining good items without taking them', async () => {
    for (const [framing, text] of [
      ['ndjson', '1\n\n2\n3\n{"to'],
      ['json', '[1,2,3,,4]'],
    ] as const) {
      const source = sourceOf(text, framing)
      await source.next(ONE)
      expect(source.remaining()).toBe(2)
      const { values, error } = await readAll(source)
      expect(values).toEqual([2, 3])
      expect(error).toMatch(/^in:/)
    }
  })
})

describe('files', () => {
  test('have their format recognised by extension', async () => {
    expect((await readFile('a.json', '[1,2]')).values).toEqual([1, 2])
    expect((await readFile('a.NDJSON', '[1,2]\n3')).values).toEqual([[1, 2], 3])
    expect((await readFile('a.jsonl', '1\n2')).values).toEqual([1, 2])
    expect((await readFile('a.txt', '1\n[')).values).toEqual(['1', '['])
    expect((await readFile('a.data', '[1,2]')).values).toEqual([1, 2])
    expect((await readFile('b.data', '1\n2')).values).toEqual([1, 2])
  })

  test('with one object per line in .json get a hint at --input-format ndjson', async () => {
    const { error } = await readFile('b.json', '{"a":1}\n{"a":2}\n')
    expect(error).toMatch(/b\.json:1:1: expected a JSON array.*--input-format ndjson$/)
  })

  test('of plain text get a hint at --input-format lines', async () => {
    expect((await readFile('a.log', 'some text\n')).error).toMatch(/--input-format lines$/)
  })

  test('that are small are known to their end after the first item', async () => {
    const source = await openInput({ kind: 'file', path: write('d.ndjson', '1\n2\n3\n') }, undefined)
    await source.next(ONE)
    expect(source.remaining()).toBe(2)
  })

  test('that are large are read completely', async () => {
    const lines = Array.from({ length: 40_000 }, (_, n) => JSON.stringify({ n, text: 'ä€'.repeat(n % 40) }))
    const path = write('large.json', `[${lines.join(',\n')}]`)
    const { chunks, values, error } = await readAll(await openInput({ kind: 'file', path }, undefined))
    expect(error).toBeUndefined()
    expect(values).toEqual(lines.map((line) => JSON.parse(line)))
    for (const chunk of chunks) expect(chunk.origin).toMatchObject({ line: chunk.seq + 1 })
  })

  test.each([
    ['none.json', 'no such file'],
    ['.', 'it is a directory'],
    ['loop', 'it is a loop of symbolic links'],
  ])('that cannot be read are an InputError: %s, %s', async (name, reason) => {
    const path = join(directory, name)
    if (name === 'loop') symlinkSync('loop', path)
    const error = await openInput({ kind: 'file', path }, undefined).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect(error).toMatchObject({ message: `cannot read ${path}: ${reason}` })
  })
})

describe('items on the command line', () => {
  test.each([
    ['1', '1'],
    [' {"a" : 1.50}', ' {"a" : 1.50}'],
    ['{"a":\n1}', '{"a": 1}'],
    ['', '""'],
    ['hello\nworld', '"hello\\nworld"'],
    ['\ufeff1', '"\ufeff1"'],
    ['"x"', '"x"'],
    ['true', 'true'],
    ['[1.0, 007]', '"[1.0, 007]"'],
    // Numbers only where they print back as they were typed: the others are more likely identifiers.
    ['0', '0'],
    ['12', '12'],
    ['-0.5', '-0.5'],
    ['1e+21', '1e+21'],
    ['9007199254740991', '9007199254740991'],
    ['81444e2', '"81444e2"'],
    ['1.0', '"1.0"'],
    ['1E5', '"1E5"'],
    ['007', '"007"'],
    ['-0', '"-0"'],
    ['+1', '"+1"'],
    ['1e999', '"1e999"'],
    [' 12', '" 12"'],
    ['9007199254740993', '"9007199254740993"'],
    ['1202285736968061337', '"1202285736968061337"'],
    ['0.1000000000000000055', '"0.1000000000000000055"'],
  ])('are JSON or become strings: %j is read as %j', (typed, sent) => expect(itemLine(typed)).toBe(sent))

  test('are one item each', async () => {
    const texts = ['1', 'a b', '', '[\n2]', '"x"', 'null', '😀']
    const source = await openInput({ kind: 'items', texts }, undefined)
    expect((await readAll(source, ONE)).values).toEqual([1, 'a b', '', [2], 'x', null, '😀'])
    const asStrings = await openInput({ kind: 'items', texts, asStrings: true }, undefined)
    expect((await readAll(asStrings, ONE)).values).toEqual(texts)
    expect((await readAll(await openInput({ kind: 'items', texts: [] }, undefined))).values).toEqual([])
  })
})
