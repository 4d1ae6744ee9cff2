// Writes bytes to a stream in few and large writes, with backpressure, and reports every error. The stream belongs to
// the caller and is never ended here.
import type { Writable } from 'node:stream'
import { OutputError } from '../errors/classes.js'
import { BrokenPipeError } from './broken-pipe.js'
import { whyNotWritten } from './cannot-write.js'

/** Takes bytes in order. The caller must not change them afterwards. */
export interface ByteSink {
  /** Returns a promise if the next write should wait for it; rejects with `OutputError` or `BrokenPipeError`. */
  write(bytes: Uint8Array): void | Promise<void>
}

export interface Output extends ByteSink {
  /** Resolves when all bytes have left the process. Rejects as `write` does, without waiting if that is known. */
  end(): Promise<void>
  /** Bytes that have left the process. */
  readonly written: number
  /** Resolves with the error as soon as it is known, so that an idle run learns that its reader has gone away. */
  readonly failed: Promise<OutputError | BrokenPipeError>
}

const KiB = 1024
/** Enough to hide the latency of a reader that keeps up. Beyond it, `write` waits for the reader. */
const MAX_IN_FLIGHT_BYTES = 256 * KiB
/** With this much buffered it is written immediately, with less at the end of the event loop's turn. */
const FLUSH_AT_BYTES = 64 * KiB
/** Parts that are smaller on average are copied into one: each write is a system call, which costs more. */
const COPY_BELOW_BYTES = 16 * KiB

interface Waiter {
  /** Resolve once no more than this is in flight. */
  readonly maxBytes: number
  resolve(): void
  reject(error: Error): void
}

/** `path` is named in errors; `undefined` for stdout. */
export function createOutput(stream: Writable, path?: string): Output {
  return new StreamOutput(stream, path)
}

class StreamOutput implements Output {
  readonly failed: Promise<OutputError | BrokenPipeError>
  readonly #stream: Writable
  readonly #path: string | undefined
  #buffered: Uint8Array[] = []
  #bufferedBytes = 0
  #scheduled: NodeJS.Immediate | undefined
  #written = 0
  /** Passed to the stream and not yet written. */
  #bytesInFlight = 0
  #waiters: Waiter[] = []
  #error: OutputError | BrokenPipeError | undefined
  #resolveFailed!: (error: OutputError | BrokenPipeError) => void

  constructor(stream: Writable, path: string | undefined) {
    this.#stream = stream
    this.#path = path
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve
    })
    // Files and terminals are written synchronously, but their errors are emitted as well.
    stream.on('error', (error: unknown) => this.#fail(error))
    stream.on('close', () => this.#fail(new Error('the stream was closed')))
  }

  write(bytes: Uint8Array): void | Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (bytes.length === 0) return
    this.#buffered.push(bytes)
    this.#bufferedBytes += bytes.length
    if (this.#bufferedBytes >= FLUSH_AT_BYTES) this.#flush()
    else this.#scheduled ??= setImmediate(() => this.#flush())
    if (this.#bytesInFlight > MAX_IN_FLIGHT_BYTES) return this.#untilInFlight(MAX_IN_FLIGHT_BYTES)
  }

  get written(): number {
    return this.#written
  }

  end(): Promise<void> {
    this.#flush()
    return this.#untilInFlight(0)
  }

  #flush(): void {
    clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    const parts = this.#buffered
    const size = this.#bufferedBytes
    if (size === 0 || this.#error !== undefined) return
    this.#buffered = []
    this.#bufferedBytes = 0
    this.#bytesInFlight += size
    // Results from a worker are mostly large enough for a write of their own.
    const separate = parts.length === 1 || size / parts.length >= COPY_BELOW_BYTES
    for (const part of separate ? parts : [Buffer.concat(parts, size)])
      this.#stream.write(part, (error) => {
        if (error === null || error === undefined) this.#wrote(part.length)
        else this.#fail(error)
      })
  }

  #wrote(size: number): void {
    this.#written += size
    this.#bytesInFlight -= size
    const ready = this.#waiters.filter(({ maxBytes }) => maxBytes >= this.#bytesInFlight)
    if (ready.length === 0) return
    this.#waiters = this.#waiters.filter(({ maxBytes }) => maxBytes < this.#bytesInFlight)
    for (const waiter of ready) waiter.resolve()
  }

  #untilInFlight(maxBytes: number): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#bytesInFlight <= maxBytes) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ maxBytes, resolve, reject })
    })
  }

  #fail(reason: unknown): void {
    if (this.#error !== undefined) return
    const error = toOutputError(reason, this.#path)
    this.#error = error
    this.#buffered = []
    this.#bufferedBytes = 0
    this.#resolveFailed(error)
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
  }
}

function toOutputError(error: unknown, path: string | undefined): OutputError | BrokenPipeError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'EPIPE' || code === 'ECONNRESET') return new BrokenPipeError(error)
  const file = path === undefined ? '' : ` ${path}`
  return new OutputError(`cannot write the output${file}: ${whyNotWritten(error)}`, { cause: error })
}
