// The calls and their turns: what each of them has left to run, which one is served next, and when it has ended.
// A call's state is changed here and nowhere else.
import { sliceChunk } from '../../framing/slice.js'
import type { JobExports, ResultsMessage } from '../../ipc/protocol.js'
import {
  type Begun,
  type Chunk,
  type Failure,
  failedMs,
  type ItemFailure,
  type Ms,
  type TaskSpec,
} from '../../model.js'
import type { RetryOptions } from '../../plan.js'
import { ChunkSizer, TaskCost } from './chunk-size.js'
import type { CallEnd, CallId, CallOptions, Command } from './messages.js'
import { DelayQueue, Fifo } from './queues.js'
import { type ResultRange, shares, singles, without } from './ranges.js'
import { RateLimiter } from './rate-limiter.js'
import { ResultGate } from './result-gate.js'
import { adviceOf, isRetried, NO_RETRY, remember, retryDelay } from './retry.js'
import {
  type Attempt,
  cancelledRange,
  failedItem,
  NO_FAILURES,
  resultRange,
  settledRange,
  type WorkerIdentity,
} from './settled-range.js'
import { earlierOf } from './timeouts.js'

/** A chunk to run: as it was supplied, or the part of one that must run again. */
export interface PendingChunk extends Attempt {
  /** Each of its items must be recorded before it begins: an earlier worker crashed in it. */
  readonly recordEachItem: boolean
  /** A worker crashed with it, and nothing of it had begun: it runs in a worker that has nothing else. */
  readonly isSuspect: boolean
  /** Where its items began before, or may have: they wait for another attempt, or to begin again after a crash. */
  readonly begunBefore: Begun | undefined
}

/** Each crash costs a restart, each part a round trip: the largest chunk is down to one item after three more crashes. */
const SUSPECT_PARTS = 32

interface Call {
  readonly id: CallId
  readonly task: TaskSpec
  readonly timeoutMs: Ms | undefined
  readonly retry: RetryOptions
  readonly sizer: ChunkSizer
  /** Of a call with a rate: each of its items is dispatched alone, to a worker that can begin it. */
  readonly limiter: RateLimiter | undefined
  /** All of its items together are expected to take little time. Decided before the first is dispatched. */
  isSmall: boolean
  /** Many of its chunks may be prefetched: they are small, and no failure stops the rest of the call. By default: if it is small. */
  readonly mayPrefetchMany: boolean | undefined
  readonly ready: Fifo<PendingChunk>
  /** Failed items that wait for their next attempt. */
  readonly delayed: DelayQueue<PendingChunk>
  /** Chunks in workers. */
  inFlight: number
  /** Items left in the source, if that is known. */
  remaining: number | undefined
  /** The source has been pulled and has not supplied yet. */
  isPulling: boolean
  /** The source has no more, or is not pulled any more. */
  sourceEnded: boolean
  /** Takes nothing more: what is not running is discarded. */
  isDraining: boolean
  isAborted: boolean
  /** It is in the round robin. */
  isQueued: boolean
  readonly gate: ResultGate<PendingChunk> | undefined
}

export type ScheduledCall = Readonly<Call>

export interface CallChunk {
  readonly call: ScheduledCall
  readonly pending: PendingChunk
}

/** The items from offset `settled` on have not settled. */
interface InFlightPart extends CallChunk {
  readonly settled: number
}

export interface CallTableOptions {
  readonly processes: number
  /** Items that one worker runs at a time. */
  readonly concurrency: number
  readonly itemsAtATime?: number | undefined
  /** 0 … 1, for the jitter of retries. */
  readonly random?: (() => number) | undefined
}

export class CallTable {
  readonly #concurrency: number
  readonly #itemsAtATime: number
  readonly #random: () => number
  readonly #send: (command: Command) => void
  readonly #calls = new Map<CallId, Call>()
  /** Calls that can have something to dispatch. The one that was served last is at the end. */
  readonly #roundRobin = new Fifo<Call>()
  /** Those of them that are small. */
  readonly #smallCalls = new Fifo<Call>()
  /** By the name of the task. */
  readonly #costs = new Map<string, TaskCost>()
  /** A call for each of its delayed items, at the time of one of them. There may be thousands of calls. */
  readonly #delayed = new DelayQueue<Call>()
  /** Calls with a rate that had something to dispatch and may not begin it, or had no worker to begin it. */
  #awaitingRate: Call[] = []
  #pausedUntil: Ms = Number.NEGATIVE_INFINITY
  #exports: JobExports | undefined

