// `--envelope`: one line per item with its index, result or error, attempts and duration. Results are inserted as bytes;
// they are never parsed.
import { hasAnyNumber } from '../framing/result-lines.js'
import { failedMs, type ItemFailure, itemIndexAt, type Ms, type SettledRange } from '../model.js'

const LF = 0x0a
const COMMA = 0x2c
const CLOSE = 0x5d
const NO_BYTES = new Uint8Array(0)
const ZERO = 0x30
const BEFORE_INDEX = Buffer.from('{"index":')
const BEFORE_VALUE = Buffer.from(',"ok":true,"value":')
const BEFORE_VALUES = Buffer.from(',"ok":true,"values":[')
const END = Buffer.from('}\n')
/** Of an index, and of a duration. */
const MAX_NUMBER_BYTES = 24
const MAX_INT32 = 2 ** 31 - 1
/** Most durations are one of this many microseconds. Writing a fraction as text costs more than the rest of its line. */
const SHORT_MICROSECONDS = 4096
const shortDurations: Buffer[] = []

/** Lines for the items `from` up to `to` (exclusive) of the range, which all succeeded; `lines` are their results. */
export function envelopes(settled: SettledRange, lines: Uint8Array, from: number, to: number): Uint8Array {
  // `from` is behind `to` where items have failed.
  if (from >= to) return NO_BYTES
  const { chunk, attempts, timings } = settled
  const beforeMs = Buffer.from(`,"attempts":${attempts},"ms":`)
  const partsBytes = BEFORE_INDEX.length + BEFORE_VALUES.length + 1 + beforeMs.length + END.length
  const bytes = Buffer.allocUnsafe(lines.length + (to - from) * (partsBytes + 2 * MAX_NUMBER_BYTES))
  let at = 0
  let next = 0
  for (let offset = from; offset < to; offset++) {
    at = append(bytes, at, BEFORE_INDEX)
    at = appendInteger(bytes, at, itemIndexAt(chunk, offset))
    const isAnyNumber = hasAnyNumber(lines, next)
    if (isAnyNumber) next++
    at = append(bytes, at, isAnyNumber ? BEFORE_VALUES : BEFORE_VALUE)
    for (; next < lines.length && lines[next] !== LF; next++)
      bytes[at++] = hasAnyNumber(lines, next) ? COMMA : lines[next]!
    if (isAnyNumber) bytes[at++] = CLOSE
    next++
    at = append(bytes, at, beforeMs)
    at = append(bytes, at, durationBytes(timings?.ms[offset - settled.from]))
    at = append(bytes, at, END)
  }
  return bytes.subarray(0, at)
}

// Byte by byte: for so few of them, a call of a built-in function costs more, and so does a string for each line.

function append(bytes: Buffer, at: number, part: Uint8Array): number {
  for (let i = 0; i < part.length; i++) bytes[at + i] = part[i]!
  return at + part.length
}

function appendInteger(bytes: Buffer, at: number, integer: number): number {
  if (integer > MAX_INT32) return append(bytes, at, Buffer.from(String(integer)))
  let end = at + 1
  for (let rest = integer; rest >= 10; rest = (rest / 10) | 0) end++
  for (let i = end - 1, rest = integer; i >= at; i--) {
    const tenth = (rest / 10) | 0
    bytes[i] = ZERO + rest - 10 * tenth
    rest = tenth
  }
  return end
}

function durationBytes(ms: Ms | undefined): Buffer {
  const microseconds = ms === undefined ? Number.NaN : Math.round(ms * 1000)
  const isShort = microseconds >= 0 && microseconds < SHORT_MICROSECONDS
  if (!isShort) return Buffer.from(durationText(ms))
  shortDurations[microseconds] ??= Buffer.from(durationText(ms))
  return shortDurations[microseconds]
}

/** The line for a failed item. JSON must be able to carry `error`. */
export function failedEnvelope({ chunk }: SettledRange, failed: ItemFailure, error: object): Uint8Array {
  const { offset, attempts } = failed
  const ms = durationText(failedMs(failed))
  return Buffer.from(
    `{"index":${itemIndexAt(chunk, offset)},"ok":false,"error":${JSON.stringify(error)},"attempts":${attempts},"ms":${ms}}\n`,
  )
}

/** Rounded to microseconds, the resolution of the clock. `null` if the worker has not sent the duration. */
export function durationText(ms: Ms | undefined): string {
  return ms === undefined ? 'null' : String(Math.round(ms * 1000) / 1000)
}
