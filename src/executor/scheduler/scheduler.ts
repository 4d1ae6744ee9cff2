// Decides what happens next: which worker gets which chunk, what a death means, when to try again or to give up.
// Pure: no I/O, no timer, no clock (`now` is passed in), no promise. It knows neither policies nor order nor windows.
import { sliceChunk } from '../../framing/slice.js'
import type { JobExports, ResultsMessage } from '../../ipc/protocol.js'
import type { Chunk, Failure, ItemFailure, Ms, Timings } from '../../model.js'
import { createCall, hasWork, itemsAhead, type PendingChunk, type ScheduledCall } from './call.js'
import { type CrashJudgement, judgeCrash, judgeExit } from './crash.js'
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
import {
  createSlot,
  dequeue,
  enqueue,
  expectedMs,
  hasRoom,
  type InFlightChunk,
  nextDeadline,
  reset,
  type Slot,
  type TerminationReason,
} from './slot.js'
import { judgeInspection, nextInspection } from './timeouts.js'

/** A worker that does not answer `terminate` by then is busy in a loop and only a signal reaches it. */
const TERMINATE_ACK_MS: Ms = 100
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
  /** As many as were ever needed at once, at most `processes`. */
  readonly #slots: Slot[] = []
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
    if ('worker' in input) this.#hear(this.#slots[input.worker]!, input, now)
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
    for (const { queue } of this.#slots) count += Math.min(queue.length, this.#options.concurrency)
    return count
  }

  /** For looking at: who has what in hand. */
  get slots(): readonly Readonly<Slot>[] {
    return this.#slots
  }

  /** When to send a `tick` if nothing else happens before. */
  nextWake(): Ms | undefined {
    let wake: Ms | undefined
    const earlier = (at: Ms | undefined) => {
      if (at !== undefined && (wake === undefined || at < wake)) wake = at
    }
    for (const slot of this.#slots) earlier(nextDeadline(slot))
    for (const call of this.#resting) earlier(call.delayed.earliest)
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
        for (const slot of this.#slots) if (slot.state !== 'absent') this.#kill(slot)
        return
      case 'tick':
        return this.#tick(now)
      default:
        input satisfies never
    }
  }

  #hear(slot: Slot, input: WorkerInput, now: Ms): void {
    switch (input.type) {
      case 'spawned':
        slot.pid = input.pid
        return
      case 'init-sent':
        if (slot.state === 'starting') slot.deadline = now + this.#options.initTimeoutMs
        return
      case 'initializing':
        slot.stage = 'initializer'
        return
      case 'ready':
        return this.#ready(slot, input.exports)
      case 'init-failed': {
        const kind = input.stage === 'initializer' ? 'initializer' : 'load'
        return this.#break({ kind, error: input.error, ...this.#culprit(slot) })
      }
      case 'settled':
        for (const range of input.ranges) this.#settled(slot, range, now)
        slot.foundIdle = false
        this.#watch(slot)
        // Over its cap between items: replaced. Over it while an item runs, seen from outside: that item's doing.
        if (input.rss !== undefined && this.#isTooLarge(slot, input.rss)) this.#retire(slot)
        return
      case 'cancelled':
        // What a worker that was told to leave held is judged when it is gone.
        if (slot.state === 'ending') return
        for (const id of input.ids) this.#givenBack(slot, id, now)
        this.#watch(slot)
        return
      case 'dying':
        if (input.escaped !== undefined || input.exitSite !== undefined)
          slot.notice = { uncaughtError: input.escaped, exitCallStack: input.exitSite }
        return
      case 'terminating':
        if (slot.state === 'ending') slot.deadline = undefined
        return
      case 'gone':
        return this.#gone(slot, input, now)
      case 'spawn-failed':
        reset(slot)
        return this.#break({ kind: 'spawn', error: input.error })
      case 'unsendable':
        return this.#unsendable(slot, input.id, input.failures, now)
      case 'inspected':
        return this.#inspected(slot, input.running, now)
      case 'memory':
        // One that is being emptied for its size is not to cost the item that ends there.
        if (slot.draining || !this.#isTooLarge(slot, input.rss)) return
        return slot.queue.length > 0 ? this.#doom(slot, { kind: 'oom' }, now) : this.#retire(slot)
      default:
        input satisfies never
    }
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
    for (const slot of this.#slots) {
      const ids = slot.queue
        .filter((assignment) => assignment.call === call)
        .map((assignment) => assignment.id)
      if (ids.length === 0 || slot.state !== 'ready') continue
      this.#commands.push({ type: 'cancel', worker: slot.id, ids })
      slot.cancelBy = now + this.#options.killAfterMs
    }
    this.#endIfDone(call)
  }

  #drain(id: CallId): void {
    const call = this.#calls.get(id)
    if (call === undefined || call.aborted || call.draining) return
    call.draining = true
    call.ended = true
    this.#giveUp(call)
    for (const slot of this.#slots)
      if (slot.queue.some((assignment) => assignment.call === call)) this.#empty(slot)
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

  #settled(slot: Slot, settled: ResultsMessage, now: Ms): void {
    const { id, from, count, results, failures, busyMs, timings } = settled
    const assignment = slot.queue.find((candidate) => candidate.id === id)
    // Said twice: once on the channel, once in what a dead worker had written down.
    if (assignment === undefined || from < assignment.settled) return
    const { call, work } = assignment
    assignment.settled = from + count
    assignment.since = now
    if (busyMs > 0) call.sizer.measured(count, busyMs)
    const range =
      failures.length === 0
        ? { from, count, results, failures: NO_FAILURES, timings }
        : {
            from,
            count,
            results: failures.length === count ? noResults(call.task.reply, count) : results,
            failures: failures.map((item) =>
              this.#failure(slot, work, item, timesAt(timings, item.offset - from)),
            ),
            timings,
          }
    this.#settle(slot, call, work, range, now)
    if (assignment.settled === work.chunk.count) this.#drop(slot, assignment, now)
  }

  #settle(slot: Slot, call: ScheduledCall, work: PendingChunk, range: ResultRange, now: Ms): void {
    // After a fault or `terminate`, workers that are leaving still say what they have done.
    if (call.aborted || !this.#calls.has(call.id)) return
    if (range.failures.length === 0) return this.#tell(slot, call, work, range)
    const { chunk, attempt } = work
    const again = range.failures.filter(({ failure }) => triesAgain(call.retry, failure.kind, attempt))
    const parts = singles(
      chunk,
      again.map(({ offset }) => offset),
    )
    for (const [place, failure] of again.entries())
      this.#tryAgain(call, { ...work, chunk: parts[place]! }, failure, now)
    for (const part of without(range, again)) this.#tell(slot, call, work, part)
  }

  /** With one item a chunk this is done for each: no more is made for it than is handed on. */
  #tell(
    { id: workerId, pid }: Slot,
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
    slot: Slot,
    { attempt, earlier }: PendingChunk,
    item: { offset: number; failure: Failure },
    times?: { startedAt: Ms; ms: Ms },
  ): ItemFailure {
    const { id: workerId, pid } = slot
    return { ...item, workerId, pid, attempts: attempt, ...times, ...(earlier.length > 0 && { earlier }) }
  }

  #fail(slot: Slot, { call, work }: InFlightChunk, offset: number, failure: Failure, now: Ms): void {
    const failures = [this.#failure(slot, work, { offset, failure })]
    const results = noResults(call.task.reply, 1)
    this.#settle(slot, call, work, { from: offset, count: 1, results, failures }, now)
  }

  /** Items `from` up to `to` have not begun, or must begin again: they go elsewhere. */
  #requeue(
    { call, work }: InFlightChunk,
    from: number,
    to: number,
    recordEachItem = work.recordEachItem,
  ): void {
    if (from >= to) return
    const chunk = from === 0 && to === work.chunk.count ? work.chunk : sliceChunk(work.chunk, from, to)
    this.#add(call, { ...work, chunk, recordEachItem })
  }

  #unsendable(
    slot: Slot,
    id: number,
    failures: readonly { offset: number; failure: Failure }[],
    now: Ms,
  ): void {
    const assignment = slot.queue.find((candidate) => candidate.id === id)
    if (assignment === undefined) return
    let from = 0
    for (const { offset, failure } of failures) {
      this.#requeue(assignment, from, offset)
      this.#fail(slot, assignment, offset, failure, now)
      from = offset + 1
    }
    this.#requeue(assignment, from, assignment.work.chunk.count)
    this.#drop(slot, assignment, now)
    this.#watch(slot)
  }

  /** Cancelled, or given back by a worker that is to be empty: what has not settled runs elsewhere or not at all. */
  #givenBack(slot: Slot, id: number, now: Ms): void {
    const assignment = slot.queue.find((candidate) => candidate.id === id)
    if (assignment === undefined) return
    this.#requeue(assignment, assignment.settled, assignment.work.chunk.count)
    this.#drop(slot, assignment, now)
  }

  #drop(slot: Slot, assignment: InFlightChunk, now: Ms): void {
    const { concurrency } = this.#options
    const waiting = slot.queue[concurrency]
    dequeue(slot, assignment)
    // One more may begin.
    if (waiting !== undefined && slot.queue[concurrency - 1] === waiting) waiting.since = now
    if (slot.cancelBy !== undefined && !slot.queue.some(({ call }) => call.aborted)) slot.cancelBy = undefined
    if (slot.queue.length === 0) slot.draining = false
    assignment.call.outstanding--
    this.#endIfDone(assignment.call)
  }

  // ── workers: their life ────────────────────────────────────────────────────────────────────────────────────────

  #start(count: number): void {
    if (this.#life !== 'open' || this.#fault !== undefined) return
    const { processes, bootLimit = count } = this.#options
    while (this.#slots.length < Math.min(count, processes, bootLimit)) this.#spawn()
  }

  /** Starts workers while there is more to do than those at hand can begin; never so many at once that none gets on. */
  #recruit(): void {
    if (this.#life === 'terminated' || this.#fault !== undefined || this.#calls.size === 0) return
    const { processes, concurrency, bootLimit = processes } = this.#options
    let alive = 0
    let starting = 0
    for (const slot of this.#slots) {
      if (slot.queue.length < concurrency && hasRoom(slot, concurrency, this.#maxTasks)) return
      if (slot.state === 'starting') starting++
      if (slot.state !== 'absent') alive++
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
    let slot = this.#slots.find(({ state }) => state === 'absent')
    if (slot === undefined) {
      slot = createSlot(this.#slots.length)
      this.#slots.push(slot)
    }
    slot.state = 'starting'
    this.#started++
    this.#commands.push({ type: 'spawn', worker: slot.id })
  }

  #ready(slot: Slot, exports: JobExports): void {
    if (slot.state !== 'starting') return
    slot.state = 'ready'
    slot.deadline = undefined
    if (this.#exports !== undefined) return
    this.#exports = exports
    for (const call of [...this.#calls.values()]) {
      this.#checkTask(call)
      this.#endIfDone(call)
    }
  }

  #gone(slot: Slot, exit: WorkerExit, now: Ms): void {
    for (const range of exit.record?.outcomes ?? []) this.#settled(slot, range, now)
    // A copy: the slot is free for the next process, while what the last one held is judged.
    const dead = { ...slot }
    reset(slot)
    const { state, reason, notice, queue, stage } = dead
    const { exitCode, signal, stderrTail } = exit
    const facts = { exit, reason, notice, now }
    const over = this.#fault !== undefined || this.#life === 'terminated'
    let blamed = false
    for (const [i, assignment] of queue.entries()) {
      const { id, call, work, settled, since } = assignment
      if (over || call.aborted) blamed = true
      else {
        const canHaveBegun = i < this.#options.concurrency
        const judgement = judgeCrash({ id, count: work.chunk.count, settled, since, canHaveBegun }, facts)
        this.#applyJudgement(dead, assignment, judgement, now)
        if (judgement.failed.length > 0) blamed = true
      }
      call.outstanding--
    }
    if (state === 'ready' && !blamed) this.#tellIdleDeath(dead, exit)
    const jobHasLoaded = this.#exports !== undefined
    const from = state === 'ending' || state === 'absent' ? 'terminating' : state
    const kind = judgeExit({ state: from, reason, signal, jobHasLoaded })
    if (kind === 'startup') {
      const { exitCallStack: exitSite, uncaughtError: escaped } = notice ?? {}
      const culprit = this.#culprit(dead)
      this.#break({ kind, stage, exitCode, signal, stderrTail, exitSite, escaped, ...culprit })
    } else if (kind === 'crash' && ++this.#crashes > this.#options.maxRestarts)
      this.#break({ kind: 'restarts', limit: this.#options.maxRestarts })
    for (const { call } of queue) this.#endIfDone(call)
  }

  /** No item is to blame, and nobody would hear of it otherwise. */
  #tellIdleDeath({ id, pid, notice }: Slot, { exitCode, signal }: WorkerExit): void {
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
    dead: Slot,
    assignment: InFlightChunk,
    { failed, requeueFrom, requeueAs }: CrashJudgement,
    now: Ms,
  ): void {
    const { call, work } = assignment
    const { chunk } = work
    for (const { offset, failure } of failed) this.#fail(dead, assignment, offset, failure, now)
    if (requeueAs !== 'singles')
      return this.#requeue(
        assignment,
        requeueFrom,
        chunk.count,
        requeueAs === 'recorded' || work.recordEachItem,
      )
    const offsets = Array.from({ length: chunk.count - requeueFrom }, (_, i) => requeueFrom + i)
    for (const single of singles(chunk, offsets))
      this.#add(call, { ...work, chunk: single, recordEachItem: true })
  }

  #culprit({ id, pid }: Slot): { worker: number; pid: number; started: number } {
    return { worker: id, pid, started: this.#started }
  }

  /** Asks a worker to end what runs and to give back the rest. */
  #empty(slot: Slot): void {
    if (slot.state !== 'ready' || slot.draining || slot.queue.length === 0) return
    slot.draining = true
    this.#commands.push({ type: 'drain', worker: slot.id })
  }

  // ── time and memory ────────────────────────────────────────────────────────────────────────────────────────────

  /** When the items that can be running may have run for too long. */
  #watch(slot: Slot): void {
    slot.inspectAt =
      slot.state === 'ready' ? nextInspection(slot.queue, this.#options.concurrency) : undefined
  }

  #inspected(slot: Slot, running: readonly RunningItem[] | undefined, now: Ms): void {
    if (slot.state !== 'ready' || slot.queue.length === 0) return
    const { concurrency } = this.#options
    if (running !== undefined) this.#updateStartTimes(slot, running, now)
    const judgement = judgeInspection(slot.queue, concurrency, running, slot.foundIdle, now)
    if (judgement.kind !== 'ok') return this.#doom(slot, judgement, now)
    slot.foundIdle = judgement.sawNothingRunning
    slot.inspectAt = judgement.inspectAt
  }

  /** An item that can be running and is not in the record begins now at the earliest. */
  #updateStartTimes({ queue }: Slot, running: readonly RunningItem[], now: Ms): void {
    for (const assignment of queue.slice(0, this.#options.concurrency)) assignment.since = now
    for (const { id, offset, forMs } of running) {
      const assignment = queue.find((candidate) => candidate.id === id)
      if (assignment !== undefined && offset >= assignment.settled) assignment.since = now - forMs
    }
  }

  #isTooLarge({ state }: Slot, rss: number): boolean {
    return state === 'ready' && rss > (this.#options.maxMemoryBytes ?? Number.POSITIVE_INFINITY)
  }

  #retire(slot: Slot): void {
    slot.retiring = true
    this.#empty(slot)
  }

  #doom(slot: Slot, reason: TerminationReason, now: Ms): void {
    slot.reason = reason
    this.#leave(slot, now)
  }

  /** Told to leave; a signal if it does not answer; SIGKILL when its time is up. */
  #leave(slot: Slot, now: Ms): void {
    slot.state = 'ending'
    slot.cancelBy = undefined
    slot.inspectAt = undefined
    slot.deadline = now + TERMINATE_ACK_MS
    slot.killAt = now + this.#options.killAfterMs
    this.#commands.push({ type: 'terminate', worker: slot.id })
  }

  #tick(now: Ms): void {
    for (const call of this.#resting) {
      for (let work = call.delayed.take(now); work !== undefined; work = call.delayed.take(now)) {
        call.outstanding--
        this.#add(call, work)
      }
      if (call.delayed.length === 0) this.#resting.delete(call)
    }
    for (const slot of this.#slots) {
      if (slot.inspectAt !== undefined && now >= slot.inspectAt) {
        slot.inspectAt = undefined
        this.#commands.push({ type: 'inspect', worker: slot.id })
      }
      if (slot.cancelBy !== undefined && now >= slot.cancelBy) this.#kill(slot)
      if (slot.killAt !== undefined && now >= slot.killAt) {
        if (slot.state === 'stopping') this.#warnOfFinalizer(slot)
        this.#kill(slot)
      }
      if (slot.deadline !== undefined && now >= slot.deadline) {
        slot.deadline = undefined
        if (slot.state === 'starting')
          this.#break({ kind: 'init-timeout', afterMs: this.#options.initTimeoutMs, ...this.#culprit(slot) })
        else this.#commands.push({ type: 'kill', worker: slot.id, signal: 'SIGTERM' })
      }
    }
  }

  #warnOfFinalizer({ id, pid }: Slot): void {
    const within = `within ${this.#options.killAfterMs} ms`
    const message = `worker ${id} (pid ${pid}) did not end in good order ${within} and was killed`
    this.#commands.push({ type: 'warn', message })
  }

  // ── handing out ────────────────────────────────────────────────────────────────────────────────────────────────

  #fill(now: Ms): void {
    while (this.#fault === undefined && this.#life !== 'terminated') {
      const slot = this.#hungriest()
      if (slot === undefined) return
      const call = this.#nextCall()
      if (call === undefined) return
      const work = call.ready.shift()
      if (work !== undefined) this.#dispatch(slot, call, work, now)
      else this.#pull(call)
    }
  }

  #hungriest(): Slot | undefined {
    let best: Slot | undefined
    for (const slot of this.#slots)
      if (hasRoom(slot, this.#options.concurrency, this.#maxTasks))
        if (best === undefined || slot.queue.length < best.queue.length) best = slot
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

  #dispatch(slot: Slot, call: ScheduledCall, work: PendingChunk, now: Ms): void {
    const room = this.#maxTasks - slot.assigned
    if (work.chunk.count > room) {
      const { count } = work.chunk
      call.outstanding++
      call.ready.unshift({ ...work, chunk: sliceChunk(work.chunk, room, count) })
      work = { ...work, chunk: sliceChunk(work.chunk, 0, room) }
    }
    const { chunk, attempt } = work
    const { count, payload } = chunk
    const id = this.#nextId++
    const recordEachItem = work.recordEachItem || call.timeoutMs !== undefined
    enqueue(slot, {
      id,
      call,
      work,
      settled: 0,
      since: now,
      expectedMs: expectedMs(call, count),
      recordEachItem,
    })
    slot.assigned += count
    if (slot.assigned >= this.#maxTasks) slot.retiring = true
    if (slot.queue.length <= this.#options.concurrency) this.#watch(slot)
    const index = chunk.indexes ?? chunk.seq
    this.#commands.push({
      type: 'run',
      worker: slot.id,
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

  #kill(slot: Slot): void {
    slot.state = 'ending'
    slot.deadline = undefined
    slot.killAt = undefined
    slot.cancelBy = undefined
    slot.inspectAt = undefined
    this.#commands.push({ type: 'kill', worker: slot.id, signal: 'SIGKILL' })
  }

  #break(fault: PoolFault): void {
    if (this.#fault !== undefined || this.#life === 'terminated') return
    this.#fault = fault
    for (const call of [...this.#calls.values()]) this.#end(call, { type: 'fault', fault })
    for (const slot of this.#slots) if (slot.state !== 'absent') this.#kill(slot)
  }

  #terminate(now: Ms): void {
    if (this.#life === 'terminated') return
    this.#life = 'terminated'
    for (const call of [...this.#calls.values()])
      this.#end(call, { type: call.aborted ? 'aborted' : 'terminated' })
    for (const slot of this.#slots) {
      if (slot.state === 'starting') this.#kill(slot)
      else if (slot.state === 'ready' || slot.state === 'stopping') this.#leave(slot, now)
    }
  }

  /** Workers that are to be replaced, or not needed any more, end in good order; once none is left, that is said. */
  #wind(now: Ms): void {
    const closing = this.#life === 'closing' && this.#calls.size === 0 && this.#fault === undefined
    for (const slot of this.#slots) {
      // Nothing was ever run there, so there is nothing to finish.
      if (closing && slot.state === 'starting') this.#kill(slot)
      else if (slot.state === 'ready' && slot.queue.length === 0 && (closing || slot.retiring)) {
        slot.state = 'stopping'
        slot.killAt = now + this.#options.killAfterMs
        this.#commands.push({ type: 'stop', worker: slot.id })
      }
    }
    const over = this.#life !== 'open' || this.#fault !== undefined
    if (!over || this.#closedSaid || this.#slots.some(({ state }) => state !== 'absent')) return
    if (this.#life === 'closing' && this.#calls.size > 0) return
    this.#closedSaid = true
    this.#commands.push({ type: 'closed' })
  }
}

function timesAt(timings: Timings | undefined, place: number): { startedAt: Ms; ms: Ms } | undefined {
  return timings && { startedAt: timings.startedAt[place]!, ms: timings.ms[place]! }
}
