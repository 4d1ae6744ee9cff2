// The files of `--results`: what one command prints, unchanged. They are written under other names, so that a file that is
// there is whole.
import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'

/** Larger than what a file system may have kept for the file already. */
const PROBE = Buffer.alloc(8192)

interface ResultFile {
  readonly fd: number
  readonly path: string
  readonly temporary: string
}

export class ResultFiles {
  /** The command writes to it itself. */
  readonly out: ResultFile
  readonly err: ResultFile
  #error: unknown

  constructor(folder: string, index: number) {
    this.out = open(folder, index, 'out')
    try {
      this.err = open(folder, index, 'err')
    } catch (error) {
      drop(this.out)
      throw error
    }
  }

  writeErr(bytes: Buffer): void {
    if (this.#error !== undefined) return
    try {
      for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(writeSync(this.err.fd, rest))
    } catch (error) {
      this.#error = Object.assign(error as Error, { path: this.err.path })
    }
  }

  /** Gives the files their names. Returns why what is in them is not, or may not be, all that the command has printed. */
  keep(): string | undefined {
    try {
      hasSpace(this.out)
    } catch (error) {
      this.#error ??= Object.assign(error as Error, { path: this.out.path })
    }
    for (const file of [this.out, this.err]) {
      closeSync(file.fd)
      try {
        renameSync(file.temporary, file.path)
      } catch (error) {
        rmSync(file.temporary, { force: true })
        this.#error ??= Object.assign(error as Error, { path: file.path })
      }
    }
    if (this.#error === undefined) return undefined
    const { path: file } = this.#error as NodeJS.ErrnoException
    return `its output may be incomplete, ${file} takes no more (${reasonOf(this.#error)})`
  }

  drop(): void {
    drop(this.out)
    drop(this.err)
  }
}

function open(folder: string, index: number, kind: 'out' | 'err'): ResultFile {
  const file = path.join(folder, `${index}.${kind}`)
  const temporary = path.join(folder, `.${index}.${kind}.${process.pid}~`)
  return { fd: openSync(temporary, 'w'), path: file, temporary }
}

function drop({ fd, temporary }: ResultFile): void {
  closeSync(fd)
  rmSync(temporary, { force: true })
}

/** Programs ignore that the disk is full, and end as if nothing had happened. If it still is, this throws. */
function hasSpace({ fd }: ResultFile): void {
  const { size } = fstatSync(fd)
  try {
    writeSync(fd, PROBE, 0, PROBE.length, size)
  } finally {
    ftruncateSync(fd, size)
  }
}

/** `ENOSPC: no space left on device` without what Node was doing. */
function reasonOf(error: unknown): string {
  return (error as Error).message.replace(/, \w+(?: '.*')?$/s, '')
}
