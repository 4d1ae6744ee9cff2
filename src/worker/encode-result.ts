// One result as its line: one JSON text, or what raw output writes; or the reason why JSON cannot carry it.

import { findUnjsonable, type UnserializablePart } from '../errors/capture/find-unserializable.js'
import { MAX_TEXT, TOO_LONG } from '../framing/bytes.js'
import { isRawLine, rawLineOf } from '../framing/raw-lines.js'
import type { TaskSpec } from '../model.js'

// Taken before the job is loaded: a job may replace them.
const { stringify } = JSON
const { isArray } = Array
const { getPrototypeOf, keys, prototype: objectPrototype } = Object
const { prototype: datePrototype } = Date

export type Encoded = { readonly text: string } | { readonly unserializable: UnserializablePart }

/** Deeper values take the slow way, which also finds cycles. */
const PLAIN_DEPTH = 64
const ROOM_FOR_ENVELOPE = 1024 * 1024
/** Of a result that is not a row. */
const PREVIEW_CHARACTERS = 100

/** How the results of a call become lines. */
export interface LineEncoding {
  /** The line of a value that JSON certainly carries as it is; `undefined` for all others. Never throws. */
  readonly plain: (value: unknown) => string | undefined
  /** Never throws, whatever the value's own code does. */
  readonly encode: (value: unknown) => Encoded
}

const AS_JSON: LineEncoding = { plain: plainText, encode: encodeJson }
const AS_ROW: LineEncoding = { plain: plainRow, encode: encodeRow }
const AS_RAW: LineEncoding = { plain: plainRaw, encode: encodeRaw }

export function lineEncodingOf({ rows, raw }: TaskSpec): LineEncoding {
  if (rows === true) return AS_ROW
  return raw === true ? AS_RAW : AS_JSON
}

/** `undefined` becomes `null`: every item has its line. Never throws, whatever the value's own code does. */
export function encodeJson(value: unknown): Encoded {
  if (value === undefined) return { text: 'null' }
  const plain = plainText(value)
  if (plain !== undefined) return checkLength(plain)
  try {
    const suspect = findUnjsonable(value)
    if (suspect !== undefined) return { unserializable: suspect }
    const text = stringify(value)
    // A toJSON may return anything, undefined too.
    return text === undefined ? { text: 'null' } : checkLength(text)
  } catch (thrown) {
    const isTooLong = thrown instanceof RangeError && thrown.message === 'Invalid string length'
    const reason = thrown instanceof RangeError ? thrown.message : 'it threw while it was written'
    const message = isTooLong ? `its JSON is ${TOO_LONG}` : reason
    return { unserializable: findUnjsonable(value) ?? { path: '', message, preview: '' } }
  }
}

/** As `encodeJson` for a row of a table: an object, which keeps a key whose value is `undefined`. */
export function encodeRow(value: unknown): Encoded {
  const encoded = encodeJson(withNulls(value))
  if ('unserializable' in encoded || encoded.text.startsWith('{')) return encoded
  const text = encoded.text.slice(0, PREVIEW_CHARACTERS)
  const preview = text.length < encoded.text.length ? `${text}…` : text
  return { unserializable: { path: '', message: 'a row is made from an object', preview } }
}

/** As `plainText`, for a row. */
function plainRow(value: unknown): string | undefined {
  const text = plainText(withNulls(value))
  return text?.startsWith('{') ? text : undefined
}

function encodeRaw(value: unknown): Encoded {
  if (typeof value === 'string' && isRawLine(value)) return checkLength(value)
  const encoded = encodeJson(value)
  return 'text' in encoded ? { text: rawLineOf(encoded.text) } : encoded
}

/** As `plainText`, for raw output. */
function plainRaw(value: unknown): string | undefined {
  if (typeof value === 'string' && isRawLine(value)) return value
  const text = plainText(value)
  return text && rawLineOf(text)
}

/** Own properties that are `undefined` as `null`. A row has its cells at the top. Never throws. */
function withNulls(value: unknown): unknown {
  try {
    if (typeof value !== 'object' || value === null || isArray(value)) return value
    const row = value as Record<string, unknown>
    let copy: Record<string, unknown> | undefined
    for (const key of keys(row)) {
      if (row[key] !== undefined) continue
      // A `toJSON` decides by itself what it is.
      if (typeof row.toJSON === 'function') return value
      copy ??= { ...row }
      copy[key] = null
    }
    return copy ?? value
  } catch {
    // `encodeJson` finds out what is wrong with it.
    return value
  }
}

/** The parent holds the line as a string, with what belongs to the item around it. */
export function checkLength(text: string, maxBytes: number = MAX_TEXT - ROOM_FOR_ENVELOPE): Encoded {
  // UTF-8 takes at most three bytes per character.
  if (3 * text.length <= maxBytes || Buffer.byteLength(text) <= maxBytes) return { text }
  return { unserializable: { path: '', message: `its JSON is ${TOO_LONG}`, preview: '' } }
}

/** The text of a value that JSON certainly carries as it is; `undefined` for all others. Never throws. */
function plainText(value: unknown): string | undefined {
  try {
    return value !== undefined && isPlain(value, 0) ? stringify(value) : undefined
  } catch {
    return undefined
  }
}

/** True only for what JSON certainly carries as it is. The walk costs a fraction of `stringify` itself. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true
    case 'number':
      return value - value === 0
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return true
  if (depth > PLAIN_DEPTH) return false
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPlain(value[i], depth + 1)) return false
    return true
  }
  // Not `constructor`: that of an iterator is `Object`, too, and JSON loses what an object inherits.
  const prototype: unknown = getPrototypeOf(value)
  // JSON has no form for an invalid date; `stringify` turns it into null.
  if (prototype === datePrototype) return isPlain(+value, depth)
  if (prototype !== objectPrototype && prototype !== null) return false
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key]
    // Most of what objects hold, without a call.
    if (typeof inner !== 'string' && !isPlain(inner, depth + 1)) return false
  }
  return true
}
