// Facts about a process from Linux's /proc. On other systems, and after the process has exited, there are none.
import { readFileSync } from 'node:fs'

function read(pid: number | string | undefined, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** `R`, `S`, `T` …; `undefined` after its exit. */
export function stateOf(pid: number | string | undefined): string | undefined {
  return /^State:\s+(\S)/m.exec(read(pid, 'status'))?.[1]
}

/** The most resident memory that it has had so far, in bytes; 0 after its exit. */
export function peakMemory(pid: number | undefined): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(read(pid, 'status'))?.[1] ?? 0) * 1024
}

/** In ticks of the kernel; 0 after its exit. */
export function processorTime(pid: number | undefined): number {
  const fields = read(pid, 'stat').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}
