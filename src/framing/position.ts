// Lines and columns of byte offsets: 1-based, columns in characters (code points), a line ends with LF.
// Knows nothing of items.
import { isAscii } from 'node:buffer'
import type { Chunk, Origin } from '../model.js'
import { asBuffer, isContinuation } from './bytes.js'
import { itemRange } from './items.js'

export interface Position {
  readonly offset: number
  readonly line: number
  readonly column: number
}

/** Where one stands after `bytes[from, to)`, having stood at `start` before them. */
export function advance(start: Position, bytes: Buffer, from: number, to: number): Position {
  let line = start.line
  let lineStart = -1
  // A search in the whole of `bytes` would run on to their end where there is no line feed.
  const part = bytes.subarray(from, to)
  for (let lf = part.indexOf(0x0a); lf !== -1; lf = part.indexOf(0x0a, lf + 1)) {
    line++
    lineStart = from + lf + 1
  }
  const offset = start.offset + to - from
  if (lineStart === -1) return { offset, line, column: start.column + characters(bytes, from, to) }
  return { offset, line, column: 1 + characters(bytes, lineStart, to) }
}

/** Where a native call begins to pay. */
const NATIVE_FROM = 64

/** Characters in well-formed UTF-8; bytes that are none count as one each. */
export function characters(bytes: Buffer, from: number, to: number): number {
  if (to - from > NATIVE_FROM && isAscii(bytes.subarray(from, to))) return to - from
  let count = 0
  for (let i = from; i < to; i++) if (!isContinuation(bytes[i]!)) count++
  return count
}

/** As people write it, and editors open it. */
export function positionText(place: Omit<Origin, 'offset'> | undefined): string | undefined {
  return place && `${place.file}:${place.line}:${place.column}`
}

/** `file:line:column` of character `at` (as in a `Failure` of kind `input`) of item `offset` of a chunk. */
export function locate(chunk: Chunk, offset: number, at: number): Omit<Origin, 'offset'> | undefined {
  const { origin, payload } = chunk
  if (origin === undefined || payload.kind !== 'bytes') return undefined
  const bytes = asBuffer(payload.bytes)
  const range = itemRange(payload, offset)
  const from = range?.start ?? 0
  const prefix =
    range === undefined ? 0 : Buffer.byteLength(bytes.toString('utf8', from, range.end).slice(0, at))
  const { line, column } = advance(origin, bytes, 0, Math.min(from + prefix, bytes.length))
  return { file: origin.file, line, column }
}
