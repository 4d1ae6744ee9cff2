// Frames the elements of one JSON array. Reports what is wrong between elements (a missing one, the array's own
// brackets); what is wrong inside an element is found where it is parsed.
import type { InputError } from '../errors/classes.js'
import { isSpace, TOO_LONG, textOf } from '../framing/bytes.js'
import { ElementScanner } from '../framing/element-scanner.js'
import { BadItem, PIECE_BYTES, parseBytes } from '../framing/parse.js'
import type { Chunk } from '../model.js'
import type { Want } from '../source.js'
import { PLAIN_TEXT_HINT } from './detect.js'
import { Framer, type FramerOptions, type LongItem } from './framer.js'
import { findInnerArray, jqCommand } from './inner-array.js'
import type { InputBuffer } from './input-buffer.js'

const LF = 0x0a
const OPEN = 0x5b
const CLOSE = 0x5d
const COMMA = 0x2c
const BRACE = 0x7b
/** An element that ends with one of these is complete: `}`, `]`, `"`. A number or a literal may have been cut off. */
const SELF_CLOSING = [0x7d, 0x5d, 0x22]

const NDJSON_HINT = 'for one JSON value per line, use --input-format ndjson'

/** A detected array may be text whose first line begins with a bracket: elements in its first bytes are checked. */
const CHECKED_BYTES = 4096
/** `{`, `[`, `"`: an element that begins with one of these is meant to be JSON. */
const CLEARLY_JSON = [0x7b, 0x5b, 0x22]

export class JsonArrayFramer extends Framer {
  #phase: 'before' | 'inside' | 'after' = 'before'
  #scanner = new ElementScanner()
  /** Whether a comma came before the current element. */
  #afterComma = false
  /** No format was given. */
  readonly #detected: boolean
  #firstLine = 1
  /** Whether white space follows the array. */
  #spaced = false

  constructor(input: InputBuffer, options: FramerOptions, detected: boolean) {
    super('json', input, options)
    this.#detected = detected
  }

  protected override fork(): JsonArrayFramer {
    const copy = new JsonArrayFramer(this.input.fork(), this.options, this.#detected)
    copy.#phase = this.#phase
    copy.#scanner = Object.assign(new ElementScanner(), this.#scanner)
    copy.#afterComma = this.#afterComma
    copy.#firstLine = this.#firstLine
    copy.#spaced = this.#spaced
    return this.copyTo(copy)
  }

  protected override frame(want: Want): Chunk | undefined {
    if (this.#phase === 'before') this.#begin()
    const chunk = this.#phase === 'inside' ? this.#elements(want) : undefined
    if (chunk === undefined && this.#phase === 'after' && this.error === undefined) this.#finish()
    return chunk
  }

  #begin(): void {
    this.input.skipSpace()
    const first = this.input.unread[0]
    if (first === undefined) return
    if (first === OPEN) {
      this.#firstLine = this.input.position.line
      this.input.skip(1)
      this.#phase = 'inside'
      return
    }
    const hint = first === BRACE ? `; ${this.#hintForObject()}` : ''
    this.error = this.errorAt(0, undefined, `expected a JSON array, which begins with '['${hint}`)
  }

  #hintForObject(): string {
    const path = findInnerArray(this.input.unread)
    if (path === undefined) return NDJSON_HINT
    const { file } = this.options
    const command = jqCommand(path, file.startsWith('<') ? undefined : file)
    return `for the array in it, use: ${command} | poolrun …`
  }

  #elements(want: Want): Chunk | undefined {
    const { input } = this
    const { unread } = input
    const scanner = this.#scanner
    let count = 0
    let first = 0
    let end = 0
    let lines = 0
    let lastLf = -1
    const mayBeText = this.#detected && input.position.offset < CHECKED_BYTES
    const cuts: number[] = []
    while (count < want.items && this.#phase === 'inside') {
      const stop = scanner.scan(unread)
      const torn = stop === -1
      if (torn ? !this.#isWholeAtEnd(count) : !this.#isElement(unread[stop]!, stop, count)) break
      const next = torn ? unread.length : stop
      if (count > 0 && next - first > want.bytes) break
      if (mayBeText && this.#isText(scanner.contentAt, next, count)) {
        this.error = this.#wrongElement(scanner.contentAt, next, count)
        break
      }
      if (count === 0) first = scanner.contentAt
      else if (end - first - (cuts.at(-1) ?? 0) >= PIECE_BYTES) cuts.push(end - first)
      count++
      end = next
      lines = scanner.lines
      lastLf = scanner.lastLf
      if (torn) this.error = this.#notClosed(count)
      this.#elementEnded(next, unread[next])
    }
    if (count === 0) return this.#skipBlank()
    const lineBefore = input.position.line
    input.skipSpace()
    const leadingLines = input.position.line - lineBefore
    const chunk = this.chunk(unread.subarray(first, end), count, cuts.length > 0 ? cuts : undefined)
    const used = Math.min(end + 1, unread.length)
    input.skipCounted(used - first, lines - leadingLines, lastLf < first ? -1 : lastLf - first)
    scanner.rebase(used, lines)
    return chunk
  }

  protected override drop(item: LongItem): Chunk | undefined {
    const { input } = this
    const { unread, ended } = input
    const scanner = this.#scanner
    const stop = scanner.scan(unread)
    const isWrong = stop === -1 ? ended : unread[stop] !== COMMA && unread[stop] !== CLOSE
    if (isWrong) {
      this.error = this.errorFor(item.location, this.seq, TOO_LONG)
      return undefined
    }
    if (stop !== -1) this.#elementEnded(stop, unread[stop])
    const used = stop === -1 ? unread.length : stop + 1
    input.skip(used)
    scanner.rebase(used, scanner.lines)
    return stop === -1 ? undefined : this.longChunk(item)
  }

  protected override skipSpace(): void {
    const { offset, line } = this.input.position
    this.input.skipSpace()
    const { position } = this.input
    this.#scanner.rebase(position.offset - offset, position.line - line)
  }

  /** `byte`: its comma or closing bracket, at `at`; `undefined` at the end of the input. */
  #elementEnded(at: number, byte: number | undefined): void {
    if (byte !== COMMA) this.#phase = 'after'
    this.#afterComma = true
    this.#scanner.startElement(at + 1)
  }

