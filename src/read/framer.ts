// What all framers share: they cut chunks from the input buffer, check them for UTF-8, and hold an error back until the
// items before it were taken. Subclasses find where items end.
import { isUtf8 } from 'node:buffer'
import type { InputError } from '../errors/classes.js'
import { firstInvalidUtf8, TOO_LONG } from '../framing/bytes.js'
import { itemRanges } from '../framing/items.js'
import { advance } from '../framing/location.js'
import { sliceChunk } from '../framing/slice.js'
import type { Chunk, Framing } from '../model.js'
import type { Want } from '../source.js'
import type { InputBuffer } from './input-buffer.js'
import { inputError } from './input-error.js'

const EVERYTHING: Want = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

/**
 * What is longer than a string can be fails in the worker, up to here. Reading more would exceed what fits in a message and
 * what Node's `indexOf` can search, which is 2 GiB each.
 */
const MAX_ITEM_BYTES = 2 ** 30

export interface FramerOptions {
  /** Name of the input in messages. */
  readonly file: string
  /** `collect`: a line that is not UTF-8 stays in its chunk and fails in the worker that parses it; the run goes on. */
  readonly tolerant: boolean
}

export abstract class Framer {
  protected readonly framing: Framing
  protected readonly input: InputBuffer
  protected readonly options: FramerOptions
  /** What is wrong behind the items taken so far. The input ends here. */
  protected error: InputError | undefined
  /** Items taken so far. */
  protected seq = 0
  #thrown = false

  constructor(framing: Framing, input: InputBuffer, options: FramerOptions) {
    this.framing = framing
    this.input = input
    this.options = options
  }

  /** The next chunk. `undefined` if that needs more bytes or, once the input has ended, if nothing is left. */
  take(want: Want): Chunk | undefined {
    if (this.#thrown) return undefined
    const chunk = this.error === undefined ? this.frame(want) : undefined
    if (chunk === undefined && this.error === undefined && this.input.unread.length > MAX_ITEM_BYTES)
      this.error = this.errorAt(0, this.seq, TOO_LONG)
    if (chunk !== undefined || this.error === undefined) return chunk
    this.#thrown = true
    throw this.error
  }

  /** How many items are left, once the input has ended. Takes none of them. */
  count(): number {
    const probe = this.fork()
    let count = 0
    try {
      for (let chunk = probe.take(EVERYTHING); chunk !== undefined; chunk = probe.take(EVERYTHING))
        count += chunk.count
    } catch {
      // `take` throws it when it gets there.
    }
    return count
  }

  /** A framer that continues from here over its own view of the bytes. */
  protected abstract fork(): Framer

  /** For `fork`: copies what this class keeps. */
  protected copyTo<Copy extends Framer>(copy: Copy): Copy {
    copy.error = this.error
    copy.seq = this.seq
    copy.#thrown = this.#thrown
    return copy
  }

  /** As `take`; sets `error` where the input is wrong. */
  protected abstract frame(want: Want): Chunk | undefined

  /** Call before the input buffer skips the bytes; `cuts` as in `Payload`. */
  protected chunk(bytes: Buffer, count: number, cuts?: readonly number[]): Chunk | undefined {
    const chunk: Chunk = {
      seq: this.seq,
      count,
      payload: { kind: 'bytes', bytes, framing: this.framing, ...(cuts !== undefined && { cuts }) },
      origin: { file: this.options.file, ...this.input.position },
    }
    this.seq += count
    if ((this.options.tolerant && this.framing === 'ndjson') || isUtf8(bytes)) return chunk
    return this.#endBefore(chunk, firstInvalidUtf8(bytes))
  }

  /** An error at the unread byte `at`. */
  protected errorAt(at: number, index: number | undefined, message: string): InputError {
    const { position, unread } = this.input
    return inputError(this.options.file, advance(position, unread, 0, at), index, message)
  }

  /** Ends the input before the item that has the invalid byte. */
  #endBefore(chunk: Chunk, invalid: number): Chunk | undefined {
    const { payload } = chunk
    if (payload.kind !== 'bytes') return chunk
    let good = 0
    for (const range of itemRanges(payload)) {
      if (range.end > invalid) break
      good++
    }
    this.error = this.errorAt(
      invalid,
      chunk.seq + good,
      `invalid UTF-8 (byte ${this.input.position.offset + invalid} of the input)`,
    )
    this.seq = chunk.seq + good
    return good === 0 ? undefined : sliceChunk(chunk, 0, good)
  }
}
