// The types of the library's public interface: argument and result types inferred from a job module, and all options.
// Types only; `check-options.ts` has the checks at run time.
import type { FailureKind, WorkerStream } from '../model.js'
import type { TaskContext } from '../worker/task-context.js'

/** The job module of a Pool without a type argument: any task name, any arguments, unknown results. */
export type UntypedJob = Record<string, (...args: unknown[]) => unknown>

/** Where items come from. Read on demand; its `length` or `size` is never trusted. */
export type Input<T> = Iterable<T> | AsyncIterable<T>

type Reserved = 'initializer' | 'finalizer' | 'input' | 'shouldRetry'
type AnyFunction = (...args: never[]) => unknown

/** Names of the job module's exports that are tasks: its functions, except those that poolrun itself uses. */
export type TaskName<Job> = {
  [Name in keyof Job & string]: Name extends Reserved ? never : Job[Name] extends AnyFunction ? Name : never
}[keyof Job & string]

/**
 * An item of `map`, `imap` and `collect`: the task's first parameter. Its second parameter, if there is one, must accept
 * a TaskContext.
 */
export type TaskItem<Job, Name extends keyof Job> = Job[Name] extends (
  item: infer Item,
  context: TaskContext,
) => unknown
  ? Item
  : never

/** The arguments of `apply` and each item of `starmap`: all parameters of the task. */
export type TaskArguments<Job, Name extends keyof Job> = Job[Name] extends (...args: infer Args) => unknown
  ? Readonly<Args>
  : never

/** What the task returns, awaited; of a generator the array of what it yields. */
export type TaskResult<Job, Name extends keyof Job> = Job[Name] extends (...args: never[]) => infer Result
  ? Yielded<Awaited<Result>>
  : never

type Yielded<Result> = Result extends IterableIterator<infer Value> | AsyncIterableIterator<infer Value>
  ? Value[]
  : Result

/** `args` may be omitted if the task has no required parameters. */
export type ApplyParameters<Args extends readonly unknown[], Options> = readonly [] extends Args
  ? [args?: Args, options?: Options]
  : [args: Args, options?: Options]

/** Where a line that a job printed comes from. */
export interface WorkerLineInfo {
  /** 0 … processes − 1. A replacement has the id of the worker it replaces. */
  readonly workerId: number
  readonly pid: number
  /** `'stdout'` or `'stderr'`. */
  readonly stream: WorkerStream
}

/** Which failures are retried, and when. For a pool, and for each call, whose own options win. */
interface RetryingOptions {
  /** Further attempts at an item after a failure. Default: 0. */
  readonly retries?: number | undefined
  /**
   * Milliseconds before the first retry; each further delay is twice as long, up to five minutes, and half of it is random.
   * Default: 0.
   */
  readonly retryDelay?: number | undefined
  /** The kinds of failure that are retried. Default: `['error', 'crash', 'timeout', 'oom']`. */
  readonly retryOn?: readonly FailureKind[] | undefined
}

/** Options of a Pool. All durations are milliseconds, all sizes bytes. */
export interface PoolOptions extends RetryingOptions {
  /** Number of worker processes, at least 1. Default: one per core. Python: `processes`. */
  readonly processes?: number | undefined
  /**
   * Name of an export that each worker calls once, before its first item. Default: `'initializer'`, if the module exports
   * it. Python: `initializer`, a function.
   */
  readonly initializer?: string | undefined
  /**
   * Arguments of the initializer, copied when the pool is made. A value that structured clone does not carry is a
   * TypeError. Default: none. Python: `initargs`.
   */
  readonly initArgs?: readonly unknown[] | undefined
  /** Replace a worker after this many items (Python counts chunks). Default: never. Python: `maxtasksperchild`. */
  readonly maxTasksPerChild?: number | undefined
  /** Items that run at the same time in one worker, for asynchronous tasks. Default: 1. */
  readonly concurrency?: number | undefined
  /** Time limit per attempt in milliseconds, counted from when the item begins. Default: none. */
  readonly timeout?: number | undefined
  /** Milliseconds within which a worker must have loaded the job and run its initializer. Default: 60 000. */
  readonly initTimeout?: number | undefined
  /**
   * Crashed workers that are replaced before the pool breaks; `Infinity` for no limit. Refilled by one for every 100 items
   * that settle without a crash. Default: 4 × processes, at least 16.
   */
  readonly maxWorkerRestarts?: number | undefined
  /**
   * Limit of one worker's resident memory in bytes. Exceeding it fails the running item, or replaces an idle worker.
   * Default: none.
   */
  readonly maxMemory?: number | undefined
  /** Milliseconds between asking a worker to stop and SIGKILL. Default: 2 000. */
  readonly killAfter?: number | undefined
  /** Environment variables of the workers, added to those of this process. `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Node options of the workers, as in `process.execArgv`. Default: none; this process's own are not inherited. */
  readonly execArgv?: readonly string[] | undefined
  /**
   * Called with each line that jobs print. A promise that it returns is not awaited. Default: the lines are written to
   * this process's stderr; while its reader is behind, jobs that print wait.
   */
  readonly onWorkerOutput?: ((line: string, info: WorkerLineInfo) => void) | undefined
}

/** Options of `apply`. */
export interface ApplyOptions extends RetryingOptions {
  /** Time limit per attempt in milliseconds, counted from when the item begins. Default: the pool's. */
  readonly timeout?: number | undefined
  /** Aborting it cancels the call's running items; the call rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `map` and `starmap`. */
export interface MapOptions extends ApplyOptions {
  /** Items per message. Default: adapts to their measured cost and size. Python: `chunksize`. */
  readonly chunkSize?: number | undefined
  /**
   * Attempts that begin per second, in all workers together; above 0. They are evenly spaced, and unused time is not saved
   * up. Default: no limit.
   */
  readonly rate?: number | undefined
}

/** Options of `imap` and `imapUnordered`. */
export interface IterateOptions extends MapOptions {
  /**
   * Limit of items that are taken from the input and not yet handed out. Default: 1024 per worker; fewer if arguments
   * are large (16 MiB per worker), but at least 4 per worker.
   */
  readonly bufferSize?: number | undefined
}

/**
 * Callbacks of `applyAsync`, `mapAsync` and `starmapAsync`. They run in this process, before the result is ready. A
 * promise is awaited and delays only that result. If a callback throws, its AsyncResult rejects with CallbackError.
 */
export interface Callbacks<Result> {
  /** Called once with the result, if the call succeeds. */
  readonly callback?: ((result: Result) => unknown) | undefined
  /** Called once with the error, if the call fails. Python: `error_callback`. */
  readonly errorCallback?: ((error: unknown) => unknown) | undefined
}

/** Options of `collect`. */
export interface CollectOptions<Item> extends IterateOptions {
  /**
   * Called in this process for each failed item; a promise is awaited. If it throws, the iterator rejects with
   * CallbackError and is done.
   */
  readonly onFailure?: ((error: unknown, index: number, item: Item) => unknown) | undefined
  /** Results in order of completion instead of input order. Default: false. */
  readonly unordered?: boolean | undefined
}

/** Options of an iterator's `next`. */
export interface NextOptions {
  /** Milliseconds to wait for a result before rejecting with TimeoutError. Nothing is lost; 0 polls. Default: no limit. */
  readonly timeout?: number | undefined
}
