// Between the job and its process. Owns the channel, so that the job's own messages are never taken for the worker's,
// and replaces the functions that end the process, so that what has settled is sent first.
import { writeSync } from 'node:fs'
import { toErrorData } from '../errors/capture/to-error-data.js'
import { type OutgoingMessage, packFromWorker, unpackToWorker } from '../ipc/pack.js'
import type { ToWorker } from '../ipc/protocol.js'
import type { WorkerChannel } from './session.js'

/** Why the process exits unplanned. */
type ExitReason = { readonly escaped: unknown } | { readonly exitSite: string }

/** What Node's own messages go through, too: a forged one would crash the parent. */
interface ProcessInternals {
  _send: (...args: unknown[]) => boolean
}

export class Guard implements WorkerChannel {
  // Taken before the job is loaded: it may replace any of these.
  readonly #pid = process.pid
  readonly #send = process.send!.bind(process)
  readonly #exit = process.exit
  readonly #abort = process.abort
  readonly #kill = process.kill
  readonly #disconnect = process.disconnect!
  #token = ''
  #beforeUnplannedExit: () => void = () => {}
  #isExiting = false
  /** The message that passes through `process._send` now is the worker's. */
  #isOwnMessage = false
  #hasWarned = false
  #lastSent = Promise.resolve()

  constructor() {
    makeBlocking(process.stdout, process.stderr)
    this.#guardExits()
    this.#guardChannel()
    process.on('uncaughtException', (thrown) => this.#onEscaped('uncaughtException', thrown))
    process.on('unhandledRejection', (thrown) => this.#onEscaped('unhandledRejection', thrown))
    process.on('disconnect', () => this.#onDisconnect())
  }

  onMessage(listener: (message: ToWorker) => void): void {
    process.on('message', (message) => listener(unpackToWorker(message)))
  }

  /** From now on messages carry the token; before, the parent accepts none. */
  authenticate(token: string): void {
    this.#token = token
  }

  /** The callback runs before an exit that this process sees coming and the parent did not request. */
  beforeUnplannedExit(callback: () => void): void {
    this.#beforeUnplannedExit = callback
  }

  /**
   * Resolves when the message is in the kernel: no crash of this process can lose it any more.
   * @throws what structured clone throws, synchronously
   */
  send(message: OutgoingMessage): Promise<void> {
    if (!process.connected) return Promise.resolve()
    let resolveSent = () => {}
    const sent = new Promise<void>((resolve) => {
      resolveSent = resolve
    })
    this.#isOwnMessage = true
    try {
      this.#send({ token: this.#token, ...packFromWorker(message) }, undefined, undefined, () =>
        resolveSent(),
      )
    } finally {
      this.#isOwnMessage = false
    }
    this.#lastSent = sent
    return sent
  }

  mark(line: string): void {
    for (const fd of [1, 2])
      try {
        writeSync(fd, line)
      } catch {
        // The job closed it: there is no output to attribute.
      }
  }

  /** Ends this process once its output and its messages have been written. */
  async exit(): Promise<void> {
    this.#isExiting = true
    const written = (stream: NodeJS.WriteStream) =>
      new Promise<void>((resolve) => stream.write('', () => resolve()))
    await Promise.all([written(process.stdout), written(process.stderr), this.#lastSent])
    this.#exit.call(process, 0)
  }

  /** Sends the reason, once, after everything that has settled. */
  #announceExit(reason: ExitReason): Promise<void> {
    if (this.#isExiting) return this.#lastSent
    this.#isExiting = true
    this.#beforeUnplannedExit()
    return this.send({
      type: 'dying',
      ...('escaped' in reason ? { escaped: toErrorData(reason.escaped) } : reason),
    })
  }

  #guardExits(): void {
    const exitByJob = (code?: Parameters<typeof process.exit>[0]): never => {
      void this.#announceExit({ exitSite: stackAbove(exitByJob) })
      return this.#exit.call(process, code)
    }
    const abortByJob = (): never => {
      void this.#announceExit({ exitSite: stackAbove(abortByJob) })
      return this.#abort.call(process)
    }
    const disconnectByJob = (): void => {
      void this.#announceExit({ exitSite: stackAbove(disconnectByJob) })
      return this.#disconnect.call(process)
    }
    process.exit = exitByJob
    process.abort = abortByJob
    process.disconnect = disconnectByJob
    process.kill = (target, signal) => {
      // Whether the signal ends this process depends on the job's handlers; sending early is harmless.
      if (Math.abs(target) === this.#pid && signal !== 0) this.#beforeUnplannedExit()
      return this.#kill.call(process, target, signal)
    }
  }

  #guardChannel(): void {
    const internals = process as unknown as ProcessInternals
    const sendInternal = internals._send
    const drop = () => this.#dropMessageOfJob()
    internals._send = (...args) => (this.#isOwnMessage ? sendInternal.apply(process, args) : drop())
    process.send = drop
  }

  #dropMessageOfJob(): true {
    const message = `worker ${this.#pid}: the job called process.send(); the message was dropped`
    if (!this.#hasWarned) void this.send({ type: 'warning', message })
    this.#hasWarned = true
    return true
  }

  #onEscaped(event: 'uncaughtException' | 'unhandledRejection', thrown: unknown): void {
    // The job has a listener of its own, which decides what happens. Node calls both.
    if (process.listenerCount(event) > 1) return
    void this.#announceExit({ escaped: thrown }).then(() => this.#exit.call(process, 1))
  }

  /** The parent has exited, or the job disconnected: no result can be sent any more. */
  #onDisconnect(): void {
    try {
      // The group: what the job spawned ends, too.
      this.#kill.call(process, -this.#pid, 'SIGKILL')
    } finally {
      this.#exit.call(process, 1)
    }
  }
}

/** The call stack without `caller` and what it calls. */
function stackAbove(caller: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, caller)
  return String(holder.stack).split('\n').slice(1).join('\n')
}

/**
 * With blocking writes, what a job prints stays in order with what is written past Node's streams, and is not lost in a
 * crash.
 */
function makeBlocking(...streams: NodeJS.WriteStream[]): void {
  for (const stream of streams) {
    const { _handle } = stream as unknown as { _handle?: { setBlocking?(on: boolean): void } }
    _handle?.setBlocking?.(true)
  }
}
