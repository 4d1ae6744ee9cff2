// Bytes out of the process: through a stream, in few and large writes, with backpressure, every failure told.
// Knows nothing of results or formats. The stream itself is the caller's: it is never ended here.
import type { Writable } from 'node:stream'
import { OutputError } from '../errors/classes.js'
import { BrokenPipeError } from './broken-pipe.js'

/** Whatever takes bytes in order. They must not change afterwards. */
export interface ByteSink {
  /** A promise where the next write should wait; rejects with `OutputError` or `BrokenPipeError`. */
  write(bytes: Uint8Array): void | Promise<void>
}

export interface Output extends ByteSink {
  /** Resolves when all bytes have left the process. Rejects as `write`; at once where the reader is gone. */
  end(): Promise<void>
  /** The failure, as soon as it is known; a run that is idle learns here that its reader left. */
  readonly failed: Promise<OutputError | BrokenPipeError>
}

/** Enough to hide the latency of a reader that keeps up; beyond it the run waits for the reader. */
const MOST_PENDING = 256 * 1024
/** A write this large goes out at once, smaller ones of one turn of the event loop together. */
const LARGE = 64 * 1024
/** On average; smaller parts are worth a copy, for each write is a system call. */
const SMALL = 16 * 1024

export function createOutput(stream: Writable): Output {
  return new StreamOutput(stream)
}

class StreamOutput implements Output {
  readonly failed: Promise<OutputError | BrokenPipeError>
  private gathering: Uint8Array[] = []
  private gathered = 0
  private scheduled: NodeJS.Immediate | undefined
  /** Handed to the stream, not yet gone. */
  private inFlight = 0
  private failure: OutputError | BrokenPipeError | undefined
  private waiting: { readonly most: number; resolve(): void; reject(error: Error): void }[] = []
  private tell!: (error: OutputError | BrokenPipeError) => void

  constructor(private readonly stream: Writable) {
    this.failed = new Promise((resolve) => {
      this.tell = resolve
    })
    // Files and terminals are written synchronously, and still tell their errors by event.
    stream.on('error', (error: unknown) => this.fail(error))
    stream.on('close', () => this.fail(new Error('the stream was closed')))
  }

  write(bytes: Uint8Array): void | Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    if (bytes.length === 0) return
    this.gathering.push(bytes)
    this.gathered += bytes.length
    if (this.gathered >= LARGE) this.flush()
    else this.scheduled ??= setImmediate(() => this.flush())
    if (this.inFlight > MOST_PENDING) return this.until(MOST_PENDING)
  }

  end(): Promise<void> {
    this.flush()
    return this.until(0)
  }

  private flush(): void {
    clearImmediate(this.scheduled)
    this.scheduled = undefined
    const parts = this.gathering
    const size = this.gathered
    if (size === 0 || this.failure !== undefined) return
    this.gathering = []
    this.gathered = 0
    this.inFlight += size
    // Copied together only where they are small: what a worker sends is mostly large enough for a write of its own.
    const apart = parts.length === 1 || size / parts.length >= SMALL
    for (const part of apart ? parts : [Buffer.concat(parts, size)])
      this.stream.write(part, (error) => {
        if (error === null || error === undefined) this.gone(part.length)
        else this.fail(error)
      })
  }

  private gone(size: number): void {
    this.inFlight -= size
    const ready = this.waiting.filter((wait) => wait.most >= this.inFlight)
    if (ready.length === 0) return
    this.waiting = this.waiting.filter((wait) => wait.most < this.inFlight)
    for (const wait of ready) wait.resolve()
  }

  private until(most: number): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    if (this.inFlight <= most) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.waiting.push({ most, resolve, reject })
    })
  }

  private fail(error: unknown): void {
    if (this.failure !== undefined) return
    const failure = typed(error)
    this.failure = failure
    this.gathering = []
    this.gathered = 0
    this.tell(failure)
    for (const wait of this.waiting.splice(0)) wait.reject(failure)
  }
}

function typed(error: unknown): OutputError | BrokenPipeError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'EPIPE' || code === 'ECONNRESET') return new BrokenPipeError(error)
  const reason = error instanceof Error ? error.message : String(error)
  return new OutputError(`cannot write the output: ${reason}`, { cause: error })
}
