// How many items the next chunk should hold: arithmetic over what the items have cost so far.

import { CHUNK_BYTES } from '../../defaults.js'
import { meanCost } from '../../mean-cost.js'
import type { Ms } from '../../model.js'
import type { Want } from '../../source.js'

/** Work in one chunk: long enough to outweigh its transport, about 0.5 ms of CPU time in all processes; short enough to settle often. */
const TARGET_MS: Ms = 12
/** Most that a chunk may grow from one measurement to the next: a few cheap items predict little about the next thousand. */
const GROWTH_FACTOR = 4
/** An item that takes longer, in a worker that runs several at a time, waits for something: the items behind it need not. */
const WAITS_ABOVE_MS: Ms = 0.1
/** Even if items cost nothing: the items of a message settle together, and their results are held together. */
const MAX_ITEMS = 16 * 1024

export class ChunkSizer {
  readonly #fixed: number | undefined
  readonly #concurrency: number
  #items: number
  #meanMs: Ms | undefined

  /**
   * `fixed`: items per chunk, as given by `--chunk-size`. The cost is measured in any case. `concurrency`: items that a
   * worker runs at a time, one of each chunk. `meanMs`: what an item of the task has cost in earlier calls.
   */
  constructor(fixed?: number, concurrency = 1, meanMs?: Ms) {
    this.#fixed = fixed
    this.#concurrency = concurrency
    this.#items = fixed ?? 1
    this.#meanMs = meanMs
  }

  /** Cost of one item, `undefined` before the first measurement of the task. */
  get meanMs(): Ms | undefined {
    return this.#meanMs
  }

  /** Returns the cost of one item. */
  measured(items: number, busyMs: Ms): Ms {
    const meanMs = meanCost(this.#meanMs, busyMs / items, items)
    this.#meanMs = meanMs
    if (this.#fixed !== undefined) return meanMs
    const waits = this.#concurrency > 1 && meanMs > WAITS_ABOVE_MS
    const ideal = waits ? 1 : meanMs > 0 ? Math.floor(TARGET_MS / meanMs) : MAX_ITEMS
    this.#items = Math.max(1, Math.min(ideal, this.#items * GROWTH_FACTOR, MAX_ITEMS))
    return meanMs
  }

  /** `remaining`: items left in the source, if that is known; `workers` share them. */
  want(workers: number, remaining: number | undefined): Want {
    if (this.#fixed !== undefined) return { items: this.#fixed, bytes: Number.POSITIVE_INFINITY }
    // Half of each worker's share, so that all workers finish at about the same time.
    const share = remaining === undefined ? this.#items : Math.ceil(remaining / (2 * workers))
    return { items: Math.max(1, Math.min(this.#items, share)), bytes: CHUNK_BYTES }
  }
}
