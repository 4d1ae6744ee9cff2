// Where a file is written until it replaces its target.
import { randomUUID } from 'node:crypto'
import { createReadStream, type Stats, unlinkSync, type WriteStream } from 'node:fs'
import { copyFile, type FileHandle, open, truncate, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { canReplace, renameOver, replacingOf } from './rename.js'

export interface Replacement {
  readonly stream: WriteStream
  /** The file that is written. */
  readonly held: string
  publish(): Promise<void>
  moveTo(path: string): Promise<void>
  remove(): Promise<void>
  /** It is not removed any more when this process ends. */
  release(): void
}

/** Removes temporary files after a death that leaves no time for it here. */
export interface TemporaryFiles {
  /** Called before the file is created: this process may be killed in between. */
  watch(path: string): void
  /** It was not created, has been removed, or must stay. */
  forget(path: string): void
}

/** `before` is of the target, a regular file, if it exists. */
export async function openReplacement(
  target: string,
  before: Stats | undefined,
  temporaries: TemporaryFiles,
): Promise<Replacement> {
  if (before === undefined)
    return renamed(target, await createTemporary(dirname(target), target, 0o666, temporaries), temporaries)
  // A rename would replace even a file that this user may not write.
  const file = await open(target, 'r+')
  try {
    const temporary = canReplace(await replacingOf(target, file, before))
      ? await createLike(before, target, temporaries)
      : undefined
    if (temporary !== undefined) return renamed(target, temporary, temporaries)
    return await overwritten(target, before, temporaries)
  } finally {
    await file.close()
  }
}

interface Temporary {
  readonly path: string
  readonly handle: FileHandle
}

/** So that the whole name fits into 255 bytes. */
const MAX_NAME_CHARACTERS = 50

async function createTemporary(
  folder: string,
  target: string,
  mode: number,
  temporaries: TemporaryFiles,
): Promise<Temporary> {
  const name = [...basename(target)].slice(0, MAX_NAME_CHARACTERS).join('')
  const path = join(folder, `.${name}.poolrun-${randomUUID().slice(0, 8)}`)
  temporaries.watch(path)
  try {
    return { path, handle: await open(path, 'wx', mode) }
  } catch (error) {
    temporaries.forget(path)
    throw error
  }
}

/** Beside the target, with its owner, group and mode; `undefined` where this user cannot create that. */
async function createLike(
  before: Stats,
  target: string,
  temporaries: TemporaryFiles,
): Promise<Temporary | undefined> {
  let temporary: Temporary | undefined
  try {
    temporary = await createTemporary(dirname(target), target, 0o600, temporaries)
    const { handle } = temporary
    const { uid, gid } = await handle.stat()
    if (uid !== before.uid || gid !== before.gid) await handle.chown(before.uid, before.gid)
    await handle.chmod(before.mode & 0o7777)
    return temporary
  } catch (error) {
    await temporary?.handle.close()
    if (temporary !== undefined) {
      await unlink(temporary.path)
      temporaries.forget(temporary.path)
    }
    if (!isForbidden(error)) throw error
    return undefined
  }
}

function isForbidden(error: unknown): boolean {
  // EINVAL: the owner is none of this user namespace.
  return ['EACCES', 'EPERM', 'EROFS', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function renamed(target: string, temporary: Temporary, temporaries: TemporaryFiles): Replacement {
  return { ...heldIn(temporary, temporaries), publish: () => renameOver(temporary.path, target) }
}

/** Keeps its inode, and with it its owner and whatever is mounted there. */
async function overwritten(target: string, before: Stats, temporaries: TemporaryFiles): Promise<Replacement> {
  const temporary = await createTemporaryIn([dirname(target), tmpdir()], target, temporaries)
  if (temporary === undefined) return directly(target, before)
  const held = heldIn(temporary, temporaries)
  return {
    ...held,
    async publish() {
      // From here on the target is not whole, and a death must not take what is.
      held.release()
      await overwrite(temporary.path, target)
      await unlink(temporary.path)
    },
  }
}

async function createTemporaryIn(
  folders: readonly string[],
  target: string,
  temporaries: TemporaryFiles,
): Promise<Temporary | undefined> {
  for (const folder of folders)
    try {
      return await createTemporary(folder, target, 0o600, temporaries)
    } catch (error) {
      if (!isForbidden(error) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  return undefined
}

async function overwrite(from: string, target: string): Promise<void> {
  // Not 'w', which asks to create it: in a sticky folder the system may refuse that for what belongs to somebody else.
  const file = await open(target, 'r+')
  try {
    await file.truncate()
  } catch (error) {
    await file.close()
    throw error
  }
  // Closes the file, and reports what is only known then.
  await pipeline(createReadStream(from), file.createWriteStream())
}

function heldIn({ path, handle }: Temporary, temporaries: TemporaryFiles): Omit<Replacement, 'publish'> {
  // For a process that exits without calling `remove`.
  const removeAtExit = () => {
    try {
      unlinkSync(path)
    } catch {
      // Already removed.
    }
  }
  process.on('exit', removeAtExit)
  const release = () => {
    process.off('exit', removeAtExit)
    temporaries.forget(path)
  }
  return {
    stream: handle.createWriteStream(),
    held: path,
    release,
    moveTo: (to) => move(path, to),
    async remove() {
      await unlink(path).catch(() => {})
      release()
    },
  }
}

/** Also to another file system, where the target is a link to. */
async function move(from: string, to: string): Promise<void> {
  try {
    await renameOver(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(from, to)
    await unlink(from)
  }
}

/** Where no folder can hold another file. What an empty file has to lose is nothing. */
async function directly(target: string, { size }: Stats): Promise<Replacement> {
  if (size > 0)
    throw new Error(
      `it can only be overwritten, and neither its folder nor ${tmpdir()} can hold the results until the run ends`,
    )
  const remove = () => truncate(target)
  return {
    stream: (await open(target, 'r+')).createWriteStream(),
    held: target,
    release() {},
    async publish() {},
    async moveTo(path) {
      await copyFile(target, path)
      await remove()
    },
    remove,
  }
}
