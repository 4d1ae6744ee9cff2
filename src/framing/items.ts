// Where the items of a bytes payload begin and end: one rule per framing, the same for the parent, which frames items, and
// the worker, which parses them. An item is a text of its own or, with `--batch`, several consecutive ones: its members.
import type { Framing, Payload, Table } from '../model.js'
import { asBuffer, shownText } from './bytes.js'
import { ElementScanner } from './element-scanner.js'
import { FRAMINGS, NUL } from './framings.js'
import { fieldsOf, keysOf, RecordReader, recordJson, recordLines } from './records.js'

const OPEN_BRACKET = 0x5b

export type BytesPayload = Extract<Payload, { readonly kind: 'bytes' }>

export interface ItemRange {
  readonly start: number
  /** Index after the item's last byte. */
  readonly end: number
  /** Index after its line end, NUL or comma. */
  readonly next: number
}

export function itemRanges(payload: BytesPayload): Generator<ItemRange> {
  const { batch } = payload
  return batch === undefined ? memberRanges(payload) : batchRanges(payload, batch)
}

/** As `itemRanges`, for the members of batches. */
export function memberRanges(payload: BytesPayload): Generator<ItemRange> {
  const bytes = asBuffer(payload.bytes)
  const { delimiter, skips } = FRAMINGS[payload.framing]
  switch (delimiter) {
    case 'element':
      return elementRanges(bytes)
    case 'record':
      return recordRanges(bytes, payload.table!)
    default:
      return delimitedRanges(bytes, delimiter, skips)
  }
}

/** For what needs the texts of all items: a `csv` payload with its records as lines of JSON, others as they are. */
export function withLines(payload: BytesPayload): BytesPayload {
  const { table, ...rest } = payload
  if (table === undefined) return payload
  return { ...rest, framing: 'records', bytes: recordLines(asBuffer(payload.bytes), table) }
}

function* batchRanges(payload: BytesPayload, size: number): Generator<ItemRange> {
  const { length } = payload.bytes
  // Where a member that was cut off begins and ends cannot be found.
  if (payload.isTooLong === true) return yield { start: 0, end: length, next: length }
  let count = 0
  let start = 0
  let last: ItemRange | undefined
  for (const member of memberRanges(payload)) {
    if (count === 0) start = member.start
    last = member
    if (++count < size) continue
    yield { ...member, start }
    count = 0
  }
  if (count > 0) yield { ...last!, start }
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

/** Whether the text of an item is JSON if nothing is wrong with it. */
export function isJsonText({ framing, batch }: BytesPayload): boolean {
  return batch !== undefined || FRAMINGS[framing].items !== 'text'
}

/** @throws if the text is too long for a string */
export function rangeText(payload: BytesPayload, { start, end }: Pick<ItemRange, 'start' | 'end'>): string {
  const { bytes, framing, batch, isTooLong, table } = payload
  if (batch !== undefined && isTooLong !== true) return batchText(payload, start, end)
  if (table !== undefined) return fieldsAsJson(asBuffer(bytes).subarray(start, end), table)
  const text = asBuffer(bytes).toString('utf8', start, end)
  if (isBadRecord(payload, { start })) return JSON.parse(text)[1]
  return withoutCr(text, framing)
}

/** The array of its members as they were in the input. It is JSON if all of them are well-formed. */
function batchText(batches: BytesPayload, start: number, end: number): string {
  const { batch: _, ...payload } = batches
  const members = { ...payload, bytes: payload.bytes.subarray(start) }
  const isText = FRAMINGS[members.framing].items === 'text'
  const texts: string[] = []
  for (const range of memberRanges(members)) {
    if (start + range.start > end) break
    const text = rangeText(members, range)
    texts.push(isText || isBadRecord(members, range) ? JSON.stringify(text) : text.trim())
  }
  return `[${texts.join(',')}]`
}

function fieldsAsJson(record: Buffer, { names, delimiter }: Table): string {
  return recordJson(keysOf(names), fieldsOf(record, delimiter))
}

/** The line of a `records` payload for a record that is malformed: an array, where a good record is an object. */
export function badRecord(location: string, message: string, text: string): string {
  return JSON.stringify([`${location}: ${message}`, text.replace(/\r?\n$/, '')])
}

function isBadRecord({ framing, bytes }: BytesPayload, { start }: Pick<ItemRange, 'start'>): boolean {
  return framing === 'records' && bytes[start] === OPEN_BRACKET
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
    if (i === from && to === Number.POSITIVE_INFINITY) return part(payload, start)
    // Without the comma after the last element.
    end = FRAMINGS[payload.framing].delimiter === 'element' ? range.end : range.next
    i++
  }
  if (i <= from || from >= to) start = end = 0
  return part(payload, start, end)
}

function part(payload: BytesPayload, start: number, end?: number): BytesPayload {
  return framedAs(payload, payload.bytes.subarray(start, end))
}

/** Other whole items, framed as those of a payload. */
export function framedAs({ kind, framing, batch, table }: BytesPayload, bytes: Uint8Array): BytesPayload {
  // Without the spreads of nothing, which take longer than the rest.
  if (batch === undefined && table === undefined) return { kind, framing, bytes }
  return {
    kind,
    framing,
    bytes,
    ...(batch !== undefined && { batch }),
    ...(table !== undefined && { table }),
  }
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

function* recordRanges(bytes: Buffer, { delimiter }: Table): Generator<ItemRange> {
  const reader = new RecordReader(bytes, delimiter)
  while (reader.advance()) yield { start: reader.start, end: reader.end, next: reader.next }
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
