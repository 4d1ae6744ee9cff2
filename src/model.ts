// The nouns that all stages share: chunks on their way to a worker, settled ranges on their way back, failures and events.
// Types, and little arithmetic on them.
import type { FAILURE_KINDS } from './defaults.js'
import type { ErrorData } from './error-data.js'

/** Milliseconds. */
export type Ms = number

/** A thrown value in a box, so that `undefined` means that nothing was thrown: anything may be thrown, `undefined` too. */
export interface Thrown {
  readonly error: unknown
}

/**
 * How the raw bytes of a chunk are divided into items.
 * - `ndjson`: JSON texts ended by LF (CR before it is white space); lines of white space only are skipped.
 * - `json`: elements of one JSON array, the commas between them included, none before the first or after the last.
 * - `lines`: strings ended by LF or CRLF; empty lines are skipped.
 * - `nul`: strings ended by NUL; empty strings are items.
 * - `csv`: good records of CSV or TSV as they are in the input, of the `table` in the payload; empty lines are skipped.
 * - `records`: records of CSV or TSV as lines of JSON: an object, or an array that says what is wrong with the record.
 */
export type Framing = 'ndjson' | 'json' | 'lines' | 'nul' | 'csv' | 'records'

/** `records` is what becomes of `csv`. */
export type InputFraming = Exclude<Framing, 'records'>

/** What turns a record of CSV or TSV into an object. */
export interface Table {
  /** Of the fields, all different. */
  readonly names: readonly string[]
  /** One character. */
  readonly delimiter: string
}

/** The items of a chunk: values (library), or their own text, which the parent never parses (command line). */
export type Payload =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | {
      readonly kind: 'bytes'
      readonly bytes: Uint8Array
      readonly framing: Framing
      /** With `json`: offsets of some commas between elements, so that the text can be parsed in pieces. */
      readonly cuts?: readonly number[]
      /** The one item was too long to read: it fails, and `bytes` is its beginning. */
      readonly isTooLong?: boolean
      /** With `--batch`: an item is an array of this many consecutive members, the last one of what is left. */
      readonly batch?: number
      /** With `csv`. */
      readonly table?: Table
    }

/** The location of a bytes payload's first byte in its input. */
export interface Origin {
  /** Input name for messages: a path, or `<stdin>`. */
  readonly file: string
  /** Byte offset in the input. */
  readonly offset: number
  /** 1-based line. */
  readonly line: number
  /** 1-based column, in characters. */
  readonly column: number
}

/**
 * Consecutive items of one call that travel together. `seq` counts the items that the call took before it. An item's
 * *index* counts the items before it in the whole input. The two differ only where a selection (`--only`) leaves items
 * out: then `indexes` has the index of each item.
 */
export interface Chunk {
  readonly seq: number
  readonly count: number
  readonly payload: Payload
  readonly indexes?: readonly number[]
  readonly origin?: Origin
  /** In a part of a chunk: the bytes of text that each item counts as, which are those of the whole. */
  readonly itemBytes?: number
  /** With a journal: what identifies each item, in two or three numbers (`journal/item-keys`). */
  readonly keys?: Uint32Array
}

export function itemIndexAt(chunk: Chunk, offset: number): number {
  return chunk.indexes?.[offset] ?? chunk.seq + offset
}

/**
 * Results of a range: one value per item, `undefined` for failed ones; or one line of JSON per item that succeeded, a raw line
 * where the task asks for it.
 */
export type Results =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'json'; readonly bytes: Uint8Array }

/** The failure kinds of `--retry-on`, reports and `--errors`. */
export type FailureKind = (typeof FAILURE_KINDS)[number]

/** `everyone`: no worker begins another item before then. */
export type RetryAdvice = 'never' | { readonly afterMs: Ms; readonly everyone: boolean }

