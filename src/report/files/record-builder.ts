// From a run's events to its record. Keeps a bounded number of attempts and failures, and counts the rest: a run of
// millions must not need the memory of its report. Knows nothing of formats.

import { EXIT } from '../../errors/exit-codes.js'
import { plainError } from '../../errors/render/plain-error.js'
import { sanitise } from '../../errors/sanitise.js'
import { warningText } from '../../errors/warning-text.js'
import { itemText } from '../../framing/items.js'
import { failedMs, type ItemFailure, itemIndexAt, type RunEvent, type SettledRange } from '../../model.js'
import type { RunPlan } from '../../plan.js'
import type { Summary } from '../../summary.js'
import type { FailureText } from '../console/failure-text.js'
import { failureGroup } from '../groups.js'
import { sourceLocationOf } from '../source-location.js'
import { summaryLine } from '../summary-line.js'
import type { AttemptRecord, FailureRecord, Instant, RunRecord, WorkerRecord } from './run-record.js'

/** Listed one by one; of more than these only what failed at least once is kept. */
const MOST_ATTEMPTS = 200_000
/** Kept whatever they are: beyond them a run has more failures than anybody reads. */
const MOST_UNUSUAL = 400_000
const MOST_FAILURES = 10_000
const ITEM_CHARACTERS = 200

export interface RecordOptions {
  readonly plan: RunPlan
  readonly version: string
  readonly text: FailureText
  readonly cwd: string
  /** Milliseconds since the epoch. */
  readonly now: () => Instant
}

export interface RecordEnding {
  readonly exitCode: number
  readonly signal: string | undefined
  readonly summary: Summary | undefined
}

export interface RecordBuilder {
  handle(event: RunEvent): void
  finish(ending: RecordEnding): RunRecord
}

type Open = { -readonly [Key in keyof WorkerRecord]: WorkerRecord[Key] }

export function createRecordBuilder({ plan, version, text, cwd, now }: RecordOptions): RecordBuilder {
  const startedAt = now()
  const workers: Open[] = []
  const attempts: AttemptRecord[] = []
  const failures: FailureRecord[] = []
  const warnings: string[] = []
  const crashed = new Set<number>()
  let attemptsLeftOut = 0
  let failuresLeftOut = 0

  const keep = (attempt: AttemptRecord) => {
    if (attempts.length < (attempt.status === 'ok' ? MOST_ATTEMPTS : MOST_UNUSUAL)) attempts.push(attempt)
    else attemptsLeftOut++
  }
  const keepFailed = (index: number, failed: ItemFailure, status: 'failed' | 'retried') => {
    const { workerId, pid, attempts: attempt, failure } = failed
    const ms = failedMs(failed) ?? 0
    if (failure.kind === 'crash' || failure.kind === 'oom') crashed.add(pid)
    // An attempt that says nothing of its time ended with its worker, or just now.
    const ended = workers.findLast((worker) => worker.pid === pid)?.endedAt ?? now()
    keep({ index, attempt, workerId, pid, startedAt: failed.startedAt ?? ended - ms, ms, status })
  }

  const settled = (range: SettledRange) => {
    const { chunk, from, count, timings, workerId, pid, attempts: attempt } = range
    const failedAt = new Map(range.failures.map((failure) => [failure.offset, failure]))
    for (let offset = from; offset < from + count; offset++) {
      const index = itemIndexAt(chunk, offset)
      const failed = failedAt.get(offset)
      for (const earlier of failed?.earlier ?? range.flaky ?? []) keepFailed(index, earlier, 'retried')
      if (failed !== undefined) {
        keepFailed(index, failed, 'failed')
        keepFailure(range, failed, index)
        continue
      }
      const ms = timings?.ms[offset - from] ?? 0
      const began = timings?.startedAt[offset - from] ?? now() - ms
      const status = range.flaky === undefined ? 'ok' : 'flaky'
      keep({ index, attempt, workerId, pid, startedAt: began, ms, status })
    }
  }
  const keepFailure = (range: SettledRange, failed: ItemFailure, index: number) => {
    if (failures.length === MOST_FAILURES) {
      failuresLeftOut++
      return
    }
    const { failure, attempts: attempt } = failed
    const { payload } = range.chunk
    const item = payload.kind === 'bytes' ? (itemText(payload, failed.offset) ?? '') : ''
    const { name, message } = plainError({ index }, failed, { cwd })
    failures.push({
      index,
      kind: failure.kind,
      attempts: attempt,
      item: sanitise(item.length > ITEM_CHARACTERS ? `${item.slice(0, ITEM_CHARACTERS - 1)}…` : item),
      name: sanitise(name),
      message: sanitise(message),
      text: text.failure({ type: 'item-failed', settled: range, failure: failed, verdict: 'skip' }),
      group: sanitise(failureGroup(failure).key),
      place: sourceLocationOf(failure, { cwd }),
    })
  }

  return {
    handle(event) {
      switch (event.type) {
        case 'worker-started': {
          const { workerId, pid, at } = event
          const fresh = {
            readyAt: undefined,
            endedAt: undefined,
            exitCode: null,
            signal: null,
            crashed: false,
          }
          workers.push({ workerId, pid, startedAt: performance.timeOrigin + at, ...fresh })
          return
        }
        case 'worker-ready': {
          const worker = workers.findLast(({ pid }) => pid === event.pid)
          if (worker !== undefined) worker.readyAt = now()
          return
        }
        case 'worker-exited': {
          const worker = workers.findLast(({ pid }) => pid === event.pid)
          if (worker === undefined) return
          Object.assign(worker, { endedAt: now(), exitCode: event.exitCode, signal: event.signal })
          return
        }
        case 'items-settled':
          return settled(event.settled)
        case 'warning':
          warnings.push(sanitise(warningText(event.warning)))
          return
        case 'item-failed':
        case 'worker-output':
        case 'interrupted':
          return
        default:
          return event satisfies never
      }
    },
    finish({ exitCode, signal, summary }) {
      const { path, exportName } = plan.job
      return {
        poolrun: version,
        node: process.version,
        command: plan.command,
        job: exportName === 'default' ? path : `${path}#${exportName}`,
        processes: plan.processes,
        startedAt,
        endedAt: now(),
        exitCode,
        signal,
        verdict: verdictOf(plan, summary, exitCode),
        summary,
        workers: workers.map((worker) => ({ ...worker, crashed: crashed.has(worker.pid) })),
        attempts,
        attemptsLeftOut,
        failures,
        failuresLeftOut,
        warnings,
      }
    },
  }
}

function verdictOf(plan: RunPlan, summary: Summary | undefined, exitCode: number): string {
  if (summary !== undefined) return summaryLine(plan, summary)
  return exitCode === EXIT.brokenPipe ? 'the reader of stdout went away' : 'the run did not begin'
}
