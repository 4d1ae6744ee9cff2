// The stdout of this process, which takes what is written to it as a whole or fails.
import { fstatSync, writeSync } from 'node:fs'
import { Writable } from 'node:stream'

/** Node's own stream for a file ignores that a write was cut off, as on a disk that becomes full, and reports success. */
export function standardOutput(): Writable {
  return isFile(1) ? new FileOutput(1) : process.stdout
}

/** Writes synchronously, as Node's stream does. */
class FileOutput extends Writable {
  readonly #fd: number

  constructor(fd: number) {
    super()
    this.#fd = fd
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error) => void): void {
    try {
      for (let from = 0; from < bytes.length; ) from += writeSync(this.#fd, bytes, from)
    } catch (error) {
      return done(error as Error)
    }
    done()
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile()
  } catch {
    return false
  }
}
