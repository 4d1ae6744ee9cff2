// Runs calls in local worker processes: feeds everything that happens into the scheduler and performs the commands that
// it returns, through the transport and the sources. Owns the handles of the processes.

import { type Abortable, onAbort } from '../abort.js'
import type { Clock } from '../clock.js'
import { toErrorData } from '../errors/capture/to-error-data.js'
import { type InitMessage, type JobSource, PROTOCOL_VERSION, type ToWorker } from '../ipc/protocol.js'
import { checkInitializer } from '../job/exports.js'
import { restore } from '../job/pinned.js'
import { showPath } from '../job/reference.js'
import { JobSnapshot } from '../job/snapshot.js'
import type { CancelledRange, Ms, RunEvent, WorkerActivity } from '../model.js'
import { processors } from '../processors.js'
import type { MemoryProbe } from '../transport/memory-probe.js'
import type { Transport, TransportEvent, WorkerHandle } from '../transport/transport.js'
import { readActivity } from './activity.js'
import { ChunkSender } from './chunk-sender.js'
import { ExecutionFault } from './execution-fault.js'
import type { Execution, Executor } from './executor.js'
import { watchMemory } from './memory-watch.js'
import { toExitRecord, toRunningItems } from './recorded.js'
import { RunClock } from './run-clock.js'
import type {
  CallEnd,
  CallId,
  Command,
  RunningItem,
  SchedulerInput,
  WorkRecord,
} from './scheduler/messages.js'
import { concurrencyOf } from './scheduler/scaling.js'
import { Scheduler, type SchedulerOptions } from './scheduler/scheduler.js'
import { WarningFilter } from './warning-filter.js'

export interface LocalOptions extends SchedulerOptions {
  readonly transport: Transport
  /** Workers start immediately and wait for it, so that compiling a job overlaps with their start. */
  readonly job: Promise<JobSource>
  /** All workers use the modules of this process, which loads them once. */
  readonly sharesModules?: boolean | undefined
  readonly initializer?: string | undefined
  readonly initArgs: readonly unknown[]
  readonly params?: Readonly<Record<string, unknown>> | undefined
  /** See `InitMessage`. */
  readonly loadOnly?: boolean | undefined
  readonly markOutput: boolean
  /** Measures the memory of workers, where it is limited. */
  readonly memoryProbe?: MemoryProbe | undefined
  readonly emit: (event: RunEvent) => void
  /** Called with each command before it is performed. */
  readonly trace?: ((command: Command) => void) | undefined
  readonly clock?: Clock
}

/** Workers that start at a time. Loading a job keeps a core busy: a thousand at a time would all be ready later. */
const BOOT_LIMIT = Math.max(8, 2 * processors().count)

interface ActiveExecution {
  readonly execution: Execution
  /** Items taken from its source that have not settled. */
  pendingItems: number
  /** Waits for its source, which may have to wait for a reader. */
  isPulling: boolean
  /** It waits for workers, not only for its source. */
  needsWorkers: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  readonly unlisten: (() => void) | undefined
}

export class LocalExecutor implements Executor {
  readonly #options: LocalOptions
  readonly #clock: RunClock
  readonly #scheduler: Scheduler
  readonly #chunkSender: ChunkSender
  readonly #handles: (WorkerHandle | undefined)[] = []
  readonly #executions = new Map<CallId, ActiveExecution>()
  /** Executions that need workers. */
  #needingWorkers = 0
  /** Of active executions and, because workers exit after them, of those that a fault or the end of all has ended. */
  readonly #onCancelled = new Map<CallId, (cancelled: CancelledRange) => void>()
  /** The files of the job as they were before the first worker loaded them. */
  #jobSnapshot: JobSnapshot | undefined
  #hasWarned = false
  readonly #warnings = new WarningFilter()
  #nextCall = 1
  #inputs: SchedulerInput[] = []
  #isHandling = false
  #isEnding = false
  #keepsAlive = true
  #readsOutput = true
  /** They run only their finalizers, for which they have a limited time: what they print is always read. */
  readonly #stopping = new WeakSet<WorkerHandle>()
  readonly #closed: Promise<void>
  #resolveClosed!: () => void

