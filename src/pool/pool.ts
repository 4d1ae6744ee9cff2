// The library's Pool, with the method names of Python's `multiprocessing.Pool`. A façade: it checks arguments and maps each
// method to a policy, an order and a way of calling the task; `pool-core.ts` does the rest.
import { type CallSite, captureCallSite } from '../errors/stacks.js'
import type { Calling } from '../model.js'
import { failFast, lazy } from '../policy/policy.js'
import { AsyncResult } from './async-result.js'
import { checkArguments, checkInput, checkJob, checkOptions, checkTask } from './check-options.js'
import { withProcesses } from './executor-options.js'
import { type FailureHandler, failureHandler } from './failure-handler.js'
import { ItemIterator, type PoolIterator } from './item-iterator.js'
import { watchForLeak } from './leak-warning.js'
import { MAX_LISTED_ITEMS } from './list-call.js'
import { type Outcome, unwrap } from './outcome.js'
import { type CallRequest, PoolCore } from './pool-core.js'
import { readToEnd } from './read-to-end.js'
import type {
  ApplyOptions,
  ApplyParameters,
  Callbacks,
  CollectOptions,
  Input,
  IterateOptions,
  MapOptions,
  PoolOptions,
  TaskArguments,
  TaskItem,
  TaskName,
  TaskResult,
  UntypedJob,
} from './types.js'

/**
 * A pool of worker processes that call the exported functions of a job module. The idea and the method names are those of
 * Python's `multiprocessing.Pool`.
 *
 * `new Pool<typeof import('./job.js')>(new URL('./job.js', import.meta.url))` infers argument and result types from the
 * module. A task is named by its export, `'default'` for the default export. The workers start in the constructor; only
 * they load the module.
 *
 * - All durations are milliseconds, all sizes bytes.
 * - A bad argument or option is a TypeError or RangeError before anything is sent: a method that returns a promise
 *   rejects with it, every other method throws it.
 * - Values travel by structured clone: Map, Set, Date, BigInt, typed arrays and cycles survive, instances of your own
 *   classes arrive as plain objects.
 * - Input is any synchronous or asynchronous iterable. An error that it throws reaches the caller unchanged, after the
 *   results of all items before it.
 *
 * Declare it with `await using`, which closes and joins at the end of the block, also if the block threw; or call
 * `close()` and `join()`. Python's `with` block terminates instead. A pool that is never closed causes a
 * `PoolUnclosedWarning`.
 */
export class Pool<Job extends object = UntypedJob> implements AsyncDisposable {
  readonly #core: PoolCore

  /**
   * @param job the module with the tasks: a URL, a `file:` string, or a path relative to the working directory. A `.js`
   * address with only a `.ts` next to it means the `.ts`.
   * @throws TypeError, RangeError for bad arguments. A module that is missing or does not load is reported by each call
   * (JobError).
   */
  constructor(job: string | URL, options?: PoolOptions) {
    this.#core = new PoolCore(checkJob(job), withProcesses(checkOptions('pool', options)))
    watchForLeak(this, this.#core)
  }

  /**
   * Calls `task(...args)` once. Python: `apply`.
   *
   * Rejects with the task's own error, rebuilt, whose `cause` is a RemoteTraceback; or with NonErrorThrown,
   * WorkerLostError, TimeoutError, ArgumentEncodingError, ResultEncodingError or InputValidationError if the call itself
   * failed; or with JobError, InitializerError, PoolBrokenError, PoolTerminatedError, PoolStateError or `signal.reason`
   * if it could not run to its end.
   */
  apply<Name extends TaskName<Job>>(
    task: Name,
    ...[args, options]: ApplyParameters<TaskArguments<Job, Name>, ApplyOptions>
  ): Promise<TaskResult<Job, Name>> {
    const site = captureCallSite(this.apply)
    return unwrapped(
      attempt(() => this.#applyOnce(task, args, checkOptions('apply', options), site)),
      site,
    )
  }

  /** `apply`, but returns a handle immediately. Python: `apply_async`; the callbacks are in the options. */
  applyAsync<Name extends TaskName<Job>>(
    task: Name,
    ...[args, options]: ApplyParameters<
      TaskArguments<Job, Name>,
      ApplyOptions & Callbacks<TaskResult<Job, Name>>
    >
  ): AsyncResult<TaskResult<Job, Name>> {
    const site = captureCallSite(this.applyAsync)
    const { callback, errorCallback, ...rest } = checkOptions('applyAsync', options)
    return new AsyncResult(this.#applyOnce(task, args, rest, site), site, { callback, errorCallback })
  }

  /**
   * Calls `task(item, context)` for each item and resolves with all results, in input order. Python: `map`.
   *
   * Rejects like `apply`, as soon as the first failure settles, and cancels the rest. Python runs every item first.
   * Rejects with PoolStateError if the pool is closed before an asynchronous input has ended.
   */
  map<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: MapOptions,
  ): Promise<TaskResult<Job, Name>[]> {
    const site = captureCallSite(this.map)
    return unwrapped(
      attempt(() => this.#runAll('item', task, items, checkOptions('map', options), site)),
      site,
    )
  }

  /**
   * `map`, but returns a handle immediately. Python: `map_async`. `callback` receives the array of all results, also an
   * empty one.
   */
  mapAsync<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: MapOptions & Callbacks<TaskResult<Job, Name>[]>,
  ): AsyncResult<TaskResult<Job, Name>[]> {
    const site = captureCallSite(this.mapAsync)
    const { callback, errorCallback, ...rest } = checkOptions('mapAsync', options)
    return new AsyncResult(this.#runAll('item', task, items, rest, site), site, { callback, errorCallback })
  }

  /** `map`, but calls `task(...item)`. An item that is not an array fails with TypeError. Python: `starmap`. */
  starmap<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskArguments<Job, Name>>,
    options?: MapOptions,
  ): Promise<TaskResult<Job, Name>[]> {
    const site = captureCallSite(this.starmap)
    return unwrapped(
      attempt(() => this.#runAll('spread', task, items, checkOptions('map', options), site)),
      site,
    )
  }

  /** `starmap`, but returns a handle immediately. Python: `starmap_async`. */
  starmapAsync<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskArguments<Job, Name>>,
    options?: MapOptions & Callbacks<TaskResult<Job, Name>[]>,
  ): AsyncResult<TaskResult<Job, Name>[]> {
    const site = captureCallSite(this.starmapAsync)
    const { callback, errorCallback, ...rest } = checkOptions('mapAsync', options)
    return new AsyncResult(this.#runAll('spread', task, items, rest, site), site, { callback, errorCallback })
  }

  /**
   * Calls `task(item, context)` for each item and returns the results one by one, in input order. Python: `imap`.
   *
   * The input is read at most `bufferSize` items ahead of the consumer (Python reads without limit). For a failed item,
   * `next()` rejects when its turn has come, with the errors of `apply`, and then continues with the item after it.
   */
  imap<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: IterateOptions,
  ): PoolIterator<TaskResult<Job, Name>> {
    const site = captureCallSite(this.imap)
    return this.#iterate(task, items, true, checkOptions('iterate', options), site)
  }

  /** `imap`, but in order of completion. Python: `imap_unordered`. */
  imapUnordered<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: IterateOptions,
  ): PoolIterator<TaskResult<Job, Name>> {
    const site = captureCallSite(this.imapUnordered)
    return this.#iterate(task, items, false, checkOptions('iterate', options), site)
  }

  /**
   * `imap`, but skips failed items: `onFailure(error, index, item)` is called for each. Without `onFailure`, the first
   * failure becomes a warning of the process. Python has no counterpart.
   */
  collect<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: CollectOptions<TaskItem<Job, Name>>,
  ): PoolIterator<TaskResult<Job, Name>> {
    const site = captureCallSite(this.collect)
    const { onFailure, unordered = false, ...rest } = checkOptions('collect', options)
    return this.#iterate(task, items, !unordered, rest, site, failureHandler(onFailure))
  }

