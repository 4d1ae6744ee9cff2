// The chunks that one worker was given and that have not settled, in the order in which it runs them.
import { sliceChunk } from '../../framing/slice.js'
import type { ResultsMessage } from '../../ipc/protocol.js'
import type { Ms } from '../../model.js'
import type { CallChunk, PendingChunk, ScheduledCall } from './calls.js'
import type { RunningItem } from './messages.js'
import { type ExpiredItem, earlier } from './timeouts.js'

/** Chunks prefetched: given to a worker beyond those it runs, so that it never waits for a round trip … */
const PREFETCH_CHUNKS = 2
/** … or items, where the caller wants small chunks. They are refilled in one message once half of them have settled … */
const PREFETCH_ITEMS = 128
/** … while all of them are little work: a long item must not hold back chunks that a free worker could run. */
const PREFETCH_MS: Ms = 18

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
  /** Each of its items is recorded before it begins, however cheap. */
  readonly recordEachItem: boolean
}

export class InFlight {
  readonly #concurrency: number
  #chunks: InFlightChunk[] = []
  #items = 0
  /** Items that have settled, of these chunks. */
  #settled = 0
  #progressAt: Ms = 0
  /** Chunks with a time limit. */
  #timed = 0
  #expectedMs: Ms = 0
  /** It holds a chunk that may crash it, and nothing else: that tells which chunk was at fault. */
  #hasSuspect = false
  /** Chunks whose item has exceeded its time. */
  #expired: InFlightChunk[] = []
  /** Half of the prefetched items have settled: take more until there are `PREFETCH_ITEMS` again. */
  #isRefilling = false

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  /** When an item has settled, or the first chunk was added. */
  get progressAt(): Ms {
    return this.#progressAt
  }

  get chunks(): readonly InFlightChunk[] {
    return this.#chunks
  }

  get length(): number {
    return this.#chunks.length
  }

  get isTimed(): boolean {
    return this.#timed > 0
  }

