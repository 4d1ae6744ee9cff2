// A file that is replaced completely or not at all: written beside its target, then renamed over it. Where a rename cannot
// work, the target is overwritten at the end. A target that is not a regular file (a device, a pipe) is written in place.
import { constants, type WriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { cannotWrite, WHY_NOT_WRITTEN } from './cannot-write.js'
import { openStream } from './open-stream.js'
import { openReplacement, type Replacement, type TemporaryFiles } from './replacement.js'
import { isSpecial, targetOf } from './target.js'

export interface AtomicFile {
  readonly stream: Writable
  /** There is a file already, which `commit` replaces. */
  readonly replaces: boolean
  /** Puts everything that was written at the target; where that fails, it is kept and the error names it. @throws OutputError */
  commit(): Promise<void>
  /** Leaves the target as it was. */
  discard(): Promise<void>
  /** As `discard`, but what was written, if anything, is kept at `path`. @throws OutputError */
  keepAs(path: string): Promise<void>
}

/**
 * `what` names the file in messages: `the output`. Rejects with the reason of `stop` where a pipe has no reader by then.
 * @throws OutputError if it is known that it cannot be written
 */
export async function createAtomicFile(
  path: string,
  what: string,
  stop: AbortSignal = NEVER,
  temporaries: TemporaryFiles = LEFT_BEHIND,
): Promise<AtomicFile> {
  try {
    const target = targetOf(resolve(path))
    const before = await statIfExists(target)
    if (before?.isDirectory() || /[/\\]$/.test(path)) throw new Error(WHY_NOT_WRITTEN.EISDIR)
    if (isSpecial(target) || (before !== undefined && !before.isFile()))
      return await inPlaceFile(target, path, what, stop)
    const replacement = await openReplacement(target, before, temporaries)
    return new ReplacedFile(replacement, before !== undefined, path, what)
  } catch (error) {
    if (stop.aborted && error === stop.reason) throw error
    throw cannotWrite(what, path, error)
  }
}

const NEVER = new AbortController().signal
const LEFT_BEHIND: TemporaryFiles = { watch() {}, forget() {} }

async function statIfExists(target: string) {
  try {
    return await stat(target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function inPlaceFile(
  target: string,
  path: string,
  what: string,
  stop: AbortSignal,
): Promise<AtomicFile> {
  const { stream, shared } = (await openStream(target, stop)) ?? {
    // Not O_CREAT: in a sticky folder the system may refuse it for what belongs to somebody else.
    stream: (await open(target, constants.O_WRONLY | constants.O_TRUNC)).createWriteStream(),
    shared: false,
  }
  const failed = firstError(stream)
  const discard = async () => {
    if (!shared) stream.destroy()
  }
  return {
    stream,
    replaces: false,
    commit: () => finish(stream, failed, path, what, shared),
    discard,
    keepAs: discard,
  }
}

class ReplacedFile implements AtomicFile {
  readonly stream: WriteStream
  readonly replaces: boolean
  readonly #replacement: Replacement
  readonly #path: string
  readonly #what: string
  readonly #failed: Promise<Error>
  /** What was written is where it belongs, or where an error says. */
  #isKept = false

  constructor(replacement: Replacement, replaces: boolean, path: string, what: string) {
    this.stream = replacement.stream
    this.replaces = replaces
    this.#replacement = replacement
    this.#path = path
    this.#what = what
    this.#failed = firstError(this.stream)
  }

  async commit(): Promise<void> {
    await finish(this.stream, this.#failed, this.#path, this.#what)
    await this.#keep(this.#path, () => this.#replacement.publish(), 'the finished file')
  }

  async discard(): Promise<void> {
    this.stream.destroy()
    if (!this.#isKept) await this.#replacement.remove()
  }

  async keepAs(partial: string): Promise<void> {
    // After a write that failed, what is on the disk is kept.
    await finish(this.stream, this.#failed, this.#path, this.#what).catch(() => {})
    // Results of an earlier run are not replaced by nothing.
    if (this.stream.bytesWritten === 0) return this.discard()
    await this.#keep(partial, () => this.#replacement.moveTo(partial), 'what was written')
  }

  async #keep(path: string, put: () => Promise<void>, content: string): Promise<void> {
    const { held } = this.#replacement
    try {
      await put()
    } catch (error) {
      const isAny = this.stream.bytesWritten > 0 && (await stat(held).catch(() => undefined))
      if (!isAny) throw cannotWrite(this.#what, path, error)
      this.#release()
      throw cannotWrite(this.#what, path, error, `; ${content} is kept in ${held}`)
    }
    this.#release()
  }

  #release(): void {
    this.#isKept = true
    this.#replacement.release()
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
