// The workers of a pool: starts, drains, stops, terminates and kills them. It decides neither when nor why.
import { itemIndexAt, type Ms } from '../../model.js'
import type { ScheduledCall } from './call.js'
import type { InFlightChunk } from './chunk-queue.js'
import { beat, heard } from './heartbeat.js'
import type { InFlight } from './in-flight.js'
import type { Command } from './messages.js'
import { concurrencyOf } from './scaling.js'
import { type ExpiredItem, isDue, judgeExpired, nextInspection } from './timeouts.js'
import { Tournament } from './tournament.js'
import {
  ABSENT,
  ANSWER_MS,
  createWorker,
  inFlightOf,
  isReady,
  killed,
  loadOf,
  nextDeadline,
  type ReadyState,
  type ReadyWorker,
  ready,
  starting,
  stopping,
  type Termination,
  type TerminationReason,
  terminating,
  transition,
  type Worker,
  type WorkerState,
} from './worker.js'

/** Long enough for the event loop to read what has arrived. */
const LOOK_AGAIN_MS: Ms = 20

interface WorkerTableOptions {
  /** Items that one worker runs at a time. */
  readonly concurrency: number
  readonly processes: number
  readonly itemsAtATime?: number | undefined
  /** From `terminate`, `stop` or `cancel` to SIGKILL. */
  readonly killAfterMs: Ms
  /** Workers that send nothing are asked whether an item is running. */
  readonly heartbeat?: boolean | undefined
}

