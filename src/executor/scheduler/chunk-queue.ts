// Chunks that a worker was given and that have not settled, in the order in which it begins them, and whether it has room
// for more.
import type { Ms } from '../../model.js'
import type { CallChunk, ScheduledCall } from './call.js'
import type { PendingChunk } from './pending-chunk.js'
import type { ExpiredItem } from './timeouts.js'

/** Chunks prefetched: given to a worker beyond those it runs, so that it never waits for a round trip … */
const PREFETCH_CHUNKS = 2
/** … or items, where the caller wants small chunks. They are refilled in one message once half of them have settled … */
const PREFETCH_ITEMS = 128
/** … while all of them are little work: a long item must not hold back chunks that a free worker could run. */
export const PREFETCH_MS: Ms = 18

export interface InFlightChunk extends CallChunk {
  readonly id: number
  /** Without what the worker has returned. */
  pending: PendingChunk
  /** Items settled so far: the one at this offset is running or next. */
  settled: number
  /** When the item at `settled` began, or can have begun at the earliest. */
  since: Ms
  /** How many items have begun, once the worker has sent that no other item begins: it is terminating, or has returned the rest. */
  begun: number | undefined
  /** Its item has exceeded its time, and the worker was asked to abort it. */
  expired: ExpiredItem | undefined
  /** Estimate at the time when it was dispatched. */
  expectedMs: Ms
  /** Each of its items is recorded, however cheap: before it begins or, if it only has a time limit, once it lasts. */
  readonly recordEachItem: boolean
  /** Of a small call: it runs between two items of the other chunks. */
  readonly isSmall: boolean
}

export class ChunkQueue {
  readonly #concurrency: number
  readonly #chunks: InFlightChunk[] = []
  #items = 0
  #expectedMs: Ms = 0
  /** Half of the prefetched items have settled: take more until there are `PREFETCH_ITEMS` again. */
  #isRefilling = false

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  get chunks(): readonly InFlightChunk[] {
    return this.#chunks
  }

  get length(): number {
    return this.#chunks.length
  }

  /** Those of which an item can have begun: the first ones. */
  get begunCount(): number {
    return Math.min(this.#chunks.length, this.#concurrency)
  }

  /** Another chunk would begin without waiting, or is worth prefetching. */
  get hasRoom(): boolean {
    const waiting = this.#chunks.length - this.#concurrency
    if (waiting < 0) return true
    const isLittle = this.#expectedMs < PREFETCH_MS * this.#concurrency
    return isLittle && (waiting < PREFETCH_CHUNKS || this.#isRefilling)
  }

  find(id: number): InFlightChunk | undefined {
    const chunk = this.#chunks[this.#indexOf(id)]
    return chunk?.id === id ? chunk : undefined
  }

  /** Where the chunk is, or would be. Ids ascend: with a high concurrency there are thousands of chunks. */
  #indexOf(id: number): number {
    const chunks = this.#chunks
    let from = 0
    let to = chunks.length
    while (from < to) {
      const middle = (from + to) >> 1
      if (chunks[middle]!.id < id) from = middle + 1
      else to = middle
    }
    return from
  }

  add(chunk: InFlightChunk): void {
    this.#chunks.push(chunk)
    this.#items += chunk.pending.chunk.count
    this.#expectedMs += chunk.expectedMs
    if (this.#items >= PREFETCH_ITEMS || !mayPrefetchMany(chunk.call)) this.#isRefilling = false
  }

  remove(chunk: InFlightChunk, now: Ms): void {
    const next = this.#chunks[this.#concurrency]
    if (this.#chunks[0] === chunk) this.#chunks.shift()
    else this.#chunks.splice(this.#indexOf(chunk.id), 1)
    // It can begin now, and not before.
    if (next !== undefined && this.#chunks[this.#concurrency - 1] === next) next.since = now
    this.#items -= chunk.pending.chunk.count
    // An empty queue resets the sum, so that rounding errors do not add up.
    this.#expectedMs = this.#chunks.length === 0 ? 0 : this.#expectedMs - chunk.expectedMs
    if (mayPrefetchMany(chunk.call) && this.#items <= PREFETCH_ITEMS / 2) this.#isRefilling = true
  }

  /** The chunk has become shorter by so many items, of which this was expected. */
  shorten(items: number, expectedMs: Ms): void {
    this.#items -= items
    this.#expectedMs -= expectedMs
  }

  /** What can be running begins now at the earliest. */
  restart(now: Ms): void {
    for (let i = 0; i < this.begunCount; i++) this.#chunks[i]!.since = now
  }
}

function mayPrefetchMany(call: ScheduledCall): boolean {
  return call.mayPrefetchMany ?? call.isSmall
}
