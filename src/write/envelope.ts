// `--envelope`: one line per item with its index, result or error, attempts and duration. Results are inserted as bytes;
// they are never parsed.
import { hasAnyNumber } from '../framing/result-lines.js'
import { failedMs, type ItemFailure, itemIndexAt, type Ms, type SettledRange } from '../model.js'

const LF = 0x0a
const COMMA = 0x2c
const CLOSE = 0x5d
const ZERO = 0x30
const NINE = 0x39
const NO_BYTES = new Uint8Array(0)
const BEFORE_INDEX = '{"index":'
const BEFORE_VALUE = ',"ok":true,"value":'
const BEFORE_VALUES = ',"ok":true,"values":['
/** Of an index, and of a duration. */
const MAX_NUMBER_BYTES = 24
/** Most durations are one of this many microseconds. Writing a fraction as text costs more than the rest of its line. */
const SHORT_MICROSECONDS = 4096

/** Lines for the items `from` up to `to` (exclusive) of the range, which all succeeded; `lines` are their results. */
export function envelopes(settled: SettledRange, lines: Uint8Array, from: number, to: number): Uint8Array {
  // `from` is behind `to` where items have failed.
  if (from >= to) return NO_BYTES
  const { chunk, attempts, timings } = settled
  const tailOf = tailsFor(attempts)
  const partsBytes = BEFORE_INDEX.length + BEFORE_VALUES.length + 1 + tailOf(undefined).length
  const bytes = Buffer.allocUnsafe(lines.length + (to - from) * (partsBytes + 2 * MAX_NUMBER_BYTES))
  let at = 0
  let next = 0
  let index = itemIndexAt(chunk, from)
  let head = headOf(index)
  for (let offset = from; offset < to; offset++) {
    const expected = index + 1
    index = itemIndexAt(chunk, offset)
    if (offset > from && (index !== expected || !increment(head))) head = headOf(index)
    if (hasAnyNumber(lines, next)) {
      at = append(bytes, at, Buffer.from(`${BEFORE_INDEX}${index}${BEFORE_VALUES}`))
      for (next++; next < lines.length && lines[next] !== LF; next++)
        bytes[at++] = hasAnyNumber(lines, next) ? COMMA : lines[next]!
      bytes[at++] = CLOSE
    } else {
      at = append(bytes, at, head)
      // Byte by byte: for so few of them, a call of a built-in function costs more.
      for (; next < lines.length && lines[next] !== LF; next++) bytes[at++] = lines[next]!
    }
    next++
    at = append(bytes, at, tailOf(timings?.ms[offset - settled.from]))
  }
  return bytes.subarray(0, at)
}

function append(bytes: Buffer, at: number, part: Uint8Array): number {
  bytes.set(part, at)
  return at + part.length
}

function headOf(index: number): Buffer {
  return Buffer.from(`${BEFORE_INDEX}${index}${BEFORE_VALUE}`)
}

/** Makes it the head of the next index, which costs less than a new one. False if that index has one more digit. */
function increment(head: Buffer): boolean {
  let at = head.length - BEFORE_VALUE.length - 1
  for (; head[at] === NINE; at--) head[at] = ZERO
  if (at < BEFORE_INDEX.length) return false
  head[at]!++
  return true
}

/** What follows a value: attempts and duration. */
function tailsFor(attempts: number): (ms: Ms | undefined) => Buffer {
  const tail = (ms: Ms | undefined) => Buffer.from(`,"attempts":${attempts},"ms":${durationText(ms)}}\n`)
  if (attempts > 1) return tail
  return (ms) => {
    const microseconds = ms === undefined ? Number.NaN : Math.round(ms * 1000)
    if (!(microseconds >= 0 && microseconds < SHORT_MICROSECONDS)) return tail(ms)
    shortTails[microseconds] ??= tail(ms)
    return shortTails[microseconds]
  }
}

/** For items with one attempt. */
const shortTails: Buffer[] = []

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
