// Everything the command line asked for, decided and checked before anything starts. Types only.
import type { FailureKind, Framing, Ms } from './model.js'

export type CommandName = 'map' | 'starmap' | 'apply' | 'imap' | 'imap-unordered' | 'collect'

/** `job.ts#name`: the path as given and the export it names, `default` without one. */
export interface JobReference {
  readonly path: string
  readonly exportName: string
}

export type InputChoice =
  | { readonly kind: 'stdin' }
  | { readonly kind: 'file'; readonly path: string }
  /** Paths that match, sorted. */
  | { readonly kind: 'glob'; readonly patterns: readonly string[] }
  /** Items from the command line, each as typed. */
  | { readonly kind: 'items'; readonly texts: readonly string[] }

/** `from` up to and with `to`; without it to the end. */
export interface IndexRange {
  readonly from: number
  readonly to?: number
}

export type InputFormat = Framing | 'tsv'

/** `10` or `5%` of the items that settled. */
export type FailureLimit = { readonly count: number } | { readonly percent: number }

export type OutputFormat = 'ndjson' | 'json' | 'raw'
export type CiChoice = 'auto' | 'github' | 'gitlab' | 'none'
export type ReportKind = 'json' | 'junit' | 'html' | 'trace'

export interface ReportRequest {
  readonly kind: ReportKind
  readonly path: string
}

export type JobOutput = 'lines' | 'group' | 'failed' | 'none'
export type ProgressChoice = 'auto' | 'bar' | 'plain' | 'none'
export type Verbosity = 'quiet' | 'normal' | 'verbose'

export interface RetryOptions {
  /** Extra attempts. */
  readonly retries: number
  /** Base of the backoff. */
  readonly delayMs: Ms
  readonly on: readonly FailureKind[]
}

export interface RunPlan {
  readonly command: CommandName
  readonly job: JobReference
  readonly input: InputChoice
  /** `undefined`: by extension, else by the first byte. */
  readonly inputFormat: InputFormat | undefined
  /** Indexes to run, `undefined` for all. */
  readonly only: readonly IndexRange[] | undefined
  readonly processes: number
  /** `undefined` adapts. */
  readonly chunkSize: number | undefined
  readonly bufferSize: number | undefined
  readonly ordered: boolean
  readonly initArgs: readonly unknown[]
  readonly initTimeoutMs: Ms
  /** Items in flight inside one worker. */
  readonly concurrency: number
  readonly maxTasksPerChild: number | undefined
  readonly maxMemoryBytes: number | undefined
  /** `undefined`: by the number of processes. */
  readonly maxWorkerRestarts: number | undefined
  /** Of one attempt. */
  readonly timeoutMs: Ms | undefined
  readonly killAfterMs: Ms
  /** Of the whole run. */
  readonly deadlineMs: Ms | undefined
  readonly retry: RetryOptions
  readonly format: OutputFormat
  /** A file instead of stdout. */
  readonly output: string | undefined
  /** Each result in a line that tells its index, attempts and duration. */
  readonly envelope: boolean
  /** Where failed items are written. */
  readonly errors: string | undefined
  /** `collect`: stop when this many have failed. */
  readonly maxFailures: FailureLimit | undefined
  /** `collect`: exit 0 when no more than this failed; `'any'` for any number. */
  readonly allowFailures: FailureLimit | 'any'
  readonly callbacks: string | undefined
  readonly reports: readonly ReportRequest[]
  readonly ci: CiChoice
  /** Load the job, count the items, run nothing. */
  readonly dryRun: boolean
  readonly fullStack: boolean
  /** `undefined`: each stream decides for itself. */
  readonly color: boolean | undefined
  readonly verbosity: Verbosity
  /** What becomes of workers is told. */
  readonly debug: boolean
  readonly progress: ProgressChoice
  /** `undefined`: `lines`, but `none` when quiet. */
  readonly jobOutput: JobOutput | undefined
  readonly tag: boolean
}
