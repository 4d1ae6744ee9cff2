// The chunks that one worker was given and that have not settled. Small calls do not wait for the chunks of others: between
// two items of those, the worker runs what has arrived of small calls.
import { sliceChunk } from '../../framing/slice.js'
import type { ResultsMessage } from '../../ipc/protocol.js'
import type { Ms } from '../../model.js'
import type { ScheduledCall } from './call.js'
import { ChunkQueue, type InFlightChunk, PREFETCH_MS } from './chunk-queue.js'
import type { RunningItem } from './messages.js'
import type { PendingChunk } from './pending-chunk.js'
import { type ExpiredItem, earlierOf } from './timeouts.js'

export class InFlight {
  readonly #concurrency: number
  readonly #hasRecorder: boolean
  readonly #small: ChunkQueue
  readonly #others: ChunkQueue
  #unsettledItems = 0
  #progressAt: Ms = 0
  /** Chunks with a time limit. */
  #timed = 0
  /** It holds a chunk that may crash it, and nothing else: that tells which chunk was at fault. */
  #hasSuspect = false
  /** Chunks whose item has exceeded its time. */
  #expired: InFlightChunk[] = []

  /** Without a flight recorder it is not known whether a small call waits: then it does, behind the others. */
  constructor(concurrency: number, hasRecorder: boolean) {
    this.#concurrency = concurrency
    this.#hasRecorder = hasRecorder
    this.#small = new ChunkQueue(concurrency)
    this.#others = new ChunkQueue(concurrency)
  }

  /** When an item has settled, or the first chunk was added. */
  get progressAt(): Ms {
    return this.#progressAt
  }

  /** Those of which an item can have begun come first: `begunCount` of them. */
  get chunks(): readonly InFlightChunk[] {
    const small = this.#small
    const others = this.#others
    if (small.length === 0) return others.chunks
    if (others.length === 0) return small.chunks
    return [
      ...others.chunks.slice(0, others.begunCount),
      ...small.chunks,
      ...others.chunks.slice(others.begunCount),
    ]
  }

  get length(): number {
    return this.#small.length + this.#others.length
  }

  /** More than can be running, where a chunk is interrupted for small calls. */
  get begunCount(): number {
    return this.#small.begunCount + this.#others.begunCount
  }

  get isTimed(): boolean {
    return this.#timed > 0
  }

  /** Chunks that can be running. The worker runs one item of each at a time. */
  get runningCount(): number {
    return Math.min(this.length, this.#concurrency)
  }

  /** How many items wait for others here, and what they are expected to cost. */
  waiting(which: 'all' | 'lasting' = 'all'): { readonly items: number; readonly ms: Ms } {
    let items = 0
    let ms = 0
    let running = this.runningCount
    for (const { call, begun, settled, pending } of this.chunks) {
      const started = running-- > 0 ? 1 : 0
      if (which === 'lasting' && !call.sizer.itemsLast) continue
      const waiting = begun === undefined ? pending.chunk.count - settled - started : 0
      items += waiting
      ms += waiting * (call.sizer.meanMs ?? PREFETCH_MS)
    }
    return { items, ms }
  }

  /** Some items wait for others to settle, or the parent does not know yet that those have. */
  get mayHaveWaiting(): boolean {
    return this.#unsettledItems > this.runningCount
  }

  /** Another chunk would begin without waiting. */
  get canBeginMore(): boolean {
    return this.length < this.#concurrency
  }

  /** Another chunk would begin soon, or is worth prefetching. `isSmall`: of a small call. */
  hasRoom(isSmall: boolean): boolean {
    return !this.#hasSuspect && this.#queueOf({ isSmall: isSmall && this.#hasRecorder }).hasRoom
  }

  get expired(): readonly InFlightChunk[] {
    return this.#expired
  }

  /** When one of them must have answered or settled. */
  get expiredBy(): Ms | undefined {
    let next: Ms | undefined
    for (const { expired } of this.#expired)
      next = earlierOf(next, earlierOf(expired?.answerBy, expired?.settleBy))
    return next
  }

  /** Items that can be running, other than those that have exceeded their time. */
  get hasOthersRunning(): boolean {
    if (this.#concurrency === 1) return this.length > 0 && this.#expired.length === 0
    return this.chunks.slice(0, this.begunCount).some(({ expired }) => expired === undefined)
  }

  /** Items that can be running and do not belong to an aborted call. */
  get hasWantedRunning(): boolean {
    return this.chunks.slice(0, this.begunCount).some(({ call }) => !call.isAborted)
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
    return this.#others.find(id) ?? this.#small.find(id)
  }

  ofCall(call: ScheduledCall): InFlightChunk[] {
    return this.chunks.filter((chunk) => chunk.call === call)
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
      isSmall: call.isSmall && this.#hasRecorder,
    }
    if (this.length === 0) this.#progressAt = now
    this.#queueOf(chunk).add(chunk)
    this.#unsettledItems += count
    if (call.timeoutMs !== undefined) this.#timed++
    if (pending.isSuspect) this.#hasSuspect = true
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
    this.#unsettledItems -= count
    this.#progressAt = now
    chunk.settled = upTo
    chunk.since = now
    if (chunk.expired !== undefined && upTo > chunk.expired.offset) this.#unexpire(chunk)
    // What it has interrupted, or what was interrupted for it, was not running meanwhile.
    if (this.#concurrency === 1) (chunk.isSmall ? this.#others : this.#small).restart(now)
    return chunk
  }

  remove(chunk: InFlightChunk, now: Ms): void {
    this.#unexpire(chunk)
    this.#queueOf(chunk).remove(chunk, now)
    if (chunk.pending.isSuspect) this.#hasSuspect = false
    this.#unsettledItems -= chunk.pending.chunk.count - chunk.settled
    if (chunk.call.timeoutMs !== undefined) this.#timed--
  }

  /** The worker has returned all items but the first `count`. */
  truncate(chunk: InFlightChunk, count: number): void {
    const { pending, expectedMs } = chunk
    const returned = pending.chunk.count - count
    chunk.expectedMs = (expectedMs * count) / pending.chunk.count
    this.#queueOf(chunk).shorten(returned, expectedMs - chunk.expectedMs)
    this.#unsettledItems -= returned
    chunk.pending = { ...pending, chunk: sliceChunk(pending.chunk, 0, count) }
    chunk.begun = count
  }

  /** Takes over from the flight recorder since when items run. One that can be running and is not begins now at the earliest. */
  setStartTimes(running: readonly RunningItem[], now: Ms): void {
    this.#small.restart(now)
    this.#others.restart(now)
    for (const { id, offset, forMs, isSending } of running) {
      const chunk = isSending ? undefined : this.find(id)
      if (chunk !== undefined && offset >= chunk.settled) chunk.since = now - forMs
    }
  }

  #queueOf({ isSmall }: Pick<InFlightChunk, 'isSmall'>): ChunkQueue {
    return isSmall ? this.#small : this.#others
  }
}
