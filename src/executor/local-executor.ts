// The drive loop: feeds everything that happens into the scheduler and performs what it asks for, through the
// transport and the sources. Decides nothing itself.

import { availableParallelism } from 'node:os'
import { findUncloneable } from '../errors/capture/find-unserializable.js'
import { toErrorData } from '../errors/capture/to-error-data.js'
import { type FlightRecord, type RecordedOutcome, sharedNow } from '../ipc/flight-recorder.js'
import {
  type ChunkMessage,
  type InitMessage,
  type JobSource,
  PROTOCOL_VERSION,
  type ResultsMessage,
  type ToWorker,
} from '../ipc/protocol.js'
import { checkInitializer } from '../job/exports.js'
import type { Failure, Ms, Results, RunEvent, WorkerActivity } from '../model.js'
import type { Transport, TransportEvent, WorkerHandle } from '../transport/transport.js'
import { lookAt } from './activity.js'
import { type Clock, systemClock } from './clock.js'
import { ExecutionFault } from './execution-fault.js'
import type { Execution, Executor } from './executor.js'
import { watchMemory } from './memory-watch.js'
import { createPauses } from './pauses.js'
import type {
  CallEnd,
  CallId,
  Command,
  ExitRecord,
  RunningItem,
  SchedulerInput,
} from './scheduler/messages.js'
import { Scheduler, type SchedulerOptions } from './scheduler/scheduler.js'

export interface LocalOptions extends SchedulerOptions {
  readonly transport: Transport
  /** Workers are started at once and wait for it: compiling a job overlaps with their start. */
  readonly job: Promise<JobSource>
  readonly initializer?: string | undefined
  readonly initArgs: readonly unknown[]
  /** See `InitMessage`. */
  readonly loadOnly?: boolean | undefined
  readonly markOutput: boolean
  readonly emit: (event: RunEvent) => void
  /** Hears what is done with workers, before it is done. */
  readonly trace?: ((command: Command) => void) | undefined
  readonly clock?: Clock
}

/** Loading a job is work for a processor: a thousand at once would finish later than a few at a time. */
const BOOT_LIMIT = Math.max(8, 2 * availableParallelism())

interface Running {
  readonly execution: Execution
  /** Items taken from its source and not yet settled. */
  pending: number
  /** Waits for its source, which may have to wait for a reader. */
  pulling: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  readonly unlisten: () => void
}

export class LocalExecutor implements Executor {
  readonly #options: LocalOptions
  readonly #clock: Clock
  readonly #scheduler: Scheduler
  readonly #handles: (WorkerHandle | undefined)[] = []
  readonly #running = new Map<CallId, Running>()
  #nextCall = 1
  #inbox: SchedulerInput[] = []
  /**
   * By worker, chunks that were given out while the inbox is worked through; they travel in one message. No map: one
   * whose entries come and go keeps what they held (`policy/reorder`).
   */
  readonly #outgoing: (ChunkMessage[] | undefined)[] = []
  #processing = false
  #ending = false
  readonly #pauses = createPauses()
  #refs = true
  #wake: { readonly at: number; readonly cancel: () => void } | undefined
  readonly #closed: Promise<void>
  #resolveClosed!: () => void

  constructor(options: LocalOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#scheduler = new Scheduler({ bootLimit: BOOT_LIMIT, ...options })
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    if (options.maxMemoryBytes !== undefined) {
      const pids = () =>
        this.#handles.flatMap((handle, worker) =>
          handle === undefined ? [] : [[worker, handle.pid] as const],
        )
      const unwatch = watchMemory(pids, (worker, rss) => this.#post({ type: 'memory', worker, rss }))
      void this.#closed.then(unwatch)
    }
  }

