// Where a record of CSV ends: at the first line feed outside quotes (RFC 4180). A quote opens a field only as its first
// byte, so that a stray one inside a field swallows nothing. Works on bytes; knows nothing of fields' contents.

export interface ScanState {
  /** Bytes of the record that have been looked at. */
  readonly seen: number
  /** Inside a quoted field. */
  readonly quoted: boolean
  /** The next byte is a field's first. */
  readonly fieldStart: boolean
}

export const NEW_RECORD: ScanState = { seen: 0, quoted: false, fieldStart: true }

const LF = 0x0a
const QUOTE = 0x22

export class RecordScanner {
  constructor(
    private readonly bytes: Buffer,
    private readonly delimiter: number,
  ) {}

  /** `end` is after the record's line feed; without it more bytes are needed, and `state` says from where. */
  end(start: number, state: ScanState): { readonly end?: number; readonly state: ScanState } {
    const { bytes, delimiter } = this
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
        // A doubled quote closes and opens again at once: to where records end that is the same as staying inside.
        quoted = false
        fieldStart = false
        if (bytes[at] === QUOTE) {
          quoted = true
          at++
        } else if (at === bytes.length) {
          // The next byte may be the second of a pair.
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
