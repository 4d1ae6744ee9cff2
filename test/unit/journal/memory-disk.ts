// A disk in memory, which can be cut off anywhere.
import type { JournalDisk } from '../../../src/journal/disk.js'

export class MemoryDisk implements JournalDisk {
  bytes: Buffer
  readonly values = new Map<string, Buffer>()
  /** More is an error, as on a full disk. */
  limit = Number.POSITIVE_INFINITY

  constructor(bytes: Uint8Array | string = '') {
    this.bytes = Buffer.from(bytes as Uint8Array)
  }

  get size(): number {
    return this.bytes.length
  }

  get text(): string {
    return this.bytes.toString()
  }

  read(position: number, into: Uint8Array): number {
    return this.bytes.copy(into, 0, position, position + into.length)
  }

  append(bytes: Uint8Array): void {
    if (this.size + bytes.length > this.limit) throw new Error('no space left')
    this.bytes = Buffer.concat([this.bytes, bytes])
  }

  truncate(size: number): void {
    this.bytes = this.bytes.subarray(0, size)
  }

  async sync(): Promise<void> {}
  syncNow(): void {}

  writeValue(name: string, bytes: Uint8Array): void {
    this.values.set(name, Buffer.from(bytes))
  }

  readValue(name: string): Buffer {
    return this.values.get(name)!
  }

  close(): void {}
}
