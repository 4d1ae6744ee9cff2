// What can reach the scheduler and what it can request. Types only: inputs and commands are the whole surface between
// the pure core and the executor around it.
import type { ErrorData } from '../../error-data.js'
import type { ChunkMessage, JobExports, ResultsMessage } from '../../ipc/protocol.js'
import type { CancelledRange, Chunk, Failure, Ms, SettledRange, Warning } from '../../model.js'
import type { Want } from '../../source.js'
import type { CallSettings } from '../call-settings.js'

export type CallId = number

export interface CallOptions extends CallSettings {
  /** Items in the source, if that is known. */
  readonly remaining?: number | undefined
  /** All of its items: there is nothing to pull. */
  readonly chunk?: Chunk | undefined
}

// ── inputs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Everything that can happen. */
export type SchedulerInput =
  // from the callers
  | ({ readonly type: 'open'; readonly call: CallId } & CallOptions)
  /** Answers `pull`. Without a chunk the source has ended. */
  | {
      readonly type: 'supply'
      readonly call: CallId
      readonly chunk: Chunk | undefined
      readonly remaining?: number | undefined
    }
  /** `why`: for the tasks that are running. */
  | { readonly type: 'abort'; readonly call: CallId; readonly why?: string | undefined }
  /** Take nothing new; let running items finish, discard the rest. */
  | { readonly type: 'drain'; readonly call: CallId }
  /** Workers may start before there is a call. */
  | { readonly type: 'start'; readonly count: number }
  | { readonly type: 'close' }
  /** `why`: for the tasks that are running. */
  | { readonly type: 'terminate'; readonly why?: string | undefined }
  /** `terminate` by SIGKILL, without asking first. */
  | { readonly type: 'kill' }
  // from the workers, which are numbered 0 … processes − 1
  | ({ readonly worker: number } & WorkerInput)
  // from the clock
  | { readonly type: 'tick' }

export type WorkerInput = ProcessInput | WorkInput

/** About the process of a worker: how it starts and how it ends. */
type ProcessInput =
  | { readonly type: 'spawned'; readonly pid: number; readonly hasRecorder?: boolean | undefined }
  | { readonly type: 'init-sent' }
  | { readonly type: 'loading' }
  | { readonly type: 'initializing' }
  | { readonly type: 'ready'; readonly exports: JobExports }
  | {
      readonly type: 'init-failed'
      readonly stage: 'load' | 'initializer' | 'protocol'
      readonly error: ErrorData
    }
  /** It has not loaded the job, or not as it was at the start: this file of it was edited. */
  | { readonly type: 'job-changed'; readonly file: string }
  /** There never was a process. */
  | { readonly type: 'spawn-failed'; readonly error: Error }
  /** The flight recorder of the process shows nothing that can be relied on any more. */
  | { readonly type: 'recorder-failed' }
  /** The job has written to the channel: nothing more is received from the process, and it is being killed. */
  | { readonly type: 'channel-damaged' }
  /** Answers `terminate`: some items listen to their signal and are given time. */
  | { readonly type: 'terminating' }
  /** `dying` on the channel: the process exits next. */
  | { readonly type: 'exit-announced'; readonly notice: ExitNotice }
  /** The last input of a process, after all its messages and output. */
  | ({ readonly type: 'exited' } & WorkerExit)

/** About the chunks that a worker was given. */
export type WorkInput =
  | {
      readonly type: 'settled'
      readonly ranges: readonly ResultsMessage[]
      /** Resident bytes, measured by the worker itself between items. */
      readonly rss?: number | undefined
    }
  /** These chunks do not run any more: they were cancelled. */
  | {
      readonly type: 'cancelled'
      readonly ids: readonly number[]
      /** How many items of each have begun. */
      readonly begun: readonly number[]
    }
  /** Of each of these chunks the worker keeps only its first `kept` items, all of which have begun. */
  | {
      readonly type: 'returned'
      readonly ids: readonly number[]
      readonly kept: readonly number[]
      /** Nobody asked: the items wait for something, and others could run meanwhile. */
      readonly waits: boolean
    }
  /** A chunk was not sent because these of its items cannot be; without any, each should be tried alone. */
  | {
      readonly type: 'unsendable'
      readonly id: number
      readonly failures: readonly { readonly offset: number; readonly failure: Failure }[]
    }
  /** Answers `expire`: the signal of the item was aborted. Without a listener, waiting for the item is of little use. */
  | { readonly type: 'expiring'; readonly id: number; readonly offset: number; readonly listens: boolean }
  /** Answers `inspect`; `undefined` without a flight recorder. */
  | { readonly type: 'inspected'; readonly running: readonly RunningItem[] | undefined }
  /** The worker was sent a `ping`; what its flight recorder shows now, `undefined` if that is not known. */
  | { readonly type: 'pinged'; readonly record: WorkRecord | undefined }
  /** Answers a `ping`. */
  | { readonly type: 'pong'; readonly isRunning: boolean }
  /** Resident bytes, measured from outside. */
  | { readonly type: 'memory'; readonly rss: number }

