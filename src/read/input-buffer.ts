// The bytes that were read and not yet taken, in one contiguous buffer, with their position in the input.
// Chunk payloads are slices of its memory, so bytes that were filled in are never overwritten.
import { CHUNK_BYTES } from '../defaults.js'
import { isSpace, MAX_TEXT } from '../framing/bytes.js'
import { advance, characters, type Location } from '../framing/location.js'

/** What a framer keeps of an item, and a block behind it. */
const MAX_BYTES = MAX_TEXT + CHUNK_BYTES

/** With less free memory than this a new block is allocated: small reads cost more than the copy. */
const MIN_READ_BYTES = 16 * 1024

const LF = 0x0a
const BOM = Buffer.from([0xef, 0xbb, 0xbf])
/** A byte order mark, and then a character that is not beyond U+00FF: half of it is zero. */
const UTF16_BYTES = 4
const EMPTY = Buffer.alloc(0)

export class InputBuffer {
  #memory = EMPTY
  #start = 0
  #end = 0
  #unread = EMPTY
  #position: Location = { offset: 0, line: 1, column: 1 }
  /** The input has ended: `unread` holds all that is left of it. */
  ended = false

  get unread(): Buffer {
    return this.#unread
  }

  /** Location of the first unread byte. */
  get position(): Location {
    return this.#position
  }

  /** Free memory to read into. An item that outgrows the block doubles it, so its bytes are copied about twice. */
  room(): Buffer {
    if (this.#memory.length - this.#end < MIN_READ_BYTES) {
      const pending = this.#end - this.#start
      const spare = Math.min(pending, Math.max(MAX_BYTES - pending, CHUNK_BYTES))
      const grown = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, pending + spare))
      this.#memory.copy(grown, 0, this.#start, this.#end)
      this.#memory = grown
      this.#start = 0
      this.#end = pending
    }
    return this.#memory.subarray(this.#end)
  }

  /** Call after `count` bytes were written into `room()`. */
  grew(count: number): void {
    this.#end += count
    this.#unread = this.#memory.subarray(this.#start, this.#end)
  }

  /** Takes `count` bytes, counting their lines. */
  skip(count: number): void {
    if (count > 0) this.#moveTo(count, advance(this.#position, this.#unread, 0, count))
  }

  /** Takes `count` bytes with `lines` line feeds, the last of them at `lastLf` (-1: none), as the caller has counted. */
  skipCounted(count: number, lines: number, lastLf: number): void {
    const { offset, line, column } = this.#position
    this.#moveTo(count, {
      offset: offset + count,
      line: line + lines,
      column:
        lastLf === -1
          ? column + characters(this.#unread, 0, count)
          : 1 + characters(this.#unread, lastLf + 1, count),
    })
  }

  skipSpace(): void {
    const unread = this.#unread
    let count = 0
    let lines = 0
    let lastLf = -1
    for (; count < unread.length && isSpace(unread[count]!); count++) {
      if (unread[count] !== LF) continue
      lines++
      lastLf = count
    }
    if (count > 0) this.skipCounted(count, lines, lastLf)
  }

  /** Skips a byte order mark at the start. False while there are too few bytes to recognise one. */
  skipBom(): boolean {
    const head = this.#unread.subarray(0, BOM.length)
    if (!head.equals(BOM.subarray(0, head.length))) return true
    if (head.length < BOM.length) return this.ended
    this.#moveTo(BOM.length, { ...this.#position, offset: BOM.length })
    return true
  }

  /** Whether the text, at whose start this is, is UTF-16. `undefined` while there are too few bytes to tell. */
  isUtf16(): boolean | undefined {
    const [first, second, third, fourth] = this.#unread
    if (first !== 0xff && first !== 0xfe) return first !== undefined || this.ended ? false : undefined
    if (this.#unread.length < UTF16_BYTES && !this.ended) return undefined
    return first === 0xff ? second === 0xfe && fourth === 0 : second === 0xff && third === 0
  }

  /** A second view of the same bytes for looking ahead. */
  fork(): InputBuffer {
    const copy = new InputBuffer()
    copy.#memory = this.#memory
    copy.#start = this.#start
    copy.#end = this.#end
    copy.#unread = this.#unread
    copy.#position = this.#position
    copy.ended = this.ended
    return copy
  }

  #moveTo(count: number, position: Location): void {
    this.#position = position
    this.#start += count
    this.#unread = this.#memory.subarray(this.#start, this.#end)
  }
}
