// Whether SIGHUP was ignored when this process was started, as `nohup` does. Node sets every signal back to its default
// before any code runs, also in what it starts, so that only the traces of nohup are left: what is found may be
// incomplete, but a run without nohup shows none of them.
import { fstatSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

/** What tests replace. Everything that cannot be read is `undefined`. */
export interface HangupFacts {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The text of `/proc/<parent>/status`. */
  readonly parentStatus: string | undefined
  /** The text of `/proc/self/fdinfo/0`. */
  readonly stdinInfo: string | undefined
  /** stdin is the null device. */
  readonly isStdinNull: boolean
  /** stdout or stderr is a `nohup.out` where nohup creates it. */
  readonly writesToNohupFile: boolean
}

/** The bit of SIGHUP, which is signal 1. */
const SIGHUP_BIT = 1

export function isHangupIgnored(facts: HangupFacts = readFacts()): boolean {
  const { env, parentStatus, stdinInfo, isStdinNull, writesToNohupFile } = facts
  // bash, zsh and ksh name the command that they start.
  if (path.posix.basename(env._ ?? '') === 'nohup') return true
  // A script that was started by nohup, or that ignores it with `trap '' HUP`, and what it starts.
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(parentStatus ?? '')?.[1]
  if (ignored !== undefined && (Number.parseInt(ignored.slice(-1), 16) & SIGHUP_BIT) !== 0) return true
  // GNU nohup replaces a terminal by this, so that reading fails.
  const flags = /^flags:\s*([0-7]+)$/m.exec(stdinInfo ?? '')?.[1]
  const isWriteOnly = flags !== undefined && (Number.parseInt(flags.slice(-1), 8) & 3) === 1
  return (isStdinNull && isWriteOnly) || writesToNohupFile
}

function readFacts(): HangupFacts {
  const { env } = process
  return {
    env,
    parentStatus: textOf(`/proc/${process.ppid}/status`),
    stdinInfo: textOf('/proc/self/fdinfo/0'),
    isStdinNull: isSame(0, '/dev/null'),
    writesToNohupFile: [1, 2].some((fd) =>
      ['.', env.HOME].some((folder) => folder !== undefined && isSame(fd, path.join(folder, 'nohup.out'))),
    ),
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}

function isSame(fd: number, file: string): boolean {
  try {
    const open = fstatSync(fd)
    const named = statSync(file)
    return open.dev === named.dev && open.ino === named.ino
  } catch {
    return false
  }
}
