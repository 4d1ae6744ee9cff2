// What can reach the scheduler and what it can ask for. Types only: the two unions are the whole surface between
// the pure core and the shell around it.
import type { ErrorData } from '../../error-data.js'
import type { ChunkMessage, JobExports, ResultsMessage } from '../../ipc/protocol.js'
import type { Chunk, Failure, Ms, SettledRange, TaskSpec, Warning } from '../../model.js'
import type { RetryOptions } from '../../plan.js'
import type { Want } from '../../source.js'

export type CallId = number

export interface CallOptions {
  readonly task: TaskSpec
  /** Items a chunk; `undefined` adapts. */
  readonly chunkSize?: number | undefined
  readonly mayStop?: boolean | undefined
  /** Per attempt, from the moment the item begins. */
  readonly timeoutMs?: Ms | undefined
  readonly retry?: RetryOptions | undefined
  /** Items of the source, where it knows. */
  readonly remaining?: number | undefined
}

/** An item that has begun, and how long ago. */
export interface RunningItem {
  readonly id: number
  readonly offset: number
  readonly forMs: Ms
}

/** What the flight recorder of a worker shows after its exit. */
export interface ExitRecord {
  /** Some of them may have been sent as well. */
  readonly outcomes: readonly ResultsMessage[]
  readonly running: readonly RunningItem[]
  /** Chunks that have begun and whose items are not recorded. */
  readonly unrecorded: readonly number[]
}

/** Everything that can happen. One inbox, one function; `worker` is 0 … processes − 1. */
export type SchedulerInput =
  // from the callers
  | ({ readonly type: 'open'; readonly call: CallId } & CallOptions)
  | {
      readonly type: 'supply'
      readonly call: CallId
      readonly chunk: Chunk | undefined
      readonly remaining?: number | undefined
    }
  | { readonly type: 'abort'; readonly call: CallId }
  /** Take nothing more; what runs may end, what has not begun is given up. */
  | { readonly type: 'drain'; readonly call: CallId }
  /** Workers may start before there is a call. */
  | { readonly type: 'start'; readonly count: number }
  | { readonly type: 'close' }
  | { readonly type: 'terminate' }
  /** As `terminate`, without asking. */
  | { readonly type: 'kill' }
  // from the workers
  | ({ readonly worker: number } & WorkerInput)
  // from the clock
  | { readonly type: 'tick' }

export type WorkerInput =
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'init-sent' }
  | { readonly type: 'initializing' }
  | { readonly type: 'ready'; readonly exports: JobExports }
  | {
      readonly type: 'init-failed'
      readonly stage: 'load' | 'initializer' | 'protocol'
      readonly error: ErrorData
    }
  | {
      readonly type: 'settled'
      readonly ranges: readonly ResultsMessage[]
      readonly rss?: number | undefined
    }
  | { readonly type: 'cancelled'; readonly ids: readonly number[] }
  /** `dying` on the channel: the process exits next. */
  | { readonly type: 'exit-announced'; readonly notice: ExitNotice }
  | { readonly type: 'terminating' }
  /** The last input of a process, after all its messages and output. */
  | ({ readonly type: 'exited' } & WorkerExit)
  | { readonly type: 'spawn-failed'; readonly error: Error }
  /** A chunk could not be sent: these of its items cannot be cloned. Nothing of it was sent. */
  | {
      readonly type: 'unsendable'
      readonly id: number
      readonly failures: readonly { readonly offset: number; readonly failure: Failure }[]
    }
  /** What the recorder says of a worker that has been silent for a timeout; `undefined` where there is none. */
  | { readonly type: 'inspected'; readonly running: readonly RunningItem[] | undefined }
  /** Resident bytes, measured from outside. */
  | { readonly type: 'memory'; readonly rss: number }

export interface WorkerExit {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stderrTail: readonly string[]
  /** `undefined` where there is no flight recorder. */
  readonly record?: ExitRecord | undefined
}

/** What a worker sends before an exit that it sees coming. */
export interface ExitNotice {
  /** Thrown outside every task's promise. */
  readonly uncaughtError: ErrorData | undefined
  /** Of the job's own call of `process.exit`, `abort` or `kill`. */
  readonly exitCallStack: string | undefined
}

/** Why the whole pool cannot go on. */
export type PoolFault =
  | ({ readonly kind: 'load'; readonly error: ErrorData } & FaultyWorker)
  | ({ readonly kind: 'initializer'; readonly error: ErrorData } & FaultyWorker)
  | ({ readonly kind: 'init-timeout'; readonly afterMs: Ms } & FaultyWorker)
  /** Exited before it was ready. */
  | ({
      readonly kind: 'startup'
      readonly phase: 'load' | 'initializer'
      readonly exitCode: number | null
      readonly signal: string | null
      readonly stderrTail: readonly string[]
      readonly notice: ExitNotice | undefined
    } & FaultyWorker)
  | { readonly kind: 'spawn'; readonly error: Error }
  | { readonly kind: 'restarts'; readonly limit: number }

export interface FaultyWorker {
  readonly worker: number
  readonly pid: number
  /** Workers started so far. */
  readonly started: number
}

export type CallEnd =
  | { readonly type: 'done' }
  | { readonly type: 'aborted' }
  /** The job module has no such task, or it is no function. */
  | { readonly type: 'no-task'; readonly exports: JobExports }
  | { readonly type: 'fault'; readonly fault: PoolFault }
  | { readonly type: 'terminated' }

/** Effects as data; the shell performs them in order. */
export type Command =
  | { readonly type: 'spawn'; readonly worker: number }
  | { readonly type: 'pull'; readonly call: CallId; readonly want: Want }
  | { readonly type: 'run'; readonly worker: number; readonly chunk: ChunkMessage }
  | { readonly type: 'cancel'; readonly worker: number; readonly ids: readonly number[] }
  | { readonly type: 'drain' | 'stop' | 'terminate'; readonly worker: number }
  /** Ask the recorder what runs; `inspected` answers. */
  | { readonly type: 'inspect'; readonly worker: number }
  | { readonly type: 'kill'; readonly worker: number; readonly signal: 'SIGTERM' | 'SIGKILL' }
  | { readonly type: 'settle'; readonly call: CallId; readonly settled: SettledRange }
  | { readonly type: 'end'; readonly call: CallId; readonly end: CallEnd }
  | { readonly type: 'warn'; readonly warning: Warning }
  /** Every worker is gone, after `close`, `terminate` or a fault. */
  | { readonly type: 'closed' }
