// Every n-th item of a chunk, as one chunk: a chunk for each of them would be a message for each.
import type { Chunk, Origin } from '../model.js'
import { asBuffer } from './bytes.js'
import { FRAMINGS, LF, NUL } from './framings.js'
import { type BytesPayload, framedAs, itemRanges } from './items.js'
import { advance, characters } from './location.js'
import { sliceChunk } from './slice.js'

const COMMA = 0x2c
const SPACE = 0x20

/**
 * The first of the items `from` up to, not including, `to`, and each `step`-th after it. Their bytes are copied. What is left out
 * between them becomes white space, so that the items keep their lines and columns.
 */
export function strideChunk(chunk: Chunk, from: number, to: number, step: number): Chunk {
  const { payload, origin } = chunk
  const base = { seq: chunk.seq + from, count: Math.max(0, Math.ceil((to - from) / step)) }
  if (payload.kind === 'values') {
    const values = payload.values.filter((_, i) => i >= from && i < to && (i - from) % step === 0)
    return { ...base, payload: { kind: 'values', values } }
  }
  // A chunk that is not divided: one long item, for example, has no bytes where an item ends.
  if (base.count === 1) return sliceChunk(chunk, from, from + 1)
  const bytes = asBuffer(payload.bytes)
  const { framing } = payload
  // Empty strings are items where NUL ends them, so that nothing can stand for what is left out.
  const keepsPlaces = origin !== undefined && FRAMINGS[framing].delimiter !== NUL
  const picked = pick(payload, bytes, { from, to, step, keepsPlaces })
  const moved: Origin | undefined = origin && {
    file: origin.file,
    ...advance(origin, bytes, 0, picked.start),
  }
  return {
    ...base,
    payload: framedAs(payload, picked.bytes),
    ...(moved !== undefined && keepsPlaces && { origin: moved }),
  }
}

interface Picked {
  readonly from: number
  readonly to: number
  readonly step: number
  /** White space stands for what is left out. */
  readonly keepsPlaces: boolean
}

function pick(payload: BytesPayload, bytes: Buffer, { from, to, step, keepsPlaces }: Picked) {
  const isElements = FRAMINGS[payload.framing].delimiter === 'element'
  // Each item that is left out takes as many bytes as its white space, or more.
  const result = Buffer.allocUnsafe(bytes.length)
  let length = 0
  let start = 0
  let end = 0
  let offset = 0
  for (const range of itemRanges(payload)) {
    if (offset >= to) break
    if (offset >= from && (offset - from) % step === 0) {
      if (length === 0) start = range.start
      else {
        if (isElements) result[length++] = COMMA
        if (keepsPlaces) length = addGap(bytes, isElements ? end + 1 : end, range.start, result, length)
      }
      end = isElements ? range.end : range.next
      length += bytes.copy(result, length, range.start, end)
    }
    offset++
  }
  return { bytes: result.subarray(0, length), start }
}

/** White space with as many line ends as `bytes[from, to)`, and as many columns behind the last one. */
function addGap(bytes: Buffer, from: number, to: number, result: Buffer, at: number): number {
  let end = at
  let lineStart = from
  for (let lf = bytes.indexOf(LF, from); lf !== -1 && lf < to; lf = bytes.indexOf(LF, lf + 1)) {
    result[end++] = LF
    lineStart = lf + 1
  }
  const columns = characters(bytes, lineStart, to)
  result.fill(SPACE, end, end + columns)
  return end + columns
}
