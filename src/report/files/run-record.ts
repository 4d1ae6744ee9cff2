// What the file reports are made of: the run as data, once it is over. Types only; made by fold-record.ts from the run's
// events. Knows nothing of formats.
import type { FailureKind, Ms } from '../../model.js'
import type { Summary } from '../../summary.js'

/** Milliseconds since the epoch. */
export type Instant = number

/** A worker process from its start to its end; several may have had the same `workerId`, one after another. */
export interface WorkerRecord {
  readonly workerId: number
  readonly pid: number
  readonly startedAt: Instant
  readonly readyAt: Instant | undefined
  readonly endedAt: Instant | undefined
  readonly exitCode: number | null
  readonly signal: string | null
  /** It ended without having been asked to. */
  readonly crashed: boolean
}

/** `retried`: this attempt failed and another followed. The others are the status of the item, too. */
export const ATTEMPT_STATUSES = ['ok', 'flaky', 'retried', 'failed'] as const
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number]

/** One attempt at an item. An item that was tried again has several; the last one carries its status. */
export interface AttemptRecord {
  readonly index: number
  readonly attempt: number
  readonly workerId: number
  readonly pid: number
  readonly startedAt: Instant
  readonly ms: Ms
  readonly status: AttemptStatus
}

export interface FailureRecord {
  readonly index: number
  readonly kind: FailureKind
  readonly attempts: number
  /** The item's text, shortened. */
  readonly item: string
  /** Name and message of what failed, first line first; harmless. */
  readonly name: string
  readonly message: string
  /** The whole block as it stands on stderr, without colour; harmless. */
  readonly text: string
  /** Failures of a kind have the same key: first frame and message. */
  readonly group: string
  /** The first frame of the job's own code, relative to the working directory. */
  readonly place: { readonly file: string; readonly line: number; readonly column: number } | undefined
}

export interface RunRecord {
  readonly poolrun: string
  readonly node: string
  readonly command: string
  readonly job: string
  readonly processes: number
  readonly startedAt: Instant
  readonly endedAt: Instant
  /** 128 + n for a death by signal. */
  readonly exitCode: number
  readonly signal: string | undefined
  /** The last line of stderr. */
  readonly verdict: string
  /** None where the run never began. */
  readonly summary: Summary | undefined
  readonly workers: readonly WorkerRecord[]
  /** In the order in which they settled. */
  readonly attempts: readonly AttemptRecord[]
  /** Attempts that happened and are not listed, because there were too many of them. */
  readonly attemptsLeftOut: number
  readonly failures: readonly FailureRecord[]
  readonly failuresLeftOut: number
  readonly warnings: readonly string[]
}
