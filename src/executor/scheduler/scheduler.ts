// Decides what happens next: applies what has happened, has ready chunks dispatched, starts and stops workers, ends the pool.
// Pure: no I/O, no timer, no promise; the time is an argument, effects are returned as commands.
import type { JobExports } from '../../ipc/protocol.js'
import type { Ms } from '../../model.js'
import { CallTable } from './calls.js'
import { type ExitFacts, judgeExit } from './crash.js'
import { Dispatcher } from './dispatcher.js'
import { failOrRequeueLost } from './lost-chunks.js'
import type {
  CallEnd,
  Command,
  FaultyWorker,
  PoolFault,
  SchedulerInput,
  WorkerExit,
  WorkerInput,
} from './messages.js'
import { RestartBudget } from './restart-budget.js'
import { growth, workersToStart } from './scaling.js'
import type { WorkerIdentity } from './settled-range.js'
import { findStalls, nextStallAt, waitingItems } from './stalls.js'
import { hasWorkToReturn } from './take-back.js'
import { earlierOf } from './timeouts.js'
import { WorkInputs } from './work-inputs.js'
import { inFlightOf, type Worker, type WorkerState } from './worker.js'
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
  /**
   * Workers that start as soon as there is something to do; all of them by default. More start only for items that last,
   * and in place of workers that stall.
   */
  readonly promptWorkers?: number | undefined
  /** Replace a worker after this many items. */
  readonly maxTasksPerChild?: number | undefined
  /** Resident bytes of one worker. */
  readonly maxMemoryBytes?: number | undefined
  /** Workers that send nothing are asked whether an item is running. They must be processes. */
  readonly heartbeat?: boolean | undefined
  /** 0 … 1, for the jitter of retries. */
  readonly random?: (() => number) | undefined
}

