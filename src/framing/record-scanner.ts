// Finds where a CSV record ends, in bytes, and what is wrong with it: a record ends with the first LF or CRLF outside
// quotes (RFC 4180). A quote opens a field only as its first byte, so a stray quote inside a field does not swallow the
// lines behind it. Its fields are found on the way: the parent only counts them, the worker reads them.
import { indexOrEnd } from './bytes.js'

/** What the next byte belongs to. After a quote inside a quoted field it is open whether that quote was the last one. */
type Place = 'field start' | 'plain field' | 'quoted field' | 'after quote'

/** How far a record was scanned without finding its end. */
export interface ScanState {
  /** Bytes of the record that were scanned. */
  readonly seen: number
  readonly place: Place
  /** Fields that have ended. */
  readonly fields: number
  /** What is wrong so far. */
  readonly fault: string | undefined
}

export const NEW_RECORD: ScanState = { seen: 0, place: 'field start', fields: 0, fault: undefined }

const LF = 0x0a
const CR = 0x0d
const QUOTE = 0x22

const LONE_CR =
  "a carriage return without a line feed outside quotes: lines end with LF or CRLF (tr '\\r' '\\n' converts old files)"
const STRAY_QUOTE = 'a quote inside a field that does not begin with one'
const AFTER_QUOTE = 'text after a closing quote'
const NEVER_CLOSED = 'a quote that is opened here is never closed: the input is torn'

/** Numbers in `bounds` for each field. */
export const BOUNDS = 4
export const NONE = -1

export class RecordScanner {
  readonly #bytes: Buffer
  /** No bytes follow. */
  readonly #ended: boolean
  readonly #delimiter: Uint8Array
  /**
   * A quote inside a plain field, and text after a closing quote, are data. A single quote character inside a TSV field is
   * more often an inch mark than a mistake.
   */
  readonly #relaxQuotes: boolean
  /**
   * For each field its first byte, the byte after its last one, its closing quote or `NONE`, and whether it has doubled
   * quotes. Not those of a record that was scanned in several parts.
   */
  readonly bounds: number[] = []
  /** Of the record at hand: its first byte. */
  start = 0
  /** After the last byte of the last field. */
  end = 0
  /** After the line end, if there is one. */
  next = 0
  fields = 0
  /** What is wrong with it: the first of several faults. */
  fault: string | undefined
  #place: Place = 'field start'

  constructor(bytes: Buffer, ended: boolean, delimiter: string) {
    this.#bytes = bytes
    this.#ended = ended
    this.#delimiter = Buffer.from(delimiter)
    this.#relaxQuotes = delimiter === '\t'
  }

  /**
   * Finds the end of the record at `start`, scanned up to `state` before. False if it is not there: then more bytes are
   * needed, or, once the input has ended, a quote was never closed (`fault`).
   */
  scan(start: number, state: ScanState = NEW_RECORD): boolean {
    const bytes = this.#bytes
    const { length } = bytes
    const ended = this.#ended
    const delimiter = this.#delimiter[0]!
    /** Of a delimiter that is not ASCII. */
    const otherBytes = this.#delimiter.length - 1
    const relaxQuotes = this.#relaxQuotes
    let { place, fault } = state
    let at = start + state.seen
    let fieldStart = at
    let closing = NONE
    let hasDoubled = 0
    this.start = start
    this.fields = state.fields
    while (at < length) {
      if (place === 'quoted field') {
        closing = indexOrEnd(bytes, QUOTE, at)
        at = closing + 1
        if (closing === length) break
        place = 'after quote'
        continue
      }
      // Most bytes by far; those that mean something are not above the quote.
      if (place === 'plain field') while (at < length && bytes[at]! > QUOTE && bytes[at] !== delimiter) at++
      if (at === length) break
      const byte = bytes[at]!
      if (byte === delimiter && at + otherBytes >= length && !ended) break
      if (byte === LF || byte === CR) {
        const lf = byte === LF ? at : at + 1
        if (lf === length && !ended) break
        // At the end of the input a CR is half of a CRLF.
        if (lf === length || bytes[lf] === LF) {
          this.#endField(fieldStart, at, closing, hasDoubled)
          return this.#endRecord(at, Math.min(lf + 1, length), fault)
        }
        fault ??= LONE_CR
        place = 'plain field'
      } else if (byte === delimiter && (otherBytes === 0 || this.#isDelimiter(at))) {
        this.#endField(fieldStart, at, closing, hasDoubled)
        place = 'field start'
        at += otherBytes
        fieldStart = at + 1
        closing = NONE
        hasDoubled = 0
      } else if (place === 'after quote') {
        if (byte === QUOTE) {
          place = 'quoted field'
          hasDoubled = 1
        } else {
          // Not a NUL: some readers take it there for the end of the text.
          if (!relaxQuotes || byte === 0) fault ??= AFTER_QUOTE
          place = 'plain field'
        }
      } else if (byte === QUOTE) {
        if (place === 'field start') place = 'quoted field'
        else if (!relaxQuotes) fault ??= STRAY_QUOTE
      } else place = 'plain field'
      at++
    }
    if (ended && place !== 'quoted field') {
      this.#endField(fieldStart, length, closing, hasDoubled)
      return this.#endRecord(length, length, fault)
    }
    this.end = Math.min(at, length)
    this.#place = place
    this.fault = fault ?? (ended ? NEVER_CLOSED : undefined)
    return false
  }

  /** Where the scan has stopped, if it has not found the end. */
  state(): ScanState {
    return { seen: this.end - this.start, place: this.#place, fields: this.fields, fault: this.fault }
  }

  #endField(start: number, end: number, closing: number, hasDoubled: number): void {
    const bounds = this.bounds
    const at = BOUNDS * this.fields++
    bounds[at] = start
    bounds[at + 1] = end
    bounds[at + 2] = closing
    bounds[at + 3] = hasDoubled
  }

  #endRecord(end: number, next: number, fault: string | undefined): true {
    this.end = end
    this.next = next
    this.fault = fault
    return true
  }

  /** Whether the delimiter, which its first byte is at, goes on there. */
  #isDelimiter(at: number): boolean {
    const delimiter = this.#delimiter
    for (let i = 1; i < delimiter.length; i++) if (this.#bytes[at + i] !== delimiter[i]) return false
    return true
  }
}
