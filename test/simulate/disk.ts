// A disk with the faults of real ones: short writes, no space left, and the loss of what was not synced when the machine
// or the process that holds it in memory crashes. What a journal is kept on, and what `-o` writes to.
import type { Random } from '../helpers/random.js'

class NoSpaceError extends Error {
  readonly code = 'ENOSPC'
  constructor() {
    super('no space left on device')
  }
}

export class DiskFile {
  readonly #disk: Disk
  #bytes: Uint8Array = new Uint8Array(256)
  #length = 0
  #synced = 0
  #lost = 0

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** All that was written, synced or not. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Up to here, all bytes are those that were written. */
  get intact(): number {
    return this.#length - this.#lost
  }

  /** Returns how many bytes it took: at least one, and often not all. @throws NoSpaceError */
  append(bytes: Uint8Array): number {
    const count = Math.min(this.#disk.most(bytes.length), this.#disk.take(bytes.length))
    this.#put(bytes.subarray(0, count))
    this.#disk.used(count)
    return count
  }

  #put(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(2 * length)
      grown.set(this.bytes)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = length
  }

  sync(): void {
    this.#synced = this.#length
  }

  truncate(length: number): void {
    this.#lost = Math.max(0, this.#lost - Math.max(0, this.#length - length))
    this.#length = Math.min(this.#length, length)
    this.#synced = Math.min(this.#synced, length)
  }

  /** Of what was not synced, some of the first bytes may have reached it, and zeros instead of some others. */
  crash(random: Random): void {
    const kept = random.int(this.#synced, this.#length)
    const zeros = this.#synced > 0 && random.chance(0.3) ? random.int(0, this.#length - kept) : 0
    this.#bytes.fill(0, kept, kept + zeros)
    this.#length = kept + zeros
    if (zeros > 0) this.#lost = zeros
    this.#synced = this.#length
  }

  /** The process is killed while it writes: a part of that is there. */
  tear(bytes: Uint8Array, random: Random): void {
    const part = bytes.subarray(0, random.int(1, bytes.length - 1))
    this.#put(part)
    this.#lost += part.length
    this.#synced = this.#length
  }
}

export class Disk {
  readonly #random: Random
  readonly #files = new Map<string, DiskFile>()
  #room: number

  constructor(random: Random, room: number) {
    this.#random = random
    this.#room = room
  }

  /** Creates it if it is not there. */
  open(name: string): DiskFile {
    const file = this.#files.get(name) ?? new DiskFile(this)
    this.#files.set(name, file)
    return file
  }

  crash(): void {
    for (const file of this.#files.values()) file.crash(this.#random)
  }

  /** From now on, there is room for everything. */
  grow(): void {
    this.#room = Number.POSITIVE_INFINITY
  }

  /** @throws NoSpaceError */
  take(bytes: number): number {
    if (this.#room === 0 && bytes > 0) throw new NoSpaceError()
    return Math.min(bytes, this.#room)
  }

  /** Of this many bytes, how many one write takes. */
  most(bytes: number): number {
    return bytes > 1 && this.#random.chance(0.1) ? this.#random.int(1, bytes - 1) : bytes
  }

  used(bytes: number): void {
    this.#room -= bytes
  }
}
