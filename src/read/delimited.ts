// Frames items that end with a byte: NDJSON, lines, NUL-separated. Items are not parsed, except a last NDJSON line
// without its line end, which may be torn.

import { bytesBefore, TOO_LONG } from '../framing/bytes.js'
import { FRAMINGS, LF } from '../framing/framings.js'
import { BadItem, parseBytes } from '../framing/parse.js'
import type { Chunk, Framing } from '../model.js'
import type { Want } from '../source.js'
import { Framer, type FramerOptions, type LongItem } from './framer.js'
import type { InputBuffer } from './input-buffer.js'

type DelimitedFraming = Exclude<Framing, 'json' | 'csv' | 'records'>

export class DelimitedFramer extends Framer {
  declare protected readonly framing: DelimitedFraming
  readonly #delimiter: number
  readonly #skips: (bytes: Buffer, start: number, end: number) => boolean
  /** Unread bytes known to hold no delimiter, so that a long item is not searched again with each block. */
  #searched = 0

  constructor(framing: DelimitedFraming, input: InputBuffer, options: FramerOptions) {
    super(framing, input, options)
    const { delimiter, skips } = FRAMINGS[framing]
    if (typeof delimiter === 'string') throw new TypeError(`${framing} has no delimiter`)
    this.#delimiter = delimiter
    this.#skips = skips
  }

  protected override fork(): DelimitedFramer {
    const copy = new DelimitedFramer(this.framing, this.input.fork(), this.options)
    copy.#searched = this.#searched
    return this.copyTo(copy)
  }

  protected override frame(want: Want): Chunk | undefined {
    this.#skipBlankLines()
    const { input } = this
    const { unread, ended } = input
    const delimiter = this.#delimiter
    const skips = this.#skips
    const searched = this.#searched
    let count = 0
    let end = 0
    /** Line ends up to `end`, and up to `at`. */
    let lines = 0
    let linesSeen = 0
    let at = 0
    const { multipleOf = Number.POSITIVE_INFINITY } = want
    /** The largest multiple of as many items, and where it ends. */
    let whole = { count: 0, end: 0, lines: 0 }
    while (count < want.items && at < unread.length) {
      const found = unread.indexOf(delimiter, Math.max(at, searched))
      if (found === -1 && !ended) {
        this.#searched = unread.length
        break
      }
      const stop = found === -1 ? unread.length : found
      const next = found === -1 ? stop : stop + 1
      if (count > 0 && next > want.bytes) break
      linesSeen++
      if (!skips(unread, at, stop)) {
        if (found === -1 && this.#isTorn(at, count)) break
        count++
        end = next
        lines = linesSeen
        if (count === whole.count + multipleOf) whole = { count, end, lines }
      }
      at = next
    }
    if (count === 0) return undefined
    if (whole.count > 0 && whole.count < count) {
      // What is wrong behind the items is found again.
      this.error = undefined
      ;({ count, end, lines } = whole)
    }
    const chunk = this.chunk(unread.subarray(0, end), count)
    if (delimiter === LF) input.skipCounted(end, lines, end - 1)
    else input.skip(end)
    // Blank lines between the chunk and the line that was searched have delimiters.
    this.#searched = at > end ? 0 : Math.max(0, this.#searched - end)
    return chunk
  }

  protected override drop(item: LongItem): Chunk | undefined {
    const { input } = this
    const { unread, ended } = input
    const found = unread.indexOf(this.#delimiter, this.#searched)
    input.skip(found === -1 ? unread.length : found + 1)
    this.#searched = 0
    return found !== -1 || ended ? this.longChunk(item) : undefined
  }

  protected override skipSpace(): void {
    if (this.framing !== 'ndjson') return
    this.input.skipSpace()
    this.#searched = this.input.unread.length
  }

  /** Makes a chunk begin with an item, and keeps an endless run of blank lines from filling memory. */
  #skipBlankLines(): void {
    const { unread } = this.input
    const delimiter = this.#delimiter
    if (delimiter !== LF) return
    const searched = this.#searched
    let at = 0
    let lines = 0
    for (;;) {
      const stop = unread.indexOf(delimiter, Math.max(at, searched))
      if (stop === -1 || !this.#skips(unread, at, stop)) break
      at = stop + 1
      lines++
    }
    if (at === 0) return
    this.input.skipCounted(at, lines, at - 1)
    this.#searched = Math.max(0, searched - at)
  }

  /** Whether the last line, at `at`, has neither a line end nor complete JSON: the input was cut off in it. */
  #isTorn(at: number, before: number): boolean {
    if (this.framing !== 'ndjson') return false
    const bytes = this.input.unread.subarray(at)
    const value = parseBytes(bytes)
    if (!(value instanceof BadItem) || value.message === TOO_LONG) return false
    const bad = bytesBefore(bytes, 0, bytes.length, value.at)
    this.error = this.errorAt(
      at + bad,
      this.seq + before,
      `${value.message}; the last line is torn: it has no line end and is not complete`,
    )
    return true
  }
}