  constructor(options: LocalOptions) {
    this.#options = options
    this.#clock = new RunClock(options.clock)
    this.#scheduler = new Scheduler({ bootLimit: BOOT_LIMIT, ...options })
    this.#chunkSender = new ChunkSender({
      send: (worker, message) => this.#handles[worker]?.send(message),
      onUnsendable: (worker, id, failures) => this.#post({ type: 'unsendable', worker, id, failures }),
    })
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    if (options.memoryProbe !== undefined) this.#watchMemory(options.memoryProbe)
  }

  execute(execution: Execution): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = this.#nextCall++
      const unlisten = this.#listen(call, execution)
      const { task, source, chunkSize, mayStop, timeoutMs, retry, intervalMs, onCancelled } = execution
      const { check, isOrdered } = execution
      const chunk = source.whole?.()
      const pendingItems = chunk?.count ?? 0
      this.#executions.set(call, {
        execution,
        pendingItems,
        isPulling: false,
        needsWorkers: true,
        resolve,
        reject,
        unlisten,
      })
      this.#needingWorkers++
      if (onCancelled !== undefined) this.#onCancelled.set(call, onCancelled)
      const remaining = chunk?.count ?? source.remaining?.()
      this.#post({
        type: 'open',
        call,
        task,
        chunkSize,
        mayStop,
        timeoutMs,
        retry,
        intervalMs,
        check,
        isOrdered,
        remaining,
        chunk,
      })
      if (execution.drain?.aborted === true) this.#post({ type: 'drain', call })
      if (execution.signal?.aborted === true) this.#abort(call, execution.signal)
    })
  }

  /** Returns how to stop listening; `undefined` where there is no signal. */
  #listen(call: CallId, { signal, drain }: Execution): (() => void) | undefined {
    const ofSignal = signal && onAbort(signal, () => this.#abort(call, signal))
    const ofDrain = drain && onAbort(drain, () => this.#post({ type: 'drain', call }))
    if (ofSignal === undefined || ofDrain === undefined) return ofSignal ?? ofDrain
    return () => {
      ofSignal()
      ofDrain()
    }
  }

  #abort(call: CallId, { reason }: Abortable): void {
    const why = reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : undefined
    this.#post({ type: 'abort', call, why })
  }

  start(count: number): void {
    this.#post({ type: 'start', count })
  }

  get running(): number {
    return this.#scheduler.running
  }

  get pausedForMs(): Ms | undefined {
    const { pausedUntil } = this.#scheduler
    return pausedUntil === undefined ? undefined : Math.max(0, pausedUntil - this.#clock.now())
  }

  /** Reads the flight recorders of silent workers. */
  activity(): WorkerActivity[] {
    const { workers } = this.#scheduler
    const { concurrency } = this.#options
    return readActivity(workers, concurrency, this.#clock.now(), (worker) => this.#inspect(worker))
  }

  suspend(): void {
    this.#clock.pause()
    for (const handle of this.#handles) handle?.kill('SIGSTOP')
  }

  resume(): void {
    this.#clock.resume()
    for (const handle of this.#handles) handle?.kill('SIGCONT')
    this.#setTimer()
  }

  readOutput(on: boolean): void {
    this.#readsOutput = on
    for (const handle of this.#handles) if (handle !== undefined) this.#setReading(handle)
  }

  close(): Promise<void> {
    return this.#end({ type: 'close' })
  }

  kill(): Promise<void> {
    return this.#end({ type: 'kill' })
  }

  terminate(why?: string): Promise<void> {
    return this.#end({ type: 'terminate', why })
  }

  #end(input: Extract<SchedulerInput, { type: 'close' | 'terminate' | 'kill' }>): Promise<void> {
    this.#isEnding = true
    this.#post(input)
    return this.#closed
  }

  // ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #post(input: SchedulerInput): void {
    this.#inputs.push(input)
    if (this.#isHandling) return
    this.#isHandling = true
    try {
      // Performing a command can post further inputs. They are handled after it, in order.
      for (let i = 0; i < this.#inputs.length; i++)
        for (const command of this.#scheduler.handle(this.#inputs[i]!, this.#clock.now()))
          this.#perform(command)
    } catch (error) {
      this.#chunkSender.discardAll()
      throw error
    } finally {
      // Whatever throws here is a bug. It must not become a hang as well.
      this.#inputs = []
      this.#isHandling = false
    }
    if (input.type === 'open') this.#chunkSender.flushSoon()
    else this.#chunkSender.flushAll()
    this.#setTimer()
    this.#setKeepsAlive()
  }

  #setTimer(): void {
    this.#clock.setTimer(this.#scheduler.nextWake(), this.#tick)
  }

  readonly #tick = () => this.#post({ type: 'tick' })

  /**
   * Workers keep this process alive while a caller waits for them. An idle pool lets it exit, and so does a call that
   * only waits for its input: the input itself keeps the process alive if anything is to come.
   */
  #setKeepsAlive(): void {
    const keepsAlive = this.#isEnding || this.#needingWorkers > 0
    if (keepsAlive === this.#keepsAlive) return
    this.#keepsAlive = keepsAlive
    for (const handle of this.#handles) handle?.ref(keepsAlive)
  }

  /** After each change of what it waits for. Not counted when it is needed: there may be thousands of executions. */
  #countNeed(active: ActiveExecution): void {
    const needsWorkers = !active.isPulling || active.pendingItems > 0
    if (needsWorkers === active.needsWorkers) return
    active.needsWorkers = needsWorkers
    this.#needingWorkers += needsWorkers ? 1 : -1
  }

  #perform(command: Command): void {
    this.#options.trace?.(command)
    switch (command.type) {
      case 'spawn':
        return this.#spawn(command.worker)
      case 'pull':
        return this.#pull(command)
      case 'run':
        return this.#chunkSender.add(command.worker, command.chunk)
      case 'cancel':
        return this.#send(command.worker, { type: 'cancel', ids: command.ids, why: command.why })
      case 'stop':
        return this.#stop(command.worker)
      case 'return':
        return this.#send(command.worker, { type: 'return' })
      case 'expire': {
        const { id, offset } = command
        return this.#send(command.worker, { type: 'expire', id, offset })
      }
      case 'terminate': {
        const { isImmediate, why } = command
        return this.#send(command.worker, { type: 'terminate', isImmediate, why })
      }
      case 'inspect': {
        const { worker } = command
        return this.#post({ type: 'inspected', worker, running: this.#inspect(worker) })
      }
      case 'ping': {
        const { worker } = command
        this.#send(worker, { type: 'ping' })
        // While its output is not read, a worker may be blocked between two items by what it prints.
        const record = this.#readsOutput ? this.#readRecord(worker) : undefined
        return this.#post({ type: 'pinged', worker, record })
      }
      case 'kill':
        return this.#handles[command.worker]!.kill(command.signal)
      case 'settle':
        return this.#settle(command)
      case 'held':
        return this.#executions.get(command.call)?.execution.onHeld?.(command.bytes)
      case 'cancelled':
        return this.#onCancelled.get(command.call)?.(command.cancelled)
      case 'end':
        return this.#endExecution(command.call, command.end)
      case 'warn':
        return this.#options.emit({ type: 'warning', warning: command.warning })
      case 'closed': {
        const { close } = this.#options.transport
        if (close === undefined) return this.#resolveClosed()
        return void close().then(this.#resolveClosed)
      }
      default:
        command satisfies never
    }
  }

  // ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #pull({ call, want }: Extract<Command, { type: 'pull' }>): void {
    const active = this.#executions.get(call)
    if (active === undefined) return
    const { source } = active.execution
    const supply = (chunk: Awaited<ReturnType<typeof source.next>>) => {
      active.isPulling = false
      active.pendingItems += chunk?.count ?? 0
      this.#countNeed(active)
      this.#post({ type: 'supply', call, chunk, remaining: source.remaining?.() })
    }
    const next = source.next(want)
    if (!(next instanceof Promise)) return supply(next)
    active.isPulling = true
    this.#countNeed(active)
    void next.then(supply)
  }

  #settle({ call, settled }: Extract<Command, { type: 'settle' }>): void {
    const active = this.#executions.get(call)
    if (active === undefined) return
    active.pendingItems -= settled.count
    this.#countNeed(active)
    active.execution.onSettled(settled)
  }

  #endExecution(call: CallId, end: CallEnd): void {
    const active = this.#executions.get(call)
    if (active === undefined) return
    this.#executions.delete(call)
    if (active.needsWorkers) this.#needingWorkers--
    active.unlisten?.()
    if (end.type === 'done' || end.type === 'aborted') {
      if (!this.#isEnding) this.#onCancelled.delete(call)
      return active.resolve()
    }
    const fault = new ExecutionFault(end, active.execution.task.name)
    active.execution.onFault?.(fault)
    active.reject(fault)
  }

  // ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #spawn(worker: number): void {
    const { transport, emit, job } = this.#options
    const handle = transport.spawn((event) => this.#applyEvent(worker, handle, event), worker)
    this.#handles[worker] = handle
    if (!this.#keepsAlive) handle.ref(false)
    this.#setReading(handle)
    this.#post({ type: 'spawned', worker, pid: handle.pid, hasRecorder: handle.recorder !== undefined })
    emit({ type: 'worker-started', workerId: worker, pid: handle.pid, at: performance.now() })
    job.then(
      (source) => {
        if (this.#handles[worker] !== handle) return
        if (!this.#options.sharesModules && !source.isCompiled)
          this.#jobSnapshot ??= new JobSnapshot(source.url)
        if (this.#hasJobChanged(worker)) return
        this.#warnOnce(source)
        restore(source)
        try {
          handle.send(this.#initMessage(worker, handle, source))
        } catch (thrown) {
          // Its values cannot be sent.
          this.#post({ type: 'init-failed', worker, stage: 'initializer', error: toErrorData(thrown) })
        }
        this.#post({ type: 'init-sent', worker })
      },
      // The caller who compiles the job reports why it does not compile, and terminates.
      () => {},
    )
  }

  #warnOnce({ warnings = [] }: JobSource): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    for (const text of warnings) this.#options.emit({ type: 'warning', warning: { kind: 'text', text } })
  }

  /**
   * If so, the pool fails. Asked before a worker loads the job and once it has: with the same answer both times, it has
   * loaded what the snapshot shows.
   */
  #hasJobChanged(worker: number): boolean {
    const file = this.#jobSnapshot?.changed()
    if (file === undefined) return false
    this.#post({ type: 'job-changed', worker, file: showPath(file, process.cwd()) })
    return true
  }

  #isLoading(worker: number): boolean {
    const { state } = this.#scheduler.workers[worker]!
    return state.is === 'starting' && state.phase !== 'initializer'
  }

  #initMessage(workerId: number, { token, recorder }: WorkerHandle, job: JobSource): InitMessage {
    const { initializer, initArgs, params, loadOnly = false } = this.#options
    const { markOutput, maxMemoryBytes } = this.#options
    return {
      type: 'init',
      version: PROTOCOL_VERSION,
      token,
      workerId,
      job,
      ...(initializer !== undefined && { initializer }),
      ...(recorder !== undefined && { recorder }),
      initArgs,
      ...(params !== undefined && { params }),
      loadOnly,
      concurrency: concurrencyOf(workerId, this.#options),
      markOutput,
      reportMemory: maxMemoryBytes !== undefined,
    }
  }

  #applyEvent(worker: number, handle: WorkerHandle, event: TransportEvent): void {
    const { emit } = this.#options
    const { pid } = handle
    switch (event.type) {
      case 'message':
        return this.#applyMessage(worker, pid, event.message)
      case 'output':
        return emit({ workerId: worker, pid, ...event, type: 'worker-output' })
      case 'exited': {
        this.#handles[worker] = undefined
        this.#chunkSender.discard(worker)
        const { exitCode, signal, stderrTail, recorded } = event
        emit({ type: 'worker-exited', workerId: worker, pid, exitCode, signal })
        const record = recorded && toExitRecord(recorded, (since) => this.#clock.elapsed(since))
        return this.#post({ type: 'exited', worker, exitCode, signal, stderrTail, record })
      }
      case 'channel-damaged':
        return this.#post({ type: 'channel-damaged', worker })
      case 'spawn-failed':
        this.#handles[worker] = undefined
        return this.#post({ type: 'spawn-failed', worker, error: event.error })
      default:
        event satisfies never
    }
  }

  #applyMessage(
    worker: number,
    pid: number,
    message: Extract<TransportEvent, { type: 'message' }>['message'],
  ): void {
    const { emit, initializer } = this.#options
    switch (message.type) {
      case 'warning': {
        const text = this.#warnings.pass(message.message)
        if (text !== undefined) emit({ type: 'warning', warning: { kind: 'text', text } })
        return
      }
      case 'handles-sigterm':
        // The transport uses it.
        return
      case 'dying': {
        const notice = { uncaughtError: message.escaped, exitCallStack: message.exitSite }
        return this.#post({ type: 'exit-announced', worker, notice })
      }
      case 'initializing':
        if (!this.#hasJobChanged(worker)) this.#post({ ...message, worker })
        return
      case 'ready': {
        // Where an initializer has run, `initializing` came first.
        if (this.#isLoading(worker) && this.#hasJobChanged(worker)) return
        const error = initializer === undefined ? undefined : checkInitializer(message.exports, initializer)
        if (error !== undefined)
          return this.#post({ type: 'init-failed', stage: 'initializer', error: toErrorData(error), worker })
        emit({ type: 'worker-ready', workerId: worker, pid })
        return this.#post({ ...message, worker })
      }
      default:
        return this.#post({ ...message, worker })
    }
  }

  #stop(worker: number): void {
    const handle = this.#handles[worker]!
    this.#stopping.add(handle)
    this.#setReading(handle)
    this.#send(worker, { type: 'stop' })
  }

  #setReading(handle: WorkerHandle): void {
    handle.readOutput(this.#readsOutput || this.#stopping.has(handle))
  }

  /** After the chunks that the worker was given before. */
  #send(worker: number, message: ToWorker): void {
    this.#chunkSender.flush(worker)
    this.#handles[worker]!.send(message)
  }

  /** What is running now. Reading the file takes time in which an item can end in time, so `now` is taken before. */
  #inspect(worker: number): readonly RunningItem[] | undefined {
    return this.#readRecord(worker)?.running
  }

  #readRecord(worker: number): WorkRecord | undefined {
    const now = this.#clock.sharedNow()
    const record = this.#handles[worker]?.inspect()
    if (record === undefined) return undefined
    const running = toRunningItems(record, (since) => this.#clock.elapsed(since, now))
    return { running, unrecorded: record.unrecorded }
  }

  #watchMemory(probe: MemoryProbe): void {
    const pids = () =>
      this.#handles.flatMap((handle, worker) => (handle === undefined ? [] : [[worker, handle.pid] as const]))
    const unwatch = watchMemory(probe, pids, (worker, rss) => this.#post({ type: 'memory', worker, rss }))
    void this.#closed.then(unwatch)
  }
}
