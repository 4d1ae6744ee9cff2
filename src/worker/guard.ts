// Between the job and its process. Owns the channel, and replaces the functions that end the process, so that what has
// settled is sent first.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { constants } from 'node:os'
import { inspect } from 'node:util'
import { stackAbove } from '../errors/capture/stack-above.js'
import { toErrorData } from '../errors/capture/to-error-data.js'
import {
  FROM_PARENT_FD,
  FrameReader,
  frameOfText,
  framesOf,
  TO_PARENT_FD,
  UNREADABLE,
} from '../ipc/frames.js'
import { GROUP_SIGNALS } from '../ipc/group-signals.js'
import { packFromWorker, unpackToWorker } from '../ipc/pack.js'
import type { OutgoingMessage, ToWorker } from '../ipc/protocol.js'
import { readFrames } from '../ipc/read-frames.js'
import { textFromWorker } from '../ipc/text-messages.js'
import type { WorkerChannel } from './session.js'

/** Why the process exits unplanned. */
type ExitReason = { readonly escaped: unknown } | { readonly exitSite: string }

/** Between two attempts to write to a full channel that the job has made non-blocking. */
const RETRY_MS = 1

// Taken before the job is loaded: it may replace any of these.
const { writeSync, writevSync } = fs
const { wait } = Atomics

export class Guard implements WorkerChannel {
  readonly copiesBytes = true
  // Taken before the job is loaded, too.
  readonly #pid = process.pid
  readonly #exit = process.exit
  readonly #abort = process.abort
  readonly #kill = process.kill
  readonly #on = process.on
  readonly #off = process.off
  readonly #listenerCount = process.listenerCount
  readonly #write = process.stdout.write
  readonly #streams = [process.stdout, process.stderr] as const
  #token = ''
  #tokenBytes: Uint8Array = new Uint8Array(0)
  #beforeUnplannedExit: () => void = () => {}
  #isExiting = false
  #hasWarned = false
  #handlesSigterm = false
  readonly #ignore = () => {}
  readonly #ignored = new Set<string | symbol>(GROUP_SIGNALS)

