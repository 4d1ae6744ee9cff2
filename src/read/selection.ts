// `--only`: passes on the selected items of a source, with their indexes in the whole input. Stops reading after the
// last of them.
import { sliceChunk } from '../framing/slice.js'
import type { Chunk } from '../model.js'
import type { IndexRange } from '../plan.js'
import type { ChunkSource, Want } from '../source.js'

/** `ranges` may overlap and have any order. */
export function selectItems(source: ChunkSource, ranges: readonly IndexRange[]): ChunkSource {
  return new Selection(source, ranges)
}

class Selection implements ChunkSource {
  readonly #source: ChunkSource
  readonly #spans: readonly Span[]
  /** After the last selected item. */
  readonly #end: number
  /** Items of the input that were read. */
  #seen = 0
  /** Items that were selected from them. */
  #selected = 0
  /** Selected from the last chunk of the input, not yet passed on. */
  readonly #parts: Chunk[] = []
  #closed = false

  constructor(source: ChunkSource, ranges: readonly IndexRange[]) {
    this.#source = source
    this.#spans = mergeRanges(ranges)
    this.#end = this.#spans.at(-1)?.end ?? 0
  }

  next(want: Want): Chunk | undefined | Promise<Chunk | undefined> {
    for (;;) {
      const part = this.#parts.shift()
      if (part !== undefined) return part
      if (this.#closed) return undefined
      if (this.#seen >= this.#end) {
        const closing = this.close()
        return closing instanceof Promise ? closing.then(() => undefined) : undefined
      }
      const chunk = this.#read(want)
      if (chunk instanceof Promise) return this.#nextAfter(chunk, want)
      if (chunk === undefined) return undefined
      this.#split(chunk)
    }
  }

  close(): Promise<void> | void {
    this.#closed = true
    return this.#source.close()
  }

  remaining(): number | undefined {
    if (this.#source.remaining === undefined) return undefined
    const unread = this.#closed ? 0 : this.#source.remaining()
    if (unread === undefined) return undefined
    const end = this.#seen + unread
    const inParts = this.#parts.reduce((sum, { count }) => sum + count, 0)
    return this.#spans.reduce((sum, span) => sum + overlap(span, this.#seen, end), inParts)
  }

  /** A loop and not a chain of promises: a million items that are not selected may come first. */
  async #nextAfter(first: Promise<Chunk | undefined>, want: Want): Promise<Chunk | undefined> {
    for (let chunk = await first; chunk !== undefined; chunk = await this.#read(want)) {
      this.#split(chunk)
      if (this.#parts.length > 0 || this.#seen >= this.#end) return this.next(want)
    }
    return undefined
  }

  /** Never wants items after the last selected one: a slow input may not have them for a long time. */
  #read({ items, bytes }: Want): ReturnType<ChunkSource['next']> {
    return this.#source.next({ items: Math.min(items, this.#end - this.#seen), bytes })
  }

  #split(chunk: Chunk): void {
    const first = this.#seen
    this.#seen += chunk.count
    for (const span of this.#spans) {
      const count = overlap(span, first, this.#seen)
      if (count === 0) continue
      const from = Math.max(span.from, first)
      const part = sliceChunk(chunk, from - first, from - first + count)
      const indexes = Array.from({ length: count }, (_, i) => from + i)
      this.#parts.push({ ...part, seq: this.#selected, indexes })
      this.#selected += count
    }
  }
}

interface Span {
  readonly from: number
  /** After the last. */
  readonly end: number
}

function overlap(span: Span, from: number, end: number): number {
  return Math.max(0, Math.min(span.end, end) - Math.max(span.from, from))
}

/** Sorted, and without overlaps. */
function mergeRanges(ranges: readonly IndexRange[]): Span[] {
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