  execute(execution: Execution): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = this.#nextCall++
      const abort = () => this.#post({ type: 'abort', call })
      const drain = () => this.#post({ type: 'drain', call })
      execution.signal.addEventListener('abort', abort, { once: true })
      execution.drain?.addEventListener('abort', drain, { once: true })
      const unlisten = () => {
        execution.signal.removeEventListener('abort', abort)
        execution.drain?.removeEventListener('abort', drain)
      }
      this.#running.set(call, { execution, pending: 0, pulling: false, resolve, reject, unlisten })
      const { task, chunkSize, mayStop, timeoutMs, retry } = execution
      const remaining = execution.source.remaining?.()
      this.#post({ type: 'open', call, task, chunkSize, mayStop, timeoutMs, retry, remaining })
      if (execution.drain?.aborted === true) drain()
      if (execution.signal.aborted) abort()
    })
  }

  /** Starts `count` workers before there is anything to run: their start overlaps with opening the input. */
  start(count: number): void {
    this.#post({ type: 'start', count })
  }

  /** Items that can be running now. */
  get running(): number {
    return this.#scheduler.running
  }

  /** What the workers are doing. Reads what silent ones have written down: for a few times a second. */
  activity(): WorkerActivity[] {
    const { workers } = this.#scheduler
    return lookAt(workers, this.#options.concurrency, this.#now(), (worker) => this.#inspect(worker))
  }

  /** Stops time and the workers, as Ctrl-Z does; nothing times out meanwhile. */
  suspend(): void {
    this.#pauses.begin()
    for (const handle of this.#handles) handle?.kill('SIGSTOP')
  }

  resume(): void {
    this.#pauses.end()
    for (const handle of this.#handles) handle?.kill('SIGCONT')
    this.#setWake()
  }

  close(): Promise<void> {
    return this.#endBy('close')
  }

  /** Ends everything this moment, polite means left out. */
  kill(): Promise<void> {
    return this.#endBy('kill')
  }

  terminate(): Promise<void> {
    return this.#endBy('terminate')
  }

  #endBy(type: 'close' | 'terminate' | 'kill'): Promise<void> {
    this.#ending = true
    this.#post({ type })
    return this.#closed
  }

  #post(input: SchedulerInput): void {
    this.#inbox.push(input)
    if (this.#processing) return
    this.#processing = true
    // Performing a command may post further inputs; they are handled in order, after it.
    try {
      for (let next = 0; next < this.#inbox.length; next++) {
        for (const command of this.#scheduler.handle(this.#inbox[next]!, this.#now())) this.#perform(command)
        if (next + 1 === this.#inbox.length)
          for (const worker of this.#outgoing.keys()) this.#sendChunks(worker)
      }
    } finally {
      // Whatever throws here is a bug; it must not become a hang as well.
      this.#inbox = []
      this.#outgoing.length = 0
      this.#processing = false
    }
    this.#setWake()
    this.#setRefs()
  }

  /**
   * Workers keep this process alive while someone waits for them: an idle pool lets it end, and so does a call that
   * waits only for its input, which keeps the process alive itself if anything is to come.
   */
  #setRefs(): void {
    let on = this.#ending
    for (const { pulling, pending } of this.#running.values()) on ||= !pulling || pending > 0
    if (on === this.#refs) return
    this.#refs = on
    for (const handle of this.#handles) handle?.ref(on)
  }

  /** The clock without the time in which everything stood still. */
  #now(): Ms {
    return this.#clock.now() - this.#pauses.total
  }

  #setWake(): void {
    const wake = this.#scheduler.nextWake()
    const at = wake === undefined ? undefined : wake + this.#pauses.total
    if (at === this.#wake?.at) return
    this.#wake?.cancel()
    this.#wake = undefined
    if (at === undefined) return
    const tick = () => {
      this.#wake = undefined
      this.#post({ type: 'tick' })
    }
    this.#wake = { at, cancel: this.#clock.wakeAt(at, tick) }
  }

  #perform(command: Command): void {
    this.#options.trace?.(command)
    switch (command.type) {
      case 'spawn':
        return this.#spawn(command.worker)
      case 'pull':
        return this.#pull(command)
      case 'run': {
        const { worker, chunk } = command
        const chunks = this.#outgoing[worker]
        if (chunks === undefined) this.#outgoing[worker] = [chunk]
        else chunks.push(chunk)
        return
      }
      case 'cancel':
        return this.#tell(command.worker, { type: 'cancel', ids: command.ids })
      case 'drain':
      case 'stop':
      case 'terminate':
        return this.#tell(command.worker, { type: command.type })
      case 'inspect': {
        const { worker } = command
        return this.#post({ type: 'inspected', worker, running: this.#inspect(worker) })
      }
      case 'kill':
        return this.#handles[command.worker]!.kill(command.signal)
      case 'settle':
        return this.#settle(command)
      case 'end':
        return this.#end(command.call, command.end)
      case 'warn':
        return this.#options.emit({ type: 'warning', warning: command.warning })
      case 'closed':
        return this.#resolveClosed()
      default:
        command satisfies never
    }
  }

  #end(call: CallId, end: CallEnd): void {
    const running = this.#running.get(call)
    if (running === undefined) return
    this.#running.delete(call)
    running.unlisten()
    if (end.type === 'done' || end.type === 'aborted') return running.resolve()
    const fault = new ExecutionFault(end, running.execution.task.name)
    running.execution.onFault?.(fault)
    running.reject(fault)
  }

  #settle({ call, settled }: Extract<Command, { type: 'settle' }>): void {
    const running = this.#running.get(call)
    if (running === undefined) return
    running.pending -= settled.count
    running.execution.onSettled(settled)
  }

  #pull({ call, want }: Extract<Command, { type: 'pull' }>): void {
    const running = this.#running.get(call)
    if (running === undefined) return
    const { source } = running.execution
    const supply = (chunk: Awaited<ReturnType<typeof source.next>>) => {
      running.pulling = false
      running.pending += chunk?.count ?? 0
      this.#post({ type: 'supply', call, chunk, remaining: source.remaining?.() })
    }
    running.pulling = true
    const next = source.next(want)
    if (next instanceof Promise) void next.then(supply)
    else supply(next)
  }

  // ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #spawn(worker: number): void {
    const { transport, emit, job } = this.#options
    const handle = transport.spawn((event) => this.#hear(worker, handle, event), worker)
    this.#handles[worker] = handle
    if (!this.#refs) handle.ref(false)
    this.#post({ type: 'spawned', worker, pid: handle.pid })
    emit({ type: 'worker-started', workerId: worker, pid: handle.pid, at: performance.now() })
    // A job that does not compile is told by whoever compiles it, who then terminates.
    job.then(
      (source) => {
        if (this.#handles[worker] !== handle) return
        handle.send(this.#initMessage(worker, handle, source))
        this.#post({ type: 'init-sent', worker })
      },
      () => {},
    )
  }

  #initMessage(workerId: number, { token, recorder }: WorkerHandle, job: JobSource): InitMessage {
    const { initializer, initArgs, loadOnly = false, concurrency, markOutput, maxMemoryBytes } = this.#options
    const type = 'init'
    const version = PROTOCOL_VERSION
    const named = initializer !== undefined && { initializer }
    const recording = recorder !== undefined && { recorder }
    const reportMemory = maxMemoryBytes !== undefined
    const rest = { initArgs, loadOnly, concurrency, markOutput, reportMemory }
    return { type, version, token, workerId, job, ...named, ...recording, ...rest }
  }

  #hear(worker: number, handle: WorkerHandle, event: TransportEvent): void {
    const { emit } = this.#options
    const { pid } = handle
    switch (event.type) {
      case 'message':
        return this.#heed(worker, pid, event.message)
      case 'output':
        return emit({ workerId: worker, pid, ...event, type: 'worker-output' })
      case 'exited': {
        this.#handles[worker] = undefined
        const { exitCode, signal, stderrTail, recorded } = event
        emit({ type: 'worker-exited', workerId: worker, pid, exitCode, signal })
        const record = recorded && this.#toExitRecord(recorded)
        return this.#post({ type: 'exited', worker, exitCode, signal, stderrTail, record })
      }
      case 'spawn-failed':
        this.#handles[worker] = undefined
        return this.#post({ type: 'spawn-failed', worker, error: event.error })
      default:
        event satisfies never
    }
  }

  #heed(worker: number, pid: number, message: Extract<TransportEvent, { type: 'message' }>['message']): void {
    if (message.type === 'warning') {
      const warning = { kind: 'text', text: message.message } as const
      return this.#options.emit({ type: 'warning', warning })
    }
    if (message.type === 'dying') {
      const notice = { uncaughtError: message.escaped, exitCallStack: message.exitSite }
      return this.#post({ type: 'exit-announced', worker, notice })
    }
    if (message.type !== 'ready') return this.#post({ ...message, worker })
    const { initializer } = this.#options
    const error = initializer === undefined ? undefined : checkInitializer(message.exports, initializer)
    if (error !== undefined)
      return this.#post({ type: 'init-failed', stage: 'initializer', error: toErrorData(error), worker })
    this.#options.emit({ type: 'worker-ready', workerId: worker, pid })
    this.#post({ ...message, worker })
  }

  /** As it was when this is called, not when the file has been read: an item may end meanwhile, still in time. */
  #inspect(worker: number): RunningItem[] | undefined {
    const now = sharedNow()
    return this.#handles[worker]?.inspect()?.running.map((item) => this.#toRunning(item, now))
  }

  #toRunning({ id, offset, since }: FlightRecord['running'][number], at?: Ms): RunningItem {
    return { id, offset, forMs: this.#pauses.elapsed(since, at) }
  }

  #toExitRecord({ outcomes, running, unrecorded }: FlightRecord): ExitRecord {
    return {
      outcomes: outcomes.map(toSettled),
      running: running.map((item) => this.#toRunning(item)),
      unrecorded,
    }
  }

  /** Behind what it was given before. */
  #tell(worker: number, message: ToWorker): void {
    this.#sendChunks(worker)
    this.#handles[worker]!.send(message)
  }

  #sendChunks(worker: number): void {
    const chunks = this.#outgoing[worker]
    if (chunks === undefined) return
    this.#outgoing[worker] = undefined
    try {
      this.#handles[worker]?.send({ type: 'run', chunks })
    } catch (error) {
      if (chunks.length === 1) return this.#unsendable(worker, chunks[0]!, error)
      // Nothing of it has left. One by one, the good ones go.
      for (const chunk of chunks) {
        this.#outgoing[worker] = [chunk]
        this.#sendChunks(worker)
      }
    }
  }

  #unsendable(worker: number, chunk: ChunkMessage, error: unknown): void {
    this.#post({ type: 'unsendable', worker, id: chunk.id, failures: uncloneable(chunk, error) })
  }
}

function toSettled(outcome: RecordedOutcome): ResultsMessage {
  const { id, offset } = outcome
  const failures = 'failure' in outcome ? [{ offset, failure: outcome.failure }] : []
  const results: Results =
    'text' in outcome
      ? { kind: 'json', bytes: Buffer.from(`${outcome.text}\n`) }
      : 'value' in outcome
        ? { kind: 'values', values: [outcome.value] }
        : { kind: 'values', values: [undefined] }
  return { id, from: offset, count: 1, results, failures, busyMs: 0 }
}

/** Which values of a chunk made its message impossible; never none, or the chunk would be tried for ever. */
function uncloneable(
  { payload, count }: ChunkMessage,
  thrown: unknown,
): { offset: number; failure: Failure }[] {
  const values = payload.kind === 'values' ? payload.values : []
  const found = values.flatMap((value, offset) => {
    const culprit = findUncloneable(value)
    return culprit === undefined
      ? []
      : [{ offset, failure: { kind: 'encoding', side: 'argument', ...culprit } as const }]
  })
  if (found.length > 0) return found
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const failure = { kind: 'encoding', side: 'argument', path: '', message, preview: '' } as const
  return Array.from({ length: count }, (_, offset) => ({ offset, failure }))
}