  constructor() {
    this.#ignoreGroupSignals()
    makeBlocking(...this.#streams)
    this.#guardExits()
    this.#guardChannel()
    this.#guardDescriptors()
    process.on('uncaughtException', (thrown) => this.#onEscaped('uncaughtException', thrown))
    process.on('unhandledRejection', (thrown) => this.#onEscaped('unhandledRejection', thrown))
  }

  onMessage(listener: (message: ToWorker) => void): void {
    const frames = new FrameReader(undefined, (message) => {
      if (message === UNREADABLE) throw new Error('a message of the parent could not be deserialized')
      listener(unpackToWorker(message))
    })
    const socket = readFrames({ fd: FROM_PARENT_FD }, frames, () =>
      this.#onEscaped('uncaughtException', new Error('the job has read from the channel of its worker')),
    )
    const end = () => this.#onChannelEnd()
    socket.on('end', end).on('error', end).on('close', end)
  }

  authenticate(token: string): void {
    this.#token = token
    this.#tokenBytes = Buffer.from(token, 'hex')
    if (this.#handlesSigterm) this.#sendHandlesSigterm()
  }

  beforeUnplannedExit(callback: () => void): void {
    this.#beforeUnplannedExit = callback
  }

  /**
   * Blocks until the message is in the kernel: no crash of this process can lose it any more.
   * @throws what structured clone throws
   */
  send(message: OutgoingMessage): Promise<void> {
    const token = this.#token
    const text = textFromWorker(token, message)
    const frames =
      text === undefined
        ? framesOf(this.#tokenBytes, { token, ...packFromWorker(message) })
        : [frameOfText(this.#tokenBytes, text)]
    writeAll(TO_PARENT_FD, frames)
    return SENT
  }

  mark(line: string): void {
    for (const fd of [1, 2]) write(fd, line)
  }

  /** Ends this process once its output has been written. */
  async exit(): Promise<void> {
    this.#isExiting = true
    for (const stream of this.#streams)
      await new Promise<void>((resolve) => this.#write.call(stream, '', 'utf8', () => resolve()))
    this.#exit.call(process, 0)
  }

  fail(thrown: Error | undefined): void {
    if (thrown === undefined) this.#kill.call(process, this.#pid, 'SIGKILL')
    else {
      this.#announceExit({ escaped: thrown })
      this.#exitNow(1)
    }
  }

  /** Sends the reason, once, after everything that has settled. */
  #announceExit(reason: ExitReason): void {
    if (this.#isExiting) return
    this.#isExiting = true
    // The parent accepts no message yet. Only what was preloaded has run: it is reported as Node would.
    if (this.#token === '') {
      if ('escaped' in reason) write(2, `${inspect(reason.escaped)}\n`)
      return
    }
    this.#beforeUnplannedExit()
    void this.send({
      type: 'dying',
      ...('escaped' in reason ? { escaped: toErrorData(reason.escaped) } : reason),
    })
  }

  #guardExits(): void {
    const exitByJob = (code?: Parameters<typeof process.exit>[0]): never => {
      this.#announceExit({ exitSite: stackAbove(exitByJob) })
      return this.#exitNow(code)
    }
    const abortByJob = (): never => {
      this.#announceExit({ exitSite: stackAbove(abortByJob) })
      return this.#abort.call(process)
    }
    const disconnectByJob = (): void => {
      this.#announceExit({ exitSite: stackAbove(disconnectByJob) })
      this.#onChannelEnd()
    }
    process.exit = exitByJob
    process.abort = abortByJob
    process.disconnect = disconnectByJob
    process.kill = (target, signal) => {
      // Whether the signal ends this process depends on the job's handlers; sending early is harmless.
      if ((target === 0 || Math.abs(target) === this.#pid) && signal !== 0) {
        this.#beforeUnplannedExit()
        this.#stopIgnoring(signal)
      }
      return this.#kill.call(process, target, signal)
    }
  }

  /**
   * A worker ends on its own only once its channel ends. By a listener, because Node resets signals that a process was
   * started with as ignored. The job's own listeners run as well. The parent learns whether there is one for SIGTERM:
   * others are ended by SIGKILL in its place.
   */
  #ignoreGroupSignals(): void {
    for (const signal of GROUP_SIGNALS) process.on(signal, this.#ignore)
    process.on('newListener', (event, listener) => {
      if (event === 'SIGTERM' && listener !== this.#ignore) this.#setHandlesSigterm(true)
    })
    process.on('removeListener', (event: string | symbol, listener: unknown) => {
      // By `removeAllListeners`.
      if (listener === this.#ignore && this.#ignored.has(event)) this.#on.call(process, event, this.#ignore)
      if (event === 'SIGTERM') this.#setHandlesSigterm(this.#listenerCount.call(process, event) > 1)
    })
  }

  /** The job sends itself a signal: without a listener of its own, that ends this process. */
  #stopIgnoring(signal: string | number = 'SIGTERM'): void {
    const name = GROUP_SIGNALS.find((name) => name === signal || constants.signals[name] === signal)
    if (name === undefined || this.#listenerCount.call(process, name) > 1) return
    this.#ignored.delete(name)
    this.#off.call(process, name, this.#ignore)
  }

  #setHandlesSigterm(handles: boolean): void {
    if (handles === this.#handlesSigterm) return
    this.#handlesSigterm = handles
    if (this.#token !== '') this.#sendHandlesSigterm()
  }

  #sendHandlesSigterm(): void {
    void this.send({ type: 'handles-sigterm', handles: this.#handlesSigterm })
  }

  /** A listener of the job that throws would keep the process alive; the second call does not run listeners. */
  #exitNow(code?: Parameters<typeof process.exit>[0]): never {
    try {
      return code === undefined ? this.#exit.call(process) : this.#exit.call(process, code)
    } catch {
      return code === undefined ? this.#exit.call(process) : this.#exit.call(process, code)
    }
  }

  /** The job sees a process with a parent, as under `child_process.fork`, and cannot reach the parent. */
  #guardChannel(): void {
    const channel = { ref() {}, unref() {} }
    const send = () => this.#dropMessageOfJob()
    for (const [name, value] of Object.entries({ connected: true, channel, send }))
      Object.defineProperty(process, name, { value, writable: true, enumerable: true, configurable: true })
  }

  /**
   * Writing to the channel would damage it. Here it is certain which item does it; the parent notices it later, and then
   * another item may be running.
   */
  #guardDescriptors(): void {
    for (const name of ['write', 'writeSync', 'writev', 'writevSync', 'close', 'closeSync'] as const) {
      const original = fs[name] as (fd: number, ...args: unknown[]) => unknown
      const guarded = (fd: number, ...args: unknown[]): unknown => {
        if (fd !== TO_PARENT_FD && fd !== FROM_PARENT_FD) return original(fd, ...args)
        const descriptor = `descriptor ${fd}, the channel between the worker and poolrun`
        this.#announceExit({ escaped: new Error(`the job called fs.${name} with ${descriptor}`) })
        return this.#exitNow(1)
      }
      // What `util.promisify` reads from it, among others.
      Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original))
      Object.defineProperty(fs, name, {
        value: guarded,
        writable: true,
        enumerable: true,
        configurable: true,
      })
    }
    syncBuiltinESMExports()
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
    this.#announceExit({ escaped: thrown })
    this.#exitNow(1)
  }

  /** The parent has exited, or the job disconnected: no result can be sent any more. */
  #onChannelEnd(): void {
    try {
      // The group: what the job spawned ends, too. On Windows, which has none, the reaper ends the tree.
      if (process.platform !== 'win32') this.#kill.call(process, -this.#pid, 'SIGKILL')
    } finally {
      this.#exit.call(process, 1)
    }
  }
}

const SENT = Promise.resolve()
const NOTHING: readonly Uint8Array[] = []

function write(fd: number, text: string): void {
  try {
    writeSync(fd, text)
  } catch {
    // The job closed it: nobody reads what is written there.
  }
}

/** Blocks, as the descriptor does. Without a parent the message is lost, and this process ends. */
function writeAll(fd: number, buffers: readonly Uint8Array[]): void {
  for (let left = buffers; left.length > 0; )
    try {
      left = unwritten(left, left.length === 1 ? writeSync(fd, left[0]!) : writevSync(fd, left))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
    }
}

/** What is left of the buffers after this many bytes of them. */
function unwritten(buffers: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let written = bytes
  for (let i = 0; i < buffers.length; i++) {
    const buffer = buffers[i]!
    if (written < buffer.length) return [buffer.subarray(written), ...buffers.slice(i + 1)]
    written -= buffer.length
  }
  return NOTHING
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
