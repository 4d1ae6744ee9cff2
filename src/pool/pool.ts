// The library: Python's `multiprocessing.Pool`, by its names. A façade over the same run as the command line: it checks
// what it is given and says which policy, order and calling a name means. All else is in src/pool.
import { type CallSite, captureCallSite } from '../errors/stacks.js'
import type { Calling } from '../model.js'
import { failFast, lazy } from '../policy/policy.js'
import { AsyncResult } from './async-result.js'
import { collectFailures } from './collect.js'
import { gather } from './collect-values.js'
import { ItemIterator, type PoolIterator } from './item-iterator.js'
import { checkArguments, checkInput, checkJob, checkOptions, checkTask } from './options.js'
import { type Outcome, succeeded, unwrap } from './outcome.js'
import { type CallRequest, PoolCore } from './pool-core.js'
import { withDefaults } from './settings.js'
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
import { watchUnclosed } from './unclosed.js'

/**
 * A pool of worker processes that call the functions of a job module.
 *
 * `new Pool<typeof import('./job.js')>(new URL('./job.js', import.meta.url))` infers arguments and results. Workers
 * start at once, and the job is loaded in them alone. Durations are milliseconds, sizes bytes. A bad argument is a
 * TypeError or RangeError before anything starts: calls that return a promise reject with it, all others throw it.
 *
 * Leave it with `await using`, or with `close()` and `join()`. Python's `with` block terminates instead.
 */
export class Pool<Job extends object = UntypedJob> implements AsyncDisposable {
  readonly #engine: PoolCore

