// Arithmetic on settled ranges and chunks: parts of what belongs together. Pure.
import { sliceChunk, sliceLines } from '../../framing/slice.js'
import type { Chunk, ItemFailure, Results, TaskSpec, Timings } from '../../model.js'

/** Outcomes of consecutive items. */
export interface ResultRange {
  readonly from: number
  readonly count: number
  readonly results: Results
  readonly failures: readonly ItemFailure[]
  readonly timings?: Timings | undefined
}

const NO_BYTES = new Uint8Array(0)

export function noResults(reply: TaskSpec['reply'], count: number): Results {
  return reply === 'json'
    ? { kind: 'json', bytes: NO_BYTES }
    : { kind: 'values', values: Array(count).fill(undefined) }
}

/**
 * The parts of a range between the items in `excluded`, which is ascending and a subset of its failures. Halves the
 * range recursively: cutting out one item after another would walk over all of it for each.
 */
export function without(range: ResultRange, excluded: readonly ItemFailure[]): ResultRange[] {
  if (range.count === 0) return []
  if (excluded.length === 0) return [range]
  const half = excluded.length >> 1
  const { offset } = excluded[half]!
  return [
    ...without(part(range, range.from, offset), excluded.slice(0, half)),
    ...without(part(range, offset + 1, range.from + range.count), excluded.slice(half + 1)),
  ]
}

/** Items of a chunk, `offsets` ascending, each as a chunk of its own. Halves the chunk for the same reason. */
export function singles(chunk: Chunk, offsets: readonly number[], base = 0): Chunk[] {
  if (offsets.length === 0) return []
  if (offsets.length === 1) return [sliceChunk(chunk, offsets[0]! - base, offsets[0]! - base + 1)]
  const half = offsets.length >> 1
  const middle = offsets[half]!
  return [
    ...singles(sliceChunk(chunk, 0, middle - base), offsets.slice(0, half), base),
    ...singles(sliceChunk(chunk, middle - base, chunk.count), offsets.slice(half), middle),
  ]
}

/** The items from offset `from` on in up to `count` chunks of about the same size. */
export function shares(chunk: Chunk, from: number, count: number): Chunk[] {
  const size = Math.ceil((chunk.count - from) / count)
  if (size === 1)
    return singles(
      chunk,
      Array.from({ length: chunk.count - from }, (_, i) => from + i),
    )
  const parts: Chunk[] = []
  for (let rest = sliceChunk(chunk, from, chunk.count); rest.count > 0; ) {
    parts.push(sliceChunk(rest, 0, size))
    rest = sliceChunk(rest, size, rest.count)
  }
  return parts
}

/** The items from offset `from` up to `to`. */
export function part(
  { from: start, results, failures, timings }: ResultRange,
  from: number,
  to: number,
): ResultRange {
  const inside = failures.filter(({ offset }) => offset >= from && offset < to)
  const common = {
    from,
    count: to - from,
    failures: inside,
    timings: timings && partOf(timings, from - start, to - start),
  }
  if (results.kind === 'values') {
    const values = results.values.slice(from - start, to - start)
    return { ...common, results: { kind: 'values', values } }
  }
  // Only items that succeeded have a line.
  const before = from - start - failures.filter(({ offset }) => offset < from).length
  const lines = to - from - inside.length
  const bytes = sliceLines(results.bytes, before, before + lines)
  return { ...common, results: { kind: 'json', bytes } }
}

function partOf({ startedAt, ms }: Timings, from: number, to: number): Timings {
  return { startedAt: startedAt.subarray(from, to), ms: ms.subarray(from, to) }
}
