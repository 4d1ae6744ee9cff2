// The outer seam: something that runs chunks. Worker processes on this machine are one such thing; shell commands or a
// queue could be others. An executor does not depend on policies, delivery order, flow windows, writers or reports.
import type { Abortable } from '../abort.js'
import type { JobSource } from '../ipc/protocol.js'
import type { CancelledRange, Ms, RunEvent, SettledRange, WorkerActivity } from '../model.js'
import type { ChunkSource } from '../source.js'
import type { CallSettings } from './call-settings.js'
import type { ExecutionFault } from './execution-fault.js'

export { ExecutionFault } from './execution-fault.js'
export type { PoolFault } from './scheduler/messages.js'

export interface Execution extends CallSettings {
  /** Never throws: the caller has wrapped a source that can. */
  readonly source: ChunkSource
  /** Called with the bytes of results that wait for the first one to be known; negative for those that no longer do. */
  readonly onHeld?: ((bytes: number) => void) | undefined
  /** Called once for every item, range by range, when it settles. Must not throw. */
  onSettled(settled: SettledRange): void
  /**
   * Called with items that had begun, or may have, and do not settle any more: after an abort, a fault or `terminate`, and
   * after a drain for items that wait for another attempt. The last of these calls comes before every worker has exited.
   */
  onCancelled?: ((cancelled: CancelledRange) => void) | undefined
  /**
   * Called with the fault that `execute` rejects with. Where the fault is known beforehand, this call happens within
   * `execute` itself, so that a caller can throw it.
   */
  readonly onFault?: ((fault: ExecutionFault) => void) | undefined
  /** Abort: running items are cancelled, the rest never start, and nothing of this execution settles any more. */
  readonly signal?: Abortable | undefined
  /** Abort: take no more chunks; running items may finish and settle, items that have not started are dropped. */
  readonly drain?: AbortSignal | undefined
}

export interface Executor {
  /**
   * Resolves when the source has ended and each item taken from it has settled or, after an abort, when nothing of it
   * runs any more. Rejects only with an `ExecutionFault`.
   */
  execute(execution: Execution): Promise<void>
  /** Starts `count` workers before there is anything to run: their start overlaps with opening the input. */
  start(count: number): void
  /** Items that can be running now. */
  readonly running: number
  /** For how long no item begins, because a job has asked for it (ms); `undefined` while none has. */
  readonly pausedForMs: Ms | undefined
  /** What the workers are doing. For a progress display: costs too much for more than a few times a second. */
  activity(): readonly WorkerActivity[]
  /** Stops time and the workers, as Ctrl-Z does; nothing times out meanwhile. */
  suspend(): void
  resume(): void
  /** Whether the output of jobs is read. While it is not, a job that prints more than its pipe holds has to wait. */
  readOutput(on: boolean): void
  /** Finishes what was taken, then stops the workers. Resolves when they have exited, as the next two do. Idempotent. */
  close(): Promise<void>
  /** Terminates the workers; every execution ends with a fault. `why` is for the tasks that are running. Idempotent. */
  terminate(why?: string): Promise<void>
  /** As `terminate`, but kills the workers. Idempotent. */
  kill(): Promise<void>
}

/** What an executor is made from, whatever it runs chunks with. It ignores what does not apply to it. */
export interface ExecutorOptions {
  /** 0: items run one by one in this process. */
  readonly processes: number
  /** Items that run at the same time in one worker. */
  readonly concurrency: number
  /** Items that run at the same time in all workers together, where that is less than `concurrency` in each. */
  readonly itemsAtATime?: number | undefined
  readonly initTimeoutMs: Ms
  readonly killAfterMs: Ms
  /** Crashed workers that are replaced before the pool fails. */
  readonly maxRestarts: number
  /** A worker is replaced after this many items. */
  readonly maxTasksPerChild?: number | undefined
  /** Resident bytes of one worker. */
  readonly maxMemoryBytes?: number | undefined
  /** Workers start without it and wait for it, so that compiling a job overlaps with their start. */
  readonly job: Promise<JobSource>
  readonly initializer?: string | undefined
  readonly initArgs: readonly unknown[]
  /** `context.params` of every task; without it, empty. */
  readonly params?: Readonly<Record<string, unknown>> | undefined
  /** Load the job, but run neither its initializer nor any item. */
  readonly loadOnly?: boolean | undefined
  /** Attribute each line that a job prints to the item that printed it. */
  readonly markOutput: boolean
  /** Added to the environment of the workers. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Node options of the workers. */
  readonly execArgv?: readonly string[] | undefined
  /** Called with everything that happens to workers. */
  readonly emit: (event: RunEvent) => void
  /** Called with one line of text for what is done with workers, before it is done; has a small cost per chunk. */
  readonly trace?: ((line: string) => void) | undefined
}

export type CreateExecutor = (options: ExecutorOptions) => Executor
