// `--only` and `--shard`: passes on the selected items of a source, with their indexes in the whole input. Stops reading after
// the last of them.
import { sliceChunk } from '../framing/slice.js'
import { strideChunk } from '../framing/stride.js'
import type { Chunk } from '../model.js'
import type { IndexRange, Shard } from '../plan.js'
import type { ChunkSource, Want } from '../source.js'

const EVERYTHING: readonly IndexRange[] = [{ from: 0 }]
const WHOLE: Shard = { index: 1, count: 1 }

/** `ranges` may overlap and have any order. `onRead` is called with everything that is read, selected or not. */
export function selectItems(
  source: ChunkSource,
  ranges: readonly IndexRange[] = EVERYTHING,
  shard: Shard = WHOLE,
  onRead?: (chunk: Chunk) => void,
): ChunkSource {
  return new Selection(source, ranges, shard, onRead)
}

class Selection implements ChunkSource {
  readonly #source: ChunkSource
  readonly #spans: readonly Span[]
  /** Of every so many items in a span, … */
  readonly #step: number
  /** … the one whose index leaves this remainder. */
  readonly #remainder: number
  readonly #onRead: ((chunk: Chunk) => void) | undefined
  /** After the last selected item. */
  readonly #end: number
  /** Items of the input that were read. */
  #seen = 0
  /** Items that were selected from them. */
  #selected = 0
  /** Selected from the last chunk of the input, not yet passed on. */
  readonly #parts: Chunk[] = []
  #closed = false

  constructor(
    source: ChunkSource,
    ranges: readonly IndexRange[],
    shard: Shard,
    onRead: ((chunk: Chunk) => void) | undefined,
  ) {
    this.#onRead = onRead
    this.#source = source
    this.#step = shard.count
    this.#remainder = shard.index - 1
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
    return this.#spans.reduce((sum, span) => {
      const first = this.#firstFrom(Math.max(span.from, this.#seen))
      return sum + Math.max(0, Math.ceil((Math.min(span.end, end) - first) / this.#step))
    }, inParts)
  }

  /** A loop and not a chain of promises: a million items that are not selected may come first. */
  async #nextAfter(first: Promise<Chunk | undefined>, want: Want): Promise<Chunk | undefined> {
    for (let chunk = await first; chunk !== undefined; chunk = await this.#read(want)) {
      this.#split(chunk)
      if (this.#parts.length > 0 || this.#seen >= this.#end) return this.next(want)
    }
    return undefined
  }

  /**
   * Never wants items after the last selected one: a slow input may not have them for a long time. Before the next one,
   * wants all that the source has there, because few are wanted as long as none has run.
   */
  #read({ items, bytes }: Want): ReturnType<ChunkSource['next']> {
    const seen = this.#seen
    const unselected = this.#nextSelected() - seen
    if (unselected > items * this.#step)
      return this.#source.next({
        items: Math.min(unselected, this.#end - seen),
        bytes: Number.POSITIVE_INFINITY,
      })
    return this.#source.next({ items: Math.min(items * this.#step, this.#end - seen), bytes })
  }

  #nextSelected(): number {
    const seen = this.#seen
    const span = this.#spans.find(({ end }) => end > seen)
    return span === undefined ? this.#end : this.#firstFrom(Math.max(span.from, seen))
  }

  /** The index of the first item of the shard that is not before this one. */
  #firstFrom(index: number): number {
    const step = this.#step
    return index + ((((this.#remainder - index) % step) + step) % step)
  }

  #split(chunk: Chunk): void {
    this.#onRead?.(chunk)
    const first = this.#seen
    this.#seen += chunk.count
    for (const span of this.#spans) {
      if (overlap(span, first, this.#seen) === 0) continue
      const from = this.#firstFrom(Math.max(span.from, first))
      const end = Math.min(span.end, this.#seen)
      const indexes: number[] = []
      for (let index = from; index < end; index += this.#step) indexes.push(index)
      if (indexes.length === 0) continue
      const part =
        this.#step === 1
          ? sliceChunk(chunk, from - first, end - first)
          : strideChunk(chunk, from - first, end - first, this.#step)
      this.#parts.push({ ...part, seq: this.#selected, indexes })
      this.#selected += indexes.length
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
