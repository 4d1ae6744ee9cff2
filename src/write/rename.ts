// Whether a file can be replaced by renaming another one over it, and the rename itself.
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, readFile, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What decides whether a file can be replaced. */
export interface Replacing {
  /** The file itself is mounted, as with `docker run -v out.ndjson:/out.ndjson`. */
  readonly isMounted: boolean
  /** Only the owner of a file may replace it there, as in /tmp. */
  readonly isFolderSticky: boolean
  readonly fileOwner: number
  readonly folderOwner: number
  /** `undefined` where files have no owners. */
  readonly user: number | undefined
  /** Root, unless it was deprived of this power. */
  readonly mayActAsOwner: boolean
}

export function canReplace(facts: Replacing): boolean {
  if (facts.isMounted) return false
  if (!facts.isFolderSticky || facts.mayActAsOwner || facts.user === undefined) return true
  return facts.user === facts.fileOwner || facts.user === facts.folderOwner
}

const STICKY = 0o1000

export async function replacingOf(target: string, file: FileHandle, before: Stats): Promise<Replacing> {
  const folder = await stat(dirname(target))
  return {
    isMounted: await isMounted(target, file, before.dev !== folder.dev),
    isFolderSticky: (folder.mode & STICKY) !== 0,
    fileOwner: before.uid,
    folderOwner: folder.uid,
    user: process.geteuid?.(),
    mayActAsOwner: await mayActAsOwner(),
  }
}

/** Linux: an open file without permissions. Node has no name for it. */
const O_PATH = 0o10000000

/** A file and its folder may be on one device, and yet the file is mounted: then only the mounts differ. */
async function isMounted(target: string, file: FileHandle, isOnOtherDevice: boolean): Promise<boolean> {
  if (process.platform !== 'linux') return isOnOtherDevice
  const folder = await open(dirname(target), O_PATH | constants.O_DIRECTORY).catch(() => undefined)
  const [a, b] = await Promise.all([mountOf(file), mountOf(folder)])
  await folder?.close()
  return a === undefined || b === undefined ? isOnOtherDevice : a !== b
}

/** The number of the mount, where `/proc` has it. */
async function mountOf(file: FileHandle | undefined): Promise<string | undefined> {
  const info = file && (await readFile(`/proc/self/fdinfo/${file.fd}`, 'latin1').catch(() => ''))
  return /^mnt_id:\s*(\d+)/m.exec(info ?? '')?.[1]
}

/** CAP_FOWNER: a container may run as root and lack it. */
const CAP_FOWNER = 1n << 3n

async function mayActAsOwner(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'latin1').catch(() => '')
  const effective = /^CapEff:\s*([\da-f]+)/m.exec(status)?.[1]
  return effective === undefined ? process.geteuid?.() === 0 : (BigInt(`0x${effective}`) & CAP_FOWNER) !== 0n
}

interface RenameOptions {
  readonly platform?: NodeJS.Platform
  readonly rename?: (from: string, to: string) => Promise<void>
  readonly wait?: (ms: number) => Promise<unknown>
}

/** On Windows a virus scanner or an indexer may have the file open for a moment. */
const MOMENTARY = new Set(['EPERM', 'EACCES', 'EBUSY'])
const FIRST_WAIT_MS = 10
/** The waits double: altogether a little more than a second. */
const WINDOWS_RETRIES = 7

export async function renameOver(
  from: string,
  to: string,
  { platform = process.platform, rename: move = rename, wait = sleep }: RenameOptions = {},
): Promise<void> {
  for (let retries = platform === 'win32' ? WINDOWS_RETRIES : 0, ms = FIRST_WAIT_MS; ; retries--, ms *= 2) {
    try {
      return await move(from, to)
    } catch (error) {
      if (retries === 0 || !MOMENTARY.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
    await wait(ms)
  }
}
