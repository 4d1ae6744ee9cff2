// Byte helpers that the parent, which frames items, and the worker, which parses them, share.
import { constants, isUtf8 } from 'node:buffer'

/** In characters; a text in UTF-8 has at least as many bytes. */
export const MAX_TEXT = constants.MAX_STRING_LENGTH
export const TOO_LONG = 'longer than 512 MiB, the longest text that Node can hold'
/** How much is shown of a text that is too long. */
const SHOWN_BYTES = 64 * 1024

/** The text, or `undefined` if it is too long for a string. */
export function textOf(bytes: Buffer, start = 0, end: number = bytes.length): string | undefined {
  try {
    return bytes.toString('utf8', start, end)
  } catch {
    return undefined
  }
}

/** Up to here, walking costs less than the call of a native search. */
const NEAR_BYTES = 24

/** Index of the next such byte, or the end of the bytes. */
export function indexOrEnd(bytes: Buffer, byte: number, from: number): number {
  const near = Math.min(bytes.length, from + NEAR_BYTES)
  for (let i = from; i < near; i++) if (bytes[i] === byte) return i
  const found = bytes.indexOf(byte, near)
  return found === -1 ? bytes.length : found
}

/** The end of as many whole items as fit into a piece of this size, but at least one. */
export function endOfPiece(bytes: Buffer, delimiter: number, start: number, size: number): number {
  const limit = start + size
  if (limit >= bytes.length) return bytes.length
  const lastFitting = bytes.lastIndexOf(delimiter, limit - 1)
  if (lastFitting >= start) return lastFitting + 1
  const first = bytes.indexOf(delimiter, limit)
  return first === -1 ? bytes.length : first + 1
}

/** The beginning of a text, for messages. */
export function shownText(bytes: Buffer, start: number, end: number): string {
  const isLong = end - start > SHOWN_BYTES
  return isLong
    ? `${bytes.toString('utf8', start, start + SHOWN_BYTES)}…`
    : bytes.toString('utf8', start, end)
}

/** How many bytes the first `characters` of a text take that begins at `start`. */
export function bytesBefore(bytes: Buffer, start: number, end: number, characters: number): number {
  // A character (UTF-16) is at most three bytes.
  const enough = Math.min(end, start + Math.min(3 * characters + 3, MAX_TEXT))
  return Buffer.byteLength(bytes.toString('utf8', start, enough).slice(0, characters))
}

/** The same memory as a Buffer. Bytes that came over the channel are a plain Uint8Array. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** White space of JSON only: a form feed or a no-break space is an error. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

export function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!isSpace(bytes[i]!)) return false
  return true
}

/** Index of the first byte that is not part of well-formed UTF-8, or -1. */
export function firstInvalidUtf8(bytes: Uint8Array): number {
  if (isUtf8(bytes)) return -1
  const size = bytes.length
  let i = 0
  while (i < size) {
    const length = sequenceLength(bytes, i)
    if (length === 0) return i
    i += length
  }
  return -1
}

/** Length of the well-formed sequence that begins at `i`; 0 if there is none. See the Unicode Standard, table 3-7. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i]!
  if (lead < 0x80) return 1
  const second = bytes[i + 1] ?? 0
  if (lead >= 0xc2 && lead <= 0xdf) return isContinuation(second) ? 2 : 0
  if (lead >= 0xe0 && lead <= 0xef) {
    const low = lead === 0xe0 ? 0xa0 : 0x80
    const high = lead === 0xed ? 0x9f : 0xbf
    return second >= low && second <= high && isContinuation(bytes[i + 2] ?? 0) ? 3 : 0
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const low = lead === 0xf0 ? 0x90 : 0x80
    const high = lead === 0xf4 ? 0x8f : 0xbf
    const tail = isContinuation(bytes[i + 2] ?? 0) && isContinuation(bytes[i + 3] ?? 0)
    return second >= low && second <= high && tail ? 4 : 0
  }
  return 0
}

export function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}
