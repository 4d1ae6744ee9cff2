// Decides what happens next: which worker gets which chunk, what the exit of a worker means, when to start and to stop
// workers. Pure: no I/O, no timer, no promise; the time is an argument, effects are returned as commands.
import type { JobExports, ResultsMessage } from '../../ipc/protocol.js'
import type { Failure, Ms } from '../../model.js'
import type { ScheduledCall } from './call.js'
import { CallTable } from './calls.js'
import type { InFlightChunk } from './chunk-queue.js'
import { begunUpTo, crashFailure, type ExitFacts, isUnexplained, judgeCrash, judgeExit } from './crash.js'
import { chunkMessage, hasWorkToReturn, workerToRelieve } from './dispatch.js'
import { heard, isStuck } from './heartbeat.js'
import type { InFlight } from './in-flight.js'
import type {
  CallEnd,
  Command,
  ExitNotice,
  FaultyWorker,
  PoolFault,
  RunningItem,
  SchedulerInput,
  WorkerExit,
  WorkerInput,
  WorkRecord,
} from './messages.js'
import type { PendingChunk } from './pending-chunk.js'
import { workersToStart } from './scaling.js'
import type { WorkerIdentity } from './settled-range.js'
import { earlierOf, judgeInspection } from './timeouts.js'
import { inFlightOf, type ReadyState, type ReadyWorker, type Worker } from './worker.js'
import { WorkerTable } from './workers.js'

export interface SchedulerOptions {
  readonly processes: number
  /** Items that one worker runs at a time. */
  readonly concurrency: number
  readonly itemsAtATime?: number | undefined
  readonly initTimeoutMs: Ms
  readonly killAfterMs: Ms
  /** Crashed workers that are replaced. One more is a fault. `REFILL_ITEMS` allow one more again. */
  readonly maxRestarts: number
  /** Workers that may start at a time; all of them by default. */
  readonly bootLimit?: number | undefined
  /** Replace a worker after this many items. */
  readonly maxTasksPerChild?: number | undefined
  /** Resident bytes of one worker. */
  readonly maxMemoryBytes?: number | undefined
  /** Workers that send nothing are asked whether an item is running. They must be processes. */
  readonly heartbeat?: boolean | undefined
  /** 0 … 1, for the jitter of retries. */
  readonly random?: (() => number) | undefined
}

/** Items that settle without a crash until the budget of restarts is refilled by one. */
const REFILL_ITEMS = 100
/** More than a chunk needs from its source to a worker. */
const TAKE_BACK_AFTER_MS: Ms = 5