/** What an item ended with instead of a value, as plain data from the worker or from the scheduler. */
export type Failure =
  | {
      readonly kind: 'error'
      readonly error: ErrorData
      /** What the job's `shouldRetry` has answered. Without it, the options decide. */
      readonly retry?: RetryAdvice
      /** Of `--exec`: the first word of the template, which the shell cannot find or run. */
      readonly missingCommand?: string
    }
  | {
      readonly kind: 'crash' | 'oom'
      readonly exitCode: number | null
      readonly signal: string | null
      /** How long the item had been running. */
      readonly afterMs: Ms
      /** The last lines that the worker wrote to stderr, at most ten. */
      readonly stderrTail: readonly string[]
      /** What was thrown outside every task's promise, if that is why the worker exited. */
      readonly escaped?: ErrorData
      /** Stack of the job's own `process.exit` (or `abort`, `kill`) call. */
      readonly exitSite?: string
      /** Why poolrun killed the worker: the job had written to its channel, or it did nothing. */
      readonly killedFor?: 'channel' | 'stuck'
      /** The worker ended for this item, which had exceeded its time. */
      readonly because?: { readonly index: number; readonly timeoutMs: Ms }
    }
  | {
      readonly kind: 'timeout'
      readonly timeoutMs: Ms
      /** `stopped`: the item settled after its signal had aborted. Otherwise what became of its worker. */
      readonly ended?: 'stopped' | 'ended' | 'killed'
      /** Of `--exec`: the command, which was killed for it. */
      readonly command?: string
    }
  /** The item's text is not JSON. `at` is the offset of the first wrong character in it. */
  | { readonly kind: 'input'; readonly message: string; readonly at: number }
  | { readonly kind: 'validation'; readonly issues: readonly { message: string; path: string }[] }
  | {
      readonly kind: 'encoding'
      readonly side: 'argument' | 'result'
      /** Path to the part that cannot be encoded, like `a.f` or `[2].x`; empty for the value itself. */
      readonly path: string
      readonly message: string
      /** That part as `util.inspect` shows it, truncated. */
      readonly preview: string
    }

/** What is wrong with the result of an item, by its line among those of a range. */
export interface WrongLine {
  readonly line: number
  readonly failure: Failure
}

/** When each item of a range began and how long its task took, item by item. */
export interface Timings {
  /** Milliseconds since the epoch, with fractions. Empty where the call wants only durations. */
  readonly startedAt: Float64Array
  readonly ms: Float64Array
}

/** A failure with its item, its worker and the number of its attempt, from 1. */
export interface ItemFailure {
  readonly offset: number
  readonly failure: Failure
  readonly workerId: number
  readonly pid: number
  readonly attempts: number
  /** When this attempt began (ms since the epoch) and how long it took, if the task wants timings and they are known. */
  readonly startedAt?: Ms
  readonly ms?: Ms
  /** Failures of the earlier attempts, oldest first. */
  readonly earlier?: readonly ItemFailure[]
}

/** How long the last attempt took, if that is known. */
export function failedMs({ ms, failure }: ItemFailure): Ms | undefined {
  if (ms !== undefined) return ms
  if (failure.kind === 'crash' || failure.kind === 'oom') return failure.afterMs
  return failure.kind === 'timeout' ? failure.timeoutMs : undefined
}

/**
 * `count` consecutive items of `chunk`, from `from` on, that settled together.
 * `failures` is sparse and ascending by `offset`; every other item of the range succeeded.
 */
export interface SettledRange {
  readonly chunk: Chunk
  readonly from: number
  readonly count: number
  readonly results: Results
  readonly failures: readonly ItemFailure[]
  /** Where it ran. */
  readonly workerId: number
  readonly pid: number
  /** The number of this attempt, from 1. */
  readonly attempts: number
  /** Only where the task wants them, and not for results read from a flight record. */
  readonly timings?: Timings
  /** The range is one item that succeeded after these failed attempts. */
  readonly flaky?: readonly ItemFailure[]
  /** It settled in an earlier run, and was read from the journal. */
  readonly restored?: true
}

/** Where an item began, and which attempt that was. */
export interface Begun {
  readonly workerId: number
  readonly pid: number
  /** The number of that attempt, from 1. */
  readonly attempts: number
  /** How long it ran, if that is known. Of several items, the last one. */
  readonly ms?: Ms | undefined
}

/**
 * `count` consecutive items of `chunk`, from `from` on, that have begun, or may have, and never settle because their call
 * was cancelled. What they have done is not known.
 */
export interface CancelledRange extends Begun {
  readonly chunk: Chunk
  readonly from: number
  readonly count: number
  /** Of items that ended too late to settle. */
  readonly timings?: Timings
}

/** How long the item at `offset` ran, if that is known. */
export function cancelledMs({ from, count, timings, ms }: CancelledRange, offset: number): Ms | undefined {
  return timings?.ms[offset - from] ?? (offset === from + count - 1 ? ms : undefined)
}

