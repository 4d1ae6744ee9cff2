// A file that is there whole or not at all: written beside its target and renamed over it. What is no regular file (a
// device, a pipe) is written as it is. Knows nothing of what is written.
import { randomUUID } from 'node:crypto'
import { createWriteStream, unlinkSync } from 'node:fs'
import { chmod, open, realpath, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { OutputError } from '../errors/classes.js'

export interface AtomicFile {
  readonly stream: Writable
  /** Everything written is at the target. @throws OutputError */
  commit(): Promise<void>
  /** As if it had never been opened. */
  discard(): Promise<void>
}

/** Links of the kernel's own, where replacing what they lead to would surprise: `/dev/stdout` may be a file. */
const SPECIAL = /^\/(dev|proc)\//

/** `what` it is, for messages: `the output`. @throws OutputError where it certainly cannot be written */
export async function createAtomicFile(path: string, what: string): Promise<AtomicFile> {
  try {
    const full = resolve(path)
    const target = SPECIAL.test(full) ? full : await realpath(full).catch(() => full)
    const before = await stat(target).catch(() => undefined)
    if (before?.isDirectory()) throw new Error('it is a directory')
    const inPlace = SPECIAL.test(target) || (before !== undefined && !before.isFile())
    if (inPlace) return inPlaceFile(target, path, what)
    // An existing file that may not be written is not to be replaced either.
    if (before !== undefined) await (await open(target, 'r+')).close()
    return await besideFile(target, before?.mode, path, what)
  } catch (error) {
    throw cannotWrite(what, path, error)
  }
}

function cannotWrite(what: string, path: string, error: unknown): OutputError {
  if (error instanceof OutputError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const reason = code === undefined ? message : (REASONS[code] ?? message)
  return new OutputError(`cannot write ${what} ${path}: ${reason}`, { cause: error })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is not a folder',
  EACCES: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
}

async function inPlaceFile(target: string, path: string, what: string): Promise<AtomicFile> {
  const handle = await open(target, 'w')
  const stream = handle.createWriteStream()
  const failed = firstError(stream)
  return {
    stream,
    commit: () => ended(stream, failed, path, what),
    async discard() {
      stream.destroy()
    },
  }
}

async function besideFile(
  target: string,
  mode: number | undefined,
  path: string,
  what: string,
): Promise<AtomicFile> {
  const beside = join(dirname(target), `.${basename(target)}.poolrun-${randomUUID().slice(0, 8)}`)
  const stream = createWriteStream(beside, { flags: 'wx' })
  const failed = firstError(stream)
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve())
    void failed.then(reject)
  })
  if (mode !== undefined) await chmod(beside, mode & 0o7777)
  // For an end that nothing is awaited in.
  const removeAtExit = () => {
    try {
      unlinkSync(beside)
    } catch {
      // It is gone already.
    }
  }
  process.on('exit', removeAtExit)
  return {
    stream,
    async commit() {
      await ended(stream, failed, path, what)
      try {
        await rename(beside, target)
      } catch (error) {
        throw cannotWrite(what, path, error)
      }
      process.off('exit', removeAtExit)
    },
    async discard() {
      stream.destroy()
      await unlink(beside).catch(() => {})
      process.off('exit', removeAtExit)
    },
  }
}

function firstError(stream: Writable): Promise<Error> {
  return new Promise((resolve) => stream.on('error', resolve))
}

async function ended(stream: Writable, failed: Promise<Error>, path: string, what: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    void failed.then((error) => reject(cannotWrite(what, path, error)))
    // Told here, too, and it may be sooner than by the event.
    stream.end((error?: Error | null) => (error ? reject(cannotWrite(what, path, error)) : resolve()))
  })
}
