// The calls that are open: takes their chunks from sources, settles or requeues what comes back from workers, and ends them.
import { sliceChunk } from '../../framing/slice.js'
import type { JobExports, ResultsMessage } from '../../ipc/protocol.js'
import type { Begun, Chunk, Failure, ItemFailure, Ms } from '../../model.js'
import { type Call, type CallChunk, createCall, isFinished, isOver, type ScheduledCall } from './call.js'
import { ChunkSizer, TaskCost } from './chunk-size.js'
import type { CallEnd, CallId, CallOptions, Command } from './messages.js'
import { begunIn, firstAttempt, nextAttempt, type PendingChunk } from './pending-chunk.js'
import { DelayQueue } from './queues.js'
import { type ResultRange, shares, singles, without } from './ranges.js'
import type { ResultGate } from './result-gate.js'
import { adviceOf, isRetried, retryDelay } from './retry.js'
import {
  cancelledRange,
  failedItem,
  resultRange,
  settledRange,
  type WorkerIdentity,
} from './settled-range.js'
import { Turns } from './turns.js'

/** Each crash costs a restart, each part a round trip: the largest chunk is down to one item after three more crashes. */
const SUSPECT_PARTS = 32

/** The items from offset `settled` on have not settled. */
interface InFlightPart extends CallChunk {
  readonly settled: number
}

export interface CallTableOptions {
  readonly processes: number
  /** Items that one worker runs at a time. */
  readonly concurrency: number
  readonly itemsAtATime?: number | undefined
  readonly promptWorkers?: number | undefined
  /** 0 … 1, for the jitter of retries. */
  readonly random?: (() => number) | undefined
}

export class CallTable {
  readonly #concurrency: number
  readonly #itemsAtATime: number
  /** In the prompt workers, which share cheap items among them. */
  readonly #promptItemsAtATime: number
  readonly #random: () => number
  readonly #send: (command: Command) => void
  readonly turns = new Turns()
  readonly #calls = new Map<CallId, Call>()
  /** By the name of the task. */
  readonly #costs = new Map<string, TaskCost>()
  /** A call for each of its delayed items, at the time of one of them. There may be thousands of calls. */
  readonly #delayed = new DelayQueue<Call>()
  #pausedUntil: Ms = Number.NEGATIVE_INFINITY
  #exports: JobExports | undefined

  constructor(options: CallTableOptions, send: (command: Command) => void) {
    const { processes, concurrency, promptWorkers = processes } = options
    this.#concurrency = concurrency
    this.#itemsAtATime = options.itemsAtATime ?? processes * concurrency
    const promptShare = Math.min(1, promptWorkers / processes)
    this.#promptItemsAtATime = Math.ceil(this.#itemsAtATime * promptShare)
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

  /** Chunks and items that a worker could begin now, counted up to `most`: all of them, or those that are known to last. */
  demand(most: number, which: 'all' | 'lasting' = 'all'): number {
    let total = 0
    for (const { ready, sourceEnded, remaining, sizer } of this.#calls.values()) {
      if (total >= most) break
      if (which === 'lasting' && !sizer.itemsLast) continue
      total += ready.length + (sourceEnded ? 0 : (remaining ?? Number.POSITIVE_INFINITY))
    }
    return total
  }

  // ── from the callers ───────────────────────────────────────────────────────────────────────────────────────────

  open(id: CallId, options: CallOptions): void {
    const call = createCall(id, options, this.#sizerFor(options))
    this.#calls.set(id, call)
    const { chunk } = options
    if (chunk === undefined) this.turns.enqueue(call)
    else {
      call.sourceEnded = true
      call.remaining = 0
      this.#add(call, firstAttempt(chunk))
    }
    this.#checkTask(call)
    this.#pullEnd(call)
  }

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

  supply(id: CallId, chunk: Chunk | undefined, remaining: number | undefined): void {
    const call = this.#calls.get(id)
    if (call === undefined || call.isAborted) return
    call.isPulling = false
    call.remaining = remaining
    this.turns.enqueue(call)
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
    const { id, sizer, remaining } = call
    const sharedBy = sizer.itemsLast ? this.#itemsAtATime : this.#promptItemsAtATime
    this.#send({ type: 'pull', call: id, want: sizer.want(sharedBy, remaining) })
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

  // ── their results ──────────────────────────────────────────────────────────────────────────────────────────────

  #settleRange(worker: WorkerIdentity, { call, pending }: CallChunk, range: ResultRange, now: Ms): void {
    // After a fault or `terminate`, workers that are terminating still send what they have done.
    if (isOver(call))
      return this.#send({
        type: 'cancelled',
        call: call.id,
        cancelled: cancelledRange(worker, pending, range),
      })
    if (call.gate === undefined) return this.#settleChecked(worker, call, pending, range, now)
    call.gate.add({ worker, pending, range, at: now })
    this.#settlePassed(call, call.gate)
  }

  #settlePassed(call: Call, gate: ResultGate): void {
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
    for (const [i, item] of singles(pending.chunk, offsets).entries())
      this.#retry(call, item, pending, retried[i]!, now)
    for (const part of without(range, retried)) this.#sendSettled(worker, call, pending, part)
  }

  #sendSettled(worker: WorkerIdentity, call: ScheduledCall, pending: PendingChunk, range: ResultRange): void {
    // While the gate waits for the first result, a range has either failed or succeeded as a whole.
    if (range.failures.length === range.count) call.gate?.failed(pending.chunk.seq + range.from, range.count)
    this.#send({ type: 'settle', call: call.id, settled: settledRange(worker, pending, range) })
  }

  #retry(call: Call, item: Chunk, pending: PendingChunk, failure: ItemFailure, now: Ms): void {
    const next = nextAttempt(item, pending, failure)
    if (call.isDraining) return this.#discard(call, next)
    const advice = adviceOf(failure.failure)
    const delay = advice?.afterMs ?? retryDelay(call.retry, pending.attempt, this.#random)
    if (advice?.everyone === true) this.#pausedUntil = Math.max(this.#pausedUntil, now + delay)
    if (delay === 0) return this.#add(call, next)
    call.delayed.add(now + delay, next)
    this.#delayed.add(now + delay, call)
  }

  // ── what they have ready ───────────────────────────────────────────────────────────────────────────────────────

  #add(call: Call, pending: PendingChunk): void {
    if (call.isAborted || call.isDraining) return this.#discard(call, pending)
    call.ready.push(pending)
    this.turns.enqueue(call)
  }

  /** A source without items is pulled even if no worker has room: its end, or its error, ends the call. */
  #pullEnd(call: Call): void {
    if (call.remaining === 0 && !call.isPulling && !call.sourceEnded && !call.hasEnded) this.pull(call)
  }

  // ── their end ──────────────────────────────────────────────────────────────────────────────────────────────────

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
    if (call.hasEnded) return
    this.#releaseResults(call)
    this.#calls.delete(call.id)
    call.hasEnded = true
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
