// The messages between the parent and a worker: types, the version and the narrowing check.
//
//   parent (worker-processes ─ transport/fork)                   worker (worker/session ─ runner)
//   ──────────────────────────────────────────                   ─────────────────────────────────
//        fork, before the job is compiled          ───────────▶  boots, waits
//        init  {job, initializer, token …}         ───────────▶  imports the job, runs its initializer
//                                                  ◀───────────  loading, then initializing where there is one to run
//                                                  ◀───────────  ready {exports}  |  init-failed {stage, error}
//        run   {chunks}  two or three queued ahead ───────────▶  one item after another
//                                                  ◀───────────  settled {ranges}  at chunk end or every ~10 ms
//        cancel {ids}                              ───────────▶  aborts the signal of what runs, drops what is queued
//                                                  ◀───────────  cancelled {ids, begun}  once none of them runs any more
//        return                                    ───────────▶  keeps only what has begun
//                                                  ◀───────────  returned {ids, kept}  also unasked, where items wait
//        expire {id, offset}                       ───────────▶  aborts the signal of the item, which is late
//                                                  ◀───────────  expiring {id, offset, listens}
//        ping                                      ───────────▶  after some seconds in which nothing was sent
//                                                  ◀───────────  pong {isRunning}
//        stop                                      ───────────▶  finishes, runs the finalizer, exits
//        terminate {isImmediate}                   ───────────▶  aborts; exits once nothing listens to its signal
//                                                  ◀───────────  cancelled {ids, begun}  what it had in hand
//                                                  ◀───────────  recorder-failed  its record is not complete any more
//                                                  ◀───────────  handles-sigterm {handles}  for the transport
//                                                  ◀───────────  dying {why}  before an exit it sees coming
//
// The parent waits for the end of the channel and the exit together, so that it receives every message that was sent.
// A message without the token of `init` is the job's own and is never taken for one of these. How `run` and `settled` look
// on the channel itself is in pack.ts and text-messages.ts, and how a message crosses it in frames.ts.
import type { ErrorData } from '../error-data.js'
import type { Failure, Ms, Payload, Results, TaskSpec, Timings } from '../model.js'

/** Incremented with every incompatible change; a worker of another version refuses `init`. */
export const PROTOCOL_VERSION = 11

/** Where a worker finds the job. The parent never imports it. */
export interface JobSource {
  /** What to import: a `file:` URL. */
  readonly url: string
  /** Its code never changes. A module as its author wrote it can be edited while workers use it. */
  readonly isCompiled: boolean
  /** Of a compiled job: its code, and where code that it chooses at run time is kept. */
  readonly graph?: {
    readonly file: string
    readonly cacheFolder: string
    /** The workers' Node loads modules that may have hooks of their own. */
    readonly hasOtherHooks: boolean
  }
  /** What its author should know. */
  readonly warnings?: readonly string[]
  /** It is poolrun's own, which attributes what it prints itself. */
  readonly isBuiltIn?: true
}

export interface InitMessage {
  readonly type: 'init'
  readonly version: number
  /** Secret of this worker; part of every message it sends. */
  readonly token: string
  readonly workerId: number
  readonly job: JobSource
  /** Export to call before the first item: a name, `undefined` for `initializer` if there is one. */
  readonly initializer?: string
  readonly initArgs: readonly unknown[]
  /** Set in the worker, where the arguments and parameters could not be decoded: why not. */
  readonly undecodable?: string
  /** `context.params` of every task. */
  readonly params?: Readonly<Record<string, unknown>>
  /** Call no initializer: the job is loaded to be checked and will not run. */
  readonly loadOnly?: boolean
  /** Items in flight at once. */
  readonly concurrency: number
  /** Descriptor of the flight recorder's file, if there is one. */
  readonly recorder?: number
  /** Report the resident memory with every `settled`. */
  readonly reportMemory: boolean
  /** Write a marker line to stdout and stderr when an item starts, so that output can be attributed. */
  readonly markOutput: boolean
}

/** A chunk on its way to a worker. `id` names it in the worker's messages; `attempt` counts from 1. */
export interface ChunkMessage {
  readonly id: number
  readonly task: TaskSpec
  readonly count: number
  /** Index of the first item, or of each where they are not consecutive. */
  readonly index: number | readonly number[]
  readonly attempt: number
  /** After an item that took this long, everything else is returned: the parent may be terminating this worker. */
  readonly timeoutMs?: Ms
  /** There is another attempt if this one fails with an error, unless the job's `shouldRetry` says otherwise. */
  readonly mayRetry?: boolean
  /** Record every item, however cheap, before it begins: it must be known which one runs. */
  readonly recordEachItem: boolean
  /** Of a small call: it runs between two items of other chunks, instead of after them. */
  readonly isSmall: boolean
  readonly payload: Payload
}