export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #calls: CallTable
  readonly #workers: WorkerTable
  readonly #restarts: RestartBudget
  readonly #dispatcher: Dispatcher
  readonly #workInputs: WorkInputs
  #fault: PoolFault | undefined
  #life: 'open' | 'closing' | 'terminated' = 'open'
  #isClosed = false
  /** When items last settled in any worker. */
  #settledAt: Ms = 0
  /** When one more worker may count as stalled, so that another starts. */
  #growAt: Ms | undefined
  #commands: Command[] = []

  constructor(options: SchedulerOptions) {
    const { concurrency, maxTasksPerChild = Number.POSITIVE_INFINITY } = options
    const { maxMemoryBytes = Number.POSITIVE_INFINITY } = options
    const send = (command: Command) => this.#send(command)
    this.#options = options
    this.#calls = new CallTable(options, send)
    this.#workers = new WorkerTable(options, send)
    this.#restarts = new RestartBudget(options.maxRestarts)
    this.#dispatcher = new Dispatcher(maxTasksPerChild, this.#calls, this.#workers, send)
    const limits = { concurrency, maxTasksPerChild, maxMemoryBytes }
    this.#workInputs = new WorkInputs(limits, this.#calls, this.#workers, this.#restarts)
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
    this.#dispatcher.dispatch(now)
    this.#startWorkersIfNeeded(now)
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
    return this.#dispatcher.pausedUntil
  }

  get workers(): readonly Readonly<Worker>[] {
    return this.#workers.all
  }

  /** When to send a `tick` if nothing happens before. */
  nextWake(): Ms | undefined {
    const nextDeadline = earlierOf(this.#calls.nextRetryAt, this.#workers.nextDeadline)
    return earlierOf(earlierOf(this.#dispatcher.nextWake, this.#growAt), nextDeadline)
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
        if (state.is !== 'starting') return
        state.jobSentAt = now
        state.readyBy = now + this.#options.initTimeoutMs
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
      case 'spawn-failed':
        this.#workers.setAbsent(worker)
        return this.#failPool({ kind: 'spawn', error: input.error })
      case 'recorder-failed':
        worker.hasRecorderFailed = true
        return
      case 'channel-damaged':
        if (state.is === 'ready') this.#workers.kill(worker, { kind: 'channel' })
        return
      case 'terminating':
        if (state.is === 'terminating') state.signalAt = undefined
        return
      case 'exit-announced':
        worker.notice = input.notice
        if (state.is === 'ready') this.#workers.setExitBy(state, now)
        return
      case 'exited':
        return this.#workerExited(worker, input, now)
      default:
        if (input.type === 'settled') this.#settledAt = now
        return this.#workInputs.apply(worker, input, now)
    }
  }

  // ── workers that start and exit ────────────────────────────────────────────────────────────────────────────────

  /** Before there is a call. */
  #startAhead(count: number): void {
    if (this.#life !== 'open' || this.#fault !== undefined) return
    const { processes, bootLimit = count, promptWorkers = count } = this.#options
    const most = Math.min(count, processes, bootLimit, promptWorkers)
    while (this.#workers.all.length < most) this.#workers.start()
  }

  #workerReady(worker: Worker, exports: JobExports): void {
    if (worker.state.is !== 'starting') return
    this.#workers.setReady(worker)
    this.#calls.jobLoaded(exports)
  }

  /** What becomes of its items comes first: those that fail with it settle before the pool fails. */
  #workerExited(worker: Worker, exited: WorkerExit, now: Ms): void {
    const { id, pid, notice, state, hasRecorderFailed } = worker
    if (state.is === 'absent') return
    const exit = hasRecorderFailed ? { ...exited, record: undefined } : exited
    const reason = state.is === 'terminating' ? state.reason : undefined
    const facts = { exit, reason, notice, now }
    this.#workInputs.settleRecorded(worker, exit.record?.outcomes ?? [], facts)
    this.#workers.setAbsent(worker)
    const lost = inFlightOf(state)
    const isItemToBlame = lost !== undefined && failOrRequeueLost(this.#calls, { id, pid }, lost, facts)
    if (state.is === 'ready' && !isItemToBlame) this.#warnOfCrash({ id, pid }, facts)
    this.#failPoolAfterExit({ id, pid }, state, facts)
    // Only now: a call whose last item this was ends with the fault, if there is one.
    if (lost !== undefined) this.#calls.releaseAll(lost.chunks)
  }

  /** A worker that was killed from outside while it was idle is replaced without a warning. */
  #warnOfCrash({ id: workerId, pid }: WorkerIdentity, { notice, exit }: ExitFacts): void {
    if (notice === undefined) return
    const { exitCode, signal } = exit
    const { uncaughtError } = notice
    const kind = 'exit-between-items'
    this.#send({ type: 'warn', warning: { kind, workerId, pid, exitCode, signal, uncaughtError } })
  }

  /** If the pool cannot go on. */
  #failPoolAfterExit(
    worker: WorkerIdentity,
    state: Exclude<WorkerState, { is: 'absent' }>,
    { exit, reason, notice }: ExitFacts,
  ): void {
    const phase = state.is === 'starting' ? state.phase : 'load'
    const { exitCode, signal, stderrTail } = exit
    const { jobHasLoaded } = this.#calls
    const kind = judgeExit({ state: state.is, phase, reason, signal, jobHasLoaded })
    if (kind === 'startup') {
      const faulty = this.#faultyWorker(worker)
      this.#failPool({ kind, phase, exitCode, signal, stderrTail, notice, ...faulty })
    } else if (kind === 'crash' && !this.#restarts.use())
      this.#failPool({ kind: 'restarts', limit: this.#options.maxRestarts })
  }

  #faultyWorker({ id, pid }: WorkerIdentity): FaultyWorker {
    return { worker: id, pid, started: this.#workers.startedCount }
  }

  #tick(now: Ms): void {
    this.#calls.retryDelayed(now)
    const late = this.#workers.applyTimers(now)
    if (late === undefined) return
    const afterMs = this.#options.initTimeoutMs
    const phase = late.state.is === 'starting' ? late.state.phase : 'initializer'
    this.#failPool({ kind: 'init-timeout', phase, afterMs, ...this.#faultyWorker(late) })
  }

  // ── 3. and 4. start and stop workers ───────────────────────────────────────────────────────────────────────────

  #startWorkersIfNeeded(now: Ms): void {
    this.#growAt = undefined
    if (this.#isOver || this.#calls.size === 0) return
    const { processes, bootLimit = processes, promptWorkers = processes } = this.#options
    const { all, aliveCount: alive, startingCount: starting, readyCount: ready } = this.#workers
    if (alive === processes || !this.#dispatcher.needsWorkers) return
    const { jobHasLoaded } = this.#calls
    if (jobHasLoaded && this.#calls.demand(1) === 0 && !all.some(hasWorkToReturn)) return
    const { stalled, since, isQuiet } = findStalls(all, this.#settledAt, now)
    const usable = starting + ready
    const { most, items } = growth({ processes, promptWorkers, alive, usable, stalled, isQuiet })
    let demand = this.#calls.demand(most, items)
    if (demand < most) demand += waitingItems(all, since)
    const count = workersToStart({ alive, starting, processes: most, bootLimit, jobHasLoaded, demand })
    for (let i = 0; i < count; i++) this.#workers.start()
    if (starting < bootLimit) this.#growAt = nextStallAt(all, now)
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

  /** Why no call can be opened any more. */
  #refusal(): CallEnd | undefined {
    if (this.#fault !== undefined) return { type: 'fault', fault: this.#fault }
    return this.#life === 'open' ? undefined : { type: 'terminated' }
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
