// Inputs about the work of one worker: what it sends about its chunks, and what a look at it shows.
import type { ResultsMessage } from '../../ipc/protocol.js'
import type { Ms } from '../../model.js'
import type { CallTable } from './calls.js'
import type { InFlightChunk } from './chunk-queue.js'
import { crashFailure, type ExitFacts } from './crash.js'
import { isStuck } from './heartbeat.js'
import type { InFlight } from './in-flight.js'
import type { RunningItem, WorkInput } from './messages.js'
import type { RestartBudget } from './restart-budget.js'
import { judgeInspection } from './timeouts.js'
import { inFlightOf, type ReadyState, type Worker } from './worker.js'
import type { WorkerTable } from './workers.js'

type Input<Type extends WorkInput['type']> = Extract<WorkInput, { type: Type }>

export interface WorkLimits {
  /** Items that one worker runs at a time. */
  readonly concurrency: number
  /** Replace a worker after this many items. */
  readonly maxTasksPerChild: number
  /** Resident bytes of one worker. */
  readonly maxMemoryBytes: number
}

export class WorkInputs {
  readonly #limits: WorkLimits
  readonly #calls: CallTable
  readonly #workers: WorkerTable
  readonly #restarts: RestartBudget

  constructor(limits: WorkLimits, calls: CallTable, workers: WorkerTable, restarts: RestartBudget) {
    this.#limits = limits
    this.#calls = calls
    this.#workers = workers
    this.#restarts = restarts
  }

  apply(worker: Worker, input: WorkInput, now: Ms): void {
    switch (input.type) {
      case 'settled':
        return this.#settled(worker, input, now)
      case 'cancelled':
        return this.#cancelled(worker, input, now)
      case 'returned':
        return this.#returned(worker, input, now)
      case 'expiring':
        return this.#expiring(worker, input, now)
      case 'unsendable':
        return this.#unsendable(worker, input, now)
      case 'inspected':
        return this.#inspected(worker, worker.hasRecorderFailed ? undefined : input.running, now)
      case 'pinged':
        return this.#pinged(worker, input)
      case 'pong': {
        const { state } = worker
        if (state.is === 'ready' && state.heartbeat.isAsked) state.heartbeat.answer = input
        return
      }
      case 'memory':
        return this.#measured(worker, input.rss, now)
      default:
        input satisfies never
    }
  }

  // ── settled ────────────────────────────────────────────────────────────────────────────────────────────────────

  #settled(worker: Worker, { ranges, rss }: Input<'settled'>, now: Ms): void {
    const { state } = worker
    for (const results of ranges) this.#settle(worker, results, now)
    if (state.is !== 'ready') return
    state.sawNothingRunning = false
    this.#heardOfItems(worker, state, now)
    if (rss !== undefined && rss > this.#limits.maxMemoryBytes) this.#workers.replaceWhenIdle(worker, state)
  }

