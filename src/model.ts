// The nouns every stage shares: chunks of items flowing right, settled ranges flowing back, failures, events.
// Types, and the arithmetic of item indexes.
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
 * - `ndjson`: JSON texts ended by LF (CR before it is white space); lines of white space only are no items.
 * - `json`: elements of one JSON array, the commas between them included, none before the first or after the last.
 * - `lines`: strings ended by LF or CRLF; empty lines are no items.
 * - `nul`: strings ended by NUL; empty strings are items.
 * - `csv`: records of CSV or TSV as lines of JSON: an object, or an array that says why the record is none.
 */
export type Framing = 'ndjson' | 'json' | 'lines' | 'nul' | 'csv'

/** What a chunk carries: values (library; structured clone) or the items' own text, which the parent never parses (CLI). */
export type Payload =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | {
      readonly kind: 'bytes'
      readonly bytes: Uint8Array
      readonly framing: Framing
      /** Of `json`: where some of the commas between elements are, so that it can be parsed in pieces. */
      readonly cuts?: readonly number[]
    }

/** Where the first byte of a bytes payload stands in its input. */
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
 * The unit of flow: some consecutive items of one call.
 * `seq` is the place of its first item in the order the call took items; an item's *index* is its place in the
 * whole input, the same number unless a selection (`--only`) left items out: then `indexes` has them.
 */
export interface Chunk {
  readonly seq: number
  readonly count: number
  readonly payload: Payload
  readonly indexes?: readonly number[]
  readonly origin?: Origin
}

export function itemIndexAt(chunk: Chunk, offset: number): number {
  return chunk.indexes?.[offset] ?? chunk.seq + offset
}

/** Results of a range: values (one a place, `undefined` where the item failed) or one JSON text a line, failed items left out. */
export type Results =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'json'; readonly bytes: Uint8Array }

/** The failure kinds of `--retry-on`, reports and `--errors`. */
export type FailureKind = (typeof FAILURE_KINDS)[number]

/** What became of an item that did not succeed; plain data, made in the worker or by the scheduler. */
export type Failure =
  | { readonly kind: 'error'; readonly error: ErrorData }
  | {
      readonly kind: 'crash' | 'oom'
      readonly exitCode: number | null
      readonly signal: string | null
      /** How long the item had been running. */
      readonly afterMs: Ms
      /** Up to ten last lines the worker wrote to stderr. */
      readonly stderrTail: readonly string[]
      /** What escaped from the job outside any task's promise, when that is why the worker ended. */
      readonly escaped?: ErrorData
      /** Stack of the job's own `process.exit` (or `abort`, `kill`) call. */
      readonly exitSite?: string
    }
  | { readonly kind: 'timeout'; readonly timeoutMs: Ms }
  /** The item's text is no JSON; `at` is the offset, in characters of the item's text, of the first wrong one. */
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

/** When each item of a range began and how long its task took, item by item. */
export interface Timings {
  /** Milliseconds since the epoch, with fractions. */
  readonly startedAt: Float64Array
  readonly ms: Float64Array
}

/** A failure with its place: which item, where it ran, which attempt this was (from 1). */
export interface ItemFailure {
  /** Place within the chunk. */
  readonly offset: number
  readonly failure: Failure
  readonly workerId: number
  readonly pid: number
  readonly attempts: number
  /** When this attempt began (ms since the epoch) and how long it took, where that was asked for and is known. */
  readonly startedAt?: Ms
  readonly ms?: Ms
  /** What its earlier attempts failed with, oldest first. */
  readonly earlier?: readonly ItemFailure[]
}

/** How long the last attempt took, as far as anyone knows. */
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
  /** From 1: which attempt at these items this was. */
  readonly attempts: number
  /** Where the task asked for it; not of what a dead worker left behind. */
  readonly timings?: Timings
  /** The range is one item that succeeded at last: what its earlier attempts failed with. */
  readonly flaky?: readonly ItemFailure[]
}

/** How a task is called with its item: `item` is `fn(item, context)`, `spread` is `fn(...item)` (starmap, apply). */
export type Calling = 'item' | 'spread'

/** What a call asks of a worker for each of its items. */
export interface TaskSpec {
  /** Export of the job module; `default` for the default export. */
  readonly name: string
  readonly calling: Calling
  /** What results travel back as. */
  readonly reply: Results['kind']
  /** Ask for the timings of every item: costs two numbers an item on the way back. */
  readonly timed?: boolean
}

/** Numbers a run is judged by. `notRun` is whatever was accepted and did not settle. */
export interface Counts {
  readonly ok: number
  readonly failed: number
  readonly notRun: number
}

/** What a worker is doing at one moment, for whoever looks on. */
export interface WorkerActivity {
  readonly workerId: number
  readonly pid: number
  readonly state: 'starting' | 'idle' | 'busy' | 'ending'
  /** Of the items it runs the one that began first, or, among quick ones, the one that is next. */
  readonly item?: { readonly chunk: Chunk; readonly offset: number; readonly forMs: Ms }
  /** Items it runs besides that one (`--concurrency`). */
  readonly others: number
}

/** A run while it goes on. `counts` costs nothing; `activity` is for a few times a second. */
export interface RunView {
  /** `notRun` is what was taken and has not settled; `total` what there is, where that is known. */
  counts(): Counts & { readonly total: number | undefined }
  activity(): readonly WorkerActivity[]
}

/** What a failed item meant for its run. */
export type Verdict = 'stop' | 'raise' | 'skip'

export type WorkerStream = 'stdout' | 'stderr'

/** Something that went wrong and ends nothing. `errors/warning-text` words it. */
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

/** The one stream all reports read. Past tense: it has happened. */
export type RunEvent =
  /** `at` by `performance.now()`: a worker may be older than whoever hears of it. */
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
      readonly line: string
      /** Index of the item that printed it, where lines are attributed (`--tag`, `--job-output group|failed`). */
      readonly index?: number
    }
  | { readonly type: 'items-settled'; readonly settled: SettledRange }
  | {
      readonly type: 'item-failed'
      readonly settled: SettledRange
      readonly failure: ItemFailure
      readonly verdict: Verdict
    }
  /** A signal ends the run: so many items are given so long. */
  | { readonly type: 'interrupted'; readonly signal: string; readonly running: number; readonly graceMs: Ms }
  | { readonly type: 'warning'; readonly warning: Warning }