  /**
   * Accepts no new calls and reads inputs no further. Items that were already taken are finished, and their results stay
   * readable. Workers exit when they have nothing left to do. Idempotent.
   */
  close(): void {
    this.#core.close()
  }

  /**
   * Ends all workers now. Pending calls reject with PoolTerminatedError. Resolves when the workers have exited, at most
   * `killAfter` and a second later. Idempotent, and may be called from a callback.
   */
  terminate(): Promise<void> {
    return this.#core.terminate()
  }

  /**
   * Resolves when the workers have exited. Does not wait for consumers to read their results. Idempotent.
   *
   * Rejects with PoolStateError before `close()` or `terminate()`.
   */
  join(): Promise<void> {
    return this.#core.join(captureCallSite(this.join))
  }

  /** `close()` and `join()`, at the end of an `await using` block, also if the block threw. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.join()
  }

  #applyOnce<T>(
    task: string,
    args: readonly unknown[] = [],
    options: ApplyOptions,
    site: CallSite,
  ): Promise<Outcome<T>> {
    checkTask(task)
    return this.#core.callOnce(this, task, checkArguments(args), options, site) as Promise<Outcome<T>>
  }

  #runAll<T>(
    calling: Calling,
    task: string,
    input: unknown,
    options: MapOptions,
    site: CallSite,
  ): Promise<Outcome<T[]>> {
    if (Array.isArray(input) && input.length <= MAX_LISTED_ITEMS) {
      checkTask(task)
      return this.#core.callEach({ owner: this, task, calling, options, site }, input) as Promise<
        Outcome<T[]>
      >
    }
    const request = { calling, policy: failFast, ordered: true, streams: false } as const
    const call = this.#open(task, input, { ...request, options, site })
    return readToEnd(call, (thrown, site) => this.#core.errorOf(thrown, site)) as Promise<Outcome<T[]>>
  }

  #iterate<T>(
    task: string,
    input: unknown,
    ordered: boolean,
    options: IterateOptions,
    site: CallSite,
    onFailure?: FailureHandler<unknown>,
  ): PoolIterator<T> {
    const request = { calling: 'item', policy: lazy, ordered, streams: true } as const
    const call = this.#open(task, input, { ...request, options, site })
    const errorOf = (thrown: unknown, site: CallSite) => this.#core.errorOf(thrown, site)
    return new ItemIterator({ call, site, errorOf, onFailure })
  }

  #open(task: string, input: unknown, request: Omit<CallRequest, 'owner' | 'task' | 'input'>) {
    checkTask(task)
    checkInput(input)
    return this.#core.open({ ...request, owner: this, task, input })
  }
}

async function unwrapped<T>(outcome: Promise<Outcome<T>>, site: CallSite): Promise<T> {
  return unwrap(await outcome, site)
}

/** Also turns what `start` throws, before the call begins, into a rejection. */
function attempt<T>(start: () => Promise<T>): Promise<T> {
  try {
    return start()
  } catch (thrown) {
    return Promise.reject(thrown)
  }
}
