// A source asks for no more than it is asked, gives what is there, and lets go when it is closed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InputError } from '../../../src/errors/classes.js'
import { StreamReader } from '../../../src/read/byte-reader.js'
import { createByteSource } from '../../../src/read/byte-source.js'
import { itemLine, openInput } from '../../../src/read/open.js'
import { asSingleItem } from '../../../src/read/single-call.js'
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

describe('streams', () => {
  test('an item is given when it is there, not when the want is full', async () => {
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

  test('the first elements of an array are given while it is open', async () => {
    const stdin = new PassThrough()
    const source = await openInput({ kind: 'stdin' }, undefined, { stdin })
    const first = source.next(MANY)
    stdin.write('[{"a":1},\n{"a"')
    expect(valuesOf((await first)!)).toEqual([{ a: 1 }])
    source.close()
  })

  test('what is buffered is answered at once', async () => {
    const source = sourceOf('1\n2\n3\n', 'ndjson')
    await source.next(ONE)
    expect(source.remaining()).toBe(2)
    expect(source.next(ONE)).toMatchObject({ seq: 1 })
    expect(source.remaining()).toBe(1)
  })

  test('nothing is read before somebody asks, and little more than that', async () => {
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

  test('an endless run of blanks takes no memory', async () => {
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

  test('a stream that breaks between two reads has not ended, whoever looks meanwhile', async () => {
    const stdin = new PassThrough()
    const source = await openInput({ kind: 'stdin' }, 'ndjson', { stdin })
    stdin.write('1\n')
    expect(textOf((await source.next(MANY))!)).toBe('1\n')
    stdin.destroy(new Error('unexpected end of file'))
    await new Promise((resolve) => stdin.once('close', resolve))
    expect(source.remaining()).toBeUndefined()
    await expect(source.next(MANY)).rejects.toThrow('unexpected end of file')
  })

  test('close ends a read that waits, and destroys the stream', async () => {
    const stdin = new PassThrough()
    const source = await openInput({ kind: 'stdin' }, undefined, { stdin })
    const pending = source.next(MANY)
    source.close()
    expect(await pending).toBeUndefined()
    expect(stdin.destroyed).toBe(true)
    source.close()
    expect(await source.next(MANY)).toBeUndefined()
  })

  test('a stream that fails is an InputError with its cause, after what it gave before', async () => {
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

  test('remaining counts good items only, and leaves them to be taken', async () => {
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
  test('the extension says what is in it', async () => {
    expect((await readFile('a.json', '[1,2]')).values).toEqual([1, 2])
    expect((await readFile('a.NDJSON', '[1,2]\n3')).values).toEqual([[1, 2], 3])
    expect((await readFile('a.jsonl', '1\n2')).values).toEqual([1, 2])
    expect((await readFile('a.txt', '1\n[')).values).toEqual(['1', '['])
    expect((await readFile('a.data', '[1,2]')).values).toEqual([1, 2])
    expect((await readFile('b.data', '1\n2')).values).toEqual([1, 2])
  })

  test('a .json file of one object a line is told what it is', async () => {
    const { error } = await readFile('b.json', '{"a":1}\n{"a":2}\n')
    expect(error).toMatch(/b\.json:1:1: expected a JSON array.*--input-format ndjson$/)
  })

  test('plain text is told how to be read', async () => {
    expect((await readFile('a.log', 'some text\n')).error).toMatch(/--input-format lines$/)
  })

  test('small ones are known to their end at once', async () => {
    const source = await openInput({ kind: 'file', path: write('d.ndjson', '1\n2\n3\n') }, undefined)
    await source.next(ONE)
    expect(source.remaining()).toBe(2)
  })

  test('large ones are whole', async () => {
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
  ])('%s: %s', async (name, reason) => {
    const path = join(directory, name)
    const error = await openInput({ kind: 'file', path }, undefined).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect(error).toMatchObject({ message: `cannot read ${path}: ${reason}` })
  })
})

describe('items of the command line', () => {
  test.each([
    ['1', '1'],
    [' {"a" : 1.50}', ' {"a" : 1.50}'],
    ['{"a":\n1}', '{"a": 1}'],
    ['', '""'],
    ['hello\nworld', '"hello\\nworld"'],
    ['\ufeff1', '"\ufeff1"'],
    ['"x"', '"x"'],
  ])('%j is sent as %j', (typed, sent) => expect(itemLine(typed)).toBe(sent))

  test('each is one item, whatever it is', async () => {
    const texts = ['1', 'a b', '', '[\n2]', '"x"', 'null', '😀']
    const source = await openInput({ kind: 'items', texts }, undefined)
    expect((await readAll(source, ONE)).values).toEqual([1, 'a b', '', [2], 'x', null, '😀'])
    expect((await readAll(await openInput({ kind: 'items', texts: [] }, undefined))).values).toEqual([])
  })
})

describe('gathered: all items as one', () => {
  test.each([
    ['ndjson', '1\n\n"ä"\r\n{"a":1}', [1, 'ä', { a: 1 }]],
    ['json', '[1,\n"ä",{"a"\n:1}]', [1, 'ä', { a: 1 }]],
    ['lines', 'a\n"b"\r\n', ['a', '"b"']],
    ['nul', 'a\0\0', ['a', '']],
    ['ndjson', '', []],
  ] as const)('%s %j', async (framing, text, expected) => {
    for (const size of [1, 3, 100]) {
      const source = asSingleItem(sourceOf(text, framing, { blocks: [size] }))
      expect(source.remaining?.()).toBe(1)
      const chunk = await source.next(MANY)
      expect(chunk).toMatchObject({ seq: 0, count: 1 })
      expect(valuesOf(chunk!)).toEqual([expected])
      expect(await source.next(MANY)).toBeUndefined()
    }
  })

  test('two values on a line are no two items', async () => {
    const error = await Promise.resolve(asSingleItem(sourceOf('1\n2, 3\n', 'ndjson')).next(MANY)).catch(
      (e: unknown) => e,
    )
    expect(error).toMatchObject({ message: "in:2:2: item 1: Unexpected token ','", index: 1 })
  })
})
