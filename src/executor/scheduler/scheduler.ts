// Decides what happens next: which worker gets which chunk, what a death means, when to try again or to give up.
// Pure: no I/O, no timer, no clock (`now` is passed in), no promise. It knows neither policies nor order nor windows.
import { sliceChunk } from '../../framing/slice.js'
import type { JobExports, ResultsMessage } from '../../ipc/protocol.js'
import type { Chunk, Failure, ItemFailure, Ms, Timings } from '../../model.js'
import { createCall, hasWork, itemsAhead, type PendingChunk, type ScheduledCall } from './call.js'
import { type CrashJudgement, judgeCrash, judgeExit } from './crash.js'
import type { InFlightChunk } from './in-flight.js'
import type {
  CallEnd,
  CallId,
  CallOptions,
  Command,
  PoolFault,
  RunningItem,
  SchedulerInput,
  WorkerExit,
  WorkerInput,
} from './messages.js'
import { Fifo } from './queues.js'
import { noResults, type ResultRange, singles, without } from './ranges.js'
import { remember, retryDelay, triesAgain } from './retry.js'
import { workersToStart } from './scaling.js'
import { judgeInspection, nextInspection } from './timeouts.js'
import {
  ABSENT,
  createWorker,
  type ExitNotice,
  earlier,
  hasRoom,
  inFlightOf,
  isReady,
  killed,
  nextDeadline,
  type ReadyState,
  type ReadyWorker,
  ready,
  starting,
  stopping,
  type TerminationReason,
  terminating,
  transition,
  type Worker,
  type WorkerState,
} from './worker.js'

const NO_FAILURES: readonly ItemFailure[] = []

export interface SchedulerOptions {
  readonly processes: number
  readonly concurrency: number
  readonly initTimeoutMs: Ms
  readonly killAfterMs: Ms
  /** Crashed workers that are replaced before it gives up. */
  readonly maxRestarts: number
  /** Most workers that start at once; all of them by default. */
  readonly bootLimit?: number | undefined
  /** Replace a worker after so many items. */
  readonly maxTasksPerChild?: number | undefined
  /** Resident bytes of one worker. */
  readonly maxMemoryBytes?: number | undefined
  /** 0 … 1, for the jitter of retries. */
  readonly random?: (() => number) | undefined
}

