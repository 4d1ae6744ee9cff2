// The results of an item that has any number of them, as a generator yields them. Between worker and parent they are one
// line, because every item has one: each result has a separator before it, which JSON never contains.

/** Record separator of ASCII, as in JSON text sequences (RFC 7464). */
const SEPARATOR = '\x1e'
const RS = 0x1e
const LF = 0x0a
const COMMA = 0x2c
const OPEN = 0x5b
const CLOSE = 0x5d

/** The line of an item without results. */
export const NO_RESULTS = SEPARATOR

/** The line with one more result; of none it is empty. */
export function withResult(line: string, json: string): string {
  return `${line}${SEPARATOR}${json}`
}

/** True if the line at this byte is that of an item with any number of results. */
export function hasAnyNumber(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === RS
}

/** The value of an item: the array of its results, if there can be any number of them. */
export function parseResult(line: string): unknown {
  if (!line.startsWith(SEPARATOR)) return JSON.parse(line)
  return line === NO_RESULTS ? [] : JSON.parse(`[${line.slice(1).replaceAll(SEPARATOR, ',')}]`)
}

/** Lines of items as lines of results: none for an item without results. */
export function resultLines(lines: Buffer): Buffer {
  const first = lines.indexOf(RS)
  if (first === -1) return lines
  const bytes = Buffer.from(lines)
  let end = first
  for (let at = first; at < lines.length; at++) {
    const byte = lines[at]!
    if (byte !== RS) bytes[end++] = byte
    else if (at > 0 && lines[at - 1] !== LF) bytes[end++] = LF
    else if (lines[at + 1] === LF) at++
  }
  return bytes.subarray(0, end)
}

/** The same lines, with an array in place of any number of results. */
export function arrayLines(lines: Buffer): Buffer {
  if (!lines.includes(RS)) return lines
  // An array takes one byte more than its results with their separators.
  let extra = 0
  for (let at = 0; at < lines.length; at++) if (isStart(lines, at)) extra++
  const bytes = Buffer.allocUnsafe(lines.length + extra)
  let end = 0
  let isArray = false
  for (let at = 0; at < lines.length; at++) {
    const byte = lines[at]!
    if (isStart(lines, at)) {
      isArray = true
      bytes[end++] = OPEN
    } else if (byte === RS) bytes[end++] = COMMA
    else {
      if (byte === LF && isArray) {
        bytes[end++] = CLOSE
        isArray = false
      }
      bytes[end++] = byte
    }
  }
  return bytes.subarray(0, end)
}

function isStart(lines: Buffer, at: number): boolean {
  return lines[at] === RS && (at === 0 || lines[at - 1] === LF)
}