export type ToWorker =
  | InitMessage
  | { readonly type: 'run'; readonly chunks: readonly ChunkMessage[] }
  /** `why`: the message of the reason with which signals abort. */
  | { readonly type: 'cancel'; readonly ids: readonly number[]; readonly why?: string | undefined }
  /** What has not begun is wanted back. */
  | { readonly type: 'return' }
  | { readonly type: 'ping' }
  | { readonly type: 'stop' }
  /** This item of a chunk has exceeded its time. */
  | { readonly type: 'expire'; readonly id: number; readonly offset: number }
  /** `isImmediate`: exit even if items listen to their signal. `why`: as for `cancel`. */
  | { readonly type: 'terminate'; readonly isImmediate: boolean; readonly why: string }

/** Items `from … from + count − 1` of chunk `id` have settled. Ranges of a chunk come in order, without gaps. */
export interface ResultsMessage {
  readonly id: number
  readonly from: number
  readonly count: number
  readonly results: Results
  readonly failures: readonly { readonly offset: number; readonly failure: Failure }[]
  /** Time the tasks of this range took, by the worker's clock. */
  readonly busyMs: Ms
  /** Only where the task wants them (`TaskSpec.timed`). */
  readonly timings?: Timings
}

/** Exports of the job module: name to whether it can be called. */
export type JobExports = Readonly<Record<string, 'function' | 'other'>>

export type FromWorker = { readonly token: string } & (
  | {
      /** Its Node has started, with what `--node-options` preloads; the job is loaded next. */
      readonly type: 'loading'
    }
  | {
      /** The job is loaded; its initializer is called next. */
      readonly type: 'initializing'
    }
  | { readonly type: 'ready'; readonly exports: JobExports }
  | {
      readonly type: 'init-failed'
      readonly stage: 'load' | 'initializer' | 'protocol'
      readonly error: ErrorData
    }
  | { readonly type: 'settled'; readonly ranges: readonly ResultsMessage[]; readonly rss?: number }
  /** These chunks do not run any more. `begun`: how many items of each have begun. After `terminate`, nothing else begins. */
  | { readonly type: 'cancelled'; readonly ids: readonly number[]; readonly begun: readonly number[] }
  /**
   * Of each of these chunks the worker keeps only its first `kept` items, all of which have begun. Answers `return`, or is
   * sent unasked (`waits`): the items wait for something, and others could run meanwhile.
   */
  | {
      readonly type: 'returned'
      readonly ids: readonly number[]
      readonly kept: readonly number[]
      readonly waits: boolean
    }
  /** Answers `ping`. */
  | { readonly type: 'pong'; readonly isRunning: boolean }
  /** An exception outside every task's promise, or the job's own `process.exit`; the process ends next. */
  | { readonly type: 'dying'; readonly escaped?: ErrorData; readonly exitSite?: string }
  /** The flight recorder could not be written: from here on its file says nothing. Nothing starts before this has left. */
  | { readonly type: 'recorder-failed' }
  /** Answers `expire`, if the item is still running: its signal was aborted. */
  | { readonly type: 'expiring'; readonly id: number; readonly offset: number; readonly listens: boolean }
  /** Answers `terminate`: some items listen to their signal and should be given time. */
  | { readonly type: 'terminating' }
  /** Whether the job has a listener for SIGTERM, when that changes. Without one, the worker ignores the signal. */
  | { readonly type: 'handles-sigterm'; readonly handles: boolean }
  | { readonly type: 'warning'; readonly message: string }
)

type WithoutToken<T> = T extends unknown ? Omit<T, 'token'> : never
/** A worker's message before its guard adds the token. */
export type OutgoingMessage = WithoutToken<FromWorker>

/** Narrows what arrived on the channel; anything else is the job's own message. */
export function isFromWorker(message: unknown, token: string): message is FromWorker {
  return typeof message === 'object' && message !== null && (message as { token?: unknown }).token === token
}

/** Starts a line that a worker writes into its own output; `<token>:<index>` or `<token>:none` follows. */
export const OUTPUT_MARK = '\0poolrun:'

/** The line that names the item whose output follows. The token keeps a job from forging it. */
export function outputMarker(token: string, index: number | 'none'): string {
  return `${OUTPUT_MARK}${token}:${index}\n`
}
