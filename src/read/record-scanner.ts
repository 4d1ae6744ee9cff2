// Finds where a CSV record ends, in bytes: at the first line feed outside quotes (RFC 4180). A quote opens a field only
// as its first byte, so a stray quote inside a field does not swallow the lines behind it.

interface ScanState {
  /** Bytes of the record that were scanned. */
  readonly seen: number
  /** Inside a quoted field. */
  readonly quoted: boolean
  /** The next byte is the first of a field. */
  readonly fieldStart: boolean
}

export const NEW_RECORD: ScanState = { seen: 0, quoted: false, fieldStart: true }

const LF = 0x0a
const QUOTE = 0x22

export class RecordScanner {
  readonly #bytes: Buffer
  readonly #delimiter: number

  constructor(bytes: Buffer, delimiter: number) {
    this.#bytes = bytes
    this.#delimiter = delimiter
  }

  /** `end` is after the record's line feed. Without it more bytes are needed: scan again from `state`. */
  end(start: number, state: ScanState): { readonly end?: number; readonly state: ScanState } {
    const bytes = this.#bytes
    const delimiter = this.#delimiter
    let { quoted, fieldStart } = state
    let at = start + state.seen
    while (at < bytes.length) {
      if (quoted) {
        const quote = bytes.indexOf(QUOTE, at)
        if (quote === -1) {
          at = bytes.length
          break
        }
        at = quote + 1
        // For finding the record's end, a doubled quote may as well close the field and open it again.
        quoted = false
        fieldStart = false
        if (bytes[at] === QUOTE) {
          quoted = true
          at++
        } else if (at === bytes.length) {
          // The next byte may be the second quote of a pair.
          return { state: { seen: quote - start, quoted: true, fieldStart: false } }
        }
        continue
      }
      const byte = bytes[at++]
      if (byte === LF) return { end: at, state: NEW_RECORD }
      if (byte === QUOTE && fieldStart) quoted = true
      fieldStart = byte === delimiter
    }
    return { state: { seen: at - start, quoted, fieldStart } }
  }
}