/** What the flight record of a worker shows while it is silent. */
export interface WorkRecord {
  readonly running: readonly RunningItem[]
  /** Chunks whose items may be running without being recorded. */
  readonly unrecorded: readonly number[]
}

/** An item that has begun, and how long ago. */
export interface RunningItem {
  readonly id: number
  readonly offset: number
  readonly forMs: Ms
  /** It has ended, that long ago, and the message with its outcome is leaving the worker. */
  readonly isSending?: true
  /** It has returned to the event loop. Known only of items with a time limit that run beside others. */
  readonly isSuspended?: true
}

export interface WorkerExit {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stderrTail: readonly string[]
  /** `undefined` without a flight recorder. */
  readonly record?: ExitRecord | undefined
}

/** What the flight recorder of a worker shows after its exit. */
export interface ExitRecord {
  /** Some of them may have been sent as well. */
  readonly outcomes: readonly ResultsMessage[]
  readonly running: readonly RunningItem[]
  /** The items of a chunk before offset `upTo` have begun. */
  readonly begun?: readonly { readonly id: number; readonly upTo: number }[]
  /** Chunks that have begun and whose items are not recorded. */
  readonly unrecorded: readonly number[]
}

/** What a worker sends before an exit that it sees coming. */
export interface ExitNotice {
  /** Thrown outside every task's promise. */
  readonly uncaughtError: ErrorData | undefined
  /** Of the job's own call of `process.exit`, `abort` or `disconnect`. */
  readonly exitCallStack: string | undefined
}

// ── commands ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Effects as data; the executor performs them in order. */
export type Command =
  | { readonly type: 'spawn'; readonly worker: number }
  /** Request a chunk from the source of a call; `supply` answers. */
  | { readonly type: 'pull'; readonly call: CallId; readonly want: Want }
  | { readonly type: 'run'; readonly worker: number; readonly chunk: ChunkMessage }
  | {
      readonly type: 'cancel'
      readonly worker: number
      readonly ids: readonly number[]
      readonly why?: string | undefined
    }
  | { readonly type: 'stop'; readonly worker: number }
  /** Request what has not begun; `returned` answers. */
  | { readonly type: 'return'; readonly worker: number }
  /** Abort the item at this offset of a chunk: it has exceeded its time. */
  | { readonly type: 'expire'; readonly worker: number; readonly id: number; readonly offset: number }
  /** `isImmediate`: items have no more time to settle. */
  | {
      readonly type: 'terminate'
      readonly worker: number
      readonly isImmediate: boolean
      readonly why: string
    }
  /** Read from the flight recorder what is running; `inspected` answers. */
  | { readonly type: 'inspect'; readonly worker: number }
  /** Ask whether an item is running; `pinged` follows, and `pong` if the worker answers. */
  | { readonly type: 'ping'; readonly worker: number }
  | { readonly type: 'kill'; readonly worker: number; readonly signal: 'SIGTERM' | 'SIGKILL' }
  | { readonly type: 'settle'; readonly call: CallId; readonly settled: SettledRange }
  /** More bytes of results wait for the first result of their call; less, if negative. */
  | { readonly type: 'held'; readonly call: CallId; readonly bytes: number }
  /** Items of a call that was cancelled. After `terminate` and after a fault, also once the call has ended. */
  | { readonly type: 'cancelled'; readonly call: CallId; readonly cancelled: CancelledRange }
  | { readonly type: 'end'; readonly call: CallId; readonly end: CallEnd }
  | { readonly type: 'warn'; readonly warning: Warning }
  /** After `close`, `terminate` or a fault: every worker has exited. */
  | { readonly type: 'closed' }

export type CallEnd =
  | { readonly type: 'done' }
  | { readonly type: 'aborted' }
  /** The job module does not export the task, or the export is not a function. */
  | { readonly type: 'no-task'; readonly exports: JobExports }
  | { readonly type: 'fault'; readonly fault: PoolFault }
  | { readonly type: 'terminated' }

/** What a starting worker does: its Node starts, it loads the job, it runs the initializer. */
export type StartPhase = 'boot' | 'load' | 'initializer'

/** Why the whole pool cannot go on. */
export type PoolFault =
  | ({ readonly kind: 'load'; readonly error: ErrorData } & FaultyWorker)
  /** This file of the job, as shown to users, was edited while workers used it. */
  | { readonly kind: 'job-changed'; readonly file: string }
  | ({ readonly kind: 'initializer'; readonly error: ErrorData } & FaultyWorker)
  | ({ readonly kind: 'init-timeout'; readonly phase: StartPhase; readonly afterMs: Ms } & FaultyWorker)
  /** Exited before it was ready. */
  | ({
      readonly kind: 'startup'
      readonly phase: StartPhase
      readonly exitCode: number | null
      readonly signal: string | null
      readonly stderrTail: readonly string[]
      readonly notice: ExitNotice | undefined
    } & FaultyWorker)
  | { readonly kind: 'spawn'; readonly error: Error }
  /** Workers crashed more often than `limit`. */
  | { readonly kind: 'restarts'; readonly limit: number }

export interface FaultyWorker {
  readonly worker: number
  readonly pid: number
  /** Processes started so far. */
  readonly started: number
}
