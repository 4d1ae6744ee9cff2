// Where bytes come from: a regular file or a stream, asked block by block. Knows nothing of framings.
// Pipes and terminals are read as streams only: a read(2) that blocks in Node's thread pool cannot be taken back, and the
// process could not exit before the writer's next byte.
import { close, readSync } from 'node:fs'
import type { Readable } from 'node:stream'

export interface ByteReader {
  /** Puts some bytes into the buffer and says how many; waits only while there are none. 0: the end, or closed. */
  read(into: Buffer): Promise<number>
  /** Known to have ended. */
  readonly ended: boolean
  /** Idempotent; a pending `read` comes back with 0. */
  close(): void
}

/** Bytes that are there already. */
export class MemoryReader implements ByteReader {
  constructor(private bytes: Uint8Array) {}

  get ended(): boolean {
    return this.bytes.length === 0
  }

  async read(into: Buffer): Promise<number> {
    const part = this.bytes.subarray(0, into.length)
    into.set(part)
    this.bytes = this.bytes.subarray(part.length)
    return part.length
  }

  close(): void {
    this.bytes = new Uint8Array()
  }
}

/** After so many bytes everything else gets its turn, a signal for one, even where nobody waits for anything else. */
const TURN_BYTES = 1024 * 1024

/**
 * A regular file, from its current position. Fills the buffer, so that the end of a small one is known at once.
 * Reads in this thread: to hand a block to the thread pool and back costs more than the block itself, mostly a copy. So
 * long as a file system lets a read wait, a dead network mount for one, everything waits, signals too.
 */
export class FileReader implements ByteReader {
  ended = false
  private sinceTurn = 0

  constructor(private readonly fd: number) {}

  async read(into: Buffer): Promise<number> {
    if (this.sinceTurn >= TURN_BYTES) {
      await new Promise((resolve) => setImmediate(resolve))
      this.sinceTurn = 0
    }
    let filled = 0
    while (!this.ended && filled < into.length) {
      const count = readSync(this.fd, into, filled, into.length - filled, null)
      if (count === 0) this.close()
      filled += count
    }
    this.sinceTurn += filled
    return filled
  }

  close(): void {
    if (this.ended) return
    this.ended = true
    // Nothing was written: a close that fails has lost nothing.
    if (this.fd > 2) close(this.fd, () => {})
  }
}

/** Anything that streams bytes. Is asked for nothing before the first `read`. */
export class StreamReader implements ByteReader {
  private over = false
  private rest: Buffer | undefined
  private failure: { readonly error: unknown } | undefined
  private wake: (() => void) | undefined
  private listening = false

  constructor(private readonly stream: Readable) {
    // What fails before anyone asked is heard of when someone does.
    stream.on('error', () => {})
  }

  get ended(): boolean {
    // One that broke has not ended: whoever reads on is told.
    return this.over && this.rest === undefined && this.failure === undefined
  }

  async read(into: Buffer): Promise<number> {
    this.listen()
    for (;;) {
      const block: Buffer | null = this.rest ?? (this.over ? null : this.stream.read())
      if (block !== null) {
        const count = block.copy(into)
        this.rest = count < block.length ? block.subarray(count) : undefined
        return count
      }
      if (this.failure !== undefined) throw this.failure.error
      if (this.over) return 0
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  close(): void {
    this.rest = undefined
    this.end()
    this.stream.destroy()
  }

  private listen(): void {
    if (this.listening) return
    this.listening = true
    this.stream.on('readable', () => {
      this.wake?.()
      // Asking an empty stream takes nothing from it, and lets it say that it has ended while nobody waits.
      if (this.stream.readableLength === 0) this.stream.read()
    })
    this.stream.on('end', () => this.end())
    this.stream.on('close', () => this.end())
    this.stream.on('error', (error: unknown) => {
      this.failure = { error }
      this.end()
    })
    const { errored, readableEnded, destroyed } = this.stream
    if (errored !== null && errored !== undefined) this.failure = { error: errored }
    if (readableEnded || destroyed) this.end()
  }

  private end(): void {
    // What the stream still holds was pushed before its end: `end` comes only after it was read.
    this.over = true
    this.wake?.()
  }
}
