// Parts of chunks and of results, without copying: items that must run again, or results before a failure.
import type { Chunk } from '../model.js'
import { asBuffer } from './bytes.js'
import { sliceBytes } from './items.js'
import { advance } from './location.js'

/**
 * Bytes of text that each item of a chunk counts as: an equal part, also after the chunk was divided, so that all shares add up
 * to what was counted first. Whole numbers, because sums of fractions drift.
 */
export function itemBytes({ payload, count, itemBytes }: Chunk): number {
  if (payload.kind === 'values') return 0
  return itemBytes ?? Math.ceil(payload.bytes.byteLength / count)
}

/** Items `from` up to, not including, `to` of a chunk, with their own `seq`, indexes and origin. */
export function sliceChunk(chunk: Chunk, from: number, to: number): Chunk {
  const { payload, indexes, origin, keys } = chunk
  if (from <= 0 && to >= chunk.count) return chunk
  const base = {
    seq: chunk.seq + from,
    count: Math.max(0, Math.min(to, chunk.count) - from),
    ...(indexes === undefined ? undefined : { indexes: indexes.slice(from, to) }),
    ...(keys === undefined ? undefined : { keys: sliceKeys(keys, chunk.count, from, to) }),
  }
  if (payload.kind === 'values') {
    return { ...base, payload: { kind: 'values', values: payload.values.slice(from, to) } }
  }
  const part = sliceBytes(payload, from, to >= chunk.count ? Number.POSITIVE_INFINITY : to)
  const share = itemBytes(chunk)
  if (origin === undefined) return { ...base, payload: part, itemBytes: share }
  const skipped = base.count === 0 ? 0 : part.bytes.byteOffset - payload.bytes.byteOffset
  const moved = { file: origin.file, ...advance(origin, asBuffer(payload.bytes), 0, skipped) }
  return { ...base, payload: part, origin: moved, itemBytes: share }
}

function sliceKeys(keys: Uint32Array, count: number, from: number, to: number): Uint32Array {
  const each = keys.length / count
  return keys.subarray(from * each, Math.min(to, count) * each)
}

/** `count` lines from byte `at` on, each with its line end. */
export function firstLines(bytes: Buffer, at: number, count: number): Buffer {
  return bytes.subarray(at, afterLines(bytes, at, count))
}

/** Lines `from` up to, not including, `to` of a results payload, each with its line end. */
export function sliceLines(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const buffer = asBuffer(bytes)
  const start = afterLines(buffer, 0, from)
  return bytes.subarray(start, afterLines(buffer, start, to - from))
}

/** All lines but those with these numbers, which ascend from 0. */
export function withoutLines(bytes: Uint8Array, numbers: readonly number[]): Buffer {
  const buffer = asBuffer(bytes)
  const kept: Buffer[] = []
  let at = 0
  let line = 0
  for (const number of numbers) {
    const start = afterLines(buffer, at, number - line)
    kept.push(buffer.subarray(at, start))
    at = afterLines(buffer, start, 1)
    line = number + 1
  }
  return Buffer.concat([...kept, buffer.subarray(at)])
}

function afterLines(bytes: Buffer, start: number, count: number): number {
  let at = start
  for (let n = 0; n < count && at < bytes.length; n++) {
    const lf = bytes.indexOf(0x0a, at)
    at = lf === -1 ? bytes.length : lf + 1
  }
  return at
}