  constructor(options: CallTableOptions, send: (command: Command) => void) {
    this.#concurrency = options.concurrency
    this.#itemsAtATime = options.itemsAtATime ?? options.processes * options.concurrency
    this.#random = options.random ?? Math.random
    this.#send = send
  }

  get size(): number {
    return this.#calls.size
  }

  get jobHasLoaded(): boolean {
    return this.#exports !== undefined
  }

  /** A job has asked that no item begins before then. */
  get pausedUntil(): Ms {
    return this.#pausedUntil
  }

  /** When an item is due for its next attempt. */
  get nextRetryAt(): Ms | undefined {
    // Entries of calls that have ended.
    while (this.#delayed.first?.delayed.length === 0) this.#delayed.take(Number.POSITIVE_INFINITY)
    return this.#delayed.earliest
  }

  /** When a call that waits for its rate may begin an item. */
  nextBeginAt(now: Ms): Ms | undefined {
    let earliest: Ms | undefined
    for (const { limiter } of this.#awaitingRate)
      if (!limiter!.mayBegin(now)) earliest = earlierOf(earliest, limiter!.nextAt)
    return earliest
  }

  /** Chunks and items that a worker could begin now, counted up to `most`. */
  demand(most: number): number {
    let total = 0
    for (const { ready, sourceEnded, remaining } of this.#calls.values()) {
      if (total >= most) break
      total += ready.length + (sourceEnded ? 0 : (remaining ?? Number.POSITIVE_INFINITY))
    }
    return total
  }

  // ── from the callers ───────────────────────────────────────────────────────────────────────────────────────────

  open(id: CallId, options: CallOptions): void {
    const call = createCall(id, options, this.#sizerFor(options))
    this.#calls.set(id, call)
    const { chunk } = options
    if (chunk === undefined) this.#enqueue(call)
    else {
      call.sourceEnded = true
      call.remaining = 0
      this.#add(call, firstAttempt(chunk))
    }
    this.#checkTask(call)
    this.#pullEnd(call)
  }

  supply(id: CallId, chunk: Chunk | undefined, remaining: number | undefined): void {
    const call = this.#calls.get(id)
    if (call === undefined || call.isAborted) return
    call.isPulling = false
    call.remaining = remaining
    this.#enqueue(call)
    if (chunk === undefined || call.isDraining) {
      call.sourceEnded = true
      this.#endIfFinished(call)
    } else {
      const parts = call.sizer.waits ? shares(chunk, 0, chunk.count) : [chunk]
      for (const part of parts) this.#add(call, firstAttempt(part))
    }
    this.#pullEnd(call)
  }

  /** Nothing of it settles any more. Returns the call if its chunks in workers have to be cancelled. */
  abort(id: CallId): ScheduledCall | undefined {
    const call = this.#calls.get(id)
    if (call === undefined || call.isAborted) return undefined
    this.#releaseResults(call)
    call.isAborted = true
    call.sourceEnded = true
    this.#discardPending(call)
    this.#endIfFinished(call)
    return call
  }

  /** Returns the call if workers have to return its chunks. */
  drain(id: CallId): ScheduledCall | undefined {
    const call = this.#calls.get(id)
    if (call === undefined || call.isAborted || call.isDraining) return undefined
    call.isDraining = true
    call.sourceEnded = true
    this.#discardPending(call)
    this.#endIfFinished(call)
    return call
  }

  endAll(endOf: (call: ScheduledCall) => CallEnd): void {
    for (const call of [...this.#calls.values()]) this.#end(call, endOf(call))
  }

  // ── to the workers ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Calls that wait for their rate have their turn again. */
  enqueueAwaitingRate(): void {
    const waiting = this.#awaitingRate
    if (waiting.length === 0) return
    this.#awaitingRate = []
    for (const call of waiting) if (this.#calls.has(call.id)) this.#enqueue(call)
  }

  /** Whether `next` may find one. */
  mayHaveNext(isSmall: boolean): boolean {
    return (isSmall ? this.#smallCalls : this.#roundRobin).length > 0
  }

  /**
   * The call whose turn it is, among the small or the other ones. It has a chunk ready, or its source can be pulled.
   * `canBegin`: the worker that it is for would begin an item without waiting.
   */
  next(isSmall: boolean, canBegin: boolean, now: Ms): ScheduledCall | undefined {
    const queue = isSmall ? this.#smallCalls : this.#roundRobin
    for (let call = queue.shift(); call !== undefined; call = queue.shift()) {
      call.isQueued = false
      if (call.ready.length === 0 && (call.isPulling || call.sourceEnded)) continue
      if (call.limiter !== undefined && !(canBegin && call.limiter.mayBegin(now))) {
        this.#awaitingRate.push(call)
        continue
      }
      if (!isSmall && hasTurnedOutSmall(call)) call.isSmall = true
      this.#enqueue(call)
      if (call.isSmall === isSmall) return call
    }
    return undefined
  }

  /** The next ready chunk, now in flight. What exceeds `most` items stays ready, and all but one item of a call with a rate. */
  take(call: Call, most: number, now: Ms): PendingChunk | undefined {
    const pending = call.ready.shift()
    if (pending === undefined) return undefined
    call.limiter?.begin(now)
    const room = call.limiter === undefined ? most : 1
    call.inFlight++
    const { chunk } = pending
    if (chunk.count <= room) return pending
    call.ready.unshift({ ...pending, chunk: sliceChunk(chunk, room, chunk.count) })
    return { ...pending, chunk: sliceChunk(chunk, 0, room) }
  }

  /** Requests a chunk from the source; `supply` is the answer. */
  pull(call: Call): void {
    call.isPulling = true
    this.#send({ type: 'pull', call: call.id, want: call.sizer.want(this.#itemsAtATime, call.remaining) })
  }

  /** A job without the task of a call ends the call. */
  jobLoaded(exports: JobExports): void {
    if (this.#exports !== undefined) return
    this.#exports = exports
    for (const call of [...this.#calls.values()]) {
      this.#checkTask(call)
      this.#endIfFinished(call)
    }
  }

  // ── from the workers ───────────────────────────────────────────────────────────────────────────────────────────

  settle(worker: WorkerIdentity, chunk: CallChunk, results: ResultsMessage, now: Ms): void {
    const { sizer, task } = chunk.call
    if (results.busyMs > 0) sizer.measured(results.count, results.busyMs)
    this.#settleRange(worker, chunk, resultRange(worker, task, chunk.pending, results), now)
  }

  fail(worker: WorkerIdentity, chunk: CallChunk, offset: number, failure: Failure, now: Ms): void {
    const { call, pending } = chunk
    this.#settleRange(worker, chunk, failedItem(worker, call.task, pending, offset, failure), now)
  }

  /**
   * Items `from` up to `to` have not begun, or must begin again: they run elsewhere. `crashed`: the worker in which they
   * may have begun; from now on each of them is recorded.
   */
  requeue({ call, pending }: CallChunk, from: number, to: number, crashed?: WorkerIdentity): void {
    if (from >= to) return
    this.#add(call, begunIn(crashed, { ...pending, chunk: sliceChunk(pending.chunk, from, to) }))
  }

  /** As `requeue` for the items from offset `from` on. Each becomes a chunk of its own. */
  requeueSingles({ call, pending }: CallChunk, from: number, crashed?: WorkerIdentity): void {
    for (const chunk of shares(pending.chunk, from, pending.chunk.count))
      this.#add(call, begunIn(crashed, { ...pending, chunk }))
  }

  /**
   * A worker returned the items from offset `from` on, which have not begun: they are spread over all workers. `waits`:
   * because they wait for something, and others could run meanwhile.
   */
  requeueReturned({ call, pending }: CallChunk, from: number, waits: boolean): void {
    if (waits) call.sizer.measuredWait()
    const count = call.sizer.waits ? pending.chunk.count : 2 * this.#itemsAtATime
    for (const chunk of shares(pending.chunk, from, count)) this.#add(call, { ...pending, chunk })
  }

  /** The items from offset `from` on run alone in a worker, in parts: the part that crashes its worker again is smaller. */
  requeueSuspects({ call, pending }: CallChunk, from: number): void {
    for (const chunk of shares(pending.chunk, from, SUSPECT_PARTS))
      this.#add(call, { ...pending, chunk, recordEachItem: true, isSuspect: true })
  }

  /** Its call is over: the items before offset `upTo` have begun, or may have; the others do not begin any more. */
  cancel({ id: workerId, pid }: WorkerIdentity, chunk: InFlightPart, upTo: number, ms: Ms): void {
    const { call, pending, settled } = chunk
    this.#sendCancelled(call, pending, settled, upTo, { workerId, pid, attempts: pending.attempt, ms })
    this.#discard(call, pending, Math.max(settled, upTo))
  }

  /** It was taken, and no worker may have it now. */
  putBack(call: Call, pending: PendingChunk): void {
    call.inFlight--
    call.ready.unshift(pending)
  }

  /** One of its chunks is not in flight any more. */
  release(call: Call): void {
    call.inFlight--
    this.#endIfFinished(call)
  }

  releaseAll(chunks: readonly { readonly call: Call }[]): void {
    for (const { call } of chunks) call.inFlight--
    for (const { call } of chunks) this.#endIfFinished(call)
  }

  // ── from the clock ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Items whose delay is over are ready. */
  retryDelayed(now: Ms): void {
    for (let call = this.#delayed.take(now); call !== undefined; call = this.#delayed.take(now)) {
      const item = call.delayed.take(now)
      if (item !== undefined) this.#add(call, item)
    }
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #sizerFor({ chunkSize, remaining, task: { name } }: CallOptions): ChunkSizer {
    const task = this.#costs.get(name) ?? new TaskCost()
    this.#costs.set(name, task)
    const isCrowded = this.#calls.size >= this.#itemsAtATime
    return new ChunkSizer({
      fixed: chunkSize,
      concurrency: this.#concurrency,
      task,
      total: remaining,
      isCrowded,
    })
  }

  #settleRange(worker: WorkerIdentity, { call, pending }: CallChunk, range: ResultRange, now: Ms): void {
    // After a fault or `terminate`, workers that are terminating still send what they have done.
    if (call.isAborted || !this.#calls.has(call.id))
      return this.#send({
        type: 'cancelled',
        call: call.id,
        cancelled: cancelledRange(worker, pending, range),
      })
    if (call.gate === undefined) return this.#settleChecked(worker, call, pending, range, now)
    call.gate.add({ worker, pending, range, at: now })
    this.#settlePassed(call, call.gate)
  }

  #settlePassed(call: Call, gate: ResultGate<PendingChunk>): void {
    const bytes = gate.takeHeldChange()
    if (bytes !== 0) this.#send({ type: 'held', call: call.id, bytes })
    for (let outcomes = gate.shift(); outcomes !== undefined; outcomes = gate.shift()) {
      const { worker, pending, range, at } = outcomes
      this.#settleChecked(worker, call, pending, range, at)
    }
  }

  /** Its last results: the first of them is the first of the call, if that is not known yet. */
  #releaseResults(call: Call): void {
    if (call.gate === undefined || call.gate.isEmpty) return
    call.gate.release()
    this.#settlePassed(call, call.gate)
  }

  #settleChecked(
    worker: WorkerIdentity,
    call: Call,
    pending: PendingChunk,
    range: ResultRange,
    now: Ms,
  ): void {
    if (range.failures.length === 0) return this.#sendSettled(worker, call, pending, range)
    const retried = range.failures.filter(({ failure }) => isRetried(call.retry, failure, pending.attempt))
    const offsets = retried.map(({ offset }) => offset)
    for (const [i, chunk] of singles(pending.chunk, offsets).entries())
      this.#retry(call, { ...pending, chunk }, retried[i]!, now)
    for (const part of without(range, retried)) this.#sendSettled(worker, call, pending, part)
  }

  #sendSettled(worker: WorkerIdentity, call: ScheduledCall, pending: PendingChunk, range: ResultRange): void {
    // While the gate waits for the first result, a range has either failed or succeeded as a whole.
    if (range.failures.length === range.count) call.gate?.failed(pending.chunk.seq + range.from, range.count)
    this.#send({ type: 'settle', call: call.id, settled: settledRange(worker, pending, range) })
  }

  #retry(call: Call, { chunk, attempt, earlier }: PendingChunk, failure: ItemFailure, now: Ms): void {
    const { workerId, pid } = failure
    const next = {
      chunk,
      attempt: attempt + 1,
      earlier: remember(earlier, failure),
      recordEachItem: true,
      isSuspect: false,
      begunBefore: { workerId, pid, attempts: attempt, ms: failedMs(failure) },
    }
    if (call.isDraining) return this.#discard(call, next)
    const advice = adviceOf(failure.failure)
    const delay = advice?.afterMs ?? retryDelay(call.retry, attempt, this.#random)
    if (advice?.everyone === true) this.#pausedUntil = Math.max(this.#pausedUntil, now + delay)
    if (delay === 0) return this.#add(call, next)
    call.delayed.add(now + delay, next)
    this.#delayed.add(now + delay, call)
  }

  #add(call: Call, pending: PendingChunk): void {
    if (call.isAborted || call.isDraining) return this.#discard(call, pending)
    call.ready.push(pending)
    this.#enqueue(call)
  }

  #enqueue(call: Call): void {
    if (call.isQueued) return
    call.isQueued = true
    const queue = call.isSmall ? this.#smallCalls : this.#roundRobin
    queue.push(call)
  }

  /** A source without items is pulled even if no worker has room: its end, or its error, ends the call. */
  #pullEnd(call: Call): void {
    if (call.remaining === 0 && !call.isPulling && !call.sourceEnded && this.#calls.has(call.id))
      this.pull(call)
  }

  #checkTask(call: Call): void {
    if (this.#exports === undefined || this.#exports[call.task.name] === 'function') return
    this.#end(call, { type: 'no-task', exports: this.#exports })
  }

  #endIfFinished(call: Call): void {
    if (isFinished(call) && call.sourceEnded) this.#releaseResults(call)
    if (!isFinished(call)) return
    if (call.isAborted) return this.#end(call, { type: 'aborted' })
    // The job must have loaded even if there was nothing to do: an empty input does not excuse a broken job.
    if (call.sourceEnded && (this.jobHasLoaded || call.isDraining)) this.#end(call, { type: 'done' })
  }

