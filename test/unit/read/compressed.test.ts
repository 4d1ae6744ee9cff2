// Decompression by extension, in pieces of any size.
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../../src/errors/classes.js'
import { type ByteReader, StreamReader } from '../../../src/read/byte-reader.js'
import { UnpackingReader, unpacking } from '../../../src/read/compressed.js'
import type { Compressed } from '../../../src/read/extensions.js'

const TEXT = '{"a":1}\n'.repeat(10_000)

const open = (extension: Compressed, blocks: readonly Buffer[]) =>
  unpacking(extension, 'in')(new StreamReader(Readable.from(blocks)))

interface Unpacked {
  readonly text: string
  /** Message of the error that came after the text. */
  readonly error: string | undefined
}

async function unpack(reader: ByteReader): Promise<Unpacked> {
  const parts: Buffer[] = []
  const into = Buffer.alloc(1000)
  try {
    for (let count = await reader.read(into); count > 0; count = await reader.read(into))
      parts.push(Buffer.from(into.subarray(0, count)))
    expect(reader.ended).toBe(true)
    return { text: Buffer.concat(parts).toString(), error: undefined }
  } catch (error) {
    expect(reader.ended).toBe(false)
    return { text: Buffer.concat(parts).toString(), error: (error as Error).message }
  }
}

/** All together, and the last bytes one by one. */
const cuts = (packed: Buffer, singles = 60): Buffer[][] => {
  const from = Math.max(1, packed.length - singles)
  return [
    [packed],
    [packed.subarray(0, from), ...Array.from(packed.subarray(from), (byte) => Buffer.from([byte]))],
  ]
}

describe('unpacking', () => {
  test.each([
    ['.gz', zlib.gzipSync(TEXT)],
    ['.gz', Buffer.concat([zlib.gzipSync(TEXT.slice(0, 100)), zlib.gzipSync(TEXT.slice(100))])],
    ['.br', zlib.brotliCompressSync(TEXT)],
  ] as const)('decompresses %s', async (extension, packed) => {
    expect(await unpack(open(extension, [packed]))).toEqual({ text: TEXT, error: undefined })
    const bytes = Array.from(packed.subarray(0, 50), (byte) => Buffer.from([byte]))
    expect((await unpack(open(extension, [...bytes, packed.subarray(50)]))).text).toBe(TEXT)
  })

  test.each([
    ['.gz', 'data that is cut off', zlib.gzipSync(TEXT).subarray(0, 50), /unexpected end of file/],
    ['.gz', 'data of another kind', Buffer.from('plain text'), /incorrect header check/],
    ['.br', 'data that is cut off', zlib.brotliCompressSync(TEXT).subarray(0, 20), /unexpected end of file/],
  ] as const)('fails for %s with %s', async (extension, _, packed, message) => {
    expect((await unpack(open(extension, [packed]))).error).toMatch(message)
  })

  test('fails with the error of the stream that it reads', async () => {
    const packed = new PassThrough()
    const reader = unpacking('.gz', 'in')(new StreamReader(packed))
    const error = new Error('EIO')
    packed.destroy(error)
    await expect(reader.read(Buffer.alloc(9))).rejects.toBe(error)
  })

  test('closes the stream that it reads when it is closed, which ends a pending read', async () => {
    const packed = new PassThrough()
    const reader = unpacking('.br', 'in')(new StreamReader(packed))
    const pending = reader.read(Buffer.alloc(9))
    reader.close()
    await once(packed, 'close')
    expect(packed.destroyed).toBe(true)
    expect(await pending).toBe(0)
    expect(await reader.read(Buffer.alloc(9))).toBe(0)
  })

  const hasZstd = 'createZstdDecompress' in zlib
  /** The frame of an empty text. */
  const ZSTD = Buffer.from('28b52ffd2000010000', 'hex')

  test.runIf(hasZstd)('decompresses .zst', async () => {
    expect(await unpack(open('.zst', [ZSTD]))).toEqual({ text: '', error: undefined })
    expect(await unpack(open('.zst', [ZSTD, ZSTD]))).toEqual({ text: '', error: undefined })
    expect((await unpack(open('.zst', [ZSTD, Buffer.from('x')]))).error).toBeDefined()
  })

  test.runIf(!hasZstd)('says how to decompress .zst where Node cannot', () => {
    const attempt = () => unpacking('.zst', 'data/in.zst')
    expect(attempt).toThrow(InputError)
    expect(attempt).toThrow(
      `cannot read data/in.zst: Node ${process.version} has no zstd; unpack it first: zstd -dc data/in.zst | poolrun …`,
    )
  })
})

describe('data after the end of the packed data', () => {
  const OTHER = 'there is other data after the end of the compressed data'
  const br = zlib.brotliCompressSync('1\n')
  const gz = zlib.gzipSync('1\n')

  test.each<[Compressed, string, Buffer, string]>([
    ['.br', 'text', Buffer.concat([br, Buffer.from('x')]), OTHER],
    ['.br', 'a zero', Buffer.concat([br, Buffer.alloc(1)]), OTHER],
    ['.br', 'another stream', Buffer.concat([br, br]), OTHER],
    ['.gz', 'zeros and text', Buffer.concat([gz, Buffer.alloc(20), Buffer.from('x')]), OTHER],
    ['.gz', 'zeros and another member', Buffer.concat([gz, Buffer.alloc(20), gz]), OTHER],
  ])('is an error after what was unpacked: %s, %s', async (extension, _, packed, error) => {
    for (const blocks of cuts(packed))
      expect(await unpack(open(extension, blocks))).toEqual({ text: '1\n', error })
  })

  test('is an error for .gz where it is not another member', async () => {
    const packed = Buffer.concat([gz, Buffer.from('other')])
    for (const blocks of cuts(packed))
      expect((await unpack(open('.gz', blocks))).error).toBe('incorrect header check')
  })

  test('may be zeros after .gz, as on tapes', async () => {
    for (const blocks of cuts(Buffer.concat([gz, Buffer.alloc(20)])))
      expect(await unpack(open('.gz', blocks))).toEqual({ text: '1\n', error: undefined })
  })

  test('is unpacked where a format has several parts and Node stops after the first', async () => {
    const compression = { create: zlib.createBrotliDecompress, follows: 'more' } as const
    for (const blocks of cuts(Buffer.concat([br, br, br]))) {
      const reader = new UnpackingReader(new StreamReader(Readable.from(blocks)), compression)
      expect(await unpack(reader)).toEqual({ text: '1\n1\n1\n', error: undefined })
    }
  })
})

describe('a fault', () => {
  const first = zlib.gzipSync(TEXT)
  const second = zlib.gzipSync('{"b":2}\n'.repeat(100))

  test('in a second member comes after all of the first, wherever the second is torn', async () => {
    for (let size = 1; size < second.length; size++) {
      const packed = Buffer.concat([first, second.subarray(0, size)])
      for (const blocks of cuts(packed, second.length)) {
        const { text, error } = await unpack(open('.gz', blocks))
        expect(text.slice(0, TEXT.length)).toBe(TEXT)
        expect(error).toBe('unexpected end of file')
      }
    }
  })

  test('in the data of a second member comes after all of the first', async () => {
    for (let at = 3; at < second.length; at++) {
      const bad = Buffer.from(second)
      bad[at]! ^= 0xff
      const { text, error } = await unpack(open('.gz', [Buffer.concat([first, bad])]))
      expect(text.slice(0, TEXT.length)).toBe(TEXT)
      // Bytes 4 to 7 and 8, 9 are time, flags and system.
      if (at > 9) expect(error).toBeDefined()
    }
  })
})
