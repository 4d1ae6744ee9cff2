// What each worker did: its processes, its attempts, the share of the run that it spent in tasks.
import type { AttemptColumns, PageWorker } from '../../page-data.js'
import { percentOf } from './overview.js'

export interface WorkerStats {
  readonly workerId: number
  /** One per process, oldest first. */
  readonly pids: readonly number[]
  readonly attempts: number
  readonly busyPercent: number
  /** How each of its processes that crashed ended, like `SIGKILL` or `exit 1`. */
  readonly crashes: readonly string[]
}

/** Ascending by worker. */
export function workerStats(
  workers: readonly PageWorker[],
  attempts: AttemptColumns,
  tookMs: number,
): WorkerStats[] {
  const totals = new Map<number, { ms: number; attempts: number }>()
  for (const [id, workerId] of attempts.worker.entries()) {
    const total = totals.get(workerId) ?? { ms: 0, attempts: 0 }
    total.ms += attempts.ms[id]!
    total.attempts++
    totals.set(workerId, total)
  }
  const ids = [...new Set(workers.map(({ workerId }) => workerId))].sort((a, b) => a - b)
  return ids.map((workerId) => {
    const total = totals.get(workerId) ?? { ms: 0, attempts: 0 }
    const processes = workers.filter((worker) => worker.workerId === workerId)
    return {
      workerId,
      pids: processes.map(({ pid }) => pid),
      attempts: total.attempts,
      busyPercent: percentOf(total.ms, tookMs),
      crashes: processes
        .filter(({ crashed }) => crashed)
        .map(({ exitCode, signal }) => signal ?? `exit ${exitCode}`),
    }
  })
}
