// Gives ready chunks to workers that have room, asks sources for more, and takes back what waits in one worker while another
// could begin it.
import type { Ms } from '../../model.js'
import type { ScheduledCall } from './call.js'
import type { CallTable } from './calls.js'
import { chunkMessage } from './chunk-message.js'
import type { Command } from './messages.js'
import type { PendingChunk } from './pending-chunk.js'
import { hasWorkToReturn, workerToRelieve } from './take-back.js'
import { earlierOf } from './timeouts.js'
import type { ReadyWorker } from './worker.js'
import type { WorkerTable } from './workers.js'

/** More than a chunk needs from its source to a worker. */
const TAKE_BACK_AFTER_MS: Ms = 5

export class Dispatcher {
  readonly #maxTasksPerChild: number
  readonly #calls: CallTable
  readonly #workers: WorkerTable
  readonly #send: (command: Command) => void
  #nextChunkId = 1
  /** When to take back what waits in one worker while another could begin it. */
  #takeBackAt: Ms | undefined
  /** Nothing is dispatched before then. */
  #pausedUntil: Ms | undefined
  /** When a call with a rate may begin its next item. */
  #nextBeginAt: Ms | undefined
  /** A chunk waits for a worker that has nothing else. */
  #suspectWaits = false

  constructor(
    maxTasksPerChild: number,
    calls: CallTable,
    workers: WorkerTable,
    send: (command: Command) => void,
  ) {
    this.#maxTasksPerChild = maxTasksPerChild
    this.#calls = calls
    this.#workers = workers
    this.#send = send
  }

  /** Until when a job has asked that no item begins, while that is still to come. */
  get pausedUntil(): Ms | undefined {
    return this.#pausedUntil
  }

  get nextWake(): Ms | undefined {
    return earlierOf(earlierOf(this.#nextBeginAt, this.#pausedUntil), this.#takeBackAt)
  }

  /** No worker that runs could begin what is ready, or what a source may have. */
  get needsWorkers(): boolean {
    // The first workers run most items at a time, and of equally loaded ones the first is found: if it cannot begin more, none can.
    const inFlight = this.#workers.leastLoaded(false)?.state.inFlight
    return this.#suspectWaits ? inFlight?.length !== 0 : inFlight?.canBeginMore !== true
  }

  /** When the pool is over, there is neither an open call nor a ready worker: this does nothing then. */
  dispatch(now: Ms): void {
    this.#suspectWaits = false
    const plannedAt = this.#takeBackAt
    this.#takeBackAt = undefined
    this.#nextBeginAt = undefined
    if (this.#isPaused(now)) return
    const { turns } = this.#calls
    turns.enqueueAwaitingRate()
    this.#dispatchCalls(true, now)
    this.#dispatchCalls(false, now)
    // A call that was taken for a large one may have turned out small.
    this.#dispatchCalls(true, now)
    this.#nextBeginAt = turns.nextBeginAt(now)
    if (!this.#suspectWaits) this.#takeBackWork(plannedAt, now)
  }

  /** A job has asked for a pause. What was dispatched and has not begun is taken back. */
  #isPaused(now: Ms): boolean {
    const { pausedUntil } = this.#calls
    // Without a call there is nothing to wake up for: a timer would keep the process alive.
    const isPaused = now < pausedUntil && this.#calls.size > 0
    if (isPaused && this.#pausedUntil !== pausedUntil)
      for (const worker of this.#workers.all) if (hasWorkToReturn(worker)) this.#workers.takeBack(worker)
    this.#pausedUntil = isPaused ? pausedUntil : undefined
    return isPaused
  }

  #dispatchCalls(isSmall: boolean, now: Ms): void {
    const { turns } = this.#calls
    // Without a call, no look at each of the workers.
    while (turns.mayHaveNext(isSmall) && !this.#suspectWaits) {
      const worker = this.#workers.leastLoaded(isSmall)
      if (worker === undefined || this.#leavesWorkToStarting(worker)) return
      const { inFlight, dispatchedItems } = worker.state
      const call = turns.next(isSmall, inFlight.canBeginMore, now)
      if (call === undefined) return
      const pending = this.#calls.take(call, this.#maxTasksPerChild - dispatchedItems, now)
      if (pending === undefined) this.#calls.pull(call)
      else if (pending.isSuspect && inFlight.length > 0) {
        this.#calls.putBack(call, pending)
        this.#suspectWaits = true
      } else this.#dispatch(worker, call, pending, now)
    }
  }

  /** Nothing is prefetched that a worker which is about to be ready would then miss. */
  #leavesWorkToStarting({ state: { inFlight } }: ReadyWorker): boolean {
    if (inFlight.canBeginMore) return false
    const starting = this.#workers.startingCount
    return starting > 0 && this.#calls.demand(starting + 1) <= starting
  }

  #dispatch(worker: ReadyWorker, call: ScheduledCall, pending: PendingChunk, now: Ms): void {
    const { id, state } = worker
    const { begunCount } = state.inFlight
    const chunk = state.inFlight.add(this.#nextChunkId++, call, pending, now)
    if (state.inFlight.length === 1) this.#workers.heard(state, now)
    state.dispatchedItems += pending.chunk.count
    if (state.dispatchedItems >= this.#maxTasksPerChild) state.replaceWhenIdle = true
    // A prefetched chunk changes nothing about what can be running.
    if (call.timeoutMs !== undefined && state.inFlight.begunCount > begunCount)
      state.inspectAt = earlierOf(state.inspectAt, now + call.timeoutMs)
    this.#workers.changed(worker)
    this.#send({ type: 'run', worker: id, chunk: chunkMessage(chunk) })
  }

  /**
   * If a worker could begin something, for which there is nothing to dispatch, and another one holds items that wait there,
   * those are requested. Not immediately: in the midst of the work, more arrives sooner.
   */
  #takeBackWork(plannedAt: Ms | undefined, now: Ms): void {
    const worker = this.#workers.leastLoaded(false)
    if (worker?.state.inFlight.canBeginMore !== true || !this.#workers.all.some(hasWorkToReturn)) return
    this.#takeBackAt = plannedAt ?? now + TAKE_BACK_AFTER_MS
    if (now < this.#takeBackAt) return
    this.#takeBackAt = undefined
    const found = workerToRelieve(this.#workers.all, now)
    if (found === undefined) return
    if (found.at > now) {
      this.#takeBackAt = found.at
      return
    }
    this.#workers.takeBack(found.worker)
    // It may not answer, and nothing else may happen meanwhile.
    if (this.#workers.all.some(hasWorkToReturn)) this.#takeBackAt = now + TAKE_BACK_AFTER_MS
  }
}
