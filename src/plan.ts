// Everything that a command line requests, decided and checked before anything starts; and how a number of failures
// compares with a limit on them.
import type { FailureKind, InputFraming, Ms } from './model.js'

export type CommandName = 'map' | 'starmap' | 'apply' | 'imap' | 'imap-unordered' | 'collect'

/** In place of a path, in messages and frames, where the job is the expression of `--eval`. No job module has this name. */
export const EVAL_NAME = '--eval'

/** The same, where the job is the command of `--exec`. */
export const EXEC_NAME = '--exec'

/** Commands that a dry run writes. */
export const SHOWN_COMMANDS = 10

/** What `--exec` runs in place of a job module. */
export interface CommandPlan {
  readonly template: string
  /** Path or name of a shell, or `none`. */
  readonly shell: string
  /** An item is a list of items: `{}` stands for all of them. */
  readonly spread: boolean
  /** What of stdout is the result. */
  readonly output: 'text' | 'json' | 'lines' | 'none'
  /** The item is the stdin of its command. */
  readonly stdin: boolean
  readonly maxOutputBytes: number
  /** Folder for what commands print. */
  readonly results: string | undefined
  /** How many run at the same time, in all workers together. */
  readonly commands: number
}

/** `job.ts#name`: the path as given and the export it names, `default` without one. */
export interface JobReference {
  readonly path: string
  readonly exportName: string
  /** Of `--eval`, whose value is the default export. */
  readonly expression?: string
}

export type InputChoice =
  | { readonly kind: 'stdin' }
  | { readonly kind: 'file'; readonly path: string }
  /** Paths that match, sorted. */
  | { readonly kind: 'glob'; readonly patterns: readonly string[] }
  /** Items from the command line, each as typed. */
  | { readonly kind: 'items'; readonly texts: readonly string[]; readonly asStrings?: boolean }

/** `from` to `to`, both included; without `to` up to the end. */
export interface IndexRange {
  readonly from: number
  readonly to?: number
}

/** The items whose index, divided by `count`, leaves `index` − 1. */
export interface Shard {
  /** From 1. */
  readonly index: number
  readonly count: number
  /** What said so, for `--shard auto`. */
  readonly system?: string
}

export type InputFormat = InputFraming | 'tsv'

/** `10`, or `5%` of some number of items: which items, differs between `--max-failures` and `--allow-failures`. */
export type FailureLimit = { readonly count: number } | { readonly percent: number }

/** Negative while `failed` is below the limit, 0 at it, positive above it. A percentage is one of `items`. */
export function compareToLimit(limit: FailureLimit, failed: number, items: number): number {
  return 'count' in limit ? failed - limit.count : failed * 100 - limit.percent * items
}

export type TableFormat = 'csv' | 'tsv'
export type OutputFormat = 'ndjson' | 'json' | 'raw' | TableFormat

export function isTable(format: OutputFormat): format is TableFormat {
  return format === 'csv' || format === 'tsv'
}
export type CiChoice = 'auto' | 'github' | 'gitlab' | 'none'
export type ReportKind = 'json' | 'junit' | 'html' | 'trace'

interface ReportRequest {
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

/** Least time between two attempts that begin, and how the user wrote it: `10/s`. */
export interface Rate {
  readonly intervalMs: Ms
  readonly text: string
}

/** What is on disk of a run, to go on from it. */
export interface JournalPlan {
  readonly path: string
  /** `missing`: items that have failed do not run again. Without it, the run is a new one. */
  readonly resume: 'failed' | 'missing' | undefined
  /** Go on even if the job has changed. */
  readonly force: boolean
  /** Write only what settles in this run. */
  readonly emitsNew: boolean
  /** Print why each item runs. */
  readonly explain: boolean
  /** How far the disk may be behind. */
  readonly fsync: 'each' | '1s' | 'none'
}

export interface RunPlan {
  readonly command: CommandName
  readonly job: JobReference
  /** Instead of a job. */
  readonly exec: CommandPlan | undefined
  readonly input: InputChoice
  /** `undefined`: by extension, else by the first byte. */
  readonly inputFormat: InputFormat | undefined
  /** Of CSV, in and out. `undefined`: a comma. */
  readonly delimiter: string | undefined
  /** Indexes of the items to run, `undefined` for all. */
  readonly only: readonly IndexRange[] | undefined
  /** The part of the items that is run. */
  readonly shard: Shard | undefined
  /** Items are arrays of up to this many items of the input. */
  readonly batch: number | undefined
  readonly processes: number
  /** `undefined` adapts. */
  readonly chunkSize: number | undefined
  readonly bufferSize: number | undefined
  readonly ordered: boolean
  readonly initArgs: readonly unknown[]
  /** `context.params` of every task. */
  readonly params: Readonly<Record<string, unknown>>
  /** Added to the environment of the workers. */
  readonly workerEnv: Readonly<Record<string, string>>
  /** Files that some of it was read from. */
  readonly envFiles: readonly string[]
  /** Options of Node for the workers. */
  readonly nodeOptions: readonly string[]
  readonly initTimeoutMs: Ms
  /** Items that run at the same time in one worker. */
  readonly concurrency: number
  readonly maxTasksPerChild: number | undefined
  readonly maxMemoryBytes: number | undefined
  /** `undefined`: by the number of processes. */
  readonly maxWorkerRestarts: number | undefined
  /** Per attempt. */
  readonly timeoutMs: Ms | undefined
  readonly killAfterMs: Ms
  /** What running items get after the first signal. */
  readonly graceMs: Ms
  /** For the whole run. */
  readonly deadlineMs: Ms | undefined
  readonly retry: RetryOptions
  readonly rate: Rate | undefined
  readonly format: OutputFormat
  /** A file instead of stdout. */
  readonly output: string | undefined
  /** Where the output file stays as it was: keep what was written so far beside it. */
  readonly keepPartial: boolean
  /** Write each result with its index, attempts and duration. */
  readonly envelope: boolean
  /** The file for failed items. */
  readonly errors: string | undefined
  /** `collect`: stop when this many items have failed. A percentage: of all items, or of the settled ones (`run/settings`). */
  readonly maxFailures: FailureLimit | undefined
  /** `collect`: exit 0 when no more than this failed; `'any'` for any number. A percentage: of the items that settled. */
  readonly allowFailures: FailureLimit | 'any'
  readonly callbacks: string | undefined
  readonly journal: JournalPlan | undefined
  /** Of `poolrun merge`: the journals that it joins. */
  readonly merges?: readonly string[]
  /** JSON pointer to the part of an item that identifies it in the journal. */
  readonly key: string | undefined
  readonly reports: readonly ReportRequest[]
  readonly ci: CiChoice
  /** Load the job, count the items, run nothing. */
  readonly dryRun: boolean
  readonly fullStack: boolean
  /** `undefined`: by the stream that is written to. */
  readonly color: boolean | undefined
  readonly verbosity: Verbosity
  /** Log what happens to workers. */
  readonly debug: boolean
  readonly progress: ProgressChoice
  /** `undefined`: `lines`, but `none` when quiet. */
  readonly jobOutput: JobOutput | undefined
  readonly tag: boolean
}
