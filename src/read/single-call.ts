// `apply` calls its task once with all items as arguments: one item that is an array of all items.
import { InputError } from '../errors/classes.js'
import { asBuffer } from '../framing/bytes.js'
import { FRAMINGS } from '../framing/framings.js'
import { type BytesPayload, itemRanges, withLines } from '../framing/items.js'
import { locate } from '../framing/location.js'
import { BadItem, readItems } from '../framing/parse.js'
import type { Chunk } from '../model.js'
import type { ChunkSource, Want } from '../source.js'
import { inputError } from './input-error.js'

const EVERYTHING: Want = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
const COMMA = Buffer.from(',')

/** A source of exactly one item: the array of all items of `source`, which must yield bytes. `[]` if it has none. */
export function asSingleItem(source: ChunkSource): ChunkSource {
  let taken = false
  return {
    next() {
      if (taken) return undefined
      taken = true
      return readAllItems(source)
    },
    close: () => source.close(),
    remaining: () => (taken ? 0 : 1),
  }
}

/** Joins the items' texts. Each is parsed as well, and its value dropped: `1,2` on one line would become two items. */
async function readAllItems(source: ChunkSource): Promise<Chunk> {
  const parts: Buffer[] = []
  for (
    let chunk = await source.next(EVERYTHING);
    chunk !== undefined;
    chunk = await source.next(EVERYTHING)
  ) {
    const { payload } = chunk
    if (payload.kind !== 'bytes')
      throw new TypeError('only items that were read as bytes can become one item')
    for (const text of itemTexts(chunk, withLines(payload)))
      parts.push(parts.length === 0 ? Buffer.from('[') : COMMA, text)
  }
  const bytes = parts.length === 0 ? Buffer.from('[]') : Buffer.concat([...parts, Buffer.from(']')])
  // Framed as `json`, because the items' own line breaks would end an NDJSON item.
  return { seq: 0, count: 1, payload: { kind: 'bytes', bytes, framing: 'json' } }
}

function* itemTexts(chunk: Chunk, payload: BytesPayload): Generator<Buffer> {
  const values = readItems(payload)
  const bytes = asBuffer(payload.bytes)
  const isText = FRAMINGS[payload.framing].items === 'text'
  let offset = 0
  for (const { start, end } of itemRanges(payload)) {
    const value = values.next()
    if (value instanceof BadItem) throw badItemError(chunk, offset, value)
    yield isText ? Buffer.from(JSON.stringify(value)) : bytes.subarray(start, end)
    offset++
  }
}

function badItemError(chunk: Chunk, offset: number, { message, at }: BadItem): InputError {
  const location = locate(chunk, offset, at)
  const index = chunk.seq + offset
  return location === undefined
    ? new InputError(message, { index })
    : inputError(location.file, location, index, message)
}
