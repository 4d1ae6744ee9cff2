// The results of a call whose output is text (`--format raw`), between worker and parent: as they are written, one per line,
// so that the parent passes them on without a look at each. A line that begins with a separator holds JSON instead
// (result-lines.ts): the results of an item that has any number of them, or a string that is not one line.
import { asBuffer, endOfPiece } from './bytes.js'
import { hasAnyNumber, resultLines, withResult } from './result-lines.js'

// Taken before the job is loaded: it may replace it.
const { parse } = JSON

/** Converted together: V8 keeps strings of more than about 128 KiB apart, which costs more. */
const PIECE_BYTES = 64 * 1024
const LF = 0x0a
const RS = 0x1e
const QUOTE = 0x22

/** The string is its own line. */
export function isRawLine(text: string): boolean {
  return text.indexOf('\n') === -1 && text.charCodeAt(0) !== RS
}

/** The line of a result with this JSON. Not only strings become strings in JSON. */
export function rawLineOf(json: string): string {
  if (json.charCodeAt(0) !== QUOTE) return json
  const text: string = parse(json)
  return isRawLine(text) ? text : withResult('', json)
}

/** What is written for these lines. */
export function rawOutput(lines: Uint8Array): Uint8Array {
  const bytes = asBuffer(lines)
  if (!bytes.includes(RS)) return lines
  const parts: Uint8Array[] = []
  let written = 0
  for (let start = 0; start < bytes.length; ) {
    let end = start
    while (end < bytes.length && hasAnyNumber(bytes, end)) end = nextLine(bytes, end)
    if (end > start) {
      parts.push(bytes.subarray(written, start), unquoted(resultLines(bytes.subarray(start, end))))
      written = end
    }
    start = nextLine(bytes, end)
  }
  return Buffer.concat([...parts, bytes.subarray(written)])
}

/** Lines of JSON with strings as they are. */
export function unquoted(lines: Buffer): Uint8Array {
  if (lines[0] !== QUOTE && !lines.includes('\n"')) return lines
  const parts: Uint8Array[] = []
  for (let start = 0; start < lines.length; ) {
    const end = endOfPiece(lines, LF, start, PIECE_BYTES)
    parts.push(Buffer.from(unquotedText(lines.toString('utf8', start, end))))
    start = end
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

function unquotedText(lines: string): string {
  let unquoted = ''
  for (let start = 0; start < lines.length; ) {
    const lf = lines.indexOf('\n', start)
    const line = lines.slice(start, lf)
    unquoted += `${line.startsWith('"') ? stringOf(line) : line}\n`
    start = lf + 1
  }
  return unquoted
}

function stringOf(json: string): string {
  return json.includes('\\') ? parse(json) : json.slice(1, -1)
}

function nextLine(bytes: Buffer, from: number): number {
  const lf = bytes.indexOf(LF, from)
  return lf === -1 ? bytes.length : lf + 1
}
