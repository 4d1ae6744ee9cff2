// The record of a run, from which all file reports are rendered.
import type { FailureKind, Ms } from '../../model.js'
import type { Summary } from '../../summary.js'
import type { SourceLocation } from '../source-location.js'

/** Milliseconds since the epoch. */
export type Instant = number

/** A worker process from its start to its exit. Processes that replaced one another have the same `workerId`. */
export interface WorkerRecord {
  readonly workerId: number
  readonly pid: number
  readonly startedAt: Instant
  readonly readyAt: Instant | undefined
  readonly endedAt: Instant | undefined
  readonly exitCode: number | null
  readonly signal: string | null
  /** An item failed as `crash` or `oom` because this process exited. */
  readonly crashed: boolean
}

/**
 * `retried`: this attempt failed and another followed. `cancelled`: it had begun, or may have, when the run ended. The
 * others are the status of the item, too, as `cancelled` is.
 */
export const ATTEMPT_STATUSES = ['ok', 'flaky', 'retried', 'failed', 'cancelled'] as const
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number]

/** One attempt at an item. A retried item has several; the last one has the status of the item. */
export interface AttemptRecord {
  readonly index: number
  /** The item's text on one short line, sanitised. */
  readonly item: string
  readonly attempt: number
  readonly workerId: number
  readonly pid: number
  readonly startedAt: Instant
  readonly ms: Ms
  readonly status: AttemptStatus
}

/** All text is sanitised. */
export interface FailureRecord {
  readonly index: number
  readonly kind: FailureKind
  readonly attempts: number
  /** The item's text, shortened. */
  readonly item: string
  /** Name and message of the error. */
  readonly name: string
  readonly message: string
  /** The whole block as on stderr, without colour. */
  readonly text: string
  /** The same key for failures of the same class and first frame. */
  readonly group: string
  /** The first frame of the job's own code. */
  readonly location: SourceLocation | undefined
}

export interface RunRecord {
  readonly poolrun: string
  readonly node: string
  readonly command: string
  readonly job: string
  /** Absolute; the paths in tracebacks are relative to it. */
  readonly cwd: string
  readonly processes: number
  readonly startedAt: Instant
  readonly endedAt: Instant
  /** 128 + n if signal number n ended the run. */
  readonly exitCode: number
  readonly signal: string | undefined
  /** The last line of stderr. */
  readonly summaryLine: string
  /** Missing if the run never began. */
  readonly summary: Summary | undefined
  readonly workers: readonly WorkerRecord[]
  /** In the order in which they settled. */
  readonly attempts: readonly AttemptRecord[]
  /** How many attempts are not listed because there were too many. */
  readonly attemptsLeftOut: number
  readonly failures: readonly FailureRecord[]
  readonly failuresLeftOut: number
  readonly warnings: readonly string[]
}
