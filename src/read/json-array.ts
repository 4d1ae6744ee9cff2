// Frames the elements of one JSON array. Finds what is wrong between elements (a missing one, the array's own
// brackets); what is wrong inside one is found by whoever parses it.
import type { InputError } from '../errors/classes.js'
import { isSpace } from '../framing/bytes.js'
import { ElementScanner } from '../framing/element-scanner.js'
import { BadItem, PIECE_BYTES, parseBytes } from '../framing/parse.js'
import type { Chunk } from '../model.js'
import type { Want } from '../source.js'
import { Framer, type FramerOptions } from './framer.js'
import type { InputBuffer } from './input-buffer.js'

const OPEN = 0x5b
const CLOSE = 0x5d
const COMMA = 0x2c
const BRACE = 0x7b
/** Last bytes of an element that nothing could have gone on: `}`, `]`, `"`. */
const SELF_CLOSED = [0x7d, 0x5d, 0x22]

export class JsonArrayFramer extends Framer {
  private phase: 'before' | 'inside' | 'after' = 'before'
  private scanner = new ElementScanner()
  /** Whether a comma came before the current element. */
  private afterComma = false

  constructor(window: InputBuffer, options: FramerOptions) {
    super('json', window, options)
  }

  protected frame(want: Want): Chunk | undefined {
    if (this.phase === 'before') this.begin()
    const chunk = this.phase === 'inside' ? this.elements(want) : undefined
    if (chunk === undefined && this.phase === 'after' && this.fault === undefined) this.finish()
    return chunk
  }

  protected override fork(): Framer {
    const copy = super.fork()
    return Object.assign(copy, { scanner: Object.assign(new ElementScanner(), this.scanner) })
  }

  private begin(): void {
    this.window.skipSpace()
    const first = this.window.unread[0]
    if (first === undefined) return
    if (first === OPEN) {
      this.window.skip(1)
      this.phase = 'inside'
      return
    }
    const hint = first === BRACE ? '; for one JSON value a line, use --input-format ndjson' : ''
    this.fault = this.faultAt(0, undefined, `expected a JSON array, which begins with '['${hint}`)
  }

  private elements(want: Want): Chunk | undefined {
    const { scanner, window } = this
    const { unread } = window
    let count = 0
    let first = 0
    let end = 0
    let lines = 0
    let lastLf = -1
    const cuts: number[] = []
    while (count < want.items && this.phase === 'inside') {
      const stop = scanner.scan(unread)
      const torn = stop === -1
      if (torn ? !this.isWholeAtEnd(count) : !this.isElement(unread[stop]!, stop, count)) break
      const next = torn ? unread.length : stop
      if (count > 0 && next - first > want.bytes) break
      if (count === 0) first = scanner.contentAt
      else if (end - first - (cuts.at(-1) ?? 0) >= PIECE_BYTES) cuts.push(end - first)
      count++
      end = next
      lines = scanner.lines
      lastLf = scanner.lastLf
      if (torn) this.fault = this.notClosed(count)
      if (torn || unread[stop] === CLOSE) this.phase = 'after'
      this.afterComma = true
      scanner.startElement(next + 1)
    }
    if (count === 0) return this.skipBlank()
    const before = window.position.line
    window.skipSpace()
    const leading = window.position.line - before
    const chunk = this.chunk(unread.subarray(first, end), count, cuts.length > 0 ? cuts : undefined)
    const used = Math.min(end + 1, unread.length)
    window.skipCounted(used - first, lines - leading, lastLf < first ? -1 : lastLf - first)
    scanner.rebase(used, lines)
    return chunk
  }

  /** So that an endless run of white space takes no memory. */
  private skipBlank(): undefined {
    const { scanner, window } = this
    if (this.phase !== 'inside' || scanner.contentAt !== -1 || this.fault !== undefined) return
    const count = window.unread.length
    window.skip(count)
    scanner.rebase(count, scanner.lines)
  }

  /** Whether what ends at `stop` is an element; if not, the array has ended or is at fault. */
  private isElement(byte: number, stop: number, count: number): boolean {
    const { contentAt } = this.scanner
    if (byte !== COMMA && byte !== CLOSE) {
      this.fault = this.wrongElement(contentAt === -1 ? stop : contentAt, stop + 1, count)
      return false
    }
    if (contentAt !== -1) return true
    if (byte === CLOSE && !this.afterComma) {
      this.window.skip(stop + 1)
      this.phase = 'after'
    } else {
      const message = byte === COMMA ? 'missing element' : 'Trailing comma'
      this.fault = this.faultAt(stop, this.seq + count, message)
    }
    return false
  }

  /** The input has ended inside the array: is its last element all there? A number or a word may have been cut. */
  private isWholeAtEnd(count: number): boolean {
    const { scanner, window } = this
    if (!window.ended) return false
    const { unread } = window
    const { contentAt } = scanner
    if (contentAt === -1) {
      this.fault = this.notClosed(count)
      return false
    }
    let last = unread.length - 1
    while (isSpace(unread[last]!)) last--
    const closed = scanner.depth === 0 && !scanner.inString && SELF_CLOSED.includes(unread[last]!)
    if (closed && !(parseBytes(unread.subarray(contentAt)) instanceof BadItem)) return true
    this.fault = this.wrongElement(contentAt, unread.length, count)
    return false
  }

  private wrongElement(from: number, to: number, count: number): InputError {
    const bytes = this.window.unread.subarray(from, to)
    const value = parseBytes(bytes, "Expected ',' or ']'")
    const text = bytes.toString('utf8')
    if (!(value instanceof BadItem) || value.at >= text.length) return this.notClosed(count)
    const at = from + Buffer.byteLength(text.slice(0, value.at))
    return this.faultAt(at, this.seq + count, value.message)
  }

  private notClosed(count: number): InputError {
    const message = 'Unexpected end of JSON: the array is torn, its closing bracket is missing'
    return this.faultAt(this.window.unread.length, this.seq + count, message)
  }

  private finish(): void {
    this.window.skipSpace()
    if (this.window.unread.length > 0)
      this.fault = this.faultAt(
        0,
        undefined,
        'unexpected text after the JSON array; for one JSON value a line, use --input-format ndjson',
      )
  }
}
