// Holds results back until it is certain that they may be written: `map` writes all or nothing. In memory at first,
// then in a nameless temporary file.
import { appendFile, close, read } from 'node:fs'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { OutputError } from '../errors/classes.js'
import { openNamelessFile } from '../nameless-file.js'
import { whyNotWritten } from './cannot-write.js'
import type { ByteSink } from './output.js'

interface Spool extends ByteSink {
  /** Writes everything to `sink`, in order. The spool is empty afterwards. */
  writeTo(sink: ByteSink): Promise<void>
  discard(): Promise<void>
}

interface SpoolOptions {
  /** The most that stays in memory. */
  readonly memoryBytes?: number
  readonly directory?: string
}

const KiB = 1024
const MiB = 1024 * KiB
/** Results are copied into slabs: they are often small slices of large messages, which they would keep in memory. */
const SLAB_BYTES = MiB
/** Once there is a file, results are appended to it in parts of this size. */
const APPEND_BYTES = 4 * MiB
const READ_BYTES = 256 * KiB
const DEFAULT_MEMORY_BYTES = 64 * MiB

const EMPTY = Buffer.alloc(0)

const closeFile = promisify(close)
const readFile = promisify(read)
const appendToFile = promisify(appendFile)

export function createSpool({
  memoryBytes = DEFAULT_MEMORY_BYTES,
  directory = tmpdir(),
}: SpoolOptions = {}): Spool {
  return new FileBackedSpool(memoryBytes, directory)
}

class FileBackedSpool implements Spool {
  readonly #memoryBytes: number
  readonly #directory: string
  #slabs: Buffer[] = []
  /** The slab that is being filled, and how far it is. */
  #slab = EMPTY
  #used = 0
  #bytesInMemory = 0
  #fd: number | undefined
  /** All appends so far; rejects once one failed. `undefined` while everything is in memory. */
  #appends: Promise<void> | undefined

  constructor(memoryBytes: number, directory: string) {
    this.#memoryBytes = memoryBytes
    this.#directory = directory
  }

  write(bytes: Uint8Array): void | Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#used === this.#slab.length) this.#addSlab()
      const part = bytes.subarray(at, at + this.#slab.length - this.#used)
      this.#slab.set(part, this.#used)
      this.#used += part.length
      at += part.length
    }
    this.#bytesInMemory += bytes.length
    const limit = this.#appends === undefined ? this.#memoryBytes : Math.min(APPEND_BYTES, this.#memoryBytes)
    if (this.#bytesInMemory > limit) return this.#append()
  }

  async writeTo(sink: ByteSink): Promise<void> {
    try {
      await this.#appends
      if (this.#fd !== undefined) await writeFileTo(this.#fd, sink)
      for (const part of this.#takeFromMemory()) await sink.write(part)
    } finally {
      await this.discard()
    }
  }

  async discard(): Promise<void> {
    this.#takeFromMemory()
    await this.#appends?.catch(() => {})
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== undefined) await closeFile(fd)
  }

  #addSlab(): void {
    if (this.#used > 0) this.#slabs.push(this.#slab)
    this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    this.#used = 0
  }

  #takeFromMemory(): Buffer[] {
    const parts = [...this.#slabs, this.#slab.subarray(0, this.#used)]
    this.#slabs = []
    this.#slab = EMPTY
    this.#used = 0
    this.#bytesInMemory = 0
    return parts
  }

  /** One append after the other. After an error every later write, and `writeTo`, rejects with it. */
  #append(): Promise<void> {
    const parts = this.#takeFromMemory()
    this.#appends = (this.#appends ?? Promise.resolve()).then(async () => {
      try {
        this.#fd ??= openNamelessFile(this.#directory)
        for (const part of parts) await appendToFile(this.#fd, part)
      } catch (error) {
        const reason = `${whyNotWritten(error)}; TMPDIR can name another folder`
        throw new OutputError(`cannot hold results in ${this.#directory}: ${reason}`, { cause: error })
      }
    })
    // A caller that did not await its write gets the error from `writeTo`.
    this.#appends.catch(() => {})
    return this.#appends
  }
}

async function writeFileTo(fd: number, sink: ByteSink): Promise<void> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await readFile(fd, Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, at)
    if (bytesRead === 0) return
    at += bytesRead
    await sink.write(buffer.subarray(0, bytesRead))
  }
}
