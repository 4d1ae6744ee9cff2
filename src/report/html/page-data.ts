// The data that an HTML report embeds and that its page draws, and how it is made from the record of a run.
// Compact: one column per number of an attempt, and times in milliseconds since the run began.
import type { Ms } from '../../model.js'
import {
  ATTEMPT_STATUSES,
  type AttemptRecord,
  type Instant,
  type RunRecord,
  type WorkerRecord,
} from '../files/run-record.js'

type Unchanged =
  | 'poolrun'
  | 'node'
  | 'command'
  | 'job'
  | 'startedAt'
  | 'exitCode'
  | 'signal'
  | 'summaryLine'
  | 'attemptsLeftOut'
  | 'failures'
  | 'failuresLeftOut'
  | 'warnings'

export interface PageData extends Pick<RunRecord, Unchanged> {
  readonly tookMs: Ms
  /** Missing if the run never began. */
  readonly counts: PageCounts | undefined
  readonly workers: readonly PageWorker[]
  readonly attempts: AttemptColumns
}

export interface PageCounts {
  readonly ok: number
  readonly failed: number
  readonly flaky: number
  readonly cancelled: number
  readonly notRun: number
}

export interface PageWorker extends Omit<WorkerRecord, 'startedAt' | 'readyAt' | 'endedAt'> {
  readonly startedAt: Ms
  readonly readyAt: Ms | null
  readonly endedAt: Ms | null
}

/** All attempts, ascending by start; the columns have the same length. */
export interface AttemptColumns {
  readonly index: readonly number[]
  readonly item: readonly string[]
  readonly attempt: readonly number[]
  readonly worker: readonly number[]
  readonly start: readonly Ms[]
  readonly ms: readonly Ms[]
  /** Positions in `ATTEMPT_STATUSES`. */
  readonly status: readonly number[]
}

export function toPageData(record: RunRecord): PageData {
  const { attempts, workers, summary, startedAt, endedAt, ...unchanged } = record
  const sorted = [...attempts].sort((a, b) => a.startedAt - b.startedAt)
  const sinceStart = (instant: Instant): Ms => hundredths(instant - startedAt)
  const column = (value: (attempt: AttemptRecord) => number) => sorted.map(value)
  return {
    ...unchanged,
    startedAt,
    tookMs: hundredths(endedAt - startedAt),
    counts: summary && {
      ok: summary.ok,
      failed: summary.failed,
      flaky: summary.flaky,
      cancelled: summary.cancelled,
      notRun: summary.notRun,
    },
    workers: workers.map((worker) => ({
      ...worker,
      startedAt: sinceStart(worker.startedAt),
      readyAt: worker.readyAt === undefined ? null : sinceStart(worker.readyAt),
      endedAt: worker.endedAt === undefined ? null : sinceStart(worker.endedAt),
    })),
    attempts: {
      index: column(({ index }) => index),
      item: sorted.map(({ item }) => item),
      attempt: column(({ attempt }) => attempt),
      worker: column(({ workerId }) => workerId),
      start: column((attempt) => sinceStart(attempt.startedAt)),
      ms: column(({ ms }) => hundredths(ms)),
      status: column(({ status }) => ATTEMPT_STATUSES.indexOf(status)),
    },
  }
}

function hundredths(ms: Ms): Ms {
  return Math.round(ms * 100) / 100
}