export class WorkerTable {
  readonly #options: WorkerTableOptions
  readonly #send: (command: Command) => void
  /** As many as were ever needed at a time. */
  readonly #workers: Worker[] = []
  /** How many workers are in each state. */
  readonly #counts: Record<WorkerState['is'], number> = {
    absent: 0,
    starting: 0,
    ready: 0,
    stopping: 0,
    terminating: 0,
  }
  // What every input needs about all workers, so that none has to look at each of them. `changed` keeps it.
  readonly #loads = new Tournament()
  readonly #smallLoads = new Tournament()
  readonly #deadlines = new Tournament()
  #startedCount = 0

  constructor(options: WorkerTableOptions, send: (command: Command) => void) {
    this.#options = options
    this.#send = send
  }

  /** By id, which is the index. */
  get all(): readonly Worker[] {
    return this.#workers
  }

  get areAllAbsent(): boolean {
    return this.aliveCount === 0
  }

  /** Those that have a process. */
  get aliveCount(): number {
    return this.#workers.length - this.#counts.absent
  }

  get startingCount(): number {
    return this.#counts.starting
  }

  get readyCount(): number {
    return this.#counts.ready
  }

  /** Processes started so far. */
  get startedCount(): number {
    return this.#startedCount
  }

  /** Items that can be running now. */
  get runningCount(): number {
    let count = 0
    for (const { state } of this.#workers) count += inFlightOf(state)?.runningCount ?? 0
    return count
  }

  get nextDeadline(): Ms | undefined {
    return this.#deadlines.least
  }

  /** The ready worker with the fewest chunks; `undefined` if none has room, `isSmall` for a chunk of a small call. */
  leastLoaded(isSmall: boolean): ReadyWorker | undefined {
    const id = (isSmall ? this.#smallLoads : this.#loads).winner
    return id === undefined ? undefined : (this.#workers[id] as ReadyWorker)
  }

  /** Must follow whatever changes the room or a deadline of a worker. */
  changed(worker: Worker): void {
    const { id } = worker
    this.#loads.set(id, loadOf(worker, false))
    this.#smallLoads.set(id, loadOf(worker, true))
    this.#deadlines.set(id, nextDeadline(worker) ?? Number.POSITIVE_INFINITY)
  }

  // ── their life ─────────────────────────────────────────────────────────────────────────────────────────────────

  start(): void {
    let worker = this.#workers.find(({ state }) => state.is === 'absent')
    if (worker === undefined) {
      worker = createWorker(this.#workers.length)
      this.#workers.push(worker)
      this.#counts.absent++
    }
    this.#startedCount++
    this.#change(worker, starting())
  }

  setReady(worker: Worker): void {
    this.#change(worker, ready(concurrencyOf(worker.id, this.#options), worker.hasRecorder))
  }

  /** Its process has exited, or could not be started. */
  setAbsent(worker: Worker): void {
    this.#change(worker, ABSENT)
  }

  stop(worker: Worker, now: Ms): void {
    this.#change(worker, stopping(now + this.#options.killAfterMs))
  }

  terminateFor(worker: Worker, termination: Termination, now: Ms): void {
    this.#change(worker, terminating(worker, termination, now, this.#options.killAfterMs))
  }

  terminateAll(why: string | undefined, now: Ms): void {
    for (const worker of this.#workers) {
      const { is } = worker.state
      // It has run nothing yet that a finalizer could clean up.
      if (is === 'starting') this.kill(worker)
      else if (is === 'ready' || is === 'stopping') this.terminateFor(worker, { reason: undefined, why }, now)
    }
  }

  kill(worker: Worker, reason?: TerminationReason): void {
    this.#change(worker, killed(worker, reason))
  }

  killAll(): void {
    for (const worker of this.#workers) if (worker.state.is !== 'absent') this.kill(worker)
  }

  #change(worker: Worker, next: WorkerState): void {
    this.#counts[worker.state.is]--
    const command = transition(worker, next)
    this.#counts[next.is]++
    this.changed(worker)
    if (command !== undefined) this.#send(command)
  }

  // ── their timers ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Returns a worker that was not ready in time: the pool cannot go on. */
  applyTimers(now: Ms): Worker | undefined {
    for (const worker of this.#workers) {
      if (worker.state.is === 'starting' && isDue(worker.state.readyBy, now)) return worker
      this.#applyTimersOf(worker, now)
      this.changed(worker)
    }
    return undefined
  }

  #applyTimersOf(worker: Worker, now: Ms): void {
    const { id, pid, state } = worker
    switch (state.is) {
      case 'absent':
      case 'starting':
        return
      case 'ready':
        if (isDue(state.inspectAt, now)) {
          state.inspectAt = undefined
          this.#send({ type: 'inspect', worker: id })
        }
        if (isDue(state.heartbeat.at, now) && beat(state.heartbeat, now))
          this.#send({ type: 'ping', worker: id })
        if (isDue(state.exitBy, now)) {
          // It stays ready: its exit is the one that it has announced.
          this.setExitBy(state, now)
          this.#send({ type: 'kill', worker: id, signal: 'SIGKILL' })
        }
        if (isDue(state.cancelBy, now)) return this.#endCancelled(worker, state, now)
        return this.#applyExpiryTimers(worker, state, now)
      case 'stopping': {
        if (!isDue(state.killAt, now)) return
        const afterMs = this.#options.killAfterMs
        this.#send({ type: 'warn', warning: { kind: 'finalizer-timeout', workerId: id, pid, afterMs } })
        return this.kill(worker)
      }
      case 'terminating':
        if (isDue(state.killAt, now)) return this.kill(worker)
        if (!isDue(state.signalAt, now)) return
        state.signalAt = undefined
        return this.#send({ type: 'kill', worker: id, signal: 'SIGTERM' })
      default:
        state satisfies never
    }
  }

  /** Not less than `ANSWER_MS`: a worker that is killed while it exits would not have the exit that it has announced. */
  setExitBy(state: ReadyState, now: Ms): void {
    state.exitBy = now + Math.max(this.#options.killAfterMs, ANSWER_MS)
  }

  // ── items that have exceeded their time ────────────────────────────────────────────────────────────────────────

  /**
   * The item is aborted first, alone. Only if it does not settle within `killAfterMs` does its worker end: nothing begins
   * there any more, and the other items have as long again.
   */
  expire(
    { id: worker }: Worker,
    { inFlight }: ReadyState,
    chunk: InFlightChunk,
    { offset, timeoutMs }: Pick<ExpiredItem, 'offset' | 'timeoutMs'>,
    now: Ms,
  ): void {
    const settleBy = now + this.#options.killAfterMs
    inFlight.expire(chunk, { offset, timeoutMs, answerBy: now + ANSWER_MS, settleBy, isOverdue: false })
    this.#send({ type: 'expire', worker, id: chunk.id, offset })
  }

  /** An answer may have arrived that has not been read: this process may have been busy. So the first time it looks again. */
  #applyExpiryTimers(worker: Worker, state: ReadyState, now: Ms): void {
    for (const { expired } of state.inFlight.expired) {
      if (expired === undefined || expired.isOverdue) continue
      if (!isDue(expired.answerBy, now) && now < expired.settleBy) continue
      expired.isOverdue = true
      if (expired.answerBy !== undefined) expired.answerBy = Math.max(expired.answerBy, now + LOOK_AGAIN_MS)
      expired.settleBy = Math.max(expired.settleBy, now + LOOK_AGAIN_MS)
    }
    this.applyExpired(worker, state, now)
  }

  /** After anything that an expired item may have waited for. */
  applyExpired(worker: Worker, state: ReadyState, now: Ms): void {
    const { expired } = state.inFlight
    if (expired.length === 0) {
      state.endBy = undefined
      return
    }
    const { hasOthersRunning } = state.inFlight
    const items = expired.map((chunk) => chunk.expired!)
    const verdict = judgeExpired(items, hasOthersRunning, now)
    // The others need the time of `killAfterMs`, whether the worker answers or not.
    if (hasOthersRunning) for (const item of items) item.answerBy = undefined
    if (verdict === 'wait' && state.endBy === undefined) return
    if (verdict !== 'blocked' && hasOthersRunning) {
      if (state.endBy === undefined) {
        state.endBy = now + this.#options.killAfterMs
        return this.#drainWorker(worker, state)
      }
      if (now < state.endBy) return
    }
    const late = expired.map(({ id, pending: { chunk }, expired }) => {
      const { offset, timeoutMs } = expired!
      return { id, offset, index: itemIndexAt(chunk, offset), timeoutMs }
    })
    const isBlocked = verdict === 'blocked'
    this.terminateFor(worker, { reason: { kind: 'timeout', late }, isImmediate: true, isBlocked }, now)
    if (isBlocked) this.#send({ type: 'kill', worker: worker.id, signal: 'SIGTERM' })
  }

  /** The items of an aborted call have not ended in time. Like one that exceeds its time, they do not take others with them at once. */
  #endCancelled(worker: Worker, state: ReadyState, now: Ms): void {
    if (state.isCancelExtended || !state.inFlight.hasWantedRunning) return this.kill(worker)
    state.isCancelExtended = true
    state.cancelBy = now + this.#options.killAfterMs
    this.#drainWorker(worker, state)
  }

  // ── what they have in flight ───────────────────────────────────────────────────────────────────────────────────

  /** Cancels the chunks of an aborted call. A worker in which they do not end in time is killed. */
  cancel(call: ScheduledCall, why: string | undefined, now: Ms): void {
    for (const worker of this.#workers) {
      if (!isReady(worker)) continue
      const { id, state } = worker
      const ids = state.inFlight.ofCall(call).map((chunk) => chunk.id)
      if (ids.length === 0) continue
      this.#send({ type: 'cancel', worker: id, ids, why })
      state.cancelBy = now + this.#options.killAfterMs
      state.isCancelExtended = false
      this.changed(worker)
    }
  }

  /** Drains the workers that have chunks of the call. */
  drain(call: ScheduledCall): void {
    for (const worker of this.#workers) {
      const { state } = worker
      if (state.is === 'ready' && state.inFlight.ofCall(call).length > 0) this.#drainWorker(worker, state)
    }
  }

  /** Once nothing is in flight; what it has not begun is returned. */
  replaceWhenIdle(worker: Worker, state: ReadyState): void {
    state.replaceWhenIdle = true
    this.changed(worker)
    this.#drainWorker(worker, state)
  }

  /** Once nothing is in flight there, it may be given something again. */
  #drainWorker(worker: Worker, state: ReadyState): void {
    if (state.isDraining || state.inFlight.length === 0) return
    state.isDraining = true
    this.changed(worker)
    this.#send({ type: 'return', worker: worker.id })
  }

  /** What it has not begun, so that others can. */
  takeBack({ id, state }: ReadyWorker): void {
    state.isAskedToReturn = true
    this.#send({ type: 'return', worker: id })
  }

  /** The chunk has settled, or was taken back. */
  remove({ state }: Worker, inFlight: InFlight, chunk: InFlightChunk, now: Ms): void {
    inFlight.remove(chunk, now)
    if (state.is !== 'ready') return
    if (state.cancelBy !== undefined && !inFlight.chunks.some(({ call }) => call.isAborted))
      state.cancelBy = undefined
    if (inFlight.length > 0) return
    state.isDraining = false
    state.heartbeat.at = undefined
  }

  /** Before the first chunk of a worker, and after each message about its items. */
  heard({ heartbeat, inFlight }: ReadyState, now: Ms): void {
    if (this.#options.heartbeat === true && inFlight.length > 0) heard(heartbeat, now)
  }

  /** After anything that changes what can be running, or since when. */
  setInspection(state: ReadyState): void {
    const { inFlight } = state
    state.inspectAt = inFlight.isTimed ? nextInspection(inFlight.chunks, inFlight.begunCount) : undefined
  }
}
