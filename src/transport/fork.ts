// Worker processes and their channels. The only file that starts one. Node's own channel (`child_process.fork`) is not
// used: what a job writes to its descriptor would throw in this process where nothing can catch it.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { clearTimeout, setImmediate, setTimeout } from '../clock.js'
import { createFlightRecordFile, type FlightRecordFile } from '../ipc/flight-recorder/file.js'
import {
  FROM_PARENT_FD,
  FrameReader,
  frameOfText,
  framesOf,
  TO_PARENT_FD,
  UNREADABLE,
} from '../ipc/frames.js'
import { packToWorker, unpackFromWorker } from '../ipc/pack.js'
import { type FromWorker, isFromWorker, type ToWorker } from '../ipc/protocol.js'
import { readFrames } from '../ipc/read-frames.js'
import { textToWorker } from '../ipc/text-messages.js'
import { WriteBuffers } from '../ipc/write-buffers.js'
import type { WorkerStream } from '../model.js'
import { killGroupOf, killTree } from './kill-tree.js'
import { createLineSplitter, type LineSplitter, lastLines } from './line-splitter.js'
import { reaper } from './reaper.js'
import type { Transport, TransportEvent, WorkerHandle } from './transport.js'
import { type WorkerEnv, workerEnvironment } from './worker-environment.js'

/**
 * How long to wait for the end of stdout and stderr after the process has exited. The worker's own output is there by
 * then; a process that the job spawned may keep the pipes open for as long as it runs.
 */
const OUTPUT_GRACE_MS = 100
const STDERR_TAIL_LINES = 10
/** Of a worker that has sent nothing yet: Node writes its error first, and a stack after it. */
const START_STDERR_LINES = 40
/** The first descriptor after stdin, stdout and stderr. */
const RECORDER_FD = 3
/** V8's reason for an abort. It is kept in the tail, from which the native stack after it would displace it. */
const V8_FATAL_ERROR = /^FATAL ERROR: [^\n]*/gm

export interface ForkOptions {
  /** Path of the workers' entry, bin/worker.cjs. */
  readonly entry: string
  /** Added to this process's environment. */
  readonly env?: WorkerEnv | undefined
  /** Node options of the workers. None are inherited, so that a parent's `--inspect` or loader stays its own. */
  readonly execArgv?: readonly string[] | undefined
  /** Pass on a message only after all output that was written before it was sent. */
  readonly outputFirst?: boolean | undefined
}

export function createForkTransport({
  entry,
  env,
  execArgv = [],
  outputFirst = false,
}: ForkOptions): Transport {
  const buffers = new WriteBuffers()
  return {
    spawn(onEvent, workerId) {
      const token = randomBytes(16).toString('hex')
      const recordFile = createFlightRecordFile()
      let child: ChildProcess
      try {
        child = spawn(process.execPath, [...execArgv, entry], {
          // A job that reads stdin must not consume the items, and what it prints must not reach our stdout.
          // The channel is not descriptor 3, because scripts that write to 3, as is common in shells, would break it.
          stdio: ['ignore', 'pipe', 'pipe', recordFile?.fd ?? 'ignore', 'pipe', 'pipe'],
          // A process group of its own: Ctrl-C in the terminal reaches only the parent, and killing the group also
          // kills what the job spawned.
          detached: true,
          windowsHide: true,
          env: workerEnvironment(process.env, env, workerId),
        })
      } catch (error) {
        recordFile?.close()
        setImmediate(onEvent, { type: 'spawn-failed', error: error as Error })
        return noWorker(token)
      }
      return new ForkedWorker(child, token, recordFile, buffers, outputFirst ? afterOutput(onEvent) : onEvent)
    },
    close: () => reaper.rest(),
  }
}

