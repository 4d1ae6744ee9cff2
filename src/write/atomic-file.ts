// A file that is replaced completely or not at all: written beside its target, then renamed over it. A target that is
// not a regular file (a device, a pipe) is written in place.
import { randomUUID } from 'node:crypto'
import { createWriteStream, unlinkSync } from 'node:fs'
import { chmod, copyFile, open, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { OutputError } from '../errors/classes.js'
import { openStream } from './open-stream.js'
import { targetOf } from './target.js'

export interface AtomicFile {
  readonly stream: Writable
  /** Puts everything that was written at the target. @throws OutputError */
  commit(): Promise<void>
  /** Leaves the target as it was. */
  discard(): Promise<void>
  /** As `discard`, but what was written, if anything, is kept at `path`. @throws OutputError */
  keepAs(path: string): Promise<void>
}

/** Links made by the kernel are written in place: `/dev/stdout` may lead to a file that others have open. */
const SPECIAL = /^\/(dev|proc)\//

/**
 * `what` names the file in messages: `the output`. Rejects with the reason of `stop` where a pipe has no reader by then.
 * @throws OutputError if it is known that it cannot be written
 */
export async function createAtomicFile(
  path: string,
  what: string,
  stop: AbortSignal = NEVER,
): Promise<AtomicFile> {
  try {
    const full = resolve(path)
    const target = SPECIAL.test(full) ? full : targetOf(full)
    const before = await stat(target).catch(() => undefined)
    if (before?.isDirectory()) throw new Error('it is a directory')
    const inPlace = SPECIAL.test(target) || (before !== undefined && !before.isFile())
    if (inPlace) return await inPlaceFile(target, path, what, stop)
    // A rename would replace even a file that this user may not write.
    if (before !== undefined) await (await open(target, 'r+')).close()
    return await besideFile(target, before?.mode, path, what)
  } catch (error) {
    if (stop.aborted && error === stop.reason) throw error
    throw cannotWrite(what, path, error)
  }
}

const NEVER = new AbortController().signal

export function cannotWrite(what: string, path: string, error: unknown): OutputError {
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

async function inPlaceFile(
  target: string,
  path: string,
  what: string,
  stop: AbortSignal,
): Promise<AtomicFile> {
  const { stream, shared } = (await openStream(target, stop)) ?? {
    stream: (await open(target, 'w')).createWriteStream(),
    shared: false,
  }
  const failed = firstError(stream)
  const discard = async () => {
    if (!shared) stream.destroy()
  }
  return { stream, commit: () => finish(stream, failed, path, what, shared), discard, keepAs: discard }
}

async function besideFile(
  target: string,
  mode: number | undefined,
  path: string,
  what: string,
): Promise<AtomicFile> {
  const temporary = join(dirname(target), `.${basename(target)}.poolrun-${randomUUID().slice(0, 8)}`)
  const stream = createWriteStream(temporary, { flags: 'wx' })
  const failed = firstError(stream)
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve())
    void failed.then(reject)
  })
  if (mode !== undefined) await chmod(temporary, mode & 0o7777)
  // For a process that exits without calling `discard`.
  const removeAtExit = () => {
    try {
      unlinkSync(temporary)
    } catch {
      // Already removed.
    }
  }
  process.on('exit', removeAtExit)
  const discard = async () => {
    stream.destroy()
    await unlink(temporary).catch(() => {})
    process.off('exit', removeAtExit)
  }
  return {
    stream,
    async commit() {
      await finish(stream, failed, path, what)
      try {
        await rename(temporary, target)
      } catch (error) {
        throw cannotWrite(what, path, error)
      }
      process.off('exit', removeAtExit)
    },
    discard,
    async keepAs(partial) {
      // After a write that failed, what is on the disk is kept.
      await finish(stream, failed, path, what).catch(() => {})
      // Results of an earlier run are not replaced by nothing.
      if (stream.bytesWritten === 0) return discard()
      try {
        await move(temporary, partial)
      } catch (error) {
        await discard()
        throw cannotWrite(what, partial, error)
      }
      process.off('exit', removeAtExit)
    },
  }
}

/** Also to another file system, where the target is a link to. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(from, to)
    await unlink(from)
  }
}

function firstError(stream: Writable): Promise<Error> {
  return new Promise((resolve) => stream.on('error', resolve))
}

async function finish(
  stream: Writable,
  failed: Promise<Error>,
  path: string,
  what: string,
  shared = false,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    void failed.then((error) => reject(cannotWrite(what, path, error)))
    // The callback may get the error before the event is emitted.
    const done = (error?: Error | null) => (error ? reject(cannotWrite(what, path, error)) : resolve())
    if (shared) stream.write('', done)
    else stream.end(done)
  })
}
