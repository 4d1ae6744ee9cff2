// The types of the library's surface: what a job module's exports mean for arguments and results, and every option.
// Types only; the checks that meet callers without a type checker are in options.ts.
import type { WorkerStream } from '../model.js'
import type { TaskContext } from '../worker/task-context.js'

/** What a pool is for when nobody says: any task name, any argument, unknown results. */
export type UntypedJob = Record<string, (...args: unknown[]) => unknown>

/** Items may come from anything that can be iterated; a length is never trusted. */
export type Input<T> = Iterable<T> | AsyncIterable<T>

type Reserved = 'initializer' | 'finalizer' | 'input'
type AnyFunction = (...args: never[]) => unknown

/** Exports of the job module that are tasks. */
export type TaskName<Job> = {
  [Name in keyof Job & string]: Name extends Reserved ? never : Job[Name] extends AnyFunction ? Name : never
}[keyof Job & string]

/** What `map`, `imap` and `collect` take for an item: the first parameter; the second one must be the context. */
export type TaskItem<Job, Name extends keyof Job> = Job[Name] extends (
  item: infer Item,
  context: TaskContext,
) => unknown
  ? Item
  : never

/** What `apply` and each item of `starmap` are: all the parameters. */
export type TaskArguments<Job, Name extends keyof Job> = Job[Name] extends (...args: infer Args) => unknown
  ? Readonly<Args>
  : never

export type TaskResult<Job, Name extends keyof Job> = Job[Name] extends (...args: never[]) => infer Result
  ? Awaited<Result>
  : never

/** `args` may be left out where the task needs none. */
export type ApplyParameters<Args extends readonly unknown[], Options> = readonly [] extends Args
  ? [args?: Args, options?: Options]
  : [args: Args, options?: Options]

export interface WorkerLineInfo {
  /** 0 … processes − 1. */
  readonly workerId: number
  readonly pid: number
  readonly stream: WorkerStream
}

/** All durations are milliseconds, sizes bytes. */
export interface PoolOptions {
  /** Worker processes, at least 1; one a core by default. Python: `processes`. */
  readonly processes?: number | undefined
  /** Export to call once in each worker before its first item; `initializer` by default, if exported. */
  readonly initializer?: string | undefined
  /** Arguments of the initializer. Python: `initargs`. */
  readonly initArgs?: readonly unknown[] | undefined
  /** Replace a worker after so many items (Python counts chunks). */
  readonly maxTasksPerChild?: number | undefined
  /** Items in flight inside one worker; 1 by default. */
  readonly concurrency?: number | undefined
  /** Per attempt, in ms, from when the item begins; none by default. */
  readonly timeout?: number | undefined
  /** Extra attempts; 0 by default. */
  readonly retries?: number | undefined
  /** In ms: a worker must be ready by then; 60 000 by default. */
  readonly initTimeout?: number | undefined
  /** Replacements of crashed workers before the pool gives up; 4 × processes, at least 16, by default. */
  readonly maxWorkerRestarts?: number | undefined
  /** Resident bytes of one worker; no limit by default. */
  readonly maxMemory?: number | undefined
  /** In ms: grace between the polite stop and SIGKILL; 2 000 by default. */
  readonly killAfter?: number | undefined
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Node options of the workers; none are inherited. */
  readonly execArgv?: readonly string[] | undefined
  /** Hears each line that jobs print, instead of this process's stderr. */
  readonly onWorkerOutput?: ((line: string, info: WorkerLineInfo) => void) | undefined
}

export interface ApplyOptions {
  /** Per attempt, in ms, from when the item begins; the pool's by default. */
  readonly timeout?: number | undefined
  /** Abort cancels what runs; the call rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
}

export interface MapOptions extends ApplyOptions {
  /** Items a message; adapts to their measured cost and size by default. Python: `chunksize`. */
  readonly chunkSize?: number | undefined
}

export interface IterateOptions extends MapOptions {
  /**
   * Most items taken from the input and not yet handed out. By default 1024 for each worker; fewer where arguments
   * are large, but at least 4 for each worker.
   */
  readonly bufferSize?: number | undefined
}

/** Run in this process before the result counts as ready; a promise is awaited and delays only that result. */
export interface Callbacks<Result> {
  readonly callback?: ((result: Result) => unknown) | undefined
  /** Python: `error_callback`. */
  readonly errorCallback?: ((error: unknown) => unknown) | undefined
}

export interface CollectOptions<Item> extends IterateOptions {
  /** Hears of each failed item; awaited. If it throws, the iterator rejects with `CallbackError`. */
  readonly onFailure?: ((error: unknown, index: number, item: Item) => unknown) | undefined
  /** Results in order of completion. */
  readonly unordered?: boolean | undefined
}

export interface NextOptions {
  /** In ms: reject with `TimeoutError` if nothing is there by then; nothing is lost, 0 polls. */
  readonly timeout?: number | undefined
}
