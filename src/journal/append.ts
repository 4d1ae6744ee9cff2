// Appends short text to bytes, a few of them per step: one by one, they take twice as long, and so does a call of a built-in
// function. All functions return where the text ends; up to twelve bytes behind it are overwritten. Pure.

const ZERO = 0x30
const HEX = Buffer.from('0123456789abcdef')
/** The two digits of a byte, the first one in the lower half. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, byte) => HEX[byte >> 4]! | (HEX[byte & 15]! << 8))
const MAX_INT32 = 2 ** 31 - 1
const MAX_PART_BYTES = 12

/** Text that is appended often: at most twelve bytes, as three words with zeros behind them. */
export interface Part {
  readonly bytes: Buffer
  readonly length: number
  readonly word0: number
  readonly word1: number
  readonly word2: number
}

export function part(text: string): Part {
  const bytes = Buffer.from(text)
  const { length } = bytes
  if (length > MAX_PART_BYTES) throw new RangeError(`${text} is longer than ${MAX_PART_BYTES} bytes`)
  const padded = Buffer.concat([bytes], MAX_PART_BYTES)
  const [word0, word1, word2] = [padded.readInt32LE(0), padded.readInt32LE(4), padded.readInt32LE(8)]
  return { bytes, length, word0, word1, word2 }
}

export function append(view: DataView, at: number, { length, word0, word1, word2 }: Part): number {
  view.setInt32(at, word0, true)
  view.setInt32(at + 4, word1, true)
  view.setInt32(at + 8, word2, true)
  return at + length
}

/** Eight digits. */
export function appendHex(view: DataView, at: number, value: number): number {
  view.setUint16(at, DIGITS[value >>> 24]!, true)
  view.setUint16(at + 2, DIGITS[(value >>> 16) & 255]!, true)
  view.setUint16(at + 4, DIGITS[(value >>> 8) & 255]!, true)
  view.setUint16(at + 6, DIGITS[value & 255]!, true)
  return at + 8
}

export function appendInteger(bytes: Buffer, at: number, value: number): number {
  if (value > MAX_INT32) return at + bytes.write(String(value), at)
  let end = at + 1
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) end++
  for (let i = end - 1, rest = value; i >= at; i--) {
    const tenth = (rest / 10) | 0
    bytes[i] = ZERO + rest - 10 * tenth
    rest = tenth
  }
  return end
}

/** `from[start, end)`. */
export function appendBytes(bytes: Buffer, at: number, from: Uint8Array, start: number, end: number): number {
  if (end - start < 32) for (let i = start; i < end; i++) bytes[at + i - start] = from[i]!
  else bytes.set(from.subarray(start, end), at)
  return at + end - start
}
