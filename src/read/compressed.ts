// Decompresses while it reads, by the file's extension. Import it lazily: Node takes some milliseconds to load zlib.
// The items before a fault count: what was unpacked is handed on before the error that ends it. So the packed bytes are
// fed a piece at a time, and everything that a piece gives is collected; a stream that fails drops what it has buffered.
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { InputError } from '../errors/classes.js'
import type { ByteReader } from './byte-reader.js'
import type { Compressed } from './extensions.js'

/** `bytesWritten` counts what was unpacked, not what was passed to `write`. */
type Unpacker = Transform & { readonly bytesWritten: number }

export interface Compression {
  readonly create: () => Unpacker
  /** What may come after the end of the packed data: nothing, zeros as on tapes, or more of it. */
  readonly follows: 'nothing' | 'zeros' | 'more'
  /** How a further part begins. */
  readonly magic?: Buffer
}

/** Since Node 22.15 and 23.8. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Unpacker }

const COMPRESSIONS: Readonly<Record<Compressed, Compression | undefined>> = {
  // Node itself goes on with a further member.
  '.gz': { create: zlib.createGunzip, follows: 'zeros', magic: Buffer.from([0x1f, 0x8b, 0x08]) },
  '.br': { create: zlib.createBrotliDecompress, follows: 'nothing' },
  '.zst': createZstdDecompress && { create: createZstdDecompress, follows: 'more' },
}

/** Bounds what one piece can be unpacked to: a thousand times as much, some 16 MB. */
const PIECE_BYTES = 16 * 1024

/** @throws InputError if this version of Node cannot decompress the format */
export function unpacking(extension: Compressed, file: string): (packed: ByteReader) => ByteReader {
  const compression = COMPRESSIONS[extension]
  if (compression === undefined) {
    const instead = `unpack it first: zstd -dc ${file} | poolrun …`
    throw new InputError(`cannot read ${file}: Node ${process.version} has no zstd; ${instead}`)
  }
  return (packed) => new UnpackingReader(packed, compression)
}

export class UnpackingReader implements ByteReader {
  readonly #packed: ByteReader
  readonly #compression: Compression
  readonly #block = Buffer.allocUnsafe(PIECE_BYTES)
  /** Packed bytes that were read and not yet fed. */
  #pending = this.#block.subarray(0, 0)
  #unpacker: Unpacker
  /** Unpacked, not yet handed on. */
  readonly #unpacked: Buffer[] = []
  /** Boxed: a stream may be destroyed with any value. */
  #failed: { readonly error: unknown } | undefined
  #phase: 'unpacking' | 'after the end' | 'done' = 'unpacking'
  #wake: (() => void) | undefined

  constructor(packed: ByteReader, compression: Compression) {
    this.#packed = packed
    this.#compression = compression
    this.#unpacker = this.#create()
  }

  get ended(): boolean {
    return this.#phase === 'done' && this.#failed === undefined && this.#unpacked.length === 0
  }

  async read(into: Buffer): Promise<number> {
    for (;;) {
      const first = this.#unpacked[0]
      if (first !== undefined) {
        const count = first.copy(into)
        if (count === first.length) this.#unpacked.shift()
        else this.#unpacked[0] = first.subarray(count)
        return count
      }
      if (this.#failed !== undefined) throw this.#failed.error
      if (this.#phase === 'done') return 0
      await this.#step()
    }
  }

  close(): void {
    this.#phase = 'done'
    this.#failed = undefined
    this.#unpacked.length = 0
    this.#packed.close()
    this.#unpacker.destroy()
  }

  #create(): Unpacker {
    const unpacker = this.#compression.create()
    unpacker.on('data', (block: Buffer) => {
      if (this.#phase !== 'done') this.#unpacked.push(block)
    })
    unpacker.on('error', (error) => {
      this.#failed = { error }
    })
    const wake = () => {
      if (unpacker === this.#unpacker) this.#wake?.()
    }
    unpacker.on('end', wake)
    unpacker.on('close', wake)
    return unpacker
  }

  /** Unpacks one piece, or ends. */
  async #step(): Promise<void> {
    if (this.#pending.length === 0) {
      const count = await this.#packed.read(this.#block)
      this.#pending = this.#block.subarray(0, count)
    }
    if (this.#phase === 'unpacking') await (this.#pending.length === 0 ? this.#finish() : this.#feed())
    else if (this.#pending.length === 0) this.#phase = 'done'
    if (this.#phase === 'after the end') this.#skipZeros()
  }

  async #feed(): Promise<void> {
    const unpacker = this.#unpacker
    const piece = this.#nextPiece()
    const before = unpacker.bytesWritten
    await this.#settled((done) => unpacker.write(piece, done))
    if (this.#failed !== undefined || this.#phase === 'done') return
    const used = unpacker.bytesWritten - before
    this.#pending = this.#pending.subarray(used)
    if (used === piece.length) return
    unpacker.destroy()
    if (this.#compression.follows === 'more' && before + used > 0) this.#unpacker = this.#create()
    else this.#phase = 'after the end'
  }

  /** Ends before a further member: a call that meets a fault loses all that it had unpacked. */
  #nextPiece(): Buffer {
    const { magic } = this.#compression
    const next = magic === undefined ? -1 : this.#pending.indexOf(magic, 1)
    return next === -1 ? this.#pending : this.#pending.subarray(0, next)
  }

  async #finish(): Promise<void> {
    if (this.#phase === 'done') return
    await this.#settled(() => this.#unpacker.end())
    this.#phase = 'done'
  }

  #skipZeros(): void {
    const zeros = this.#compression.follows === 'zeros' && this.#pending.every((byte) => byte === 0)
    if (!zeros)
      this.#failed = { error: new Error('there is other data after the end of the compressed data') }
    this.#pending = this.#pending.subarray(this.#pending.length)
  }

  /** Resolves when the unpacker has called back, ended, failed or was destroyed. */
  #settled(start: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      start(resolve)
    })
  }
}
