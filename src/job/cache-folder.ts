// Where compiled jobs lie: the user's cache directory, if nobody else could plant code there, else a directory of
// this process alone. Knows nothing of what the files mean.
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, type Stats } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export type Env = Readonly<Record<string, string | undefined>>

/** The shared directory, made if need be; `undefined` where there is none that can be used and trusted. */
export function sharedFolder(env: Env): string | undefined {
  for (const base of bases(env)) {
    const folder = path.join(base, 'jobs')
    try {
      makeFolder(folder)
      if (isTrusted(lstatSync(base), 'base') && isTrusted(lstatSync(folder), 'folder')) return folder
    } catch {
      // Read-only, no directory, no permission: the next one.
    }
  }
  return undefined
}

let own: string | undefined

/** Made at the first call, removed when the process ends or `removePrivateFolder` is called. */
export function privateFolder(): string {
  if (own === undefined) {
    own = mkdtempSync(path.join(os.tmpdir(), 'poolrun-'))
    process.once('exit', removePrivateFolder)
  }
  return own
}

/** For an end without an `exit` event: a signal that is raised again. Idempotent. */
export function removePrivateFolder(): void {
  if (own === undefined) return
  const folder = own
  own = undefined
  process.removeListener('exit', removePrivateFolder)
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // A few kilobytes in the temporary directory are no reason to end badly.
  }
}

/** Not by `recursive`, which never returns where a folder above exists and can hold none, like `/proc`. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  const above = path.dirname(folder)
  if (above !== folder) makeFolder(above)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another run was quicker.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function bases(env: Env): string[] {
  if (env.POOLRUN_CACHE_DIR) return [path.resolve(env.POOLRUN_CACHE_DIR)]
  const temporary = path.join(os.tmpdir(), `poolrun-${process.getuid?.() ?? 'cache'}`)
  const caches = cacheHome(env)
  return caches === undefined ? [temporary] : [path.join(caches, 'poolrun'), temporary]
}

function cacheHome(env: Env): string | undefined {
  // The XDG specification has relative paths ignored.
  if (env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME)) return env.XDG_CACHE_HOME
  try {
    return path.join(env.HOME || os.homedir(), '.cache')
  } catch {
    return undefined // A user without a home directory.
  }
}

const WORLD_WRITABLE = 0o002
const OTHERS_WRITABLE = 0o022
const STICKY = 0o1000

/** Workers run what they find here, so only this user (and root, who can do anything) may be able to write it. */
export function isTrusted(
  stats: Pick<Stats, 'uid' | 'mode' | 'isDirectory'>,
  role: 'base' | 'folder',
): boolean {
  if (!stats.isDirectory()) return false
  const me = process.getuid?.()
  if (me === undefined) return true // Windows: the profile's access list guards it.
  if (stats.uid !== me && stats.uid !== 0) return false
  if (role === 'folder') return (stats.mode & OTHERS_WRITABLE) === 0
  return (stats.mode & WORLD_WRITABLE) === 0 || (stats.mode & STICKY) !== 0
}
