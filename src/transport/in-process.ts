// A worker that is no process: `--processes 0` runs the job in poolrun's own process, where a debugger is attached. Nothing
// can be killed here: a worker that ends is abandoned, and what it left running goes on beside the next one.
import { randomBytes } from 'node:crypto'
import { Readable, Writable } from 'node:stream'
import { clearInterval, setImmediate, setInterval, systemClock } from '../clock.js'
import type { ErrorData } from '../error-data.js'
import { stackAbove } from '../errors/capture/stack-above.js'
import { toErrorData } from '../errors/capture/to-error-data.js'
import { createFlightRecordFile } from '../ipc/flight-recorder/file.js'
import type { OutgoingMessage, ToWorker } from '../ipc/protocol.js'
import type { WorkerStream } from '../model.js'
import type { WorkerChannel, WorkerSession } from '../worker/session.js'
import { createLineSplitter, type LineSplitter } from './line-splitter.js'
import type { Transport, TransportEvent, WorkerHandle } from './transport.js'
import type { WorkerEnv } from './worker-environment.js'

/** Longer than any run: a timer that only keeps the process alive while a caller waits. */
const KEEP_ALIVE_MS = 2 ** 31 - 1

export function createInProcessTransport(env: WorkerEnv = {}): Transport {
  const host = new JobHost(env)
  return { spawn: (onEvent, workerId) => new InProcessWorker(host, onEvent, workerId) }
}

/** What makes the job's process look like a worker's, once: the job keeps what it took from it. */
class JobHost {
  /** The worker that the job's output, exits and escaped errors belong to. */
  worker: InProcessWorker | undefined
  readonly #env: WorkerEnv
  #isInstalled = false

  constructor(env: WorkerEnv) {
    this.#env = env
  }

  enter(worker: InProcessWorker, workerId: number): void {
    this.worker = worker
    for (const [name, value] of Object.entries({ ...this.#env, POOLRUN_WORKER_ID: String(workerId) }))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    if (this.#isInstalled) return
    this.#isInstalled = true
    Reflect.set(Error, 'stackTraceLimit', 50)
    process.setSourceMapsEnabled(true)
    // stdout carries results and nothing else. poolrun itself has taken the streams before.
    for (const stream of ['stdout', 'stderr'] as const) {
      const replaced = new Writable({
        write: (bytes: Buffer, _encoding, done) => {
          this.worker?.print(stream, bytes)
          done()
        },
      })
      Object.defineProperty(process, stream, { configurable: true, get: () => replaced })
    }
    // A job that reads stdin must not consume the items.
    const noInput = Readable.from([])
    Object.defineProperty(process, 'stdin', { configurable: true, get: () => noInput })
    const exitByJob = (code?: Parameters<typeof process.exit>[0]): never => {
      const exitCode = Number(code ?? process.exitCode ?? 0)
      this.worker?.end(exitCode, { exitSite: stackAbove(exitByJob) })
      throw new Error(`the job called process.exit(${code ?? ''}), which ends nothing but its item here`)
    }
    process.exit = exitByJob
    for (const event of ['uncaughtException', 'unhandledRejection'] as const)
      process.on(event, (thrown: unknown) => {
        // The job has a listener of its own, which decides what happens.
        if (process.listenerCount(event) === 1) this.worker?.end(1, { escaped: toErrorData(thrown) })
      })
  }
}

class InProcessWorker implements WorkerHandle {
  readonly pid = process.pid
  readonly token = randomBytes(16).toString('hex')
  readonly recorder: number | undefined
  readonly #workerId: number
  readonly #host: JobHost
  readonly #onEvent: (event: TransportEvent) => void
  readonly #recordFile = createFlightRecordFile()
  readonly #session: Promise<WorkerSession>
  readonly #splitters: Readonly<Record<WorkerStream, LineSplitter>>
  readonly #keepAlive = setInterval(() => {}, KEEP_ALIVE_MS)
  #beforeUnplannedExit: () => void = () => {}
  #hasEnded = false
  #abandon = () => {}

  constructor(host: JobHost, onEvent: (event: TransportEvent) => void, workerId: number) {
    this.#host = host
    this.#onEvent = onEvent
    this.#workerId = workerId
    this.recorder = this.#recordFile?.fd
    const splitter = (stream: WorkerStream) =>
      createLineSplitter(this.token, (lines, index) =>
        this.#onEvent({ type: 'output', stream, lines, ...(index !== undefined && { index }) }),
      )
    this.#splitters = { stdout: splitter('stdout'), stderr: splitter('stderr') }
    // Loaded only here: runs with worker processes do not need it.
    this.#session = import('../worker/session.js').then(({ WorkerSession }) => {
      const session = new WorkerSession(this.#channel(), systemClock)
      this.#abandon = () => session.abandon()
      return session
    })
  }

  // ── the parent's side ────────────────────────────────────────────────────────────────────────────────────────────

  send(message: ToWorker): void {
    void this.#session.then((session) => {
      if (this.#hasEnded) return
      if (message.type === 'init') this.#host.enter(this, this.#workerId)
      void session.handle(message)
    })
  }

  inspect() {
    return this.#hasEnded ? undefined : this.#recordFile?.read()
  }

  kill(signal: NodeJS.Signals): void {
    if (signal === 'SIGKILL') this.#finish(null, signal)
  }

  /** The job's output is taken as it is printed: this process cannot wait for itself. */
  readOutput(): void {}

  ref(on: boolean): void {
    if (on) this.#keepAlive.ref()
    else this.#keepAlive.unref()
  }

  // ── the worker's side ────────────────────────────────────────────────────────────────────────────────────────────

  #channel(): WorkerChannel {
    return {
      copiesBytes: false,
      authenticate() {},
      send: (message) => this.#emit(message),
      mark: (line) => {
        for (const splitter of Object.values(this.#splitters)) splitter.push(Buffer.from(line))
      },
      beforeUnplannedExit: (callback) => {
        this.#beforeUnplannedExit = callback
      },
      exit: async () => this.#finish(0, null),
    }
  }

  print(stream: WorkerStream, bytes: Uint8Array): void {
    this.#splitters[stream].push(bytes)
  }

  /** The job has ended its process, as far as it can: its item is lost, and another worker goes on. */
  end(exitCode: number, reason: Omit<Extract<OutgoingMessage, { type: 'dying' }>, 'type'>): void {
    if (this.#hasEnded) return this.#warnOfLateEnd(reason)
    this.#beforeUnplannedExit()
    void this.#emit({ type: 'dying', ...reason })
    this.#finish(exitCode, null)
  }

  /** What an abandoned item left running. No item can be blamed for it any more. */
  #warnOfLateEnd({ escaped }: { readonly escaped?: ErrorData }): void {
    const what = escaped?.type === 'error' ? `threw ${escaped.name}: ${escaped.message}` : 'ended'
    const message = `what an item of the job left running ${what}`
    this.#onEvent({ type: 'message', message: { token: this.token, type: 'warning', message } })
  }

  #emit(message: OutgoingMessage): Promise<void> {
    if (!this.#hasEnded) this.#onEvent({ type: 'message', message: { token: this.token, ...message } })
    return Promise.resolve()
  }

  #finish(exitCode: number | null, signal: string | null): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const recorded = this.#recordFile?.read()
    // Nothing is written to the file after this: its descriptor may soon be another file's.
    this.#abandon()
    this.#recordFile?.close()
    clearInterval(this.#keepAlive)
    for (const splitter of Object.values(this.#splitters)) splitter.end()
    setImmediate(this.#onEvent, { type: 'exited', exitCode, signal, stderrTail: [], recorded })
  }
}