export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #maxTasks: number
  readonly #random: () => number
  /** As many as were ever needed at a time, at most `processes`. */
  readonly #workers: Worker[] = []
  readonly #calls = new Map<CallId, ScheduledCall>()
  /** Calls that a worker can be given something of, the one that was served last at the end: they take turns. */
  readonly #turns = new Fifo<ScheduledCall>()
  /** Calls that have something to try again later. */
  readonly #resting = new Set<ScheduledCall>()
  #nextId = 1
  #started = 0
  #crashes = 0
  #exports: JobExports | undefined
  #fault: PoolFault | undefined
  #life: 'open' | 'closing' | 'terminated' = 'open'
  #closedSaid = false
  #commands: Command[] = []

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#maxTasks = options.maxTasksPerChild ?? Number.POSITIVE_INFINITY
    this.#random = options.random ?? Math.random
  }

  /** The only transition. Commands are to be performed in order; performing one may lead to further inputs. */
  handle(input: SchedulerInput, now: Ms): readonly Command[] {
    if ('worker' in input) this.#hear(this.#workers[input.worker]!, input, now)
    else this.#apply(input, now)
    this.#fill(now)
    this.#recruit()
    this.#wind(now)
    // Handed over whole: what a command carries, arguments and results, is not kept here until the next input.
    const commands = this.#commands
    this.#commands = []
    return commands
  }

  /** Items that can be running now. */
  get running(): number {
    let count = 0
    for (const { state } of this.#workers) count += inFlightOf(state)?.runningCount ?? 0
    return count
  }

  get workers(): readonly Readonly<Worker>[] {
    return this.#workers
  }

  /** When to send a `tick` if nothing else happens before. */
  nextWake(): Ms | undefined {
    let wake: Ms | undefined
    for (const worker of this.#workers) wake = earlier(wake, nextDeadline(worker))
    for (const call of this.#resting) wake = earlier(wake, call.delayed.earliest)
    return wake
  }

  #apply(input: Exclude<SchedulerInput, { worker: number }>, now: Ms): void {
    switch (input.type) {
      case 'open':
        return this.#open(input.call, input)
      case 'supply':
        return this.#supply(input.call, input.chunk, input.remaining)
      case 'abort':
        return this.#abort(input.call, now)
      case 'drain':
        return this.#drain(input.call)
      case 'start':
        return this.#start(input.count)
      case 'close':
        if (this.#life === 'open') this.#life = 'closing'
        return
      case 'terminate':
        return this.#terminate(now)
      case 'kill':
        this.#terminate(now)
        this.#killAll()
        return
      case 'tick':
        return this.#tick(now)
      default:
        input satisfies never
    }
  }

  #hear(worker: Worker, input: WorkerInput, now: Ms): void {
    const { state } = worker
    switch (input.type) {
      case 'spawned':
        worker.pid = input.pid
        return
      case 'init-sent':
        if (state.is === 'starting') state.readyBy = now + this.#options.initTimeoutMs
        return
      case 'initializing':
        if (state.is === 'starting') state.phase = 'initializer'
        return
      case 'ready':
        return this.#ready(worker, input.exports)
      case 'init-failed': {
        const kind = input.stage === 'initializer' ? 'initializer' : 'load'
        return this.#break({ kind, error: input.error, ...this.#culprit(worker) })
      }
      case 'settled':
        for (const range of input.ranges) this.#settled(worker, range, now)
        if (state.is !== 'ready') return
        state.sawNothingRunning = false
        this.#watch(state)
        // Over its cap between items: replaced. Over it while an item runs, seen from outside: that item's doing.
        if (input.rss !== undefined && this.#isTooLarge(input.rss)) this.#retire(worker, state)
        return
      case 'cancelled':
        // What a worker that was told to leave held is judged when it is gone.
        if (state.is !== 'ready') return
        for (const id of input.ids) this.#givenBack(worker, id, now)
        this.#watch(state)
        return
      case 'dying':
        if (input.escaped !== undefined || input.exitSite !== undefined)
          worker.notice = { uncaughtError: input.escaped, exitCallStack: input.exitSite }
        return
      case 'terminating':
        if (state.is === 'terminating') state.signalAt = undefined
        return
      case 'gone':
        return this.#gone(worker, input, now)
      case 'spawn-failed':
        this.#change(worker, ABSENT)
        return this.#break({ kind: 'spawn', error: input.error })
      case 'unsendable':
        return this.#unsendable(worker, input.id, input.failures, now)
      case 'inspected':
        return this.#inspected(worker, input.running, now)
      case 'memory':
        // One that is being emptied for its size is not to cost the item that ends there.
        if (state.is !== 'ready' || state.isDraining || !this.#isTooLarge(input.rss)) return
        if (state.inFlight.length > 0) return this.#doom(worker, { kind: 'oom' }, now)
        return this.#retire(worker, state)
      default:
        input satisfies never
    }
  }

  #change(worker: Worker, next: WorkerState): void {
    const command = transition(worker, next)
    if (command !== undefined) this.#commands.push(command)
  }

  // ── calls ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #open(id: CallId, options: CallOptions): void {
    const call = createCall(id, options)
    this.#calls.set(id, call)
    this.#enqueue(call)
    if (this.#fault !== undefined) return this.#end(call, { type: 'fault', fault: this.#fault })
    if (this.#life !== 'open') return this.#end(call, { type: 'terminated' })
    this.#checkTask(call)
    this.#askForEnd(call)
  }

  #supply(id: CallId, chunk: Chunk | undefined, remaining: number | undefined): void {
    const call = this.#calls.get(id)
    if (call === undefined || call.aborted) return
    call.pulling = false
    call.remaining = remaining
    this.#enqueue(call)
    if (chunk === undefined || call.draining) {
      call.ended = true
      this.#endIfDone(call)
    } else this.#add(call, { chunk, attempt: 1, earlier: [], recordEachItem: false })
    this.#askForEnd(call)
  }

  /** A source that has nothing left is asked once more, room or not: its end, or its error, ends the call. */
  #askForEnd(call: ScheduledCall): void {
    if (call.remaining === 0 && !call.pulling && !call.ended && this.#calls.has(call.id)) this.#pull(call)
  }

  #pull(call: ScheduledCall): void {
    call.pulling = true
    const want = call.sizer.want(this.#options.processes * this.#options.concurrency, call.remaining)
    this.#commands.push({ type: 'pull', call: call.id, want })
  }

  #abort(id: CallId, now: Ms): void {
    const call = this.#calls.get(id)
    if (call === undefined || call.aborted) return
    call.aborted = true
    call.ended = true
    this.#giveUp(call)
    for (const { id: worker, state } of this.#workers) {
      if (state.is !== 'ready') continue
      const ids = state.inFlight.chunks.filter((chunk) => chunk.call === call).map((chunk) => chunk.id)
      if (ids.length === 0) continue
      this.#commands.push({ type: 'cancel', worker, ids })
      state.cancelBy = now + this.#options.killAfterMs
    }
    this.#endIfDone(call)
  }

  #drain(id: CallId): void {
    const call = this.#calls.get(id)
    if (call === undefined || call.aborted || call.draining) return
    call.draining = true
    call.ended = true
    this.#giveUp(call)
    for (const worker of this.#workers)
      if (isReady(worker) && worker.state.inFlight.chunks.some((chunk) => chunk.call === call))
        this.#empty(worker, worker.state)
    this.#endIfDone(call)
  }

  #giveUp(call: ScheduledCall): void {
    call.outstanding -= call.ready.length + call.delayed.length
    call.ready.clear()
    call.delayed.clear()
    this.#resting.delete(call)
  }

  #add(call: ScheduledCall, work: PendingChunk): void {
    if (call.aborted || call.draining) return
    call.outstanding++
    call.ready.push(work)
    this.#enqueue(call)
  }

  #enqueue(call: ScheduledCall): void {
    if (call.inTurn) return
    call.inTurn = true
    this.#turns.push(call)
  }

  #endIfDone(call: ScheduledCall): void {
    if (call.outstanding > 0) return
    if (call.aborted) this.#end(call, { type: 'aborted' })
    // The job must have loaded even if there was nothing to do: an empty input does not excuse a broken job.
    else if (call.ended && (this.#exports !== undefined || call.draining)) this.#end(call, { type: 'done' })
  }

  #end(call: ScheduledCall, end: CallEnd): void {
    if (!this.#calls.delete(call.id)) return
    call.ended = true
    this.#giveUp(call)
    this.#commands.push({ type: 'end', call: call.id, end })
  }

  #checkTask(call: ScheduledCall): void {
    if (this.#exports === undefined || this.#exports[call.task.name] === 'function') return
    this.#end(call, { type: 'no-task', exports: this.#exports })
  }

  // ── what workers bring back ────────────────────────────────────────────────────────────────────────────────────

  #settled(worker: Worker, settled: ResultsMessage, now: Ms): void {
    const { id, from, count, results, failures, busyMs, timings } = settled
    const inFlight = inFlightOf(worker.state)
    const chunk = inFlight?.find(id)
    // Said twice: once on the channel, once in what a dead worker had written down.
    if (inFlight === undefined || chunk === undefined || from < chunk.settled) return
    const { call, pending } = chunk
    chunk.settled = from + count
    chunk.since = now
    if (busyMs > 0) call.sizer.measured(count, busyMs)
    const range =
      failures.length === 0
        ? { from, count, results, failures: NO_FAILURES, timings }
        : {
            from,
            count,
            results: failures.length === count ? noResults(call.task.reply, count) : results,
            failures: failures.map((item) =>
              this.#failure(worker, pending, item, timesAt(timings, item.offset - from)),
            ),
            timings,
          }
    this.#settle(worker, call, pending, range, now)
    if (chunk.settled === pending.chunk.count) this.#drop(worker, chunk, now)
  }

  #settle(worker: WorkerName, call: ScheduledCall, work: PendingChunk, range: ResultRange, now: Ms): void {
    // After a fault or `terminate`, workers that are leaving still say what they have done.
    if (call.aborted || !this.#calls.has(call.id)) return
    if (range.failures.length === 0) return this.#tell(worker, call, work, range)
    const { chunk, attempt } = work
    const again = range.failures.filter(({ failure }) => triesAgain(call.retry, failure.kind, attempt))
    const parts = singles(
      chunk,
      again.map(({ offset }) => offset),
    )
    for (const [place, failure] of again.entries())
      this.#tryAgain(call, { ...work, chunk: parts[place]! }, failure, now)
    for (const part of without(range, again)) this.#tell(worker, call, work, part)
  }

  /** With one item a chunk this is done for each: no more is made for it than is handed on. */
  #tell(
    { id: workerId, pid }: WorkerName,
    call: ScheduledCall,
    { chunk, attempt, earlier }: PendingChunk,
    range: ResultRange,
  ): void {
    const { from, count, results, failures, timings } = range
    const plain = { chunk, from, count, results, failures, workerId, pid, attempts: attempt }
    const flaky = earlier.length > 0 && failures.length === 0
    const settled =
      flaky || timings !== undefined
        ? { ...plain, ...(timings !== undefined && { timings }), ...(flaky && { flaky: earlier }) }
        : plain
    this.#commands.push({ type: 'settle', call: call.id, settled })
  }

  #tryAgain(
    call: ScheduledCall,
    { chunk, attempt, earlier }: PendingChunk,
    failure: ItemFailure,
    now: Ms,
  ): void {
    if (call.draining) return
    const work = { chunk, attempt: attempt + 1, earlier: remember(earlier, failure), recordEachItem: true }
    const delay = retryDelay(call.retry, attempt, this.#random)
    if (delay === 0) return this.#add(call, work)
    call.outstanding++
    call.delayed.add(now + delay, work)
    this.#resting.add(call)
  }

  #failure(
    { id: workerId, pid }: WorkerName,
    { attempt, earlier }: PendingChunk,
    item: { offset: number; failure: Failure },
    times?: { startedAt: Ms; ms: Ms },
  ): ItemFailure {
    return { ...item, workerId, pid, attempts: attempt, ...times, ...(earlier.length > 0 && { earlier }) }
  }

  #fail(
    worker: WorkerName,
    { call, pending }: InFlightChunk,
    offset: number,
    failure: Failure,
    now: Ms,
  ): void {
    const failures = [this.#failure(worker, pending, { offset, failure })]
    const results = noResults(call.task.reply, 1)
    this.#settle(worker, call, pending, { from: offset, count: 1, results, failures }, now)
  }

  /** Items `from` up to `to` have not begun, or must begin again: they go elsewhere. */
  #requeue(
    { call, pending }: InFlightChunk,
    from: number,
    to: number,
    recordEachItem = pending.recordEachItem,
  ): void {
    if (from >= to) return
    const whole = from === 0 && to === pending.chunk.count
    const chunk = whole ? pending.chunk : sliceChunk(pending.chunk, from, to)
    this.#add(call, { ...pending, chunk, recordEachItem })
  }

  #unsendable(
    worker: Worker,
    id: number,
    failures: readonly { offset: number; failure: Failure }[],
    now: Ms,
  ): void {
    const { state } = worker
    const chunk = inFlightOf(state)?.find(id)
    if (chunk === undefined) return
    let from = 0
    for (const { offset, failure } of failures) {
      this.#requeue(chunk, from, offset)
      this.#fail(worker, chunk, offset, failure, now)
      from = offset + 1
    }
    this.#requeue(chunk, from, chunk.pending.chunk.count)
    this.#drop(worker, chunk, now)
    if (state.is === 'ready') this.#watch(state)
  }

  /** Cancelled, or given back by a worker that is to be empty: what has not settled runs elsewhere or not at all. */
  #givenBack(worker: ReadyWorker | Worker, id: number, now: Ms): void {
    const chunk = inFlightOf(worker.state)?.find(id)
    if (chunk === undefined) return
    this.#requeue(chunk, chunk.settled, chunk.pending.chunk.count)
    this.#drop(worker, chunk, now)
  }

  #drop({ state }: Worker, chunk: InFlightChunk, now: Ms): void {
    inFlightOf(state)?.remove(chunk, now)
    if (state.is === 'ready') {
      const { chunks } = state.inFlight
      if (state.cancelBy !== undefined && !chunks.some(({ call }) => call.aborted)) state.cancelBy = undefined
      if (chunks.length === 0) state.isDraining = false
    }
    chunk.call.outstanding--
    this.#endIfDone(chunk.call)
  }

  // ── workers: their life ────────────────────────────────────────────────────────────────────────────────────────

  #start(count: number): void {
    if (this.#life !== 'open' || this.#fault !== undefined) return
    const { processes, bootLimit = count } = this.#options
    while (this.#workers.length < Math.min(count, processes, bootLimit)) this.#spawn()
  }

  /** Starts workers while there is more to do than those at hand can begin; never so many at once that none gets on. */
  #recruit(): void {
    if (this.#life === 'terminated' || this.#fault !== undefined || this.#calls.size === 0) return
    const { processes, bootLimit = processes } = this.#options
    let alive = 0
    let starting = 0
    for (const { state } of this.#workers) {
      if (state.is === 'ready' && state.inFlight.canBeginMore && hasRoom(state)) return
      if (state.is === 'starting') starting++
      if (state.is !== 'absent') alive++
    }
    if (alive === processes) return
    const demand = this.#demand(processes)
    const jobHasLoaded = this.#exports !== undefined
    const count = workersToStart({ alive, starting, processes, bootLimit, jobHasLoaded, demand })
    for (let i = 0; i < count; i++) this.#spawn()
  }

  /** Items that could begin now, counted up to `most`. */
  #demand(most: number): number {
    let items = 0
    for (const call of this.#calls.values()) {
      if (items >= most) break
      items += itemsAhead(call)
    }
    return items
  }

  #spawn(): void {
    let worker = this.#workers.find(({ state }) => state.is === 'absent')
    if (worker === undefined) {
      worker = createWorker(this.#workers.length)
      this.#workers.push(worker)
    }
    this.#started++
    this.#change(worker, starting())
  }

  #ready(worker: Worker, exports: JobExports): void {
    if (worker.state.is !== 'starting') return
    this.#change(worker, ready(this.#options.concurrency))
    if (this.#exports !== undefined) return
    this.#exports = exports
    for (const call of [...this.#calls.values()]) {
      this.#checkTask(call)
      this.#endIfDone(call)
    }
  }

  #gone(worker: Worker, exit: WorkerExit, now: Ms): void {
    for (const range of exit.record?.outcomes ?? []) this.#settled(worker, range, now)
    const { id, pid, notice, state } = worker
    if (state.is === 'absent') return
    // The place is free for the next process while what this one held is judged.
    const dead = { id, pid }
    this.#change(worker, ABSENT)
    const lost = inFlightOf(state)?.chunks ?? []
    const reason = state.is === 'terminating' ? state.reason : undefined
    const { exitCode, signal, stderrTail } = exit
    const facts = { exit, reason, notice, now }
    const over = this.#fault !== undefined || this.#life === 'terminated'
    let blamed = false
    for (const [i, chunk] of lost.entries()) {
      const { id, call, pending, settled, since } = chunk
      if (over || call.aborted) blamed = true
      else {
        const canHaveBegun = i < this.#options.concurrency
        const { count } = pending.chunk
        const judgement = judgeCrash({ id, count, settled, since, canHaveBegun }, facts)
        this.#applyJudgement(dead, chunk, judgement, now)
        if (judgement.failed.length > 0) blamed = true
      }
      call.outstanding--
    }
    if (state.is === 'ready' && !blamed) this.#tellIdleDeath(dead, notice, exit)
    const jobHasLoaded = this.#exports !== undefined
    const kind = judgeExit({ state: state.is, reason, signal, jobHasLoaded })
    if (kind === 'startup') {
      const stage = state.is === 'starting' ? state.phase : 'load'
      const { exitCallStack: exitSite, uncaughtError: escaped } = notice ?? {}
      const culprit = this.#culprit(dead)
      this.#break({ kind, stage, exitCode, signal, stderrTail, exitSite, escaped, ...culprit })
    } else if (kind === 'crash' && ++this.#crashes > this.#options.maxRestarts)
      this.#break({ kind: 'restarts', limit: this.#options.maxRestarts })
    for (const { call } of lost) this.#endIfDone(call)
  }

  /** No item is to blame, and nobody would hear of it otherwise. */
  #tellIdleDeath(
    { id, pid }: WorkerName,
    notice: ExitNotice | undefined,
    { exitCode, signal }: WorkerExit,
  ): void {
    // Killed from outside: that is replaced without a word.
    if (notice === undefined) return
    const { uncaughtError } = notice
    const how = signal === null ? `exited with code ${exitCode}` : `was killed by ${signal}`
    const thrown =
      uncaughtError?.type === 'error'
        ? `${uncaughtError.name}: ${uncaughtError.message}`
        : uncaughtError?.preview
    const why = thrown === undefined ? '' : `; outside any item the job threw: ${thrown}`
    this.#commands.push({ type: 'warn', message: `worker ${id} (pid ${pid}) ${how} between items${why}` })
  }

  #applyJudgement(
    dead: WorkerName,
    lost: InFlightChunk,
    { failed, requeueFrom, requeueAs }: CrashJudgement,
    now: Ms,
  ): void {
    const { call, pending } = lost
    const { chunk } = pending
    for (const { offset, failure } of failed) this.#fail(dead, lost, offset, failure, now)
    if (requeueAs !== 'singles') {
      const recordEachItem = requeueAs === 'recorded' || pending.recordEachItem
      return this.#requeue(lost, requeueFrom, chunk.count, recordEachItem)
    }
    const offsets = Array.from({ length: chunk.count - requeueFrom }, (_, i) => requeueFrom + i)
    for (const single of singles(chunk, offsets))
      this.#add(call, { ...pending, chunk: single, recordEachItem: true })
  }

  #culprit({ id, pid }: WorkerName): { worker: number; pid: number; started: number } {
    return { worker: id, pid, started: this.#started }
  }

  /** Asks a worker to end what runs and to give back the rest. */
  #empty({ id }: Worker, state: ReadyState): void {
    if (state.isDraining || state.inFlight.length === 0) return
    state.isDraining = true
    this.#commands.push({ type: 'drain', worker: id })
  }

  // ── time and memory ────────────────────────────────────────────────────────────────────────────────────────────

  /** When the items that can be running may have run for too long. */
  #watch(state: ReadyState): void {
    state.inspectAt = nextInspection(state.inFlight.chunks, this.#options.concurrency)
  }

  #inspected(worker: Worker, running: readonly RunningItem[] | undefined, now: Ms): void {
    const { state } = worker
    if (state.is !== 'ready' || state.inFlight.length === 0) return
    const { inFlight, sawNothingRunning } = state
    if (running !== undefined) inFlight.setStartTimes(running, now)
    const { concurrency } = this.#options
    const judgement = judgeInspection(inFlight.chunks, concurrency, running, sawNothingRunning, now)
    if (judgement.kind !== 'ok') return this.#doom(worker, judgement, now)
    state.sawNothingRunning = judgement.sawNothingRunning
    state.inspectAt = judgement.inspectAt
  }

  #isTooLarge(rss: number): boolean {
    return rss > (this.#options.maxMemoryBytes ?? Number.POSITIVE_INFINITY)
  }

  #retire(worker: Worker, state: ReadyState): void {
    state.replaceWhenIdle = true
    this.#empty(worker, state)
  }

  #doom(worker: Worker, reason: TerminationReason | undefined, now: Ms): void {
    this.#change(worker, terminating(worker, reason, now, this.#options.killAfterMs))
  }

  #tick(now: Ms): void {
    for (const call of this.#resting) {
      for (let work = call.delayed.take(now); work !== undefined; work = call.delayed.take(now)) {
        call.outstanding--
        this.#add(call, work)
      }
      if (call.delayed.length === 0) this.#resting.delete(call)
    }
    for (const worker of this.#workers) this.#tickWorker(worker, now)
  }

  #tickWorker(worker: Worker, now: Ms): void {
    const { id, state } = worker
    switch (state.is) {
      case 'absent':
        return
      case 'starting':
        if (!isDue(state.readyBy, now)) return
        return this.#break({
          kind: 'init-timeout',
          afterMs: this.#options.initTimeoutMs,
          ...this.#culprit(worker),
        })
      case 'ready':
        if (isDue(state.inspectAt, now)) {
          state.inspectAt = undefined
          this.#commands.push({ type: 'inspect', worker: id })
        }
        if (isDue(state.cancelBy, now)) this.#kill(worker)
        return
      case 'stopping':
        if (!isDue(state.killAt, now)) return
        this.#warnOfFinalizer(worker)
        return this.#kill(worker)
      case 'terminating':
        if (isDue(state.killAt, now)) return this.#kill(worker)
        if (!isDue(state.signalAt, now)) return
        state.signalAt = undefined
        this.#commands.push({ type: 'kill', worker: id, signal: 'SIGTERM' })
        return
      default:
        state satisfies never
    }
  }

  #warnOfFinalizer({ id, pid }: Worker): void {
    const within = `within ${this.#options.killAfterMs} ms`
    const message = `worker ${id} (pid ${pid}) did not end in good order ${within} and was killed`
    this.#commands.push({ type: 'warn', message })
  }

  // ── handing out ────────────────────────────────────────────────────────────────────────────────────────────────

  #fill(now: Ms): void {
    while (this.#fault === undefined && this.#life !== 'terminated') {
      const worker = this.#hungriest()
      if (worker === undefined) return
      const call = this.#nextCall()
      if (call === undefined) return
      const work = call.ready.shift()
      if (work !== undefined) this.#dispatch(worker, call, work, now)
      else this.#pull(call)
    }
  }

  #hungriest(): ReadyWorker | undefined {
    let best: ReadyWorker | undefined
    for (const worker of this.#workers)
      if (isReady(worker) && hasRoom(worker.state))
        if (best === undefined || worker.state.inFlight.length < best.state.inFlight.length) best = worker
    return best
  }

  #nextCall(): ScheduledCall | undefined {
    for (let call = this.#turns.shift(); call !== undefined; call = this.#turns.shift()) {
      call.inTurn = false
      if (!hasWork(call)) continue
      this.#enqueue(call)
      return call
    }
    return undefined
  }

  #dispatch({ id: worker, state }: ReadyWorker, call: ScheduledCall, work: PendingChunk, now: Ms): void {
    const room = this.#maxTasks - state.dispatchedItems
    if (work.chunk.count > room) {
      const { count } = work.chunk
      call.outstanding++
      call.ready.unshift({ ...work, chunk: sliceChunk(work.chunk, room, count) })
      work = { ...work, chunk: sliceChunk(work.chunk, 0, room) }
    }
    const { chunk, attempt } = work
    const { count, payload } = chunk
    const id = this.#nextId++
    const { recordEachItem } = state.inFlight.add(id, call, work, now)
    state.dispatchedItems += count
    if (state.dispatchedItems >= this.#maxTasks) state.replaceWhenIdle = true
    if (state.inFlight.length <= this.#options.concurrency) this.#watch(state)
    const index = chunk.indexes ?? chunk.seq
    this.#commands.push({
      type: 'run',
      worker,
      chunk: {
        id,
        task: call.task,
        count,
        index,
        attempt,
        recordEachItem,
        ...(call.timeoutMs !== undefined && { timeoutMs: call.timeoutMs }),
        payload,
      },
    })
  }

  // ── endings ────────────────────────────────────────────────────────────────────────────────────────────────────

  #kill(worker: Worker): void {
    this.#change(worker, killed(worker))
  }

  #killAll(): void {
    for (const worker of this.#workers) if (worker.state.is !== 'absent') this.#kill(worker)
  }

  #break(fault: PoolFault): void {
    if (this.#fault !== undefined || this.#life === 'terminated') return
    this.#fault = fault
    for (const call of [...this.#calls.values()]) this.#end(call, { type: 'fault', fault })
    this.#killAll()
  }

  #terminate(now: Ms): void {
    if (this.#life === 'terminated') return
    this.#life = 'terminated'
    for (const call of [...this.#calls.values()])
      this.#end(call, { type: call.aborted ? 'aborted' : 'terminated' })
    for (const worker of this.#workers) {
      const { is } = worker.state
      if (is === 'starting') this.#kill(worker)
      else if (is === 'ready' || is === 'stopping') this.#doom(worker, undefined, now)
    }
  }

  /** Workers that are to be replaced, or not needed any more, end in good order; once none is left, that is said. */
  #wind(now: Ms): void {
    const closing = this.#life === 'closing' && this.#calls.size === 0 && this.#fault === undefined
    for (const worker of this.#workers) {
      const { state } = worker
      // Nothing was ever run there, so there is nothing to finish.
      if (closing && state.is === 'starting') this.#kill(worker)
      else if (state.is === 'ready' && state.inFlight.length === 0 && (closing || state.replaceWhenIdle))
        this.#change(worker, stopping(now + this.#options.killAfterMs))
    }
    const over = this.#life !== 'open' || this.#fault !== undefined
    if (!over || this.#closedSaid || this.#workers.some(({ state }) => state.is !== 'absent')) return
    if (this.#life === 'closing' && this.#calls.size > 0) return
    this.#closedSaid = true
    this.#commands.push({ type: 'closed' })
  }
}

/** Where items ran. */
interface WorkerName {
  readonly id: number
  readonly pid: number
}

function isDue(at: Ms | undefined, now: Ms): boolean {
  return at !== undefined && now >= at
}

function timesAt(timings: Timings | undefined, place: number): { startedAt: Ms; ms: Ms } | undefined {
  return timings && { startedAt: timings.startedAt[place]!, ms: timings.ms[place]! }
}