  /**
   * @param job the module of the tasks: a URL, a `file:` string, or a path from the working directory
   * @throws TypeError, RangeError for bad options; what is wrong with the job, each call tells (`JobError`)
   */
  constructor(job: string | URL, options?: PoolOptions) {
    this.#engine = new PoolCore(checkJob(job), withDefaults(checkOptions('pool', options)))
    watchUnclosed(this, this.#engine)
  }

  /**
   * Calls `task(...args)` once. Python: `apply`.
   * Rejects with the task's error, whose `cause` is its RemoteTraceback, or with WorkerLostError, TimeoutError,
   * ArgumentEncodingError, ResultEncodingError, JobError, InitializerError, PoolBrokenError, PoolTerminatedError.
   */
  apply<Name extends TaskName<Job>>(
    task: Name,
    ...[args, options]: ApplyParameters<TaskArguments<Job, Name>, ApplyOptions>
  ): Promise<TaskResult<Job, Name>> {
    const site = captureCallSite(this.apply)
    return promised(() => this.#one(task, args, checkOptions('apply', options), site), site)
  }

  /** As `apply`, giving a handle at once. Python: `apply_async`; `callback` and `errorCallback` are in the options. */
  applyAsync<Name extends TaskName<Job>>(
    task: Name,
    ...[args, options]: ApplyParameters<
      TaskArguments<Job, Name>,
      ApplyOptions & Callbacks<TaskResult<Job, Name>>
    >
  ): AsyncResult<TaskResult<Job, Name>> {
    const site = captureCallSite(this.applyAsync)
    const { callback, errorCallback, ...rest } = checkOptions('applyAsync', options)
    return new AsyncResult(this.#one(task, args, rest, site), site, { callback, errorCallback })
  }

  /**
   * Calls `task(item, context)` for every item; all results, in input order. Rejects as `apply` does, as soon as the
   * first failure settles, and cancels the rest. Python: `map`, which waits for every item before it raises.
   */
  map<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: MapOptions,
  ): Promise<TaskResult<Job, Name>[]> {
    const site = captureCallSite(this.map)
    return promised(() => this.#all('item', task, items, checkOptions('map', options), site), site)
  }

  /** As `map`, giving a handle at once. Python: `map_async`. The callback gets the whole array, `[]` too. */
  mapAsync<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: MapOptions & Callbacks<TaskResult<Job, Name>[]>,
  ): AsyncResult<TaskResult<Job, Name>[]> {
    const site = captureCallSite(this.mapAsync)
    const { callback, errorCallback, ...rest } = checkOptions('mapAsync', options)
    return new AsyncResult(this.#all('item', task, items, rest, site), site, { callback, errorCallback })
  }

  /** As `map`, calling `task(...item)`; an item that is no array fails with TypeError. Python: `starmap`. */
  starmap<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskArguments<Job, Name>>,
    options?: MapOptions,
  ): Promise<TaskResult<Job, Name>[]> {
    const site = captureCallSite(this.starmap)
    return promised(() => this.#all('spread', task, items, checkOptions('map', options), site), site)
  }

  /** As `starmap`, giving a handle at once. Python: `starmap_async`. */
  starmapAsync<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskArguments<Job, Name>>,
    options?: MapOptions & Callbacks<TaskResult<Job, Name>[]>,
  ): AsyncResult<TaskResult<Job, Name>[]> {
    const site = captureCallSite(this.starmapAsync)
    const { callback, errorCallback, ...rest } = checkOptions('mapAsync', options)
    return new AsyncResult(this.#all('spread', task, items, rest, site), site, { callback, errorCallback })
  }

  /**
   * Results one by one in input order, read no faster than they are taken. `next()` rejects for a failed item when its
   * turn has come, and goes on with the one after it. Python: `imap`, which reads ahead without bound.
   */
  imap<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: IterateOptions,
  ): PoolIterator<TaskResult<Job, Name>> {
    const site = captureCallSite(this.imap)
    return this.#each(task, items, true, checkOptions('iterate', options), site)
  }

  /** As `imap`, in order of completion. Python: `imap_unordered`. */
  imapUnordered<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: IterateOptions,
  ): PoolIterator<TaskResult<Job, Name>> {
    const site = captureCallSite(this.imapUnordered)
    return this.#each(task, items, false, checkOptions('iterate', options), site)
  }

  /**
   * The results of the items that succeed; `onFailure(error, index, item)` hears of each that fails. Without it the
   * first failure gives a warning of the process. Python has no counterpart.
   */
  collect<Name extends TaskName<Job>>(
    task: Name,
    items: Input<TaskItem<Job, Name>>,
    options?: CollectOptions<TaskItem<Job, Name>>,
  ): PoolIterator<TaskResult<Job, Name>> {
    const site = captureCallSite(this.collect)
    const { onFailure, unordered = false, ...rest } = checkOptions('collect', options)
    return this.#each(task, items, !unordered, rest, site, collectFailures(onFailure))
  }

  /** No new calls; what was taken is finished and stays readable, inputs are not read further. Idempotent. */
  close(): void {
    this.#engine.close()
  }

  /** Ends everything now; what is pending rejects with PoolTerminatedError. Idempotent. */
  terminate(): Promise<void> {
    return this.#engine.terminate()
  }

  /**
   * Resolves when the workers are gone.
   * @throws PoolStateError before `close` or `terminate`
   */
  join(): Promise<void> {
    return this.#engine.join(captureCallSite(this.join))
  }

  /** Closes and joins, also when the block threw. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.join()
  }

  #one<T>(
    task: string,
    args: readonly unknown[] = [],
    options: ApplyOptions,
    site: CallSite,
  ): Promise<Outcome<T>> {
    const all = this.#all<T>('spread', task, [checkArguments(args)], options, site)
    return all.then((outcome) => (outcome.ok ? succeeded(outcome.value[0] as T) : outcome))
  }

  #all<T>(
    calling: Calling,
    task: string,
    input: unknown,
    options: MapOptions,
    site: CallSite,
  ): Promise<Outcome<T[]>> {
    const request = { calling, policy: failFast, ordered: true, streams: false } as const
    const call = this.#open(task, input, { ...request, options, site })
    return gather(call, (thrown, at) => this.#engine.errorOf(thrown, at)) as Promise<Outcome<T[]>>
  }

  #each<T>(
    task: string,
    input: unknown,
    ordered: boolean,
    options: IterateOptions,
    site: CallSite,
    onFailure?: (error: unknown, index: number, item: unknown) => unknown,
  ): PoolIterator<T> {
    const request = { calling: 'item', policy: lazy, ordered, streams: true } as const
    const call = this.#open(task, input, { ...request, options, site })
    const errorOf = (thrown: unknown, at: CallSite) => this.#engine.errorOf(thrown, at)
    return new ItemIterator({ call, site, errorOf, onFailure })
  }

  #open(task: string, input: unknown, request: Omit<CallRequest, 'owner' | 'task' | 'input'>) {
    checkTask(task)
    checkInput(input)
    return this.#engine.open({ ...request, owner: this, task, input })
  }
}

/** What a call throws before it starts, its promise rejects with. */
async function promised<T>(start: () => Promise<Outcome<T>>, site: CallSite): Promise<T> {
  return unwrap(await start(), site)
}
