import { expect, test } from 'vitest'
import type { ByteReader } from '../../../src/read/byte-reader.js'
import { createByteSource } from '../../../src/read/byte-source.js'
import { sourceOf } from './helpers.js'

const ONE = { items: 1, bytes: 1_000 }
const CSV = { delimiter: ',' }

test('counts no items while the last bytes are on their way, although their reader has ended', async () => {
  let arrive = () => {}
  const texts = ['1\n2\n', '3\n4\n']
  const reader = {
    ended: false as boolean,
    read(into: Buffer) {
      return new Promise<number>((resolve) => {
        const text = texts.shift() ?? ''
        arrive = () => resolve(into.write(text))
        // It knows of the end before its caller has the bytes.
        reader.ended = texts.length === 0
      })
    },
    close() {},
  } satisfies ByteReader
  const source = createByteSource(reader, { file: 'pipe', framing: 'ndjson', tolerant: false })
  const first = source.next(ONE)
  arrive()
  await first
  await source.next(ONE)
  const third = source.next(ONE)
  expect(source.remaining()).toBeUndefined()
  arrive()
  expect(await third).toMatchObject({ seq: 2, count: 1 })
  expect(source.remaining()).toBe(1)
})

const UTF16 = [
  ['little endian', Buffer.from('\ufeffa\nb\n', 'utf16le')],
  ['big endian', Buffer.from('\ufeffa\nb\n', 'utf16le').swap16()],
] as const

test.each(
  UTF16.flatMap(([order, bytes]) =>
    (['ndjson', 'json', 'lines', 'csv', undefined] as const).map(
      (framing) => [order, framing, bytes] as const,
    ),
  ),
)('refuses UTF-16, %s, as %s, in blocks of any size', async (_order, framing, bytes) => {
  for (const size of [1, 2, 3, 1_000]) {
    const source = sourceOf(bytes, framing, { tolerant: true, blocks: [size], dialect: CSV })
    await expect(source.next(ONE)).rejects.toThrow('in:1:1: the text is UTF-16, and poolrun reads UTF-8')
  }
})

test.each([
  ['a name', 'nul', UTF16[0][1]],
  ['a line of Latin-1', 'lines', Buffer.from('\xff\xfeab\n', 'latin1')],
  ['two bytes', 'lines', Buffer.from('\xff\xfe', 'latin1')],
  ['one byte', 'lines', Buffer.from('\xff', 'latin1')],
  ['nothing', 'lines', Buffer.from('')],
] as const)('takes %s that begins like UTF-16 as it is', async (_what, framing, bytes) => {
  for (const size of [1, 1_000]) await sourceOf(bytes, framing, { tolerant: true, blocks: [size] }).next(ONE)
})
