// Finds where a CSV record ends, in bytes, and what is wrong with it: a record ends with the first LF or CRLF outside
// quotes (RFC 4180). A quote opens a field only as its first byte, so a stray quote inside a field does not swallow the
// lines behind it.

/** What the next byte belongs to. After a quote inside a quoted field it is open whether that quote was the last one. */
type Place = 'field start' | 'plain field' | 'quoted field' | 'after quote'

interface ScanState {
  /** Bytes of the record that were scanned. */
  readonly seen: number
  readonly place: Place
  /** What is wrong so far. */
  readonly fault: string | undefined
}

export const NEW_RECORD: ScanState = { seen: 0, place: 'field start', fault: undefined }

export interface ScannedRecord {
  readonly start: number
  /** After the last byte of the last field. */
  readonly end: number
  /** After the line end, if there is one. */
  readonly next: number
  /** What is wrong with it: the first of several faults. */
  readonly fault: string | undefined
}

export interface ScanRules {
  /** One character. */
  readonly delimiter: Uint8Array
  /** A quote inside a plain field, and text after a closing quote, are data. */
  readonly relaxQuotes: boolean
}

const LF = 0x0a
const CR = 0x0d
const QUOTE = 0x22

const LONE_CR =
  "a carriage return without a line feed outside quotes: lines end with LF or CRLF (tr '\\r' '\\n' converts old files)"
const STRAY_QUOTE = 'a quote inside a field that does not begin with one'
const AFTER_QUOTE = 'text after a closing quote'
const NEVER_CLOSED = 'a quote that is opened here is never closed: the input is torn'

export class RecordScanner {
  readonly #bytes: Buffer
  readonly #rules: ScanRules
  /** No bytes follow. */
  readonly #ended: boolean

  constructor(bytes: Buffer, ended: boolean, rules: ScanRules) {
    this.#bytes = bytes
    this.#ended = ended
    this.#rules = rules
  }

  /**
   * The record at `start`, scanned up to `state` before. A state is returned if its end is not there: then more bytes are
   * needed, or, once the input has ended, a quote was never closed.
   */
  scan(start: number, state: ScanState): ScannedRecord | ScanState {
    const bytes = this.#bytes
    const delimiter = this.#rules.delimiter[0]!
    /** Of a delimiter that is not ASCII. */
    const otherBytes = this.#rules.delimiter.length - 1
    let { place, fault } = state
    let at = start + state.seen
    while (at < bytes.length) {
      if (place === 'quoted field') {
        const quote = bytes.indexOf(QUOTE, at)
        if (quote === -1) {
          at = bytes.length
          break
        }
        place = 'after quote'
        at = quote + 1
        continue
      }
      // Most bytes by far; those that mean something are not above the quote.
      if (place === 'plain field')
        while (at < bytes.length && bytes[at]! > QUOTE && bytes[at] !== delimiter) at++
      if (at === bytes.length) break
      const byte = bytes[at]!
      if (byte === delimiter && at + otherBytes >= bytes.length && !this.#ended) break
      if (byte === LF) return { start, end: at, next: at + 1, fault }
      if (byte === CR) {
        if (at + 1 === bytes.length && !this.#ended) break
        // At the end of the input it is half of a CRLF.
        if (at + 1 === bytes.length) return { start, end: at, next: at + 1, fault }
        if (bytes[at + 1] === LF) return { start, end: at, next: at + 2, fault }
        fault ??= LONE_CR
        place = 'plain field'
      } else if (byte === delimiter && (otherBytes === 0 || this.#isDelimiter(at))) {
        place = 'field start'
        at += otherBytes
      } else if (place === 'after quote') {
        if (byte === QUOTE) place = 'quoted field'
        else {
          // To csv-parse a NUL there is as good as the end of the text.
          if (!this.#rules.relaxQuotes || byte === 0) fault ??= AFTER_QUOTE
          place = 'plain field'
        }
      } else if (byte === QUOTE) {
        if (place === 'field start') place = 'quoted field'
        else if (!this.#rules.relaxQuotes) fault ??= STRAY_QUOTE
      } else place = 'plain field'
      at++
    }
    if (this.#ended && place !== 'quoted field') return { start, end: at, next: at, fault }
    return { seen: at - start, place, fault: fault ?? (this.#ended ? NEVER_CLOSED : undefined) }
  }

  #isDelimiter(at: number): boolean {
    return this.#rules.delimiter.every((byte, i) => this.#bytes[at + i] === byte)
  }
}
