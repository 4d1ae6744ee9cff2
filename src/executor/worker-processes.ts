// The processes of the workers: starts them, gives them the job, performs the commands of the scheduler on them, and turns
// what they send and how they exit into its inputs. Owns their handles.
import { toErrorData } from '../errors/capture/to-error-data.js'
import type { JobSource, ToWorker } from '../ipc/protocol.js'
import { checkInitializer } from '../job/exports.js'
import { restore } from '../job/pinned.js'
import { showPath } from '../job/reference.js'
import { JobSnapshot } from '../job/snapshot.js'
import type { RunEvent } from '../model.js'
import type { Transport, TransportEvent, WorkerHandle } from '../transport/transport.js'
import { ChunkSender } from './chunk-sender.js'
import { type InitOptions, initMessage } from './init-message.js'
import { toExitRecord, toRunningItems } from './recorded.js'
import type { RunClock } from './run-clock.js'
import type { Command, RunningItem, SchedulerInput, WorkRecord } from './scheduler/messages.js'
import { WarningFilter } from './warning-filter.js'

/** What the scheduler wants done with one worker. */
export type WorkerCommand = Extract<Command, { readonly worker: number }>

export interface ProcessOptions extends InitOptions {
  readonly transport: Transport
  /** Workers start immediately and wait for it, so that compiling a job overlaps with their start. */
  readonly job: Promise<JobSource>
  /** All workers use the modules of this process, which loads them once. */
  readonly sharesModules?: boolean | undefined
  readonly emit: (event: RunEvent) => void
}

export class WorkerProcesses {
  readonly chunks: ChunkSender
  readonly #options: ProcessOptions
  readonly #clock: RunClock
  readonly #post: (input: SchedulerInput) => void
  /** The worker is starting and has not said that its job is loaded. */
  readonly #isLoading: (worker: number) => boolean
  readonly #handles: (WorkerHandle | undefined)[] = []
  /** The files of the job as they were before the first worker loaded them. */
  #jobSnapshot: JobSnapshot | undefined
  #hasWarned = false
  readonly #warnings = new WarningFilter()
  #keepAlive = true
  #readsOutput = true
  /** They run only their finalizers, for which they have a limited time: what they print is always read. */
  readonly #stopping = new WeakSet<WorkerHandle>()

  constructor(
    options: ProcessOptions,
    clock: RunClock,
    post: (input: SchedulerInput) => void,
    isLoading: (worker: number) => boolean,
  ) {
    this.#options = options
    this.#clock = clock
    this.#post = post
    this.#isLoading = isLoading
    this.chunks = new ChunkSender({
      send: (worker, message) => this.#handles[worker]?.send(message),
      onUnsendable: (worker, id, failures) => post({ type: 'unsendable', worker, id, failures }),
    })
  }

  perform(command: WorkerCommand): void {
    const { worker } = command
    switch (command.type) {
      case 'spawn':
        return this.#spawn(worker)
      case 'run':
        return this.chunks.add(worker, command.chunk)
      case 'cancel':
        return this.#send(worker, { type: 'cancel', ids: command.ids, why: command.why })
      case 'return':
        return this.#send(worker, { type: 'return' })
      case 'expire':
        return this.#send(worker, { type: 'expire', id: command.id, offset: command.offset })
      case 'inspect':
        return this.#post({ type: 'inspected', worker, running: this.inspect(worker) })
      case 'ping':
        return this.#ping(worker)
      case 'stop':
        return this.#stop(worker)
      case 'terminate': {
        const { isImmediate, why } = command
        return this.#send(worker, { type: 'terminate', isImmediate, why })
      }
      case 'kill':
        return this.#handles[worker]!.kill(command.signal)
      default:
        command satisfies never
    }
  }

  signalAll(signal: NodeJS.Signals): void {
    for (const handle of this.#handles) handle?.kill(signal)
  }

  /** Whether they keep this process alive. */
  keepAlive(on: boolean): void {
    if (on === this.#keepAlive) return
    this.#keepAlive = on
    for (const handle of this.#handles) handle?.ref(on)
  }

  readOutput(on: boolean): void {
    this.#readsOutput = on
    for (const handle of this.#handles) if (handle !== undefined) this.#setReading(handle)
  }

  #setReading(handle: WorkerHandle): void {
    handle.readOutput(this.#readsOutput || this.#stopping.has(handle))
  }

  pids(): (readonly [worker: number, pid: number])[] {
    return this.#handles.flatMap((handle, worker) =>
      handle === undefined ? [] : [[worker, handle.pid] as const],
    )
  }

  // ── what they are sent ─────────────────────────────────────────────────────────────────────────────────────────

  /** After the chunks that the worker was given before. */
  #send(worker: number, message: ToWorker): void {
    this.chunks.flush(worker)
    this.#handles[worker]!.send(message)
  }

  #stop(worker: number): void {
    const handle = this.#handles[worker]!
    this.#stopping.add(handle)
    this.#setReading(handle)
    this.#send(worker, { type: 'stop' })
  }

  #ping(worker: number): void {
    this.#send(worker, { type: 'ping' })
    // While its output is not read, a worker may be blocked between two items by what it prints.
    const record = this.#readsOutput ? this.#readRecord(worker) : undefined
    this.#post({ type: 'pinged', worker, record })
  }

  /** What is running now, as its flight recorder shows. */
  inspect(worker: number): readonly RunningItem[] | undefined {
    return this.#readRecord(worker)?.running
  }

  /** Reading the file takes time in which an item can end in time, so `now` is taken before. */
  #readRecord(worker: number): WorkRecord | undefined {
    const now = this.#clock.sharedNow()
    const record = this.#handles[worker]?.inspect()
    if (record === undefined) return undefined
    const running = toRunningItems(record, (since) => this.#clock.elapsed(since, now))
    return { running, unrecorded: record.unrecorded }
  }

  // ── their start ────────────────────────────────────────────────────────────────────────────────────────────────

  #spawn(worker: number): void {
    const { transport, emit, job } = this.#options
    const handle = transport.spawn((event) => this.#applyEvent(worker, handle, event), worker)
    this.#handles[worker] = handle
    if (!this.#keepAlive) handle.ref(false)
    this.#setReading(handle)
    this.#post({ type: 'spawned', worker, pid: handle.pid, hasRecorder: handle.recorder !== undefined })
    emit({ type: 'worker-started', workerId: worker, pid: handle.pid, at: performance.now() })
    job.then(
      (source) => this.#giveJob(worker, handle, source),
      // The caller who compiles the job reports why it does not compile, and terminates.
      () => {},
    )
  }

  #giveJob(worker: number, handle: WorkerHandle, job: JobSource): void {
    if (this.#handles[worker] !== handle) return
    if (!this.#options.sharesModules && !job.isCompiled) this.#jobSnapshot ??= new JobSnapshot(job.url)
    if (this.#hasJobChanged(worker)) return
    this.#warnOnce(job)
    restore(job)
    try {
      handle.send(initMessage(worker, handle, job, this.#options))
    } catch (thrown) {
      // Its values cannot be sent.
      this.#post({ type: 'init-failed', worker, stage: 'initializer', error: toErrorData(thrown) })
    }
    this.#post({ type: 'init-sent', worker })
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

  // ── what they send, and their exit ─────────────────────────────────────────────────────────────────────────────

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
        this.chunks.discard(worker)
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
      case 'settled':
        // As the last case does, for most of all messages: a spread takes longer.
        return this.#post({ type: 'settled', worker, ranges: message.ranges, rss: message.rss })
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
}
