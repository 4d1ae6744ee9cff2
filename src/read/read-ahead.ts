// Makes large blocks of bytes that arrive in small parts, as from a pipe or an unpacker, and takes in the next block while
// the last one is worked on. Chunks are cut from what is there: of every part alone, they would be so small that sending
// them costs more than running them.
import { CHUNK_BYTES } from '../defaults.js'
import type { ByteReader } from './byte-reader.js'

/** A chunk that is waited for, and one more. */
const BLOCK_BYTES = 2 * CHUNK_BYTES
/** With less room at the end, what is left is moved to the front, if that gives as much: small reads cost more. */
const MIN_ROOM_BYTES = 64 * 1024
/** The smallest buffer with which programs write to a pipe. With less, more may not follow soon: it is not waited for. */
const MIN_BULK_BYTES = 4096
/** The longest that bytes wait for those that follow. */
const GATHER_MS = 2

export class ReadAhead implements ByteReader {
  readonly #inner: ByteReader
  readonly #gatherMs: number
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  /** Where in the block the bytes are that have arrived. */
  #start = 0
  #end = 0
  #isReading = false
  /** Boxed: a stream may be destroyed with any value. */
  #failed: { readonly error: unknown } | undefined
  #hasEnded = false
  #wake: (() => void) | undefined

  /** `gatherMs`: `Infinity` where nothing has to be waited for, as in a regular file. */
  constructor(inner: ByteReader, gatherMs = GATHER_MS) {
    this.#inner = inner
    this.#gatherMs = gatherMs
  }

  get ended(): boolean {
    return this.#start === this.#end && this.#failed === undefined && (this.#hasEnded || this.#inner.ended)
  }

  async read(into: Buffer): Promise<number> {
    this.#readOn()
    while (this.#start === this.#end && !this.#isOver) await this.#arrival()
    if (this.#mayGrow(into.length)) await this.#gather(into.length)
    const count = this.#block.copy(into, 0, this.#start, this.#end)
    this.#start += count
    if (count === 0 && this.#failed !== undefined) throw this.#failed.error
    this.#readOn()
    return count
  }

  close(): void {
    this.#start = this.#end
    this.#hasEnded = true
    this.#failed = undefined
    this.#inner.close()
    this.#wake?.()
  }

  /** Nothing more arrives. */
  get #isOver(): boolean {
    return this.#hasEnded || this.#failed !== undefined
  }

  #mayGrow(wanted: number): boolean {
    const there = this.#end - this.#start
    return there >= MIN_BULK_BYTES && there < wanted && this.#isReading && !this.#isOver
  }

  /** Waits for more of what arrives in quick succession. */
  async #gather(wanted: number): Promise<void> {
    let isDue = false
    const end = () => {
      isDue = true
      this.#wake?.()
    }
    const timer = Number.isFinite(this.#gatherMs) ? setTimeout(end, this.#gatherMs) : undefined
    while (!isDue && this.#mayGrow(wanted)) await this.#arrival()
    clearTimeout(timer)
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #readOn(): void {
    if (!this.#isReading) void this.#fill()
  }

  /** Reads until the block is full. */
  async #fill(): Promise<void> {
    this.#isReading = true
    try {
      for (let room = this.#room(); room.length > 0 && !this.#isOver; room = this.#room()) {
        const count = await this.#inner.read(room)
        if (count === 0) this.#hasEnded = true
        else if (!this.#hasEnded) this.#end += count
        this.#wake?.()
      }
    } catch (error) {
      if (!this.#hasEnded) this.#failed = { error }
    }
    this.#isReading = false
    this.#wake?.()
  }

  /** Only between two reads: the memory of one that is pending must stay where it is. */
  #room(): Buffer {
    const block = this.#block
    if (this.#start === this.#end) this.#start = this.#end = 0
    else if (this.#start >= MIN_ROOM_BYTES && block.length - this.#end < MIN_ROOM_BYTES) {
      block.copyWithin(0, this.#start, this.#end)
      this.#end -= this.#start
      this.#start = 0
    }
    return block.subarray(this.#end)
  }
}
