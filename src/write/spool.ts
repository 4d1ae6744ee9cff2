// Holds results back until it is certain that they may be written: `map` writes all or nothing. In memory at first,
// then in a temporary file that has no name, so that nothing of it outlives the process. Knows nothing of formats.

import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OutputError } from '../errors/classes.js'
import type { ByteSink } from './output.js'

export interface Spool extends ByteSink {
  /** Everything written, in order. The spool is empty afterwards. */
  drainTo(sink: ByteSink): Promise<void>
  discard(): Promise<void>
}

export interface SpoolOptions {
  /** What may stay in memory. */
  readonly memoryBytes?: number
  readonly directory?: string
}

const MiB = 1024 * 1024
/** Results are copied here: what arrives is often a small part of a large message that it would keep alive. */
const SLAB = MiB
/** Once there is a file, so much is gathered for each write. */
const FILE_WRITE = 4 * MiB
const FILE_READ = 256 * 1024

export function createSpool(options: SpoolOptions = {}): Spool {
  return new FileBackedSpool(options.memoryBytes ?? 64 * MiB, options.directory ?? tmpdir())
}

class FileBackedSpool implements Spool {
  private slabs: Buffer[] = []
  private slab = Buffer.alloc(0)
  private used = 0
  private held = 0
  private file: FileHandle | undefined
  private spilled = false
  private spilling: Promise<void> = Promise.resolve()

  constructor(
    private readonly most: number,
    private readonly directory: string,
  ) {}

  write(bytes: Uint8Array): void | Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.used === this.slab.length) this.addSlab()
      const part = bytes.subarray(at, at + this.slab.length - this.used)
      this.slab.set(part, this.used)
      this.used += part.length
      at += part.length
    }
    this.held += bytes.length
    if (this.held > (this.spilled ? Math.min(FILE_WRITE, this.most) : this.most)) return this.spill()
  }

  async drainTo(sink: ByteSink): Promise<void> {
    try {
      await this.spilling
      if (this.file !== undefined) await this.drainFile(this.file, sink)
      for (const part of this.takeHeld()) await sink.write(part)
    } finally {
      await this.discard()
    }
  }

  async discard(): Promise<void> {
    this.takeHeld()
    await this.spilling.catch(() => {})
    const file = this.file
    this.file = undefined
    await file?.close()
  }

  private addSlab(): void {
    if (this.used > 0) this.slabs.push(this.slab)
    this.slab = Buffer.allocUnsafeSlow(SLAB)
    this.used = 0
  }

  private takeHeld(): Buffer[] {
    const parts = [...this.slabs, this.slab.subarray(0, this.used)]
    this.slabs = []
    this.slab = Buffer.alloc(0)
    this.used = 0
    this.held = 0
    return parts
  }

  /** One after another; a failure stays, for every later write and the drain. */
  private spill(): Promise<void> {
    this.spilled = true
    const parts = this.takeHeld()
    this.spilling = this.spilling.then(async () => {
      try {
        this.file ??= await openNameless(this.directory)
        for (const part of parts) await this.file.appendFile(part)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new OutputError(`cannot hold results in ${this.directory}: ${reason}`, { cause: error })
      }
    })
    // Whoever does not wait for a write hears of it in the drain.
    this.spilling.catch(() => {})
    return this.spilling
  }

  private async drainFile(file: FileHandle, sink: ByteSink): Promise<void> {
    for (let at = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(FILE_READ), 0, FILE_READ, at)
      if (bytesRead === 0) return
      at += bytesRead
      await sink.write(buffer.subarray(0, bytesRead))
    }
  }
}

async function openNameless(directory: string): Promise<FileHandle> {
  const path = join(directory, `poolrun-${randomUUID()}`)
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
  await unlink(path)
  return file
}
