// Parses the bytes of a chunk into values in the worker, a few at a time and as late as possible, so that a chunk of large
// records is never in memory as objects all together. A bad item is returned, not thrown, so the others are not affected.
import { isUtf8 } from 'node:buffer'
import type { Framing } from '../model.js'
import { asBuffer, endOfPiece, firstInvalidUtf8, isBlank, TOO_LONG, textOf } from './bytes.js'
import { parseKeepingNumbers } from './exact-numbers.js'
import { CR, LF, NUL } from './framings.js'
import { type BytesPayload, type ItemRange, memberRanges, withoutCr } from './items.js'
import { findJsonError } from './json-error.js'
import { readRecords } from './records.js'

/** Captured before any job is loaded, because a job may replace it. */
let parse = JSON.parse as (text: string) => unknown

/** From now on, in all of this process: commands are given items as text, whose numbers must keep all their digits. */
export function keepNumbersOfItems(): void {
  parse = parseKeepingNumbers
}

/**
 * Bytes that are decoded and parsed together. Measured: item by item, alternating with the tasks, decoding and parsing
 * each cost a tenth more. Strings of more than about 128 KiB cost another tenth, because V8 allocates them separately.
 */
export const PIECE_BYTES = 32 * 1024
/**
 * The same for text. V8 does not copy a string of more than a few characters out of the decoded text: a job that keeps one
 * keeps all of its piece in memory. More would gain next to nothing.
 */
const TEXT_PIECE_BYTES = 1024
const COMMA = 0x2c
const OPEN = 0x5b
const CLOSE = 0x5d

/** Returned instead of the value of an item that is not JSON, or too long. `at` is the index of the first wrong character. */
export class BadItem {
  constructor(
    readonly message: string,
    readonly at: number,
  ) {}
}

/** The items of a payload in order. */
export interface ItemReader {
  /** A value or a `BadItem`. Call it `count` times; after the last item the result is undefined. */
  next(): unknown
}

export function readItems(payload: BytesPayload): ItemReader {
  if (payload.isTooLong === true) return { next: () => new BadItem(TOO_LONG, 0) }
  return payload.batch === undefined ? readMembers(payload) : new BatchReader(payload, payload.batch)
}

/** A bad member makes its batch a bad item, with the place of the first of them. */
class BatchReader implements ItemReader {
  readonly #members: ItemReader
  readonly #places: MemberPlaces
  readonly #size: number
  #read = 0

  constructor(payload: BytesPayload, size: number) {
    this.#members = readMembers(payload)
    this.#places = new MemberPlaces(payload)
    this.#size = size
  }

