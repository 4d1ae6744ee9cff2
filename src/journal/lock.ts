// Keeps two runs from writing one journal: a file beside it that says whose it is. A lock whose owner is gone is broken: its
// process does not exit cleanly when it is killed.
import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { lockPath } from './lock-path.js'

/** On this machine it is known which processes run. Elsewhere, a lock that nobody has refreshed for so long has no owner. */
const STALE_AFTER_MS = 60_000
const REFRESH_EVERY_MS = 5_000
/** Each failure means that another process was faster, or that something else has the name of the lock. */
const MAX_TRIES = 100

/** Of a process that has ended, and whose parent has not noticed. */
const GONE = 'gone'

interface Owner {
  readonly pid: number
  readonly host: string
  /** When the process was started, as its system counts: another process may have got its pid. */
  readonly start: string
  readonly since: string
}

export class JournalInUse extends Error {
  constructor(file: string, { pid, host, since }: Owner) {
    super(
      `the journal ${file} is in use by process ${pid} on ${host}, since ${since}; if that process is gone, remove ${lockPath(file)}`,
    )
  }
}

/** Returns what releases it. @throws JournalInUse, or what the system says */
export function lockJournal(file: string): () => void {
  const lock = lockPath(file)
  const own = `${lock}.${process.pid}.${randomBytes(4).toString('hex')}`
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    start: startOf(process.pid) ?? '',
    since: new Date().toISOString(),
  }
  const text = JSON.stringify(owner)
  writeFileSync(own, text)
  try {
    // A link is made whole or not at all, and not over another one.
    for (let tries = 1; !tryLink(own, lock); tries++) {
      if (tries > MAX_TRIES) throw new Error(`its lock ${lock} cannot be replaced`)
      breakStale(file, `${own}.stale`)
    }
  } finally {
    rmSync(own, { force: true })
  }
  const timer = setInterval(() => refresh(lock), REFRESH_EVERY_MS).unref()
  return () => {
    clearInterval(timer)
    try {
      if (read(lock) === text) rmSync(lock, { force: true })
    } catch {
      // It is stale once this process has exited.
    }
  }
}

/** @throws JournalInUse */
export function refuseLocked(file: string): void {
  const text = read(lockPath(file))
  const owner = text === undefined ? undefined : parse(text)
  if (owner !== undefined && isAlive(owner, lockPath(file))) throw new JournalInUse(file, owner)
}

function breakStale(file: string, aside: string): void {
  refuseLocked(file)
  const lock = lockPath(file)
  const seen = read(lock)
  if (seen === undefined) return
  try {
    renameSync(lock, aside)
  } catch {
    return
  }
  try {
    // Another process has broken it, too, and this is the lock that it made since.
    if (read(aside) !== seen) tryLink(aside, lock)
  } finally {
    rmSync(aside, { force: true })
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
    // A file system without links.
    return tryCreate(to, readFileSync(from, 'utf8'))
  }
}

function tryCreate(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function isAlive({ pid, host, start }: Owner, lock: string): boolean {
  if (host !== hostname()) {
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    return age < STALE_AFTER_MS
  }
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = startOf(pid)
  return now === undefined || (now !== GONE && (start === '' || now === start))
}

/** When the process was started, with the boot of its system; `undefined` where that is not known. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may contain anything; the 20th field behind it is the time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return GONE
    return `${fields[19]} ${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`
  } catch {
    return undefined
  }
}

function refresh(lock: string): void {
  try {
    utimesSync(lock, new Date(), new Date())
  } catch {
    // Only other machines look at it.
  }
}

/** `undefined` if there is none. */
function read(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`its lock ${lock} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/** `undefined` if it is not a lock: half of one on a file system without links. */
function parse(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null
    return typeof owner?.pid === 'number' && typeof owner.host === 'string' ? (owner as Owner) : undefined
  } catch {
    return undefined
  }
}
