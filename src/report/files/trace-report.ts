// `--report trace`: Chrome's trace events, for Perfetto and chrome://tracing. One row per worker, and more where its
// items overlap (`--concurrency`), because the events of a row must nest.
import { type LaneLimits, type Lanes, takeLane } from '../lanes.js'
import type { AttemptStatus, RunRecord } from './run-record.js'

/** Rows that one worker can have. Row `n` of a worker is thread `workerId * MAX_LANES + n`. */
const MAX_LANES = 1000
const LIMITS: LaneLimits = { tolerance: 0.001, maxLanes: MAX_LANES }

const COLORS: Readonly<Record<AttemptStatus, string>> = {
  ok: 'good',
  flaky: 'yellow',
  retried: 'bad',
  failed: 'terrible',
  cancelled: 'grey',
}

export function renderTrace(record: RunRecord): string {
  const { command, job, workers, attempts, startedAt } = record
  const failures = new Map(record.failures.map((failure) => [failure.index, failure]))
  /** The format wants microseconds; these count from the start of the run. */
  const at = (ms: number) => Math.round((ms - startedAt) * 1000)
  const events: object[] = [
    { ph: 'M', pid: 1, name: 'process_name', args: { name: `poolrun ${command} ${job}` } },
  ]
  const named = new Set<number>()
  const row = (workerId: number, lane: number) => {
    const tid = workerId * MAX_LANES + lane
    if (!named.has(tid)) {
      named.add(tid)
      const name = lane === 0 ? `worker ${workerId}` : `worker ${workerId} (${lane + 1})`
      events.push({ ph: 'M', pid: 1, tid, name: 'thread_name', args: { name } })
      events.push({ ph: 'M', pid: 1, tid, name: 'thread_sort_index', args: { sort_index: tid } })
    }
    return tid
  }
  for (const worker of workers) {
    const tid = row(worker.workerId, 0)
    const { pid, exitCode, signal } = worker
    const ready = worker.readyAt ?? worker.endedAt ?? record.endedAt
    const times = { ts: at(worker.startedAt), dur: Math.max(0, at(ready) - at(worker.startedAt)) }
    events.push({ ph: 'X', pid: 1, tid, name: 'start', cname: 'grey', ...times, args: { pid } })
    if (worker.endedAt === undefined || !worker.crashed) continue
    const args = { pid, exitCode, signal }
    events.push({ ph: 'i', s: 't', pid: 1, tid, name: 'worker lost', ts: at(worker.endedAt), args })
  }
  const lanesOf = new Map<number, Lanes>()
  for (const attempt of [...attempts].sort((a, b) => a.startedAt - b.startedAt)) {
    const { workerId, index, status, ms } = attempt
    const lanes = lanesOf.get(workerId) ?? []
    lanesOf.set(workerId, lanes)
    const lane = takeLane(lanes, attempt.startedAt, attempt.startedAt + ms, LIMITS)
    const failure = status === 'failed' ? failures.get(index) : undefined
    const error = failure === undefined ? undefined : `${failure.name}: ${failure.message}`
    events.push({
      ph: 'X',
      pid: 1,
      tid: row(workerId, lane),
      name: `item ${index}`,
      cat: status,
      cname: COLORS[status],
      ts: at(attempt.startedAt),
      dur: Math.round(ms * 1000),
      args: {
        item: attempt.item,
        attempt: attempt.attempt,
        status,
        pid: attempt.pid,
        ...(error !== undefined && { error }),
      },
    })
  }
  return `${JSON.stringify({ traceEvents: events, displayTimeUnit: 'ms' })}\n`
}
