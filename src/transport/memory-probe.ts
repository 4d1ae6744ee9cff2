// Measures the resident memory of processes from outside, so that an item that never yields is measured too: from
// Linux's `/proc`, elsewhere by `ps`.
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Ms } from '../model.js'

export interface MemoryProbe {
  readonly intervalMs: Ms
  /** Bytes by pid, without those that have exited. */
  measure(pids: readonly number[], onMeasured: (bytes: ReadonlyMap<number, number>) => void): void
}

/** What tests replace. */
export interface MemorySystem {
  /** Of a process. Throws if there is none, or no `/proc`. */
  readStatus(pid: number | 'self'): string
  /** The output of `ps`; `undefined` if it failed. */
  ps(args: readonly string[], onOutput: (output: string | undefined) => void): void
  psSync(args: readonly string[]): string | undefined
}

/** Reading costs about 40 µs per worker. An item that allocates 1 GB per second is noticed within 100 MB. */
const PROC_INTERVAL_MS: Ms = 100
/** A start of `ps` costs some milliseconds, for all workers together. */
const PS_INTERVAL_MS: Ms = 500
const PS_TIMEOUT_MS: Ms = 5_000
const PS_COLUMNS = ['-o', 'pid=,rss=', '-p']

/** `undefined` if this machine offers neither. */
export function chooseMemoryProbe(system: MemorySystem = SYSTEM): MemoryProbe | undefined {
  const own = process.pid
  // In a PID namespace without a /proc of its own, a pid there names another process, and ps reads it there.
  if (!isOurs(own, system)) return undefined
  if (residentBytes(own, system) !== undefined)
    return {
      intervalMs: PROC_INTERVAL_MS,
      measure(pids, onMeasured) {
        const measured = new Map<number, number>()
        for (const pid of pids) {
          const bytes = residentBytes(pid, system)
          if (bytes !== undefined) measured.set(pid, bytes)
        }
        onMeasured(measured)
      },
    }
  if (!parsePs(system.psSync([...PS_COLUMNS, String(own)])).has(own)) return undefined
  let isRunning = false
  return {
    intervalMs: PS_INTERVAL_MS,
    measure(pids, onMeasured) {
      if (isRunning || pids.length === 0) return
      isRunning = true
      system.ps([...PS_COLUMNS, pids.join(',')], (output) => {
        isRunning = false
        onMeasured(parsePs(output))
      })
    },
  }
}

function isOurs(own: number, { readStatus }: MemorySystem): boolean {
  try {
    const shown = /^Pid:\s+(\d+)/m.exec(readStatus('self'))?.[1]
    return shown === undefined || Number(shown) === own
  } catch {
    return true
  }
}

function residentBytes(pid: number, { readStatus }: MemorySystem): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readStatus(pid))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    // The process has exited, or there is no /proc.
    return undefined
  }
}

/** Lines of a pid and kilobytes. */
function parsePs(output = ''): Map<number, number> {
  const rows = output.matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm)
  return new Map([...rows].map(([, pid, kilobytes]) => [Number(pid), Number(kilobytes) * 1024]))
}

const SYSTEM: MemorySystem = {
  readStatus: (pid) => readFileSync(`/proc/${pid}/status`, 'latin1'),
  ps(args, onOutput) {
    const options = { timeout: PS_TIMEOUT_MS, windowsHide: true }
    // It exits with 1 if one of the processes has exited.
    const child = execFile('ps', args, options, (_error, stdout) => onOutput(stdout))
    child.unref()
  },
  psSync(args) {
    const { stdout } = spawnSync('ps', args, {
      encoding: 'latin1',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: PS_TIMEOUT_MS,
      windowsHide: true,
    })
    return stdout ?? undefined
  },
}
