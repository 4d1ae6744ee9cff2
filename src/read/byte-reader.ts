// Where bytes come from: memory, a regular file or a stream, read block by block.
// Pipes and terminals are only read as streams: a blocking read(2) in Node's thread pool cannot be cancelled, and the
// process could not exit before the writer's next byte.
import { close, fstatSync, readSync } from 'node:fs'
import type { Readable } from 'node:stream'

export interface ByteReader {
  /** Puts some bytes into the buffer and returns how many; waits only while there are none. 0: the end, or closed. */
  read(into: Buffer): Promise<number>
  /** The end is known to be reached. */
  readonly ended: boolean
  /** Idempotent; a pending `read` resolves with 0. */
  close(): void
}

/** Bytes in memory. */
export class MemoryReader implements ByteReader {
  #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get ended(): boolean {
    return this.#bytes.length === 0
  }

  async read(into: Buffer): Promise<number> {
    const part = this.#bytes.subarray(0, into.length)
    into.set(part)
    this.#bytes = this.#bytes.subarray(part.length)
    return part.length
  }

  close(): void {
    this.#bytes = new Uint8Array()
  }
}

/** A synchronous reader yields to the event loop after this many bytes, so that signals and messages are handled. */
const YIELD_AFTER_BYTES = 1024 * 1024

/**
 * A regular file, from its current position. Fills the buffer, so that the end of a small file is known immediately.
 * Reads synchronously: passing a block to the thread pool and back costs more than reading it from the page cache. On a
 * file system that makes reads wait, such as a dead network mount, the whole process waits.
 * A file that becomes shorter meanwhile, such as a log that is emptied when it is rotated, is an error: it would look as if it
 * ended there, without its last items and perhaps in the middle of one.
 */
export class FileReader implements ByteReader {
  readonly #fd: number
  /** Bytes that the file had when it was opened; 0 for one in /proc, whose size is unknown. */
  readonly #size: number
  #bytesRead = 0
  /** It is shorter than it was. Nothing more is read, even if it grows again. */
  #isCut = false
  #ended = false
  #bytesSinceYield = 0

  constructor(fd: number) {
    this.#fd = fd
    this.#size = fstatSync(fd).size
  }

  get ended(): boolean {
    return this.#ended
  }

  async read(into: Buffer): Promise<number> {
    if (this.#bytesSinceYield >= YIELD_AFTER_BYTES) {
      await new Promise((resolve) => setImmediate(resolve))
      this.#bytesSinceYield = 0
    }
    let filled = 0
    while (!this.#ended && !this.#isCut && filled < into.length) {
      const count = readSync(this.#fd, into, filled, into.length - filled, null)
      filled += count
      this.#bytesRead += count
      if (count > 0) continue
      if (this.#isShorter()) this.#isCut = true
      else this.close()
    }
    if (this.#isCut && filled === 0) throw new Error('it became shorter while it was read: items are missing')
    this.#bytesSinceYield += filled
    return filled
  }

  #isShorter(): boolean {
    return this.#size > 0 && fstatSync(this.#fd).size < Math.max(this.#size, this.#bytesRead)
  }

  close(): void {
    if (this.#ended) return
    this.#ended = true
    // Errors are ignored: nothing was written that a failed close could lose.
    if (this.#fd > 2) close(this.#fd, () => {})
  }
}

/** A stream of bytes. Reads nothing from it before the first `read`. */
export class StreamReader implements ByteReader {
  readonly #stream: Readable
  #listening = false
  #finished = false
  /** What did not fit into the last buffer. */
  #rest: Buffer | undefined
  /** Boxed: a stream may be destroyed with any value. */
  #failed: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(stream: Readable) {
    this.#stream = stream
    // An error before the first `read` must not crash the process. `read` finds it in `stream.errored`.
    stream.on('error', () => {})
  }

  get ended(): boolean {
    // A stream that failed has not ended: the next `read` rejects.
    return this.#finished && this.#rest === undefined && this.#failed === undefined
  }

  async read(into: Buffer): Promise<number> {
    this.#listen()
    for (;;) {
      const block: Buffer | null = this.#rest ?? (this.#finished ? null : this.#stream.read())
      if (block !== null) {
        const count = block.copy(into)
        this.#rest = count < block.length ? block.subarray(count) : undefined
        return count
      }
      if (this.#failed !== undefined) throw this.#failed.error
      if (this.#finished) return 0
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.#rest = undefined
    this.#finish()
    this.#stream.destroy()
  }

  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    const stream = this.#stream
    stream.on('readable', () => {
      this.#wake?.()
      // Reading from an empty stream takes nothing from it, and makes it emit `end` even if no `read` is pending.
      if (stream.readableLength === 0) stream.read()
    })
    stream.on('end', () => this.#finish())
    stream.on('close', () => this.#finish())
    stream.on('error', (error: unknown) => {
      this.#failed = { error }
      this.#finish()
    })
    const { errored, readableEnded, destroyed } = stream
    if (errored !== null && errored !== undefined) this.#failed = { error: errored }
    if (readableEnded || destroyed) this.#finish()
  }

  /** Nothing is left in the stream: `end` is emitted only after everything was read. */
  #finish(): void {
    this.#finished = true
    this.#wake?.()
  }
}