  /** Keeps an endless run of white space from filling memory. */
  #skipBlank(): undefined {
    const { input } = this
    const scanner = this.#scanner
    if (this.#phase !== 'inside' || scanner.contentAt !== -1 || this.error !== undefined) return
    const count = input.unread.length
    input.skip(count)
    scanner.rebase(count, scanner.lines)
  }

  /** Whether an element ends at `stop`. If not, the array has ended there or `error` is set. */
  #isElement(byte: number, stop: number, count: number): boolean {
    const { contentAt } = this.#scanner
    if (byte !== COMMA && byte !== CLOSE) {
      this.error = this.#wrongElement(contentAt === -1 ? stop : contentAt, stop + 1, count)
      return false
    }
    if (contentAt !== -1) return true
    if (byte === CLOSE && !this.#afterComma) {
      this.input.skip(stop + 1)
      this.#phase = 'after'
    } else {
      const message = byte === COMMA ? 'missing element' : 'Trailing comma'
      this.error = this.errorAt(stop, this.seq + count, message)
    }
    return false
  }

  /** Whether the input has ended inside the array, but after a complete element. If it is incomplete, sets `error`. */
  #isWholeAtEnd(count: number): boolean {
    const { unread, ended } = this.input
    if (!ended) return false
    const scanner = this.#scanner
    const { contentAt } = scanner
    if (contentAt === -1) {
      this.error = this.#notClosed(count)
      return false
    }
    let last = unread.length - 1
    while (isSpace(unread[last]!)) last--
    const closed = scanner.depth === 0 && !scanner.inString && SELF_CLOSING.includes(unread[last]!)
    if (closed && !(parseBytes(unread.subarray(contentAt)) instanceof BadItem)) return true
    this.error = this.#wrongElement(contentAt, unread.length, count)
    return false
  }

  /** Whether an element of a detected array is no JSON, but may be part of a line of text. */
  #isText(from: number, to: number, count: number): boolean {
    // For `collect` a bad element of an array that began well is a failed item.
    const wouldFailAlone = this.options.tolerant && this.seq + count > 0
    if (wouldFailAlone || !this.#mayBeText(from)) return false
    return parseBytes(this.input.unread.subarray(from, to)) instanceof BadItem
  }

  #mayBeText(from: number): boolean {
    const { unread, position } = this.input
    if (!this.#detected || CLEARLY_JSON.includes(unread[from]!)) return false
    if (position.line !== this.#firstLine || position.offset + from >= CHECKED_BYTES) return false
    const lf = unread.indexOf(LF)
    return lf === -1 || lf > from
  }

  #wrongElement(from: number, to: number, count: number): InputError {
    const bytes = this.input.unread.subarray(from, to)
    const value = parseBytes(bytes, "Expected ',' or ']'")
    const text = textOf(bytes)
    if (text === undefined) return this.errorAt(from, this.seq + count, TOO_LONG)
    const hint = this.#mayBeText(from) ? `; ${PLAIN_TEXT_HINT}` : ''
    const complete = hint !== '' && to < this.input.unread.length
    if (!(value instanceof BadItem) || (value.at >= text.length && !complete)) return this.#notClosed(count)
    const at = from + Buffer.byteLength(text.slice(0, value.at))
    const message = value.at >= text.length ? 'Unexpected end of the array element' : value.message
    return this.errorAt(at, this.seq + count, message + hint)
  }

  #notClosed(count: number): InputError {
    const message = 'Unexpected end of JSON: the array is torn, its closing bracket is missing'
    return this.errorAt(this.input.unread.length, this.seq + count, message)
  }

  #finish(): void {
    const { input } = this
    const before = input.position.offset
    input.skipSpace()
    this.#spaced ||= input.position.offset > before
    const next = input.unread[0]
    if (next === undefined) return
    const startsValue = (this.#spaced ? /[[{"\-\dtfn]/ : /[[{"]/).test(String.fromCharCode(next))
    const hint = this.#detected && !startsValue ? PLAIN_TEXT_HINT : NDJSON_HINT
    this.error = this.errorAt(0, undefined, `unexpected text after the JSON array; ${hint}`)
  }
}
