// A transport and a clock that a test moves by hand, and a call that keeps what settled.
import type { Clock } from '../../../src/clock.js'
import { ExecutionFault } from '../../../src/executor/execution-fault.js'
import { LocalExecutor, type LocalOptions } from '../../../src/executor/local-executor.js'
import { sharedNow } from '../../../src/ipc/flight-recorder/format.js'
import type { FlightRecord } from '../../../src/ipc/flight-recorder/reader.js'
import type { ChunkMessage, ResultsMessage, ToWorker } from '../../../src/ipc/protocol.js'
import type { Failure, SettledRange, TaskSpec } from '../../../src/model.js'
import type { RetryOptions } from '../../../src/plan.js'
import type { ChunkSource } from '../../../src/source.js'
import type { Transport, TransportEvent, WorkerHandle } from '../../../src/transport/transport.js'

export class ManualClock implements Clock {
  #now = 0
  #timers = new Set<{ at: number; wake: () => void }>()

  now() {
    return this.#now
  }

  wakeAt(at: number, wake: () => void) {
    const timer = { at, wake }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  get hasTimers() {
    return this.#timers.size > 0
  }

  advance(ms: number) {
    this.#now += ms
    for (const timer of [...this.#timers])
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.wake()
  }
}

/** A worker process that does only what the test makes it do. */
export class FakeWorker implements WorkerHandle {
  readonly pid: number
  readonly token = 'token'
  readonly recorder = undefined
  /** What its flight recorder shows; `undefined` without one. */
  recorded: FlightRecord | undefined
  readonly sent: ToWorker[] = []
  readonly kills: string[] = []
  readonly #inbox: (event: TransportEvent) => void
  alive = true

  constructor(
    readonly id: number,
    pid: number,
    inbox: (event: TransportEvent) => void,
    readonly encode: (message: ToWorker) => void,
  ) {
    this.pid = pid
    this.#inbox = inbox
  }

  send(message: ToWorker) {
    this.encode(message)
    // Left out, because the moment of `init` depends on promises.
    if (this.alive && message.type !== 'init') this.sent.push(message)
  }

  kill(signal: NodeJS.Signals) {
    if (this.alive) this.kills.push(signal)
  }

  inspect() {
    return this.recorded
  }

  isRead = true
  readOutput(on: boolean) {
    this.isRead = on
  }

  ref() {}

  get chunks(): ChunkMessage[] {
    return this.sent.flatMap((message) => (message.type === 'run' ? message.chunks : []))
  }

  /** Sends a message to the parent. */
  message(message: Record<string, unknown>) {
    this.#inbox({ type: 'message', message: { token: this.token, ...message } as never })
  }

  /** The job has written to the channel. */
  damageChannel() {
    this.#inbox({ type: 'channel-damaged' })
  }

  ready(exports: Record<string, 'function' | 'other'> = { default: 'function' }) {
    this.message({ type: 'ready', exports })
  }

  /** Settles `count` items of a chunk as their own values. */
  settle(
    chunk: ChunkMessage,
    { from = 0, count = chunk.count - from, failures = [], busyMs = 1 }: Partial<SettleOptions> = {},
  ) {
    const values = chunk.payload.kind === 'values' ? chunk.payload.values.slice(from, from + count) : []
    const range: ResultsMessage = {
      id: chunk.id,
      from,
      count,
      results: { kind: 'values', values },
      failures,
      busyMs,
    }
    this.message({ type: 'settled', ranges: [range] })
  }

  /** Its flight recorder shows this and nothing else. */
  setRecord({ outcomes = [], running = [], begun = new Map(), unrecorded = [] }: Partial<FlightRecord>) {
    this.recorded = { outcomes, running, begun, unrecorded }
  }

  /** The items cost so little that further chunks are prefetched. */
  settleCheap(chunk: ChunkMessage, options: Partial<SettleOptions> = {}) {
    this.settle(chunk, { ...options, busyMs: 0.01 })
  }

  /** The items cost so much that nothing is prefetched behind the next one. */
  settleExpensive(chunk: ChunkMessage, options: Partial<SettleOptions> = {}) {
    this.settle(chunk, { ...options, busyMs: 100 })
  }

  /** Settles everything that it was given. */
  settleAll() {
    for (const chunk of this.chunks) this.settle(chunk)
  }

  /** Answers the last `expire`. */
  answerExpire({ listens = false } = {}) {
    const expire = this.sent.findLast((message) => message.type === 'expire')!
    this.message({ ...expire, type: 'expiring', listens })
  }

  /** There never was a process. */
  failToSpawn(error = new Error('spawn EAGAIN')) {
    this.alive = false
    this.#inbox({ type: 'spawn-failed', error })
  }

  exit(
    exitCode: number | null = null,
    signal: string | null = 'SIGKILL',
    stderrTail: readonly string[] = [],
  ) {
    if (!this.alive) return
    this.alive = false
    this.#inbox({ type: 'exited', exitCode, signal, stderrTail, recorded: this.recorded })
  }
}

interface SettleOptions {
  from: number
  count: number
  busyMs: number
  failures: { offset: number; failure: Failure }[]
}

export function fakeTransport({ encode = () => {} }: { encode?: (message: ToWorker) => void } = {}) {
  const workers: FakeWorker[] = []
  const transport: Transport = {
    spawn(inbox, id) {
      const worker = new FakeWorker(id, 1000 + workers.length, inbox, encode)
      workers.push(worker)
      return worker
    },
  }
  return { transport, workers, latest: (id: number) => workers.findLast((worker) => worker.id === id)! }
}

export const task: TaskSpec = { name: 'default', calling: 'item', reply: 'values' }

/** The numbers 0 … n − 1. */
export function numbers(n: number): ChunkSource & { taken: number; closed: boolean } {
  const source = {
    taken: 0,
    closed: false,
    next({ items }: { items: number }) {
      const count = Math.min(items, n - source.taken)
      if (count <= 0) return undefined
      const seq = source.taken
      source.taken += count
      const values = Array.from({ length: count }, (_, i) => seq + i)
      return { seq, count, payload: { kind: 'values', values } as const }
    },
    close() {
      source.closed = true
    },
    remaining: () => n - source.taken,
  }
  return source
}

export function setUp(options: Partial<LocalOptions> = {}, fake = fakeTransport()) {
  const clock = new ManualClock()
  const executor = new LocalExecutor({
    processes: 2,
    concurrency: 1,
    initTimeoutMs: 60_000,
    killAfterMs: 2_000,
    maxRestarts: 16,
    transport: fake.transport,
    job: Promise.resolve({ url: 'file:///job.mjs', isCompiled: true }),
    initArgs: [],
    markOutput: false,
    emit: () => {},
    clock,
    ...options,
  })
  return { ...fake, clock, executor }
}

interface CallSettings {
  readonly chunkSize?: number
  readonly spec?: TaskSpec
  readonly timeoutMs?: number
  readonly retry?: RetryOptions
  readonly intervalMs?: number
}

/** A time on the clock that workers share. */
export const ago = (ms: number) => sharedNow() - ms

export const sorted = (indexes: readonly number[]) => [...indexes].sort((a, b) => a - b)
export const range = (n: number) => Array.from({ length: n }, (_, i) => i)
/** Lets pending promise callbacks run. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

export async function faultOf(done: Promise<void>): Promise<unknown> {
  try {
    await done
  } catch (error) {
    if (error instanceof ExecutionFault) return error.reason
    throw error
  }
  throw new Error('the call was expected to fail')
}

/** Starts a call and keeps what settled. */
export function start(
  executor: LocalExecutor,
  source: ChunkSource,
  { chunkSize, spec = task, timeoutMs, retry, intervalMs }: CallSettings = {},
) {
  const controller = new AbortController()
  const drain = new AbortController()
  const settled: SettledRange[] = []
  const done = executor.execute({
    task: spec,
    source,
    chunkSize,
    timeoutMs,
    retry,
    intervalMs,
    onSettled: (range) => settled.push(range),
    signal: controller.signal,
    drain: drain.signal,
  })
  done.catch(() => {})
  const failed = () =>
    settled.flatMap(({ chunk, failures }) =>
      failures.map(({ offset, failure }) => ({ index: chunk.seq + offset, failure })),
    )
  const indexes = () =>
    settled.flatMap(({ chunk, from, count }) => Array.from({ length: count }, (_, i) => chunk.seq + from + i))
  return { controller, drain, settled, done, failed, indexes }
}