  /** Chunks that can be running. The worker runs one item of each at a time. */
  get runningCount(): number {
    return Math.min(this.#chunks.length, this.#concurrency)
  }

  /** How many items wait for others here, and what they are expected to cost. */
  waiting(): { readonly items: number; readonly ms: Ms } {
    let items = 0
    let ms = 0
    for (const [i, { call, begun, settled, pending }] of this.#chunks.entries()) {
      const started = i < this.#concurrency ? 1 : 0
      const waiting = begun === undefined ? pending.chunk.count - settled - started : 0
      items += waiting
      ms += waiting * (call.sizer.meanMs ?? PREFETCH_MS)
    }
    return { items, ms }
  }

  /** Some items wait for others to settle, or the parent does not know yet that those have. */
  get mayHaveWaiting(): boolean {
    return this.#items - this.#settled > this.runningCount
  }

  /** Another chunk would begin without waiting. */
  get canBeginMore(): boolean {
    return this.#chunks.length < this.#concurrency
  }

  /** Another chunk would begin without waiting, or is worth prefetching. */
  get hasRoom(): boolean {
    if (this.#hasSuspect) return false
    const waiting = this.#chunks.length - this.#concurrency
    if (waiting < 0) return true
    const isLittle = this.#expectedMs < PREFETCH_MS * this.#concurrency
    return isLittle && (waiting < PREFETCH_CHUNKS || this.#isRefilling)
  }

  get expired(): readonly InFlightChunk[] {
    return this.#expired
  }

  /** When one of them must have answered or settled. */
  get expiredBy(): Ms | undefined {
    let next: Ms | undefined
    for (const { expired } of this.#expired)
      next = earlier(next, earlier(expired?.answerBy, expired?.settleBy))
    return next
  }

  /** Items that can be running, other than those that have exceeded their time. */
  get hasOthersRunning(): boolean {
    return this.#chunks.slice(0, this.#concurrency).some(({ expired }) => expired === undefined)
  }

  /** Items that can be running and do not belong to an aborted call. */
  get hasWantedRunning(): boolean {
    return this.#chunks.slice(0, this.#concurrency).some(({ call }) => !call.isAborted)
  }

  expire(chunk: InFlightChunk, item: ExpiredItem): void {
    chunk.expired = item
    this.#expired.push(chunk)
  }

  #unexpire(chunk: InFlightChunk): void {
    if (chunk.expired === undefined) return
    chunk.expired = undefined
    this.#expired = this.#expired.filter((other) => other !== chunk)
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

  ofCall(call: ScheduledCall): InFlightChunk[] {
    return this.#chunks.filter((chunk) => chunk.call === call)
  }

  add(id: number, call: ScheduledCall, pending: PendingChunk, now: Ms): InFlightChunk {
    const { count } = pending.chunk
    const expectedMs = (call.sizer.meanMs ?? PREFETCH_MS) * count
    const recordEachItem = pending.recordEachItem || pending.isSuspect || call.timeoutMs !== undefined
    const chunk = {
      id,
      call,
      pending,
      settled: 0,
      since: now,
      begun: undefined,
      expired: undefined,
      expectedMs,
      recordEachItem,
    }
    if (this.#chunks.length === 0) this.#progressAt = now
    this.#chunks.push(chunk)
    this.#items += count
    if (call.timeoutMs !== undefined) this.#timed++
    this.#expectedMs += expectedMs
    if (pending.isSuspect) this.#hasSuspect = true
    if (this.#items >= PREFETCH_ITEMS || !call.isBatched) this.#isRefilling = false
    return chunk
  }

  /**
   * `undefined` if the items have settled before: on the channel, and again in the record of a worker that exited.
   * `impossible` if the range does not begin where the last one ended, or is not one of this chunk.
   */
  settle(
    { id, from, count, results }: Pick<ResultsMessage, 'id' | 'from' | 'count' | 'results'>,
    now: Ms,
  ): InFlightChunk | 'impossible' | undefined {
    const chunk = this.find(id)
    if (chunk === undefined || from < chunk.settled) return undefined
    const upTo = from + count
    if (from > chunk.settled || count < 1 || upTo > chunk.pending.chunk.count) return 'impossible'
    if (results.kind === 'values' && results.values.length !== count) return 'impossible'
    this.#settled += upTo - chunk.settled
    this.#progressAt = now
    chunk.settled = upTo
    chunk.since = now
    if (chunk.expired !== undefined && upTo > chunk.expired.offset) this.#unexpire(chunk)
    return chunk
  }

  remove(chunk: InFlightChunk, now: Ms): void {
    this.#unexpire(chunk)
    const next = this.#chunks[this.#concurrency]
    if (this.#chunks[0] === chunk) this.#chunks.shift()
    else this.#chunks.splice(this.#indexOf(chunk.id), 1)
    // It can begin now, and not before.
    if (next !== undefined && this.#chunks[this.#concurrency - 1] === next) next.since = now
    if (chunk.pending.isSuspect) this.#hasSuspect = false
    this.#items -= chunk.pending.chunk.count
    this.#settled -= chunk.settled
    if (chunk.call.timeoutMs !== undefined) this.#timed--
    // An empty queue resets the sum, so that rounding errors do not add up.
    this.#expectedMs = this.#chunks.length === 0 ? 0 : this.#expectedMs - chunk.expectedMs
    if (chunk.call.isBatched && this.#items <= PREFETCH_ITEMS / 2) this.#isRefilling = true
  }

  /** The worker has returned all items but the first `count`. */
  truncate(chunk: InFlightChunk, count: number): void {
    const { pending, expectedMs } = chunk
    this.#items -= pending.chunk.count - count
    chunk.expectedMs = (expectedMs * count) / pending.chunk.count
    this.#expectedMs -= expectedMs - chunk.expectedMs
    chunk.pending = { ...pending, chunk: sliceChunk(pending.chunk, 0, count) }
    chunk.begun = count
  }

  /** Takes over from the flight recorder since when items run. One that can be running and is not begins now at the earliest. */
  setStartTimes(running: readonly RunningItem[], now: Ms): void {
    for (let i = 0; i < this.runningCount; i++) this.#chunks[i]!.since = now
    for (const { id, offset, forMs, isSending } of running) {
      const chunk = isSending ? undefined : this.find(id)
      if (chunk !== undefined && offset >= chunk.settled) chunk.since = now - forMs
    }
  }
}