  #settle(worker: Worker, results: ResultsMessage, now: Ms): void {
    const inFlight = inFlightOf(worker.state)
    const chunk = inFlight?.settle(results, now)
    if (inFlight === undefined || chunk === undefined) return
    if (chunk === 'impossible') return this.#breaksProtocol(worker, inFlight, results)
    this.#restarts.itemsSettled(results.count)
    this.#calls.settle(worker, chunk, results, now)
    if (chunk.settled === chunk.pending.chunk.count) this.#remove(worker, inFlight, chunk, now)
  }

  /** Nothing that this worker sends can be relied on. The items that it left out fail with it. */
  #breaksProtocol(worker: Worker, inFlight: InFlight, { id, from }: ResultsMessage): void {
    if (worker.state.is !== 'ready') return
    const { settled, pending } = inFlight.find(id)!
    const offset = Math.max(settled, Math.min(from, pending.chunk.count) - 1)
    this.#workers.kill(worker, { kind: 'protocol', id, offset })
  }

  /**
   * Outcomes that a worker that has exited had recorded and not sent. Items between them have begun, and their outcomes
   * were lost.
   */
  settleRecorded(worker: Worker, outcomes: readonly ResultsMessage[], facts: ExitFacts): void {
    for (const outcome of outcomes) {
      const chunk = inFlightOf(worker.state)?.find(outcome.id)
      if (chunk !== undefined && chunk.settled < outcome.from && outcome.from < chunk.pending.chunk.count) {
        const { id, settled, since } = chunk
        chunk.settled = outcome.from
        for (let offset = settled; offset < outcome.from; offset++) {
          const failure = crashFailure(id, offset, facts.now - since, facts)
          this.#calls.fail(worker, chunk, offset, failure, facts.now)
        }
      }
      this.#settle(worker, outcome, facts.now)
    }
  }

  // ── not run ────────────────────────────────────────────────────────────────────────────────────────────────────

  #cancelled(worker: Worker, { ids, begun }: Input<'cancelled'>, now: Ms): void {
    const { state } = worker
    for (const [i, id] of ids.entries()) this.#cancelChunk(worker, id, begun[i], now)
    if (state.is === 'ready') this.#heardOfItems(worker, state, now)
  }

  /** The first `begun` items of the chunk have begun. */
  #cancelChunk(worker: Worker, id: number, begun: number | undefined, now: Ms): void {
    const inFlight = inFlightOf(worker.state)
    const chunk = inFlight?.find(id)
    if (inFlight === undefined || chunk === undefined) return
    const { call, settled, since } = chunk
    const { count } = chunk.pending.chunk
    chunk.begun = Math.min(begun ?? count, count)
    // What a terminating worker holds is judged when it has exited.
    if (worker.state.is !== 'ready') return
    if (call.isAborted) this.#calls.cancel(worker, chunk, chunk.begun, now - since)
    else this.#calls.requeue(chunk, settled, count)
    this.#remove(worker, inFlight, chunk, now)
  }

  #returned(worker: Worker, { ids, kept, waits }: Input<'returned'>, now: Ms): void {
    const { state } = worker
    for (const [i, id] of ids.entries()) this.#returnItems(worker, id, kept[i], waits, now)
    if (state.is !== 'ready') return
    if (!waits) state.isAskedToReturn = false
    // Now those of other calls that had not begun are elsewhere.
    if (state.isCancelExtended && !state.inFlight.hasWantedRunning) return this.#workers.kill(worker)
    // An answer without items shows that the worker reads messages, not that it works.
    if (ids.length > 0) this.#workers.heard(state, now)
    this.#workers.setInspection(state)
    this.#workers.applyExpired(worker, state, now)
  }

  /** The worker keeps the first `kept` items of the chunk, which have begun; the others run wherever there is room. */
  #returnItems(worker: Worker, id: number, kept: number | undefined, waits: boolean, now: Ms): void {
    const { state } = worker
    const inFlight = inFlightOf(state)
    const chunk = inFlight?.find(id)
    if (inFlight === undefined || chunk === undefined) return
    const { count } = chunk.pending.chunk
    const begun = Math.min(Math.max(kept ?? count, chunk.settled), count)
    chunk.begun = begun
    // What a terminating worker holds is judged when it has exited.
    if (state.is !== 'ready' || begun === count) return
    this.#calls.requeueReturned(chunk, begun, waits)
    state.dispatchedItems -= count - begun
    // It can run as many others. One that drains is replaced for another reason.
    if (!state.isDraining && state.dispatchedItems < this.#limits.maxTasksPerChild)
      state.replaceWhenIdle = false
    if (begun > chunk.settled) inFlight.truncate(chunk, begun)
    else this.#remove(worker, inFlight, chunk, now)
  }

  #unsendable(worker: Worker, { id, failures }: Input<'unsendable'>, now: Ms): void {
    const { state } = worker
    const inFlight = inFlightOf(state)
    const chunk = inFlight?.find(id)
    if (inFlight === undefined || chunk === undefined) return
    let from = 0
    for (const { offset, failure } of failures) {
      this.#calls.requeue(chunk, from, offset)
      this.#calls.fail(worker, chunk, offset, failure, now)
      from = offset + 1
    }
    if (failures.length === 0) this.#calls.requeueSingles(chunk, 0)
    else this.#calls.requeue(chunk, from, chunk.pending.chunk.count)
    this.#remove(worker, inFlight, chunk, now)
    if (state.is === 'ready') this.#workers.setInspection(state)
  }

  #remove(worker: Worker, inFlight: InFlight, chunk: InFlightChunk, now: Ms): void {
    this.#workers.remove(worker, inFlight, chunk, now)
    this.#calls.release(chunk.call)
  }

  // ── running ────────────────────────────────────────────────────────────────────────────────────────────────────

  #heardOfItems(worker: Worker, state: ReadyState, now: Ms): void {
    this.#workers.heard(state, now)
    this.#workers.setInspection(state)
    this.#workers.applyExpired(worker, state, now)
  }

  #expiring(worker: Worker, { id, offset, listens }: Input<'expiring'>, now: Ms): void {
    const { state } = worker
    if (state.is !== 'ready') return
    const expired = state.inFlight.find(id)?.expired
    if (expired === undefined || expired.offset !== offset) return
    expired.answerBy = undefined
    // Nothing tells the item to end, and no other item runs in this worker.
    if (!listens && this.#limits.concurrency === 1) expired.settleBy = now
    this.#workers.applyExpired(worker, state, now)
  }

  #inspected(worker: Worker, running: readonly RunningItem[] | undefined, now: Ms): void {
    const { state } = worker
    if (state.is !== 'ready' || state.inFlight.length === 0) return
    const { inFlight, sawNothingRunning } = state
    if (running !== undefined) inFlight.setStartTimes(running, now)
    const { chunks, begunCount } = inFlight
    const judgement = judgeInspection(chunks, begunCount, running, sawNothingRunning, now)
    if (judgement.kind === 'stuck') return this.#workers.terminateFor(worker, { reason: judgement }, now)
    if (judgement.kind === 'timeout') {
      this.#workers.expire(worker, state, inFlight.find(judgement.id)!, judgement, now)
      // Others may be late, too.
      return this.#workers.setInspection(state)
    }
    state.sawNothingRunning = judgement.sawNothingRunning
    state.inspectAt = judgement.inspectAt
  }

  #pinged(worker: Worker, { record }: Input<'pinged'>): void {
    const { state, hasRecorderFailed } = worker
    if (state.is !== 'ready') return
    if (isStuck(state.heartbeat, hasRecorderFailed ? undefined : record, state.inFlight.chunks))
      this.#workers.kill(worker, { kind: 'stuck' })
  }

  /** From outside: while an item runs, it is that item's memory. A worker that drains is being replaced already. */
  #measured(worker: Worker, rss: number, now: Ms): void {
    const { state } = worker
    if (state.is !== 'ready' || state.isDraining || rss <= this.#limits.maxMemoryBytes) return
    if (state.inFlight.length > 0) this.#workers.terminateFor(worker, { reason: { kind: 'oom' } }, now)
    else this.#workers.replaceWhenIdle(worker, state)
  }
}
