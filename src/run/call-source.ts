// The source of one call as its executor sees it: it never throws, an error of the inner source ends it. Counts what is
// taken.
import type { Chunk, Thrown } from '../model.js'
import type { ChunkSource, Want } from '../source.js'
import type { Accounting } from './accounting.js'
import type { ItemCounts } from './item-counts.js'

export class CallSource implements ChunkSource {
  readonly remaining?: () => number | undefined
  readonly #inner: ChunkSource
  readonly #counts: ItemCounts
  readonly #accounting: Accounting
  readonly #onTaken: (() => void) | undefined
  #ended = false
  #error: Thrown | undefined

  constructor(inner: ChunkSource, counts: ItemCounts, accounting: Accounting, onTaken?: () => void) {
    this.#inner = inner
    this.#counts = counts
    this.#accounting = accounting
    this.#onTaken = onTaken
    if (inner.remaining !== undefined) this.remaining = () => inner.remaining!()
  }

  next(want: Want): ReturnType<ChunkSource['next']> {
    try {
      const next = this.#inner.next(want)
      return next instanceof Promise ? next.then(this.#taken, this.#failed) : this.#taken(next)
    } catch (error) {
      return this.#failed(error)
    }
  }

  close(): ReturnType<ChunkSource['close']> {
    return this.#inner.close()
  }

  /** The inner source has ended or thrown. Until then there may be items that were never taken. */
  get ended(): boolean {
    return this.#ended
  }

  get error(): Thrown | undefined {
    return this.#error
  }

  /** All items there are, taken or not, where that is known. */
  get total(): number | undefined {
    const rest = this.#ended ? 0 : this.remaining?.()
    return rest === undefined ? undefined : this.#counts.taken + rest
  }

  readonly #taken = (chunk: Chunk | undefined): Chunk | undefined => {
    if (chunk === undefined) this.#ended = true
    else {
      this.#counts.take(chunk.count)
      this.#accounting.take(chunk.count)
      this.#onTaken?.()
    }
    return chunk
  }

  readonly #failed = (error: unknown): undefined => {
    this.#error = { error }
    this.#ended = true
  }
}