  next(): unknown {
    const first = this.#read
    const batch: unknown[] = []
    let bad: BadItem | undefined
    for (; this.#read < first + this.#size; this.#read++) {
      const value = this.#members.next()
      if (value === undefined) break
      if (!(value instanceof BadItem)) batch.push(value)
      else bad ??= new BadItem(value.message, value.at + this.#places.charactersBetween(first, this.#read))
    }
    return bad ?? (this.#read === first ? undefined : batch)
  }
}

/** Where members begin. Looked up in ascending order, so that all look-ups together walk over the payload once. */
class MemberPlaces {
  readonly #bytes: Buffer
  readonly #ranges: Iterator<ItemRange>
  #at = -1
  #start = 0

  constructor(payload: BytesPayload) {
    this.#bytes = asBuffer(payload.bytes)
    this.#ranges = memberRanges(payload)
  }

  charactersBetween(first: number, second: number): number {
    const from = this.#startOf(first)
    // If that is too long for a string, the place is that of the first.
    return textOf(this.#bytes, from, this.#startOf(second))?.length ?? 0
  }

  #startOf(member: number): number {
    for (; this.#at < member; this.#at++) this.#start = this.#ranges.next().value?.start ?? this.#start
    return this.#start
  }
}

function readMembers(payload: BytesPayload): ItemReader {
  const bytes = asBuffer(payload.bytes)
  switch (payload.framing) {
    case 'json':
      return arrayItems(payload, bytes)
    case 'ndjson':
      return isUtf8(bytes) ? lineItems(bytes) : rangeItems(payload, parseBytes)
    case 'csv':
      return readRecords(bytes, payload.table!)
    case 'records':
      return recordItems(bytes)
    case 'lines':
    case 'nul':
      return isUtf8(bytes)
        ? new TextItems(bytes, payload.framing === 'nul' ? NUL : LF)
        : rangeItems(payload, textReader(payload.framing))
    default:
      return payload.framing satisfies never
  }
}

/** The value of one JSON text, or a `BadItem`. */
function parseText(text: string, extraValueMessage?: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    const found = findJsonError(text, extraValueMessage)
    return new BadItem(found?.message ?? String(error), found?.at ?? 0)
  }
}

/** `lines` and `nul` that are valid UTF-8. Decoding items one by one takes twice as long, three times where they are short. */
class TextItems implements ItemReader {
  readonly #bytes: Buffer
  readonly #delimiter: number
  readonly #separator: string
  readonly #isLines: boolean
  /** How many bytes are decoded. */
  #decoded = 0
  /** The last of them, without the delimiter at the end. */
  #text = ''
  /** Where the next item is in it. */
  #at = 1

  constructor(bytes: Buffer, delimiter: number) {
    this.#bytes = bytes
    this.#delimiter = delimiter
    this.#separator = String.fromCharCode(delimiter)
    this.#isLines = delimiter === LF
  }

  next(): string | BadItem | undefined {
    for (;;) {
      if (this.#at > this.#text.length) {
        if (this.#decoded === this.#bytes.length) return undefined
        // A piece that is too long is a single item.
        if (!this.#tryDecode()) return new BadItem(TOO_LONG, 0)
      }
      const text = this.#text
      const start = this.#at
      const found = text.indexOf(this.#separator, start)
      let end = found === -1 ? text.length : found
      this.#at = end + 1
      if (this.#isLines) {
        if (text.charCodeAt(end - 1) === CR && end > start) end--
        if (end === start) continue
      }
      return text.slice(start, end)
    }
  }

  #tryDecode(): boolean {
    const bytes = this.#bytes
    const start = this.#decoded
    const end = endOfPiece(bytes, this.#delimiter, start, TEXT_PIECE_BYTES)
    this.#decoded = end
    const text = textOf(bytes, start, bytes[end - 1] === this.#delimiter ? end - 1 : end)
    if (text === undefined) return false
    this.#text = text
    this.#at = 0
    return true
  }
}

function textReader(framing: Framing): (bytes: Buffer) => string | BadItem {
  return (bytes) => {
    const invalid = firstInvalidUtf8(bytes)
    const text = textOf(bytes, 0, invalid === -1 ? bytes.length : invalid)
    if (text === undefined) return new BadItem(TOO_LONG, 0)
    return invalid === -1 ? withoutCr(text, framing) : invalidUtf8(invalid, text)
  }
}

/** `before` is the text before the byte. */
function invalidUtf8(byte: number, before: string): BadItem {
  return new BadItem(`Invalid UTF-8 (byte ${byte} of the item)`, before.length)
}

/** `parseText` for bytes that may be invalid UTF-8. */
export function parseBytes(bytes: Buffer, extraValueMessage?: string): unknown {
  const invalid = firstInvalidUtf8(bytes)
  const text = textOf(bytes, 0, invalid === -1 ? bytes.length : invalid)
  if (text === undefined) return new BadItem(TOO_LONG, 0)
  if (invalid === -1) return parseText(text, extraValueMessage)
  return invalidUtf8(invalid, text)
}

function recordItems(bytes: Buffer): ItemReader {
  const items = lineItems(bytes)
  return {
    next() {
      const record = items.next()
      return Array.isArray(record) ? new BadItem(String(record[0]), 0) : record
    },
  }
}

function lineItems(bytes: Buffer): ItemReader {
  let decoded = 0
  return bufferedReader(() => {
    let values: unknown[] = []
    while (decoded < bytes.length && values.length === 0) {
      const end = endOfPiece(bytes, LF, decoded, PIECE_BYTES)
      const numbers = parseNumbers(bytes, decoded, end)
      const text = numbers === undefined ? textOf(bytes, decoded, end) : undefined
      // A piece that is too long is a single line.
      if (numbers !== undefined) values = numbers
      else if (text !== undefined) values = parseLines(text)
      else if (!isBlank(bytes, decoded, end)) values.push(new BadItem(TOO_LONG, 0))
      decoded = end
    }
    return values
  })
}

/** What numbers and the white space around them consist of, with a comma for each line end. */
const NUMBER_BYTES = new Uint8Array(256)
for (const byte of Buffer.from('-+.0123456789eE \t\r')) NUMBER_BYTES[byte] = byte
NUMBER_BYTES[LF] = COMMA

/** Lines of numbers, parsed together: twice as fast. `undefined` if there is anything else, of which a line could have several. */
function parseNumbers(bytes: Buffer, start: number, end: number): unknown[] | undefined {
  // Without the last line end.
  const length = bytes[end - 1] === LF ? end - start - 1 : end - start
  if (length > PIECE_BYTES || NUMBER_BYTES[bytes[start]!] === 0) return undefined
  const array = Buffer.allocUnsafe(length + 2)
  array[0] = OPEN
  for (let i = 0; i < length; i++) {
    const byte = NUMBER_BYTES[bytes[start + i]!]!
    if (byte === 0) return undefined
    array[i + 1] = byte
  }
  array[length + 1] = CLOSE
  try {
    return parse(array.toString('latin1')) as unknown[]
  } catch {
    // A blank line, or one that is not a number.
    return undefined
  }
}

function parseLines(text: string): unknown[] {
  const values: unknown[] = []
  for (let at = 0; at < text.length; ) {
    const lf = text.indexOf('\n', at)
    const line = text.slice(at, lf === -1 ? text.length : lf)
    at = lf === -1 ? text.length : lf + 1
    if (!isBlankText(line)) values.push(parseText(line))
  }
  return values
}

function arrayItems({ cuts = [] }: BytesPayload, bytes: Buffer): ItemReader {
  let start = 0
  let piece = 0
  return bufferedReader(() => {
    if (start >= bytes.length) return []
    const end = cuts[piece++] ?? bytes.length
    const values = parseElements(bytes.subarray(start, end))
    start = end + 1
    return values
  })
}

/** Parses all together; element by element only if one of them is bad. */
function parseElements(bytes: Buffer): unknown[] {
  if (isUtf8(bytes)) {
    try {
      return parse(`[${bytes.toString('utf8')}]`) as unknown[]
    } catch {
      // The loop below finds the bad element.
    }
  }
  return Array.from(memberRanges({ kind: 'bytes', framing: 'json', bytes }), ({ start, end }) =>
    parseElement(bytes.subarray(start, end)),
  )
}

/** The text of an element ends at a comma or bracket, so `Unexpected end of JSON` would mislead and is reworded. */
function parseElement(bytes: Buffer): unknown {
  const value = parseBytes(bytes, "Expected ',' or ']'")
  if (!(value instanceof BadItem) || value.at < bytes.length) return value
  return new BadItem('Unexpected end of the array element', value.at)
}

/** Reads value by value and drops its reference to each. `nextValues` returns the next few, none at the end. */
function bufferedReader(nextValues: () => unknown[]): ItemReader {
  let values: unknown[] = []
  let at = 0
  return {
    next() {
      if (at === values.length) {
        values = nextValues()
        at = 0
      }
      if (at === values.length) return undefined
      const value = values[at]
      values[at++] = undefined
      return value
    },
  }
}

function rangeItems(payload: BytesPayload, parse: (slice: Buffer) => unknown): ItemReader {
  const bytes = asBuffer(payload.bytes)
  const ranges: Iterator<ItemRange> = memberRanges(payload)
  return {
    next() {
      const { value, done } = ranges.next()
      return done === true ? undefined : parse(bytes.subarray(value.start, value.end))
    },
  }
}

function isBlankText(line: string): boolean {
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if (code !== 0x20 && code !== 0x0d && code !== 0x09) return false
  }
  return true
}