/** How a task is called with its item: `item` is `fn(item, context)`, `spread` is `fn(...item)` (starmap, apply). */
export type Calling = 'item' | 'spread'

/** How a worker runs the items of a call. */
export interface TaskSpec {
  /** Export of the job module; `default` for the default export. */
  readonly name: string
  readonly calling: Calling
  /** The form in which results travel back. */
  readonly reply: Results['kind']
  /** Results are rows of a table: objects, with `null` for a property that is `undefined`. */
  readonly rows?: boolean
  /** Results travel back as the lines that `--format raw` writes (framing/raw-lines.ts). */
  readonly raw?: boolean
  /** Send the timings of every item, at the cost of two numbers per item; `durations`: one, without when it began. */
  readonly timed?: boolean | 'durations'
}

/** `notRun`: taken from the input and not settled, whether or not they have begun. */
export interface Counts {
  readonly ok: number
  readonly failed: number
  readonly notRun: number
}

/** What a worker is doing at one moment, for the progress display. */
export interface WorkerActivity {
  readonly workerId: number
  readonly pid: number
  readonly state: 'starting' | 'idle' | 'busy' | 'ending'
  /** The running item that began first; among quick items, the one that is next. */
  readonly item?: { readonly chunk: Chunk; readonly offset: number; readonly forMs: Ms }
  /** Running items besides that one (`--concurrency`). */
  readonly others: number
}

/** A view of a run in progress. `counts` is cheap; call `activity` a few times per second at most. */
export interface RunView {
  /** `total`: all items of the input, if that is known. */
  counts(): Counts & { readonly total: number | undefined }
  activity(): readonly WorkerActivity[]
  /** A signal has come: no further item begins. */
  readonly isEnding?: boolean
  /** The user's limit on attempts that begin: `10/s`. */
  readonly limit?: string | undefined
  /** For how long no item begins, because the job has asked for it. */
  readonly pausedForMs?: Ms | undefined
}

/** A policy's answer to a failure. */
export type Verdict = 'stop' | 'raise' | 'skip'

export type WorkerStream = 'stdout' | 'stderr'

/** Something that went wrong without ending the run. `errors/warning-text` words it. */
export type Warning =
  /** A worker was asked to stop and did not in time. */
  | {
      readonly kind: 'finalizer-timeout'
      readonly workerId: number
      readonly pid: number
      readonly afterMs: Ms
    }
  /** A worker ended itself, and no item is to blame. */
  | {
      readonly kind: 'exit-between-items'
      readonly workerId: number
      readonly pid: number
      readonly exitCode: number | null
      readonly signal: string | null
      /** Thrown outside every task's promise. */
      readonly uncaughtError: ErrorData | undefined
    }
  /** Worded where it was noticed: in the worker or by the transport. */
  | { readonly kind: 'text'; readonly text: string }

/** What happened in a run, for reports. */
export type RunEvent =
  /** `at` is by `performance.now()`: workers start before reports listen. */
  | { readonly type: 'worker-started'; readonly workerId: number; readonly pid: number; readonly at: Ms }
  | { readonly type: 'worker-ready'; readonly workerId: number; readonly pid: number }
  | {
      readonly type: 'worker-exited'
      readonly workerId: number
      readonly pid: number
      readonly exitCode: number | null
      readonly signal: string | null
    }
  | {
      readonly type: 'worker-output'
      readonly workerId: number
      readonly pid: number
      readonly stream: WorkerStream
      /** One whole line or several, without the last line end. */
      readonly lines: string
      /** Index of the item that printed them, where lines are attributed (`--tag`, `--job-output group|failed`). */
      readonly index?: number
    }
  | { readonly type: 'items-settled'; readonly settled: SettledRange }
  /** Before the end of the run, and for each item at most once. */
  | { readonly type: 'items-cancelled'; readonly cancelled: CancelledRange }
  | {
      readonly type: 'item-failed'
      readonly settled: SettledRange
      readonly failure: ItemFailure
      readonly verdict: Verdict
    }
  /** A signal ends the run; `running` items may go on for `graceMs`. */
  | { readonly type: 'interrupted'; readonly signal: string; readonly running: number; readonly graceMs: Ms }
  | { readonly type: 'warning'; readonly warning: Warning }
  /** One line about the run. */
  | { readonly type: 'note'; readonly text: string }
