// Frames items that end with a byte: NDJSON, lines, NUL-separated. Knows nothing of what the items mean, but for a
// last NDJSON line without its line end, which may be torn.
import { isNoItem } from '../framing/items.js'
import { BadItem, parseBytes } from '../framing/parse.js'
import type { Chunk, Framing } from '../model.js'
import type { Want } from '../source.js'
import { Framer, type FramerOptions } from './framer.js'
import type { InputBuffer } from './input-buffer.js'

export class DelimitedFramer extends Framer {
  /** Unread bytes known to hold no delimiter: a long item is not searched again with each block. */
  private searched = 0
  private readonly delimiter: number

  constructor(framing: Exclude<Framing, 'json' | 'csv'>, window: InputBuffer, options: FramerOptions) {
    super(framing, window, options)
    this.delimiter = framing === 'nul' ? 0 : 0x0a
  }

  protected frame(want: Want): Chunk | undefined {
    this.skipNoItems()
    const { unread, ended } = this.window
    let count = 0
    let end = 0
    let lines = 0
    let seen = 0
    let at = 0
    while (count < want.items && at < unread.length) {
      const found = unread.indexOf(this.delimiter, Math.max(at, this.searched))
      if (found === -1 && !ended) {
        this.searched = unread.length
        break
      }
      const stop = found === -1 ? unread.length : found
      const next = found === -1 ? stop : stop + 1
      if (count > 0 && next > want.bytes) break
      seen++
      if (!isNoItem(this.framing, unread, at, stop)) {
        if (found === -1 && this.isTorn(at, count)) break
        count++
        end = next
        lines = seen
      }
      at = next
    }
    if (count === 0) return undefined
    const chunk = this.chunk(unread.subarray(0, end), count)
    if (this.framing === 'nul') this.window.skip(end)
    else this.window.skipCounted(end, lines, end - 1)
    this.searched = Math.max(0, this.searched - end)
    return chunk
  }

  /** So that a chunk begins with an item, and an endless run of blank lines takes no memory. */
  private skipNoItems(): void {
    if (this.framing === 'nul') return
    const { unread } = this.window
    let at = 0
    let lines = 0
    for (;;) {
      const stop = unread.indexOf(this.delimiter, Math.max(at, this.searched))
      if (stop === -1 || !isNoItem(this.framing, unread, at, stop)) break
      at = stop + 1
      lines++
    }
    if (at === 0) return
    this.window.skipCounted(at, lines, at - 1)
    this.searched = Math.max(0, this.searched - at)
  }

  /** Without its line end and not JSON: the input was cut off here. */
  private isTorn(at: number, before: number): boolean {
    if (this.framing !== 'ndjson') return false
    const bytes = this.window.unread.subarray(at)
    const value = parseBytes(bytes)
    if (!(value instanceof BadItem)) return false
    const bad = Buffer.byteLength(bytes.toString('utf8').slice(0, value.at))
    this.fault = this.faultAt(
      at + bad,
      this.seq + before,
      `${value.message}; the last line is torn: it has no line end and is not complete`,
    )
    return true
  }
}
