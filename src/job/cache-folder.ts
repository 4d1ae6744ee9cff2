// Where compiled jobs are kept: in the user's cache directory if no other user can put code there, else in a private
// directory of this process.
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, type Stats } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export type Env = Readonly<Record<string, string | undefined>>

/** The shared folder, created if needed; `undefined` if there is none that is usable and trusted. */
export function sharedFolder(env: Env): string | undefined {
  for (const base of candidates(env)) {
    const folder = path.join(base, 'jobs')
    try {
      makeFolder(folder)
      if (isTrusted(lstatSync(base), 'base') && isTrusted(lstatSync(folder), 'folder')) return folder
    } catch {
      // Read-only, not a directory, no permission: try the next one.
    }
  }
  return undefined
}

let privatePath: string | undefined

/** Created by the first call, removed when the process exits or `removePrivateFolder` is called. */
export function privateFolder(): string {
  if (privatePath === undefined) {
    privatePath = mkdtempSync(path.join(os.tmpdir(), 'poolrun-'))
    process.once('exit', removePrivateFolder)
  }
  return privatePath
}

/** Call it before the process ends without an `exit` event, by raising a signal again. Idempotent. */
export function removePrivateFolder(): void {
  if (privatePath === undefined) return
  const folder = privatePath
  privatePath = undefined
  process.removeListener('exit', removePrivateFolder)
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // A few kilobytes left in the temporary directory are not worth an error.
  }
}

/** Not `recursive: true`, which never returns if a parent exists but cannot hold a folder, like `/proc`. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  const parent = path.dirname(folder)
  if (parent !== folder) makeFolder(parent)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another run has just created it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function candidates(env: Env): string[] {
  if (env.POOLRUN_CACHE_DIR) return [path.resolve(env.POOLRUN_CACHE_DIR)]
  const temporary = path.join(os.tmpdir(), `poolrun-${process.getuid?.() ?? 'cache'}`)
  const home = cacheHome(env)
  return home === undefined ? [temporary] : [path.join(home, 'poolrun'), temporary]
}

function cacheHome(env: Env): string | undefined {
  // The XDG specification says that relative paths must be ignored.
  if (env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME)) return env.XDG_CACHE_HOME
  try {
    // `os.homedir()` returns HOME as it is.
    const home = env.HOME && path.isAbsolute(env.HOME) ? env.HOME : os.userInfo().homedir
    return path.join(home, '.cache')
  } catch {
    return undefined // A user without a home directory.
  }
}

const WORLD_WRITABLE = 0o002
const OTHERS_WRITABLE = 0o022
const STICKY = 0o1000

/** Workers run the code they find here, so only this user and root may be able to write it. */
export function isTrusted(
  stats: Pick<Stats, 'uid' | 'mode' | 'isDirectory'>,
  role: 'base' | 'folder',
): boolean {
  if (!stats.isDirectory()) return false
  const me = process.getuid?.()
  if (me === undefined) return true // Windows: the access list of the user's profile protects it.
  if (stats.uid !== me && stats.uid !== 0) return false
  if (role === 'folder') return (stats.mode & OTHERS_WRITABLE) === 0
  return (stats.mode & WORLD_WRITABLE) === 0 || (stats.mode & STICKY) !== 0
}
