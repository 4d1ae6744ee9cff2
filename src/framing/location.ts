// Lines and columns of byte offsets: 1-based, columns in characters (code points). A line ends with LF.
import { isAscii } from 'node:buffer'
import type { Chunk, Origin } from '../model.js'
import { asBuffer, bytesBefore, isContinuation } from './bytes.js'
import { itemRange } from './items.js'

/** A byte offset in an input, with its line and column. */
export interface Location {
  readonly offset: number
  readonly line: number
  readonly column: number
}

export type FileLocation = Omit<Origin, 'offset'>

/** The location after `bytes[from, to)` if `start` is the location before them. */
export function advance(start: Location, bytes: Buffer, from: number, to: number): Location {
  let line = start.line
  let lineStart = -1
  // Searching in `bytes` itself would run to their end if there is no further line feed.
  const part = bytes.subarray(from, to)
  for (let lf = part.indexOf(0x0a); lf !== -1; lf = part.indexOf(0x0a, lf + 1)) {
    line++
    lineStart = from + lf + 1
  }
  const offset = start.offset + to - from
  if (lineStart === -1) return { offset, line, column: start.column + characters(bytes, from, to) }
  return { offset, line, column: 1 + characters(bytes, lineStart, to) }
}

/** Bytes from which on a native call is faster than a loop. */
const NATIVE_FROM_BYTES = 64

/** Number of characters in UTF-8; an invalid byte counts as one. */
export function characters(bytes: Buffer, from: number, to: number): number {
  if (to - from > NATIVE_FROM_BYTES && isAscii(bytes.subarray(from, to))) return to - from
  let count = 0
  for (let i = from; i < to; i++) if (!isContinuation(bytes[i]!)) count++
  return count
}

/** `file:line:column`, which editors and terminals can open. */
export function locationText(location: FileLocation | undefined): string | undefined {
  return location && `${location.file}:${location.line}:${location.column}`
}

/** Location of character `at` (as in a `Failure` of kind `input`) of item `offset` of a chunk. */
export function locate(chunk: Chunk, offset: number, at: number): FileLocation | undefined {
  const { origin, payload } = chunk
  if (origin === undefined || payload.kind !== 'bytes') return undefined
  const bytes = asBuffer(payload.bytes)
  const range = itemRange(payload, offset)
  const from = range?.start ?? 0
  const prefix = range === undefined ? 0 : bytesBefore(bytes, from, range.end, at)
  const { line, column } = advance(origin, bytes, 0, Math.min(from + prefix, bytes.length))
  return { file: origin.file, line, column }
}
