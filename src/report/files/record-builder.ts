// Builds the record of a run from its events. Keeps a bounded number of attempts and failures and counts the rest, so
// that the memory of a report does not grow with the input.
import { EXIT } from '../../errors/exit-codes.js'
import { plainError } from '../../errors/render/plain-error.js'
import { sanitise } from '../../errors/render/sanitise.js'
import { warningText } from '../../errors/warning-text.js'
import { itemText } from '../../framing/items.js'
import {
  type CancelledRange,
  cancelledMs,
  failedMs,
  type ItemFailure,
  itemIndexAt,
  type RunEvent,
  type SettledRange,
} from '../../model.js'
import type { RunPlan } from '../../plan.js'
import type { Summary } from '../../summary.js'
import type { FailureText } from '../console/failure-text.js'
import { placeOf } from '../failure-places.js'
import { shortTexts } from '../item-text.js'
import { sourceLocationOf } from '../source-location.js'
import { summaryLine } from '../summary-line.js'
import type {
  AttemptRecord,
  AttemptStatus,
  FailureRecord,
  Instant,
  RunRecord,
  WorkerRecord,
} from './run-record.js'

/** Beyond this many attempts, only those are listed that did not succeed at the first attempt … */
const MAX_ATTEMPTS = 200_000
/** … and beyond this many, none. */
const MAX_UNUSUAL_ATTEMPTS = 400_000
const MAX_FAILURES = 10_000
const MAX_ITEM_CHARACTERS = 200

interface RecordOptions {
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

type OpenWorkerRecord = { -readonly [Key in keyof WorkerRecord]: WorkerRecord[Key] }

export class RecordBuilder {
  readonly #options: RecordOptions
  readonly #startedAt: Instant
  readonly #workers: OpenWorkerRecord[] = []
  readonly #attempts: AttemptRecord[] = []
  #attemptsLeftOut = 0
  readonly #failures: FailureRecord[] = []
  #failuresLeftOut = 0
  readonly #warnings: string[] = []
  readonly #crashedPids = new Set<number>()

  constructor(options: RecordOptions) {
    this.#options = options
    this.#startedAt = options.now()
  }

  handle(event: RunEvent): void {
    switch (event.type) {
      case 'worker-started': {
        const { workerId, pid, at } = event
        this.#workers.push({
          workerId,
          pid,
          startedAt: performance.timeOrigin + at,
          readyAt: undefined,
          endedAt: undefined,
          exitCode: null,
          signal: null,
          crashed: false,
        })
        return
      }
      case 'worker-ready': {
        const worker = this.#workerOf(event.pid)
        if (worker !== undefined) worker.readyAt = this.#options.now()
        return
      }
      case 'worker-exited': {
        const { exitCode, signal } = event
        const worker = this.#workerOf(event.pid)
        if (worker !== undefined) Object.assign(worker, { endedAt: this.#options.now(), exitCode, signal })
        return
      }
      case 'items-settled':
        return this.#addSettled(event.settled)
      case 'items-cancelled':
        return this.#addCancelled(event.cancelled)
      case 'warning':
        this.#warnings.push(sanitise(warningText(event.warning)))
        return
      case 'item-failed':
      case 'worker-output':
      case 'interrupted':
      case 'note':
        return
      default:
        return event satisfies never
    }
  }

  finish({ exitCode, signal, summary }: RecordEnding): RunRecord {
    const { plan, version, cwd, now } = this.#options
    const { path, exportName } = plan.job
    return {
      poolrun: version,
      node: process.version,
      command: plan.command,
      job: exportName === 'default' ? path : `${path}#${exportName}`,
      cwd,
      processes: plan.processes,
      startedAt: this.#startedAt,
      endedAt: now(),
      exitCode,
      signal,
      summaryLine: lastLine(plan, summary, exitCode),
      summary,
      workers: this.#workers.map((worker) => ({ ...worker, crashed: this.#crashedPids.has(worker.pid) })),
      attempts: this.#attempts,
      attemptsLeftOut: this.#attemptsLeftOut,
      failures: this.#failures,
      failuresLeftOut: this.#failuresLeftOut,
      warnings: this.#warnings,
    }
  }

  /** The latest with this pid: the system may use a pid again. */
  #workerOf(pid: number): OpenWorkerRecord | undefined {
    return this.#workers.findLast((worker) => worker.pid === pid)
  }

