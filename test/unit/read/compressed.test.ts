// Decompression by extension, in streams.
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import * as zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../../src/errors/classes.js'
import { unpacker } from '../../../src/read/compressed.js'

const TEXT = '{"a":1}\n'.repeat(10_000)

describe('unpacker', () => {
  test.each([
    ['.gz', zlib.gzipSync(TEXT)],
    ['.gz', Buffer.concat([zlib.gzipSync(TEXT.slice(0, 100)), zlib.gzipSync(TEXT.slice(100))])],
    ['.br', zlib.brotliCompressSync(TEXT)],
  ] as const)('decompresses %s', async (extension, packed) => {
    const unpack = unpacker(extension, 'in')
    expect(await text(unpack(Readable.from([packed])))).toBe(TEXT)
    const bytes = Array.from(packed.subarray(0, 50), (byte) => Buffer.from([byte]))
    expect(await text(unpack(Readable.from([...bytes, packed.subarray(50)])))).toBe(TEXT)
  })

  test.each([
    ['.gz', 'data that is cut off', zlib.gzipSync(TEXT).subarray(0, 50), /unexpected end of file/],
    ['.gz', 'data of another kind', Buffer.from('plain text'), /incorrect header check/],
    ['.br', 'data that is cut off', zlib.brotliCompressSync(TEXT).subarray(0, 20), /unexpected end of file/],
  ] as const)('fails for %s with %s', async (extension, _, packed, message) => {
    await expect(text(unpacker(extension, 'in')(Readable.from([packed])))).rejects.toThrow(message)
  })

  test('fails with the error of the stream that it reads', async () => {
    const packed = new PassThrough()
    const unpacked = unpacker('.gz', 'in')(packed)
    const error = new Error('EIO')
    packed.destroy(error)
    await expect(text(unpacked)).rejects.toBe(error)
  })

  test('closes the stream that it reads when it is closed', async () => {
    const packed = new PassThrough()
    unpacker('.br', 'in')(packed).destroy()
    await once(packed, 'close')
    expect(packed.destroyed).toBe(true)
  })

  const hasZstd = 'createZstdDecompress' in zlib
  /** The frame of an empty text. */
  const ZSTD = Buffer.from('28b52ffd2000010000', 'hex')

  test.runIf(hasZstd)('decompresses .zst', async () => {
    expect(await text(unpacker('.zst', 'in')(Readable.from([ZSTD])))).toBe('')
  })

  test.runIf(!hasZstd)('says how to decompress .zst where Node cannot', () => {
    const attempt = () => unpacker('.zst', 'data/in.zst')
    expect(attempt).toThrow(InputError)
    expect(attempt).toThrow(
      `cannot read data/in.zst: Node ${process.version} has no zstd; unpack it first: zstd -dc data/in.zst | poolrun …`,
    )
  })
})