class ForkedWorker implements WorkerHandle {
  readonly pid: number
  readonly token: string
  readonly recorder: number | undefined
  readonly #tokenBytes: Uint8Array
  readonly #child: ChildProcess
  readonly #fromWorker: Socket | undefined
  readonly #toWorker: Socket | undefined
  readonly #frames: FrameReader
  readonly #recordFile: FlightRecordFile | undefined
  readonly #buffers: WriteBuffers
  /** For the message that is being sent. */
  #copies: Uint8Array[] = []
  readonly #copy = (bytes: Uint8Array): Uint8Array => {
    const copy = this.#buffers.copyOf(bytes)
    this.#copies.push(copy)
    return copy
  }
  readonly #onEvent: (event: TransportEvent) => void
  readonly #outputs: readonly OutputReader[]
  readonly #stderrTail: string[] = []
  #fatalError: string | undefined
  #hasSent = false
  #handlesSigterm = false
  #isChannelDamaged = false
  #warnedOfForeignMessage = false
  /** stdout, stderr and the channel. */
  #openStreams = 3
  #exit: { readonly exitCode: number | null; readonly signal: string | null } | undefined
  #outputTimer: NodeJS.Timeout | undefined
  /** The last event was emitted. */
  #finished = false

  constructor(
    child: ChildProcess,
    token: string,
    recordFile: FlightRecordFile | undefined,
    buffers: WriteBuffers,
    onEvent: (event: TransportEvent) => void,
  ) {
    this.pid = child.pid ?? 0
    this.token = token
    this.#tokenBytes = Buffer.from(token, 'hex')
    this.recorder = recordFile && RECORDER_FD
    this.#child = child
    this.#recordFile = recordFile
    this.#buffers = buffers
    this.#onEvent = onEvent
    if (this.pid !== 0) reaper.watch(this.pid)
    this.#frames = new FrameReader(token, (message) => this.#onMessage(message))
    // There are none if there were no descriptors left for them.
    const pipes: readonly unknown[] = child.stdio ?? []
    this.#fromWorker = this.#socketOf(pipes[TO_PARENT_FD] as Socket | undefined)
    this.#toWorker = pipes[FROM_PARENT_FD] as Socket | undefined
    this.#readChannel()
    this.#outputs = [this.#readOutput('stdout', child.stdout), this.#readOutput('stderr', child.stderr)]
    child.on('exit', (exitCode, signal) => this.#onExit(exitCode, signal))
    child.on('error', (error) => this.#onError(error))
  }

  send(message: ToWorker): void {
    const to = this.#toWorker
    if (to?.writable !== true) return
    const text = textToWorker(message)
    // Copied, because it may be written later.
    if (text !== undefined) return void to.write(Buffer.from(frameOfText(this.#tokenBytes, text)))
    this.#copies = []
    const packed = packToWorker(message, undefined, this.#copy)
    const frames = framesOf(this.#tokenBytes, packed)
    const last = frames.length - 1
    if (last === 0) return void to.write(frames[0]!)
    const copies = this.#copies
    // One system call writes them all.
    to.cork()
    for (let i = 0; i < last; i++) to.write(frames[i]!)
    to.write(frames[last]!, (error) => {
      if (!error) for (const copy of copies) this.#buffers.release(copy)
    })
    to.uncork()
  }

  inspect() {
    return this.#finished ? undefined : this.#recordFile?.read()
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#exit !== undefined) return
    // A worker ignores SIGTERM, which others may send to the group as well.
    const isIgnored = signal === 'SIGTERM' && this.#hasSent && !this.#handlesSigterm
    killTree(this.pid, isIgnored ? 'SIGKILL' : signal)
  }

  readOutput(on: boolean): void {
    if (this.#exit === undefined) for (const output of this.#outputs) output.read(on)
  }

  ref(on: boolean): void {
    const { stdout, stderr } = this.#child
    const handles = [this.#child, this.#fromWorker, this.#toWorker, stdout, stderr] as ({
      ref?(): void
      unref?(): void
    } | null)[]
    for (const handle of handles) on ? handle?.ref?.() : handle?.unref?.()
  }

  /**
   * Node offers no way to choose where a pipe to a process is read to, except to take its handle before anything has
   * arrived. It is not documented: without one, the pipe is read as a stream, which copies more.
   */
  #socketOf(pipe: (Socket & { _handle?: object | null }) | undefined): Socket | undefined {
    const handle = pipe?._handle
    if (pipe === undefined || handle == null)
      return pipe?.on('data', (bytes) => {
        if (!this.#frames.push(bytes)) this.#onChannelDamaged()
      })
    pipe._handle = null
    return readFrames({ handle }, this.#frames, () => this.#onChannelDamaged())
  }

  #readChannel(): void {
    const from = this.#fromWorker
    let isOpen = true
    const end = () => {
      if (isOpen) this.#onChannelEnd()
      isOpen = false
    }
    from?.on('end', end).on('error', end).on('close', end)
    // Nothing is ever sent this way: whatever arrives was written by the job.
    this.#toWorker?.on('data', () => this.#onChannelDamaged()).on('error', () => {})
    if (from === undefined) end()
  }

  /** Something else than the worker has written to the channel: what follows cannot be told from it. */
  #onChannelDamaged(): void {
    if (this.#isChannelDamaged) return
    this.#isChannelDamaged = true
    this.#onEvent({ type: 'channel-damaged' })
    killTree(this.pid, 'SIGKILL')
  }

  #onMessage(received: unknown): void {
    if (this.#isChannelDamaged) return
    const isReadable = received !== UNREADABLE
    if (isReadable && !isFromWorker(received, this.token)) return this.#warnOfForeignMessage()
    const message = isReadable ? unpackFromWorker(received as FromWorker) : undefined
    this.#hasSent = true
    if (message?.type === 'handles-sigterm') this.#handlesSigterm = message.handles
    else if (message !== undefined) this.#onEvent({ type: 'message', message })
    // A malformed message: nothing from this worker can be trusted any more. Its items are judged as after any crash.
    else killTree(this.pid, 'SIGKILL')
  }

  /** A message without the token was sent by the job. */
  #warnOfForeignMessage(): void {
    if (this.#warnedOfForeignMessage) return
    this.#warnedOfForeignMessage = true
    const text = `worker ${this.pid}: the job sent a message of its own to the parent; it was ignored`
    this.#onEvent({ type: 'message', message: { token: this.token, type: 'warning', message: text } })
  }

  #readOutput(stream: WorkerStream, readable: Readable | null): OutputReader {
    const onLines = (lines: string, index: number | undefined) => {
      if (stream === 'stderr') this.#keepInTail(lines)
      this.#onEvent({ type: 'output', stream, lines, ...(index !== undefined && { index }) })
    }
    return new OutputReader(readable, this.token, onLines, () => this.#onStreamEnd())
  }

  #keepInTail(lines: string): void {
    for (const [fatalError] of lines.matchAll(V8_FATAL_ERROR)) this.#fatalError = fatalError
    const most = this.#hasSent ? STDERR_TAIL_LINES : START_STDERR_LINES
    this.#stderrTail.push(...lastLines(lines, most))
    if (this.#stderrTail.length > most) this.#stderrTail.splice(0, this.#stderrTail.length - most)
  }

  #onStreamEnd(): void {
    this.#openStreams--
    if (this.#openStreams === 0) this.#finish()
  }

  #onChannelEnd(): void {
    this.#onStreamEnd()
    // If the job closed the channel, the worker still runs but cannot be reached: its items settle by its exit.
    if (this.#exit === undefined) killTree(this.pid, 'SIGKILL')
  }

  #onExit(exitCode: number | null, signal: string | null): void {
    // What it printed last, to which its process group cannot add any more.
    this.readOutput(true)
    this.#exit = { exitCode, signal }
    // Ends what the job spawned.
    killGroupOf(this.pid)
    reaper.forget(this.pid)
    if (this.#openStreams === 0) this.#finish()
    // A timer that is due runs before the event loop reads what has arrived; setImmediate lets the last messages in.
    else this.#outputTimer = setTimeout(() => setImmediate(() => this.#finish()), OUTPUT_GRACE_MS)
  }

  #onError(error: Error): void {
    // Node also emits 'error' for a failed kill or send, and 'exit' follows then. Only a process that never started ends
    // here.
    if (this.#child.pid !== undefined || this.#finished) return
    this.#finished = true
    this.#recordFile?.close()
    this.#onEvent({ type: 'spawn-failed', error })
  }

  #finish(): void {
    if (this.#finished || this.#exit === undefined) return
    this.#finished = true
    clearTimeout(this.#outputTimer)
    for (const output of this.#outputs) output.destroy()
    const recorded = this.#recordFile?.read()
    this.#recordFile?.close()
    const stderrTail = this.#stderrTail
    if (this.#fatalError !== undefined && !stderrTail.includes(this.#fatalError))
      stderrTail.splice(0, 1, this.#fatalError)
    this.#onEvent({ type: 'exited', ...this.#exit, stderrTail, recorded })
  }
}

/** One output stream of a worker as lines. `onEnd` is called once, after the last line. */
class OutputReader {
  readonly #readable: Readable | null
  readonly #splitter: LineSplitter
  readonly #onEnd: () => void
  #ended = false

  constructor(
    readable: Readable | null,
    token: string,
    onLines: (lines: string, index: number | undefined) => void,
    onEnd: () => void,
  ) {
    this.#readable = readable
    this.#splitter = createLineSplitter(token, onLines)
    this.#onEnd = onEnd
    const end = () => this.#end()
    readable?.on('data', (bytes: Buffer) => this.#splitter.push(bytes))
    readable?.on('end', end).on('error', end).on('close', end)
  }

  read(on: boolean): void {
    if (on) this.#readable?.resume()
    else this.#readable?.pause()
  }

  destroy(): void {
    this.#end()
    this.#readable?.destroy()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#splitter.end()
    this.#onEnd()
  }
}

/**
 * Delays messages until the output before them was read. A worker writes its output synchronously, so it is in the pipes
 * before the message that follows; one turn of the event loop reads both to their end. What comes after a message waits
 * with it.
 */
function afterOutput(onEvent: (event: TransportEvent) => void): (event: TransportEvent) => void {
  return (event) => {
    if (event.type === 'output') onEvent(event)
    else setImmediate(() => setImmediate(onEvent, event))
  }
}

/** The handle of a worker whose process could not be started. */
function noWorker(token: string): WorkerHandle {
  return {
    pid: 0,
    token,
    recorder: undefined,
    inspect: () => undefined,
    send() {},
    kill() {},
    readOutput() {},
    ref() {},
  }
}
