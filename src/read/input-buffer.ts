// The bytes that were read and not yet taken, in one piece, and where in the input they begin.
// Payloads are slices of its memory, so what was filled once is never written again. Knows nothing of items.

import { CHUNK_BYTES } from '../defaults.js'
import { isSpace } from '../framing/bytes.js'
import { advance, characters, type Position } from '../framing/position.js'

/** Less room than this is not worth a read. */
const LEAST_ROOM = 16 * 1024

const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const NOTHING = Buffer.alloc(0)

export class InputBuffer {
  private memory = NOTHING
  private start = 0
  private end = 0
  private place: Position = { offset: 0, line: 1, column: 1 }
  /** No more will come. */
  ended = false
  /** What was read and not taken. */
  unread = NOTHING

  /** Where the first unread byte stands. */
  get position(): Position {
    return this.place
  }

  /** Free memory to read into. An item that outgrows the block doubles it, so that its bytes are copied twice at most. */
  room(): Buffer {
    if (this.memory.length - this.end < LEAST_ROOM) {
      const pending = this.end - this.start
      const grown = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, pending * 2))
      this.memory.copy(grown, 0, this.start, this.end)
      this.memory = grown
      this.start = 0
      this.end = pending
    }
    return this.memory.subarray(this.end)
  }

  /** `count` bytes were put into the room. */
  grew(count: number): void {
    this.end += count
    this.unread = this.memory.subarray(this.start, this.end)
  }

  /** Takes bytes, counting their lines. */
  skip(count: number): void {
    if (count > 0) this.moveTo(count, advance(this.place, this.unread, 0, count))
  }

  /** Takes bytes whose line feeds the caller has counted; `lastLf` is the place of the last of them, -1 without one. */
  skipCounted(count: number, lines: number, lastLf: number): void {
    const { offset, line, column } = this.place
    this.moveTo(count, {
      offset: offset + count,
      line: line + lines,
      column:
        lastLf === -1
          ? column + characters(this.unread, 0, count)
          : 1 + characters(this.unread, lastLf + 1, count),
    })
  }

  skipSpace(): void {
    const { unread } = this
    let count = 0
    let lines = 0
    let lastLf = -1
    for (; count < unread.length && isSpace(unread[count]!); count++) {
      if (unread[count] !== 0x0a) continue
      lines++
      lastLf = count
    }
    if (count > 0) this.skipCounted(count, lines, lastLf)
  }

  /** Drops a byte order mark at the start; false while it cannot be told yet. */
  skipBom(): boolean {
    const head = this.unread.subarray(0, BOM.length)
    if (!head.equals(BOM.subarray(0, head.length))) return true
    if (head.length < BOM.length) return this.ended
    this.moveTo(BOM.length, { ...this.place, offset: BOM.length })
    return true
  }

  /** Another view of the same bytes, to look ahead with. */
  fork(): InputBuffer {
    return Object.assign(new InputBuffer(), this)
  }

  private moveTo(count: number, place: Position): void {
    this.place = place
    this.start += count
    this.unread = this.memory.subarray(this.start, this.end)
  }
}
