// Finds the processes that a run started, by a mark in their environment that children inherit.
// Reads /proc, so the check is Linux's; elsewhere it finds nothing.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** Not `POOLRUN_…`: those are options. */
export const MARK = 'TEST_RUN_MARK'

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return '' // has exited meanwhile, or belongs to another user
  }
}

function pidsOf(mark: string): string[] {
  let pids: string[]
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
  return pids.filter((pid) => read(pid, 'environ').split('\0').includes(`${MARK}=${mark}`))
}

/** Process ids with command lines, one string per process. */
export function listMarked(mark: string): string[] {
  return pidsOf(mark).map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ').trim()}`)
}

export function killMarked(mark: string): void {
  for (const pid of pidsOf(mark)) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // has exited meanwhile
    }
  }
}

/** A killed process takes a moment to exit; one that takes longer than `withinMs` was left behind. */
export async function waitUntilNoneLeft(mark: string, what: string, withinMs = 500): Promise<void> {
  const deadline = performance.now() + withinMs
  let left = listMarked(mark)
  while (left.length > 0 && performance.now() < deadline) {
    await pause(10)
    left = listMarked(mark)
  }
  if (left.length === 0) return
  killMarked(mark)
  throw new Error(`${what} left processes behind:\n${left.join('\n')}`)
}
