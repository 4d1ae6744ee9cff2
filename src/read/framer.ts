// What all framers share: they cut chunks from the input buffer, check them for UTF-8, and hold an error back until the
// items before it were taken. Subclasses find where items end. An item that is too long for a string is dropped as it
// arrives, except its beginning, and fails alone.
import { isUtf8 } from 'node:buffer'
import type { InputError } from '../errors/classes.js'
import { firstInvalidUtf8, MAX_TEXT, shownText } from '../framing/bytes.js'
import { FRAMINGS } from '../framing/framings.js'
import { itemRanges } from '../framing/items.js'
import { advance, type Location } from '../framing/location.js'
import { sliceChunk } from '../framing/slice.js'
import type { Chunk, Framing } from '../model.js'
import type { Want } from '../source.js'
import type { InputBuffer } from './input-buffer.js'
import { inputError } from './input-error.js'

const EVERYTHING: Want = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

export interface FramerOptions {
  /** Name of the input in messages. */
  readonly file: string
  /** `collect`: an item that is not UTF-8 stays in its chunk and fails in the worker that parses it; the run goes on. */
  readonly tolerant: boolean
  /** An item is dropped when more of it was read. Default: what fits in a string. */
  readonly maxItemBytes?: number | undefined
  /** Called with what may be wrong about the input. */
  readonly warn?: ((text: string) => void) | undefined
  /** Members of a batch: errors name the batch. */
  readonly batch?: number | undefined
}

/** An item that is being dropped. */
export interface LongItem {
  /** Its beginning, for messages. */
  readonly text: string
  readonly location: Location
}

export abstract class Framer {
  protected readonly framing: Framing
  protected readonly input: InputBuffer
  protected readonly options: FramerOptions
  /** What is wrong behind the items taken so far. The input ends here. */
  protected error: InputError | undefined
  /** Items taken so far. */
  protected seq = 0
  #longItem: LongItem | undefined
  #thrown = false

  constructor(framing: Framing, input: InputBuffer, options: FramerOptions) {
    this.framing = framing
    this.input = input
    this.options = options
  }

  /** The next chunk. `undefined` if that needs more bytes or, once the input has ended, if nothing is left. */
  take(want: Want): Chunk | undefined {
    if (this.#thrown) return undefined
    const chunk = this.error === undefined ? this.#next(want) : undefined
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
    copy.#longItem = this.#longItem
    copy.#thrown = this.#thrown
    return copy
  }

  /** As `take`; sets `error` where the input is wrong. */
  protected abstract frame(want: Want): Chunk | undefined

  /** Drops what was read of the item. Returns its chunk once its end was found; sets `error` if the input ends in it. */
  protected abstract drop(item: LongItem): Chunk | undefined

  /** Skips white space at the front of an item. */
  protected skipSpace(): void {}

  /** An item of which only the beginning was kept. */
  protected longChunk({ text, location }: LongItem): Chunk {
    return {
      seq: this.seq++,
      count: 1,
      payload: { kind: 'bytes', bytes: Buffer.from(text), framing: this.framing, isTooLong: true },
      origin: { file: this.options.file, ...location },
    }
  }

  #next(want: Want): Chunk | undefined {
    if (this.#longItem === undefined) {
      const chunk = this.frame(want)
      if (chunk !== undefined || this.error !== undefined || !this.#isItemTooLong()) return chunk
      this.skipSpace()
      if (!this.#isItemTooLong()) return undefined
      const { unread, position } = this.input
      this.#longItem = { text: shownText(unread, 0, unread.length), location: position }
    }
    const chunk = this.drop(this.#longItem)
    if (chunk !== undefined) this.#longItem = undefined
    return chunk
  }

  /** Once no more items can be framed, all unread bytes belong to one that has not ended. */
  #isItemTooLong(): boolean {
    const { unread, ended } = this.input
    return !ended && unread.length > (this.options.maxItemBytes ?? MAX_TEXT)
  }

  /** Call before the input buffer skips the bytes; `cuts` as in `Payload`. */
  protected chunk(bytes: Buffer, count: number, cuts?: readonly number[]): Chunk | undefined {
    const chunk: Chunk = {
      seq: this.seq,
      count,
      payload: { kind: 'bytes', bytes, framing: this.framing, ...(cuts !== undefined && { cuts }) },
      origin: { file: this.options.file, ...this.input.position },
    }
    this.seq += count
    const isLeftToWorker = this.options.tolerant && FRAMINGS[this.framing].delimiter !== 'element'
    if (isLeftToWorker || isUtf8(bytes)) return chunk
    return this.#endBefore(chunk, firstInvalidUtf8(bytes))
  }

  /** An error at the unread byte `at`. */
  protected errorAt(at: number, index: number | undefined, message: string): InputError {
    const { position, unread } = this.input
    return this.errorFor(advance(position, unread, 0, at), index, message)
  }

  protected errorFor(location: Location, index: number | undefined, message: string): InputError {
    const { file, batch = 1 } = this.options
    return inputError(file, location, index === undefined ? undefined : Math.floor(index / batch), message)
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