  #end(call: Call, end: CallEnd): void {
    if (this.#calls.has(call.id)) this.#releaseResults(call)
    if (!this.#calls.delete(call.id)) return
    call.sourceEnded = true
    this.#discardPending(call)
    this.#send({ type: 'end', call: call.id, end })
  }

  #discardPending(call: Call): void {
    for (const pending of call.ready.takeAll()) this.#discard(call, pending)
    for (const pending of call.delayed.takeAll()) this.#discard(call, pending)
  }

  /** From offset `from` on it does not run any more. */
  #discard(call: ScheduledCall, pending: PendingChunk, from = 0): void {
    if (pending.begunBefore !== undefined)
      this.#sendCancelled(call, pending, from, pending.chunk.count, pending.begunBefore)
  }

  #sendCancelled(call: ScheduledCall, { chunk }: PendingChunk, from: number, to: number, begun: Begun): void {
    if (from >= to) return
    this.#send({ type: 'cancelled', call: call.id, cancelled: { chunk, from, count: to - from, ...begun } })
  }
}

function firstAttempt(chunk: Chunk): PendingChunk {
  return {
    chunk,
    attempt: 1,
    earlier: NO_FAILURES,
    recordEachItem: false,
    isSuspect: false,
    begunBefore: undefined,
  }
}

