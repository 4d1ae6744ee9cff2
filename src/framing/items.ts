// Where the items of a bytes payload begin and end: one rule per framing, the same for the parent, which frames items, and
// the worker, which parses them.
import type { Framing, Payload } from '../model.js'
import { asBuffer, shownText } from './bytes.js'
import { ElementScanner } from './element-scanner.js'
import { FRAMINGS, NUL } from './framings.js'

export type BytesPayload = Extract<Payload, { readonly kind: 'bytes' }>

export interface ItemRange {
  readonly start: number
  /** Index after the item's last byte. */
  readonly end: number
  /** Index after its line end, NUL or comma. */
  readonly next: number
}

export function* itemRanges(payload: BytesPayload): Generator<ItemRange> {
  const bytes = asBuffer(payload.bytes)
  const { delimiter, skips } = FRAMINGS[payload.framing]
  if (delimiter === 'element') yield* elementRanges(bytes)
  else yield* delimitedRanges(bytes, delimiter, skips)
}

export function itemRange(payload: BytesPayload, offset: number): ItemRange | undefined {
  let i = 0
  for (const range of itemRanges(payload)) if (i++ === offset) return range
  return undefined
}

/** The text of one item, for messages: invalid bytes are replaced, a CR at the end is dropped, and so is what is too long. */
export function itemText(payload: BytesPayload, offset: number): string | undefined {
  const range = itemRange(payload, offset)
  if (range === undefined) return undefined
  try {
    return rangeText(payload, range)
  } catch {
    return shownText(asBuffer(payload.bytes), range.start, range.end)
  }
}

/** @throws if the text is too long for a string */
export function rangeText(
  { bytes, framing }: BytesPayload,
  { start, end }: Pick<ItemRange, 'start' | 'end'>,
): string {
  const text = asBuffer(bytes).toString('utf8', start, end)
  if (framing === 'csv' && text.startsWith('[')) return JSON.parse(text)[1]
  return withoutCr(text, framing)
}

/** The line of a `csv` payload for a record that is malformed: an array, where a good record is an object. */
export function badRecord(location: string, message: string, text: string): string {
  return JSON.stringify([`${location}: ${message}`, text.replace(/\r?\n$/, '')])
}

export function withoutCr(text: string, framing: Framing): string {
  return FRAMINGS[framing].delimiter !== NUL && text.endsWith('\r') ? text.slice(0, -1) : text
}

/** Items `from` up to, not including, `to` of a payload, all others for `Infinity`; shares its memory. */
export function sliceBytes(payload: BytesPayload, from: number, to: number): BytesPayload {
  let i = 0
  let start = 0
  let end = 0
  for (const range of itemRanges(payload)) {
    if (i >= to) break
    if (i <= from) start = range.start
    if (i === from && to === Number.POSITIVE_INFINITY) return rest(payload, start)
    // Without the comma after the last element.
    end = FRAMINGS[payload.framing].delimiter === 'element' ? range.end : range.next
    i++
  }
  if (i <= from || from >= to) start = end = 0
  const { kind, framing, bytes } = payload
  return { kind, framing, bytes: bytes.subarray(start, end) }
}

function rest({ kind, framing, bytes }: BytesPayload, start: number): BytesPayload {
  return { kind, framing, bytes: bytes.subarray(start) }
}

function* delimitedRanges(
  bytes: Buffer,
  delimiter: number,
  skips: (bytes: Buffer, start: number, end: number) => boolean,
): Generator<ItemRange> {
  let start = 0
  while (start < bytes.length) {
    const found = bytes.indexOf(delimiter, start)
    const end = found === -1 ? bytes.length : found
    const next = found === -1 ? end : end + 1
    if (!skips(bytes, start, end)) yield { start, end, next }
    start = next
  }
}

function* elementRanges(bytes: Buffer): Generator<ItemRange> {
  const scanner = new ElementScanner()
  let start = 0
  while (start < bytes.length) {
    let stop = scanner.scan(bytes)
    // A surplus closing bracket belongs to its element: parsing the element reports it.
    while (stop !== -1 && bytes[stop] !== 0x2c) {
      scanner.at = stop + 1
      stop = scanner.scan(bytes)
    }
    const end = stop === -1 ? bytes.length : stop
    const next = stop === -1 ? end : end + 1
    const first = scanner.contentAt === -1 ? start : scanner.contentAt
    yield { start: first, end, next }
    scanner.startElement(next)
    start = next
  }
}
