// `--only`: lets the wanted items of a source through, with the indexes that they have in the whole input. Stops
// reading where nothing that is wanted can follow. Knows nothing of how items are framed.
import { sliceChunk } from '../framing/slice.js'
import type { Chunk } from '../model.js'
import type { IndexRange } from '../plan.js'
import type { ChunkSource, Want } from '../source.js'

/** `ranges` may overlap and stand in any order. */
export function selected(source: ChunkSource, ranges: readonly IndexRange[]): ChunkSource {
  const wanted = merge(ranges)
  const end = wanted.at(-1)?.end ?? 0
  /** Items of the input seen, and items given out. */
  let seen = 0
  let given = 0
  const waiting: Chunk[] = []
  let closed = false

  const split = (chunk: Chunk) => {
    const first = seen
    seen += chunk.count
    for (const range of wanted) {
      const from = Math.max(range.from, first)
      const to = Math.min(range.end, seen)
      if (from >= to) continue
      const part = sliceChunk(chunk, from - first, to - first)
      const indexes = Array.from({ length: to - from }, (_, place) => from + place)
      waiting.push({ ...part, seq: given, indexes })
      given += to - from
    }
  }
  const close = () => {
    closed = true
    return source.close()
  }
  /** Never beyond the end of what is wanted: a slow input may not have more for a long time. */
  const read = ({ items, bytes }: Want) => source.next({ items: Math.min(items, end - seen), bytes })
  const next = (want: Want): Chunk | undefined | Promise<Chunk | undefined> => {
    for (;;) {
      const chunk = waiting.shift()
      if (chunk !== undefined) return chunk
      if (closed) return undefined
      if (seen >= end) {
        const closing = close()
        return closing instanceof Promise ? closing.then(() => undefined) : undefined
      }
      const taken = read(want)
      if (taken instanceof Promise) return later(taken, want)
      if (taken === undefined) return undefined
      split(taken)
    }
  }
  /** A loop, not one promise inside another: a million unwanted items may come first. */
  const later = async (first: Promise<Chunk | undefined>, want: Want): Promise<Chunk | undefined> => {
    for (let chunk = await first; chunk !== undefined; chunk = await read(want)) {
      split(chunk)
      if (waiting.length > 0 || seen >= end) return next(want)
    }
    return undefined
  }
  return {
    next,
    close,
    ...(source.remaining !== undefined && {
      remaining() {
        const rest = closed ? 0 : source.remaining!()
        if (rest === undefined) return undefined
        let count = waiting.reduce((sum, chunk) => sum + chunk.count, 0)
        for (const range of wanted)
          count += Math.max(0, Math.min(range.end, seen + rest) - Math.max(range.from, seen))
        return count
      },
    }),
  }
}

interface Span {
  readonly from: number
  /** After the last. */
  readonly end: number
}

function merge(ranges: readonly IndexRange[]): Span[] {
  const spans: Span[] = []
  const sorted = ranges
    .map(({ from, to = Number.POSITIVE_INFINITY }) => ({ from, end: to + 1 }))
    .sort((a, b) => a.from - b.from)
  for (const span of sorted) {
    const last = spans.at(-1)
    if (last !== undefined && span.from <= last.end)
      spans[spans.length - 1] = { from: last.from, end: Math.max(last.end, span.end) }
    else spans.push(span)
  }
  return spans
}