export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #maxTasksPerChild: number
  readonly #maxMemoryBytes: number
  readonly #calls: CallTable
  readonly #workers: WorkerTable
  #nextChunkId = 1
  /** Restarts that were used and have not been refilled. */
  #usedRestarts = 0
  #itemsUntilRefill = REFILL_ITEMS
  /** When to take back what waits in one worker while another could begin it. */
  #takeBackAt: Ms | undefined
  /** Nothing is dispatched before then. */
  #pausedUntil: Ms | undefined
  /** When a call with a rate may begin its next item. */
  #nextBeginAt: Ms | undefined
  /** A chunk waits for a worker that has nothing else. */
  #suspectWaits = false
  #fault: PoolFault | undefined
  #life: 'open' | 'closing' | 'terminated' = 'open'
  #isClosed = false
  #commands: Command[] = []

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#maxTasksPerChild = options.maxTasksPerChild ?? Number.POSITIVE_INFINITY
    this.#maxMemoryBytes = options.maxMemoryBytes ?? Number.POSITIVE_INFINITY
    const send = (command: Command) => this.#send(command)
    this.#calls = new CallTable(options, send)
    this.#workers = new WorkerTable(options, send)
  }

  /**
   * The only entry. Perform the commands in order; performing one may lead to further inputs.
   *
   * 1. Apply what happened.
   * 2. Give ready chunks to workers with room, asking sources for more.
   * 3. Start workers while there is more work than workers.
   * 4. Stop workers that are idle and due to go; send `closed` after the last.
   */
  handle(input: SchedulerInput, now: Ms): readonly Command[] {
    if ('worker' in input) {
      const worker = this.#workers.all[input.worker]!
      this.#applyFromWorker(worker, input, now)
      this.#workers.changed(worker)
    } else this.#apply(input, now)
    this.#dispatchReadyChunks(now)
    this.#startWorkersIfNeeded()
    this.#stopIdleWorkers(now)
    // A new list each time: keeping this one would keep the arguments and results that its commands carry.
    const commands = this.#commands
    this.#commands = []
    return commands
  }

  /** Items that can be running now. */
  get running(): number {
    return this.#workers.runningCount
  }

  /** Until when a job has asked that no item begins, while that is still to come. */
  get pausedUntil(): Ms | undefined {
    return this.#pausedUntil
  }

  get workers(): readonly Readonly<Worker>[] {
    return this.#workers.all
  }

  /** When to send a `tick` if nothing happens before. */
  nextWake(): Ms | undefined {
    const nextBegin = earlierOf(earlierOf(this.#nextBeginAt, this.#pausedUntil), this.#takeBackAt)
    return earlierOf(nextBegin, earlierOf(this.#calls.nextRetryAt, this.#workers.nextDeadline))
  }

  // ── 1. apply what happened ─────────────────────────────────────────────────────────────────────────────────────

  #apply(input: Exclude<SchedulerInput, { worker: number }>, now: Ms): void {
    switch (input.type) {
      case 'open': {
        const refusal = this.#refusal()
        if (refusal !== undefined) return this.#send({ type: 'end', call: input.call, end: refusal })
        return this.#calls.open(input.call, input)
      }
      case 'supply':
        return this.#calls.supply(input.call, input.chunk, input.remaining)
      case 'abort': {
        const call = this.#calls.abort(input.call)
        if (call !== undefined) this.#workers.cancel(call, input.why, now)
        return
      }
      case 'drain': {
        const call = this.#calls.drain(input.call)
        if (call !== undefined) this.#workers.drain(call)
        return
      }
      case 'start':
        return this.#startAhead(input.count)
      case 'close':
        if (this.#life === 'open') this.#life = 'closing'
        return
      case 'terminate':
        return this.#terminate(input.why, now)
      case 'kill':
        this.#terminate(undefined, now)
        return this.#workers.killAll()
      case 'tick':
        return this.#tick(now)
      default:
        input satisfies never
    }
  }

  #applyFromWorker(worker: Worker, input: WorkerInput, now: Ms): void {
    const { state } = worker
    switch (input.type) {
      case 'spawned':
        worker.pid = input.pid
        worker.hasRecorder = input.hasRecorder === true
        return
      case 'init-sent':
        if (state.is === 'starting') state.readyBy = now + this.#options.initTimeoutMs
        return
      case 'loading':
        if (state.is === 'starting') state.phase = 'load'
        return
      case 'initializing':
        if (state.is === 'starting') state.phase = 'initializer'
        return
      case 'ready':
        return this.#workerReady(worker, input.exports)
      case 'init-failed': {
        const kind = input.stage === 'initializer' ? 'initializer' : 'load'
        return this.#failPool({ kind, error: input.error, ...this.#faultyWorker(worker) })
      }
      case 'job-changed':
        return this.#failPool({ kind: 'job-changed', file: input.file })
      case 'settled':
        for (const results of input.ranges) this.#settle(worker, results, now)
        if (state.is !== 'ready') return
        state.sawNothingRunning = false
        this.#heard(state, now)
        this.#workers.setInspection(state)
        this.#workers.applyExpired(worker, state, now)
        if (input.rss !== undefined && input.rss > this.#maxMemoryBytes)
          this.#workers.replaceWhenIdle(worker, state)
        return
      case 'cancelled':
        for (const [i, id] of input.ids.entries()) this.#cancelled(worker, id, input.begun[i], now)
        if (state.is !== 'ready') return
        this.#heard(state, now)
        this.#workers.setInspection(state)
        return this.#workers.applyExpired(worker, state, now)
      case 'returned':
        for (const [i, id] of input.ids.entries()) this.#returned(worker, id, input.kept[i], input.waits, now)
        if (state.is !== 'ready') return
        if (!input.waits) state.isAskedToReturn = false
        // Now those of other calls that had not begun are elsewhere.
        if (state.isCancelExtended && !state.inFlight.hasWantedRunning) return this.#workers.kill(worker)
        // An answer without items shows that the worker reads messages, not that it works.
        if (input.ids.length > 0) this.#heard(state, now)
        this.#workers.setInspection(state)
        return this.#workers.applyExpired(worker, state, now)
      case 'expiring':
        return this.#expiring(worker, input, now)
      case 'exit-announced':
        worker.notice = input.notice
        if (state.is === 'ready') this.#workers.setExitBy(state, now)
        return
      case 'channel-damaged':
        if (state.is === 'ready') this.#workers.kill(worker, { kind: 'channel' })
        return
      case 'recorder-failed':
        worker.hasRecorderFailed = true
        return
      case 'terminating':
        if (state.is === 'terminating') state.signalAt = undefined
        return
      case 'exited':
        return this.#workerExited(worker, input, now)
      case 'spawn-failed':
        this.#workers.setAbsent(worker)
        return this.#failPool({ kind: 'spawn', error: input.error })
      case 'unsendable':
        return this.#unsendable(worker, input.id, input.failures, now)
      case 'inspected':
        return this.#inspected(worker, worker.hasRecorderFailed ? undefined : input.running, now)
      case 'pinged':
        if (state.is === 'ready' && this.#isStuck(worker, state, input.record))
          this.#workers.kill(worker, { kind: 'stuck' })
        return
      case 'pong':
        if (state.is === 'ready' && state.heartbeat.isAsked) state.heartbeat.answer = input
        return
      case 'memory':
        if (state.is === 'ready' && input.rss > this.#maxMemoryBytes) this.#overMemory(worker, state, now)
        return
      default:
        input satisfies never
    }
  }

  #isStuck(
    { hasRecorderFailed }: Worker,
    { heartbeat, inFlight }: ReadyState,
    record: WorkRecord | undefined,
  ): boolean {
    return isStuck(heartbeat, hasRecorderFailed ? undefined : record, inFlight.chunks)
  }

  /** Before the first chunk of a worker, and after each message about its items. */
  #heard({ heartbeat, inFlight }: ReadyState, now: Ms): void {
    if (this.#options.heartbeat === true && inFlight.length > 0) heard(heartbeat, now)
  }

  // ── calls ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Why no call can be opened any more. */
  #refusal(): CallEnd | undefined {
    if (this.#fault !== undefined) return { type: 'fault', fault: this.#fault }
    return this.#life === 'open' ? undefined : { type: 'terminated' }
  }

  // ── chunks in workers ──────────────────────────────────────────────────────────────────────────────────────────

  #settle(worker: Worker, results: ResultsMessage, now: Ms): void {
    const inFlight = inFlightOf(worker.state)
    const chunk = inFlight?.settle(results, now)
    if (inFlight === undefined || chunk === undefined) return
    if (chunk === 'impossible') return this.#breaksProtocol(worker, inFlight, results)
    if (this.#usedRestarts > 0) this.#refillRestarts(results.count)
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

  #refillRestarts(items: number): void {
    this.#itemsUntilRefill -= items
    for (; this.#itemsUntilRefill <= 0; this.#itemsUntilRefill += REFILL_ITEMS) this.#usedRestarts--
    if (this.#usedRestarts > 0) return
    this.#usedRestarts = 0
    this.#itemsUntilRefill = REFILL_ITEMS
  }

  /** The worker has cancelled a chunk whose first `begun` items have begun. */
  #cancelled(worker: Worker, id: number, begun: number | undefined, now: Ms): void {
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

  /** The worker keeps the first `kept` items of the chunk, which have begun; the others run wherever there is room. */
  #returned(worker: Worker, id: number, kept: number | undefined, waits: boolean, now: Ms): void {
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
    if (!state.isDraining && state.dispatchedItems < this.#maxTasksPerChild) state.replaceWhenIdle = false
    if (begun > chunk.settled) inFlight.truncate(chunk, begun)
    else this.#remove(worker, inFlight, chunk, now)
  }

  #unsendable(
    worker: Worker,
    id: number,
    failures: readonly { offset: number; failure: Failure }[],
    now: Ms,
  ): void {
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

  // ── workers ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Before there is a call. */
  #startAhead(count: number): void {
    if (this.#life !== 'open' || this.#fault !== undefined) return
    const { processes, bootLimit = count } = this.#options
    while (this.#workers.all.length < Math.min(count, processes, bootLimit)) this.#workers.start()
  }

  #workerReady(worker: Worker, exports: JobExports): void {
    if (worker.state.is !== 'starting') return
    this.#workers.setReady(worker)
    this.#calls.jobLoaded(exports)
  }

  #workerExited(worker: Worker, exited: WorkerExit, now: Ms): void {
    const { id, pid, notice, state, hasRecorderFailed } = worker
    if (state.is === 'absent') return
    const exit = hasRecorderFailed ? { ...exited, record: undefined } : exited
    const reason = state.is === 'terminating' ? state.reason : undefined
    const facts = { exit, reason, notice, now }
    this.#settleRecorded(worker, exit.record?.outcomes ?? [], facts)
    this.#workers.setAbsent(worker)
    const lost = inFlightOf(state)?.chunks ?? []
    const begunCount = inFlightOf(state)?.begunCount ?? 0
    const isItemToBlame = this.#requeueLost({ id, pid }, lost, begunCount, facts)
    if (state.is === 'ready' && !isItemToBlame) this.#warnOfCrash({ id, pid }, notice, exit)
    const { jobHasLoaded } = this.#calls
    const phase = state.is === 'starting' ? state.phase : 'load'
    const kind = judgeExit({ state: state.is, phase, reason, signal: exit.signal, jobHasLoaded })
    if (kind === 'startup') {
      const { exitCode, signal, stderrTail } = exit
      const faulty = this.#faultyWorker({ id, pid })
      this.#failPool({ kind, phase, exitCode, signal, stderrTail, notice, ...faulty })
    } else if (kind === 'crash' && ++this.#usedRestarts > this.#options.maxRestarts)
      this.#failPool({ kind: 'restarts', limit: this.#options.maxRestarts })
    // Only now: a call whose last item this was ends with the fault, if there is one.
    this.#calls.releaseAll(lost)
  }

  /** Returns whether the exit is the fault of an item, or needs no explanation because its call has ended. */
  #requeueLost(
    worker: WorkerIdentity,
    lost: readonly InFlightChunk[],
    begunCount: number,
    facts: ExitFacts,
  ): boolean {
    const judgements = lost.map(({ id, pending, settled, since }, i) => {
      const canHaveBegun = i < begunCount
      return judgeCrash({ id, count: pending.chunk.count, settled, since, canHaveBegun }, facts)
    })
    const areSuspects = isUnexplained({ facts, judgements })
    let isItemToBlame = false
    for (const [i, chunk] of lost.entries()) {
      const { pending, settled } = chunk
      if (this.#isOver || chunk.call.isAborted) {
        this.#cancelLost(worker, chunk, facts)
        isItemToBlame = true
        continue
      }
      const { count } = pending.chunk
      const { failed, requeueFrom, requeueAs } = judgements[i]!
      for (const { offset, failure } of failed) {
        // It did nothing wrong: where retries were requested, this one costs no attempt.
        const isFree =
          failure.kind === 'crash' && failure.because !== undefined && isRetryRequested(chunk.call)
        if (isFree) this.#calls.requeue(chunk, offset, offset + 1, worker)
        else this.#calls.fail(worker, chunk, offset, failure, facts.now)
      }
      if (failed.length > 0) isItemToBlame = true
      if (areSuspects && pending.isSuspect && count - settled === 1) {
        // It was alone in its worker, twice.
        const failure = crashFailure(chunk.id, settled, facts.now - chunk.since, facts)
        this.#calls.fail(worker, chunk, settled, failure, facts.now)
        isItemToBlame = true
      } else if (areSuspects) this.#calls.requeueSuspects(chunk, settled)
      else if (requeueAs === 'singles') this.#calls.requeueSingles(chunk, requeueFrom, worker)
      else this.#calls.requeue(chunk, requeueFrom, count, requeueAs === 'recorded' ? worker : undefined)
    }
    return isItemToBlame
  }

  #cancelLost(worker: WorkerIdentity, chunk: InFlightChunk, { exit: { record }, now }: ExitFacts): void {
    const { id, pending, settled, since } = chunk
    const upTo = chunk.begun ?? begunUpTo({ id, count: pending.chunk.count, settled }, record)
    const ms = record?.running.find((item) => item.id === id)?.forMs ?? now - since
    this.#calls.cancel(worker, chunk, upTo, ms)
  }

  /** Outcomes that were recorded and not sent. Items between them have begun, and their outcomes were lost. */
  #settleRecorded(worker: Worker, outcomes: readonly ResultsMessage[], facts: ExitFacts): void {
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

  /** A worker that was killed from outside while it was idle is replaced without a warning. */
  #warnOfCrash(
    { id: workerId, pid }: WorkerIdentity,
    notice: ExitNotice | undefined,
    { exitCode, signal }: WorkerExit,
  ): void {
    if (notice === undefined) return
    const { uncaughtError } = notice
    const kind = 'exit-between-items'
    this.#send({ type: 'warn', warning: { kind, workerId, pid, exitCode, signal, uncaughtError } })
  }

  #faultyWorker({ id, pid }: WorkerIdentity): FaultyWorker {
    return { worker: id, pid, started: this.#workers.startedCount }
  }

  // ── time and memory ────────────────────────────────────────────────────────────────────────────────────────────

  #tick(now: Ms): void {
    this.#calls.retryDelayed(now)
    const late = this.#workers.applyTimers(now)
    if (late === undefined) return
    const afterMs = this.#options.initTimeoutMs
    const phase = late.state.is === 'starting' ? late.state.phase : 'initializer'
    this.#failPool({ kind: 'init-timeout', phase, afterMs, ...this.#faultyWorker(late) })
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

  #expiring(
    worker: Worker,
    { id, offset, listens }: Extract<WorkerInput, { type: 'expiring' }>,
    now: Ms,
  ): void {
    const { state } = worker
    if (state.is !== 'ready') return
    const expired = state.inFlight.find(id)?.expired
    if (expired === undefined || expired.offset !== offset) return
    expired.answerBy = undefined
    // Nothing tells the item to end, and no other item runs in this worker.
    if (!listens && this.#options.concurrency === 1) expired.settleBy = now
    this.#workers.applyExpired(worker, state, now)
  }

  /** Measured from outside: while an item runs, it is that item's memory. A worker that drains is being replaced already. */
  #overMemory(worker: Worker, state: ReadyState, now: Ms): void {
    if (state.isDraining) return
    if (state.inFlight.length > 0) this.#workers.terminateFor(worker, { reason: { kind: 'oom' } }, now)
    else this.#workers.replaceWhenIdle(worker, state)
  }

  // ── 2. dispatch ────────────────────────────────────────────────────────────────────────────────────────────────

  #dispatchReadyChunks(now: Ms): void {
    this.#suspectWaits = false
    const plannedAt = this.#takeBackAt
    this.#takeBackAt = undefined
    this.#nextBeginAt = undefined
    if (this.#isPaused(now)) return
    this.#calls.turns.enqueueAwaitingRate()
    this.#dispatchCalls(true, now)
    this.#dispatchCalls(false, now)
    // A call that was taken for a large one may have turned out small.
    this.#dispatchCalls(true, now)
    this.#nextBeginAt = this.#calls.turns.nextBeginAt(now)
    if (!this.#isOver && !this.#suspectWaits) this.#takeBackWork(plannedAt, now)
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
    // Without a call, no look at each of the workers.
    while (this.#calls.turns.mayHaveNext(isSmall) && !this.#isOver && !this.#suspectWaits) {
      const worker = this.#workers.leastLoaded(isSmall)
      if (worker === undefined || this.#leavesWorkToStarting(worker)) return
      const { inFlight, dispatchedItems } = worker.state
      const call = this.#calls.turns.next(isSmall, inFlight.canBeginMore, now)
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
    if (state.inFlight.length === 1) this.#heard(state, now)
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

  // ── 3. and 4. start and stop workers ───────────────────────────────────────────────────────────────────────────

  #startWorkersIfNeeded(): void {
    if (this.#isOver || this.#calls.size === 0) return
    const { processes, bootLimit = processes } = this.#options
    const { aliveCount: alive, startingCount: starting } = this.#workers
    if (alive === processes) return
    // The first workers run most items at a time, and of equally loaded ones the first is found: if it cannot begin more, none can.
    const inFlight = this.#workers.leastLoaded(false)?.state.inFlight
    if (this.#suspectWaits ? inFlight?.length === 0 : inFlight?.canBeginMore === true) return
    const { jobHasLoaded } = this.#calls
    const demand = this.#calls.demand(processes)
    const count = workersToStart({ alive, starting, processes, bootLimit, jobHasLoaded, demand })
    for (let i = 0; i < count; i++) this.#workers.start()
  }

  #stopIdleWorkers(now: Ms): void {
    const isClosing = this.#life === 'closing' && this.#calls.size === 0 && this.#fault === undefined
    for (const worker of this.#workers.all) {
      const { state } = worker
      // It has run nothing that a finalizer could clean up.
      if (isClosing && state.is === 'starting') this.#workers.kill(worker)
      else if (state.is === 'ready' && state.inFlight.length === 0 && (isClosing || state.replaceWhenIdle))
        this.#workers.stop(worker, now)
    }
    if (this.#isClosed || (!isClosing && !this.#isOver) || !this.#workers.areAllAbsent) return
    this.#isClosed = true
    this.#send({ type: 'closed' })
  }

  // ── the end of the pool ────────────────────────────────────────────────────────────────────────────────────────

  /** Nothing is dispatched or started any more. */
  get #isOver(): boolean {
    return this.#fault !== undefined || this.#life === 'terminated'
  }

  #failPool(fault: PoolFault): void {
    if (this.#isOver) return
    this.#fault = fault
    this.#calls.endAll(() => ({ type: 'fault', fault }))
    this.#workers.killAll()
  }

  #terminate(why: string | undefined, now: Ms): void {
    if (this.#life === 'terminated') return
    this.#life = 'terminated'
    this.#calls.endAll(({ isAborted }) => ({ type: isAborted ? 'aborted' : 'terminated' }))
    this.#workers.terminateAll(why, now)
  }

  #send(command: Command): void {
    this.#commands.push(command)
  }
}

function isRetryRequested({ retry: { retries, on } }: ScheduledCall): boolean {
  return retries > 0 && on.includes('crash')
}
