// Turns the bytes of a chunk into values, a few at a time and as late as possible, so that a chunk of large records
// never stands in memory as objects all at once. A bad item is an answer, not a throw: the others are untouched.
import { isUtf8 } from 'node:buffer'
import { asBuffer, firstInvalidUtf8 } from './bytes.js'
import { type BytesPayload, type ItemRange, itemRanges, withoutCr } from './items.js'
import { findJsonError } from './json-error.js'

/** Taken before any job is loaded: a job may replace it. */
const { parse } = JSON

/**
 * So much is decoded and parsed together: done in turn with the tasks, each costs a tenth more. Strings of more than
 * about 128 KiB would cost another, for V8 keeps such apart.
 */
export const PIECE_BYTES = 32 * 1024
const LF = 0x0a

/** An item that is no JSON: no JSON value is an instance of it. `at` counts characters of the item's text. */
export class BadItem {
  constructor(
    readonly message: string,
    readonly at: number,
  ) {}
}

/** The items of a payload in order; ask for as many as the chunk counts. */
export interface ItemReader {
  next(): unknown
}

/** `next()` gives a value or a `BadItem`. */
export function readItems(payload: BytesPayload): ItemReader {
  const bytes = asBuffer(payload.bytes)
  switch (payload.framing) {
    case 'json':
      return arrayItems(payload, bytes)
    case 'ndjson':
      return isUtf8(bytes) ? lineItems(bytes) : rangeItems(payload, parseBytes)
    case 'csv':
      return recordItems(bytes)
    default:
      // Decoded one by one: slices of one long string would keep all of it alive for as long as any of them.
      return rangeItems(payload, (slice) => withoutCr(slice.toString('utf8'), payload.framing))
  }
}

/** The value of one JSON text, or why it is none. */
function parseText(text: string, more?: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    const found = findJsonError(text, more)
    return new BadItem(found?.message ?? String(error), found?.at ?? 0)
  }
}

/** As `parseText`, for bytes that may be no UTF-8. */
export function parseBytes(bytes: Buffer, more?: string): unknown {
  const invalid = firstInvalidUtf8(bytes)
  if (invalid === -1) return parseText(bytes.toString('utf8'), more)
  const at = bytes.toString('utf8', 0, invalid).length
  return new BadItem(`Invalid UTF-8 (byte ${invalid} of the item)`, at)
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
  return arrayReader(() => {
    const values: unknown[] = []
    while (decoded < bytes.length && values.length === 0) {
      const end = endOfPiece(bytes, decoded)
      parseLines(bytes.toString('utf8', decoded, end), values)
      decoded = end
    }
    return values
  })
}

/** Whole lines, as many as fit into a piece, but at least one. */
function endOfPiece(bytes: Buffer, start: number): number {
  const most = start + PIECE_BYTES
  if (most >= bytes.length) return bytes.length
  const lastFitting = bytes.lastIndexOf(LF, most - 1)
  if (lastFitting >= start) return lastFitting + 1
  const first = bytes.indexOf(LF, most)
  return first === -1 ? bytes.length : first + 1
}

function parseLines(text: string, values: unknown[]): void {
  for (let at = 0; at < text.length; ) {
    const lf = text.indexOf('\n', at)
    const line = text.slice(at, lf === -1 ? text.length : lf)
    at = lf === -1 ? text.length : lf + 1
    if (!isBlankText(line)) values.push(parseText(line))
  }
}

function arrayItems({ cuts = [] }: BytesPayload, bytes: Buffer): ItemReader {
  let start = 0
  let piece = 0
  return arrayReader(() => {
    if (start >= bytes.length) return []
    const end = cuts[piece++] ?? bytes.length
    const values = parseElements(bytes.subarray(start, end))
    start = end + 1
    return values
  })
}

/** One parse for all; element by element only to say which is bad. */
function parseElements(bytes: Buffer): unknown[] {
  if (isUtf8(bytes)) {
    try {
      return parse(`[${bytes.toString('utf8')}]`)
    } catch {
      // found below, in the item that it belongs to
    }
  }
  return Array.from(itemRanges({ kind: 'bytes', framing: 'json', bytes }), ({ start, end }) =>
    parseElement(bytes.subarray(start, end)),
  )
}

/** An element ends because a comma or bracket follows: that the text is at its end is no news to the reader. */
function parseElement(bytes: Buffer): unknown {
  const value = parseBytes(bytes, "Expected ',' or ']'")
  if (!(value instanceof BadItem) || value.at < bytes.length) return value
  return new BadItem('Unexpected end of the array element', value.at)
}

/** Gives values and forgets them; `more` gives those that come next, none at the end. */
function arrayReader(more: () => unknown[]): ItemReader {
  let values: unknown[] = []
  let at = 0
  return {
    next() {
      if (at === values.length) {
        values = more()
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
  const ranges: Iterator<ItemRange> = itemRanges(payload)
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