/** It may have begun in a worker that crashed, if there is one: from now on each item is recorded. */
function begunIn(crashed: WorkerIdentity | undefined, pending: PendingChunk): PendingChunk {
  if (crashed === undefined) return pending
  const { id: workerId, pid } = crashed
  return { ...pending, recordEachItem: true, begunBefore: { workerId, pid, attempts: pending.attempt } }
}

function createCall(id: CallId, options: CallOptions, sizer: ChunkSizer): Call {
  const { task, chunkSize, mayStop = false, timeoutMs, retry = NO_RETRY, intervalMs, remaining } = options
  const { check, isOrdered = false } = options
  return {
    id,
    task,
    timeoutMs,
    retry,
    sizer,
    limiter: intervalMs === undefined ? undefined : new RateLimiter(intervalMs),
    isSmall: intervalMs === undefined && sizer.isSmall,
    mayPrefetchMany: chunkSize === undefined ? undefined : !mayStop,
    ready: new Fifo(),
    delayed: new DelayQueue(),
    inFlight: 0,
    remaining,
    isPulling: false,
    sourceEnded: false,
    isDraining: false,
    isAborted: false,
    isQueued: false,
    gate: check && new ResultGate<PendingChunk>(check, isOrdered, task),
  }
}

/** Other calls of its task have been measured since it was opened, and nothing of it is ready or in flight. */
function hasTurnedOutSmall({ limiter, sizer, ready, inFlight }: ScheduledCall): boolean {
  return limiter === undefined && sizer.isSmall && ready.length === 0 && inFlight === 0
}

/** Nothing of it is ready, delayed or in flight. */
function isFinished({ ready, delayed, inFlight }: ScheduledCall): boolean {
  return inFlight === 0 && ready.length === 0 && delayed.length === 0
}
