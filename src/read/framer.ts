// What all framers share: chunks are cut from the window, checked for UTF-8, and a fault waits until what stands
// before it was taken. Knows nothing of files; subclasses know where items end.
import { isUtf8 } from 'node:buffer'
import type { InputError } from '../errors/classes.js'
import { firstInvalidUtf8 } from '../framing/bytes.js'
import { itemRanges } from '../framing/items.js'
import { advance } from '../framing/position.js'
import { sliceChunk } from '../framing/slice.js'
import type { Chunk, Framing } from '../model.js'
import type { Want } from '../source.js'
import type { InputBuffer } from './input-buffer.js'
import { inputError } from './input-error.js'

const ALL: Want = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

export interface FramerOptions {
  readonly file: string
  /** Lines that are no UTF-8 stay in their chunk: whoever parses them reports them, the run goes on. */
  readonly tolerant: boolean
}

export abstract class Framer {
  protected fault: InputError | undefined
  protected done = false
  /** Items taken so far. */
  protected seq = 0

  constructor(
    readonly framing: Framing,
    protected readonly window: InputBuffer,
    protected readonly options: FramerOptions,
  ) {}

  /** The next chunk; `undefined` where more bytes are needed or, with the window ended, nothing is left. */
  take(want: Want): Chunk | undefined {
    const chunk = this.done || this.fault !== undefined ? undefined : this.frame(want)
    if (chunk !== undefined) return chunk
    if (this.fault === undefined || this.done) return undefined
    this.done = true
    throw this.fault
  }

  /** Items still to be taken, once the window has ended; takes none. */
  count(): number {
    const probe = this.fork()
    let count = 0
    try {
      for (let chunk = probe.take(ALL); chunk !== undefined; chunk = probe.take(ALL)) count += chunk.count
    } catch {
      // the fault comes up when its turn does
    }
    return count
  }

  /** A framer that goes on from here over the same bytes and leaves this one alone. */
  protected fork(): Framer {
    const copy: Framer = Object.create(Object.getPrototypeOf(this))
    return Object.assign(copy, this, { window: this.window.fork() })
  }

  protected abstract frame(want: Want): Chunk | undefined

  /** Call before the window skips the bytes; `cuts` as in `Payload`. */
  protected chunk(bytes: Buffer, count: number, cuts?: readonly number[]): Chunk | undefined {
    const chunk: Chunk = {
      seq: this.seq,
      count,
      payload: { kind: 'bytes', bytes, framing: this.framing, ...(cuts !== undefined && { cuts }) },
      origin: { file: this.options.file, ...this.window.position },
    }
    this.seq += count
    if ((this.options.tolerant && this.framing === 'ndjson') || isUtf8(bytes)) return chunk
    return this.before(chunk, firstInvalidUtf8(bytes))
  }

  /** The error at byte `at` of the unread ones. */
  protected faultAt(at: number, index: number | undefined, message: string): InputError {
    const { position, unread } = this.window
    return inputError(this.options.file, advance(position, unread, 0, at), index, message)
  }

  /** Ends the input at the item that has a bad byte. */
  private before(chunk: Chunk, invalid: number): Chunk | undefined {
    const { payload } = chunk
    if (payload.kind !== 'bytes') return chunk
    let good = 0
    for (const range of itemRanges(payload)) {
      if (range.end > invalid) break
      good++
    }
    this.fault = this.faultAt(
      invalid,
      chunk.seq + good,
      `invalid UTF-8 (byte ${this.window.position.offset + invalid} of the input)`,
    )
    this.seq = chunk.seq + good
    return good === 0 ? undefined : sliceChunk(chunk, 0, good)
  }
}
