// How many items the next chunk should hold: arithmetic over what the items have cost so far.

import { CHUNK_BYTES } from '../../defaults.js'
import { meanCost } from '../../mean-cost.js'
import type { Ms } from '../../model.js'
import type { Want } from '../../source.js'
import { START_MS } from './scaling.js'

/** Work in one chunk: long enough to outweigh its transport, about 0.5 ms of CPU time in all processes; short enough to settle often. */
const TARGET_MS: Ms = 12
/** Most that a chunk may grow from one measurement to the next: a few cheap items predict little about the next thousand. */
const GROWTH_FACTOR = 4
/** Not worth a chunk of its own: it costs less than the transport of one. */
const LITTLE_MS: Ms = 0.5
/** An item that takes longer, in a worker that runs several at a time, waits for something: the items behind it need not. */
const WAITS_ABOVE_MS: Ms = 0.1
/** Even if items cost nothing: the items of a message settle together, and their results are held together. */
const MAX_ITEMS = 16 * 1024

/** What an item of one task costs, in all of its calls: the first chunk of a call is not the first of its task. */
export class TaskCost {
  #meanMs: Ms | undefined
  #busyMs: Ms = 0

  /** `undefined` before the first measurement. */
  get meanMs(): Ms | undefined {
    return this.#meanMs
  }

  /** Of all items so far. */
  get busyMs(): Ms {
    return this.#busyMs
  }

  measured(items: number, busyMs: Ms): void {
    this.#busyMs += busyMs
    this.#meanMs = meanCost(this.#meanMs, busyMs / items, items)
  }
}

interface SizerOptions {
  /** Items per chunk, as given by `--chunk-size`. The cost is measured in any case. */
  readonly fixed?: number | undefined
  /** Items that a worker runs at a time, one of each chunk. */
  readonly concurrency?: number
  readonly task?: TaskCost
  /** All items of the call, if that is known. */
  readonly total?: number | undefined
  /** There are as many calls as items that can run: no worker is idle if one of them is a single chunk. */
  readonly isCrowded?: boolean
}

/** The chunks of one call. */
export class ChunkSizer {
  readonly #fixed: number | undefined
  readonly #concurrency: number
  readonly #task: TaskCost
  readonly #total: number | undefined
  readonly #smallUpToMs: Ms
  #items: number
  #meanMs: Ms | undefined

  constructor({
    fixed,
    concurrency = 1,
    task = new TaskCost(),
    total,
    isCrowded = false,
  }: SizerOptions = {}) {
    this.#fixed = fixed
    this.#concurrency = concurrency
    this.#task = task
    this.#total = total
    this.#smallUpToMs = isCrowded ? TARGET_MS : LITTLE_MS
    this.#items = fixed ?? 1
  }

  /** Cost of one item of the call; before the first measurement, of its task. */
  get meanMs(): Ms | undefined {
    return this.#meanMs ?? this.#task.meanMs
  }

  measured(items: number, busyMs: Ms): void {
    this.#task.measured(items, busyMs)
    this.#setMean(meanCost(this.#meanMs, busyMs / items, items))
  }

  /** Items have not settled yet, and wait. */
  measuredWait(): void {
    this.#setMean(Math.max(this.#meanMs ?? 0, WAITS_ABOVE_MS))
  }

  /** Items may wait for something, so more workers help. The first ones do not tell: their code is cold, which makes them slow. */
  get itemsLast(): boolean {
    return (this.meanMs ?? 0) >= WAITS_ABOVE_MS && this.#task.busyMs >= START_MS
  }

  /** Items wait for something: others can run meanwhile, so each is a chunk of its own, however many arrive together. */
  get waits(): boolean {
    return this.#concurrency > 1 && this.#meanMs !== undefined && this.#meanMs >= WAITS_ABOVE_MS
  }

  #setMean(meanMs: Ms): void {
    this.#meanMs = meanMs
    if (this.#fixed !== undefined) return
    const ideal = this.waits ? 1 : meanMs > 0 ? Math.floor(TARGET_MS / meanMs) : MAX_ITEMS
    this.#items = Math.max(1, Math.min(ideal, this.#items * GROWTH_FACTOR, MAX_ITEMS))
  }

  /** All items of the call together are expected to cost next to nothing: they can be one chunk. Decided at its start. */
  get isSmall(): boolean {
    if (this.#total === 1) return true
    const { meanMs } = this.#task
    const isAtStart = this.#meanMs === undefined
    return (
      isAtStart &&
      this.#total !== undefined &&
      meanMs !== undefined &&
      this.#total * meanMs <= this.#smallUpToMs
    )
  }

  /** `remaining`: items left in the source, if that is known; `workers` share them. */
  want(workers: number, remaining: number | undefined): Want {
    if (this.#fixed !== undefined) return { items: this.#fixed, bytes: Number.POSITIVE_INFINITY }
    if (this.isSmall) return { items: Math.max(1, this.#total!), bytes: CHUNK_BYTES }
    // Half of each worker's share, so that all workers finish at about the same time.
    const share = remaining === undefined ? this.#items : Math.ceil(remaining / (2 * workers))
    return { items: Math.max(1, Math.min(this.#items, share)), bytes: CHUNK_BYTES }
  }
}
