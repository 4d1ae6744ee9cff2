// What a journal needs of the disk. Another implementation can lose what was not synced, or have no space left.
import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'

export interface JournalDisk {
  readonly size: number
  /** Fills `into` from this position of the journal; returns how many bytes there were. */
  read(position: number, into: Uint8Array): number
  /** Appends all bytes, or throws and leaves the journal as it was. */
  append(bytes: Uint8Array): void
  /** Drops what is behind this position. */
  truncate(size: number): void
  /** Resolves when everything that was appended by now will survive a power cut. */
  sync(): Promise<void>
  syncNow(): void
  /** A value that is too large for a line: in a file of its own. */
  writeValue(name: string, bytes: Uint8Array): void
  readValue(name: string): Buffer
  close(): void
}

/** The folder of large values. */
export function valuesFolder(file: string): string {
  return `${file}.values`
}

/** @throws what the system says */
export function openJournalDisk(file: string, access: 'read' | 'write'): JournalDisk {
  return new FileDisk(file, access)
}

/** A new file survives a power cut only with its entry in the folder. */
function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch {
    // Some file systems, and Windows, do not sync folders.
  }
}

class FileDisk implements JournalDisk {
  readonly #fd: number
  readonly #values: string
  #size: number
  #hasValues = false

  constructor(file: string, access: 'read' | 'write') {
    const flags = access === 'read' ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT
    this.#fd = openSync(file, flags, 0o666)
    this.#size = fstatSync(this.#fd).size
    this.#values = valuesFolder(file)
    if (access === 'write' && this.#size === 0) syncFolder(path.dirname(file))
  }

  get size(): number {
    return this.#size
  }

  read(position: number, into: Uint8Array): number {
    let length = 0
    while (length < into.length) {
      const count = readSync(this.#fd, into, length, into.length - length, position + length)
      if (count === 0) break
      length += count
    }
    return length
  }

  append(bytes: Uint8Array): void {
    let written = 0
    try {
      while (written < bytes.length)
        written += writeSync(this.#fd, bytes, written, bytes.length - written, this.#size + written)
    } catch (error) {
      if (written > 0) this.#tryTruncate()
      throw error
    }
    this.#size += bytes.length
  }

  truncate(size: number): void {
    ftruncateSync(this.#fd, size)
    this.#size = size
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  syncNow(): void {
    fdatasyncSync(this.#fd)
  }

  writeValue(name: string, bytes: Uint8Array): void {
    if (!this.#hasValues) {
      mkdirSync(this.#values, { recursive: true })
      syncFolder(path.dirname(this.#values))
    }
    this.#hasValues = true
    const file = path.join(this.#values, name)
    const fd = openSync(file, 'w', 0o666)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
      // The line that names it may be on the disk before it otherwise.
      fsyncSync(fd)
    } catch (error) {
      // No line names it, and the disk may be full.
      rmSync(file, { force: true })
      throw error
    } finally {
      closeSync(fd)
    }
    syncFolder(this.#values)
  }

  readValue(name: string): Buffer {
    return readFileSync(path.join(this.#values, name))
  }

  close(): void {
    closeSync(this.#fd)
  }

  #tryTruncate(): void {
    try {
      ftruncateSync(this.#fd, this.#size)
    } catch {
      // The torn line is dropped when the journal is read.
    }
  }
}