  #addSettled(range: SettledRange): void {
    const { now } = this.#options
    const { chunk, from, count, timings, workerId, pid, attempts: attempt } = range
    const failureAt = new Map(range.failures.map((failure) => [failure.offset, failure]))
    const texts = this.#textsOf(range)
    for (let offset = from; offset < from + count; offset++) {
      const item = { index: itemIndexAt(chunk, offset), item: texts[offset - from] ?? '' }
      const { index } = item
      const failure = failureAt.get(offset)
      for (const earlier of failure?.earlier ?? range.flaky ?? [])
        this.#addFailedAttempt(item, earlier, 'retried')
      if (failure !== undefined) {
        this.#addFailedAttempt(item, failure, 'failed')
        this.#addFailure(range, failure, index)
        continue
      }
      const ms = timings?.ms[offset - from] ?? 0
      const startedAt = timings?.startedAt[offset - from] ?? now() - ms
      const status = range.flaky === undefined ? 'ok' : 'flaky'
      this.#addAttempt({ ...item, attempt, workerId, pid, startedAt, ms, status })
    }
  }

  /** Of attempts that may be listed. */
  #textsOf({ chunk, from, count }: Pick<SettledRange, 'chunk' | 'from' | 'count'>): readonly string[] {
    return this.#attempts.length < MAX_UNUSUAL_ATTEMPTS ? shortTexts(chunk, from, count) : []
  }

  #addFailedAttempt(
    item: Pick<AttemptRecord, 'index' | 'item'>,
    failed: ItemFailure,
    status: AttemptStatus,
  ): void {
    const { workerId, pid, attempts: attempt, failure } = failed
    const ms = failedMs(failed) ?? 0
    if (failure.kind === 'crash' || failure.kind === 'oom') this.#crashedPids.add(pid)
    // Without a measured start, the attempt ended when its worker exited, or just now.
    const endedAt = this.#workerOf(pid)?.endedAt ?? this.#options.now()
    const startedAt = failed.startedAt ?? endedAt - ms
    this.#addAttempt({ ...item, attempt, workerId, pid, startedAt, ms, status })
  }

  #addCancelled(range: CancelledRange): void {
    const { chunk, from, count, timings, workerId, pid, attempts: attempt } = range
    const endedAt = this.#workerOf(pid)?.endedAt ?? this.#options.now()
    const texts = this.#textsOf(range)
    for (let offset = from; offset < from + count; offset++) {
      const item = { index: itemIndexAt(chunk, offset), item: texts[offset - from] ?? '' }
      const ms = cancelledMs(range, offset) ?? 0
      const startedAt = timings?.startedAt[offset - from] ?? endedAt - ms
      this.#addAttempt({ ...item, attempt, workerId, pid, startedAt, ms, status: 'cancelled' })
    }
  }

  #addAttempt(attempt: AttemptRecord): void {
    const limit = attempt.status === 'ok' ? MAX_ATTEMPTS : MAX_UNUSUAL_ATTEMPTS
    if (this.#attempts.length < limit) this.#attempts.push(attempt)
    else this.#attemptsLeftOut++
  }

  #addFailure(range: SettledRange, failed: ItemFailure, index: number): void {
    if (this.#failures.length === MAX_FAILURES) {
      this.#failuresLeftOut++
      return
    }
    const { text, cwd } = this.#options
    const { failure, attempts } = failed
    const { payload } = range.chunk
    const item = payload.kind === 'bytes' ? (itemText(payload, failed.offset) ?? '') : ''
    const { name, message } = plainError({ index }, failed, { cwd })
    this.#failures.push({
      index,
      kind: failure.kind,
      attempts,
      item: sanitise(item.length > MAX_ITEM_CHARACTERS ? `${item.slice(0, MAX_ITEM_CHARACTERS - 1)}…` : item),
      name: sanitise(name),
      message: sanitise(message),
      text: text.failure({ type: 'item-failed', settled: range, failure: failed, verdict: 'skip' }),
      group: sanitise(placeOf(failure)),
      location: sourceLocationOf(failure, { cwd }),
    })
  }
}

/** The summary line, or what ended the run before there was anything to sum up. */
function lastLine(plan: RunPlan, summary: Summary | undefined, exitCode: number): string {
  if (summary !== undefined) return summaryLine(plan, summary)
  return exitCode === EXIT.brokenPipe ? 'the reader of stdout went away' : 'the run did not begin'
}
