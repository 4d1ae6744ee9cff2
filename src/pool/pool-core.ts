// The inside of a Pool: the executor with its workers, the open calls, and the pool's state. Uses the same executor and
// the same flow as the command line.
import { inspect } from 'node:util'
import { onAbort } from '../abort.js'
import { JobError, PoolStateError } from '../errors/classes.js'
import { attachCallSite, type CallSite } from '../errors/stacks.js'
import { warningText } from '../errors/warning-text.js'
import { createExecutor } from '../executor/create-executor.js'
import { type CreateExecutor, type Execution, ExecutionFault, type Executor } from '../executor/executor.js'
import type { JobSource } from '../ipc/protocol.js'
import { compileJob } from '../job/compile.js'
import { resolveJob, showPath } from '../job/reference.js'
import type { Calling, RunEvent, TaskSpec, Thrown } from '../model.js'
import type { Policy } from '../policy/policy.js'
import { type Flow, openFlow } from '../run/flow.js'
import { toPoolError } from '../run/pool-error.js'
import { executorOptions, type PoolCoreOptions, retryOptions } from './executor-options.js'
import { createItemWindow, type ItemWindow } from './item-window.js'
import { stopWatching, type WatchedPool } from './leak-warning.js'
import { ListCall } from './list-call.js'
import type { Outcome } from './outcome.js'
import { emitWarning } from './process-warning.js'
import { SingleCall } from './single-call.js'
import { isAsync, isCollection, openSource } from './sources/open.js'
import type { ValuesSource } from './sources/values-source.js'
import { joinStderr, leaveStderr, writeToStderr } from './stderr-lines.js'
import type { ApplyOptions, Input, IterateOptions, PoolOptions, WorkerLineInfo } from './types.js'

export interface CallRequest {
  /** An object that must not be garbage-collected while the call runs: the Pool. */
  readonly owner: object
  readonly task: string
  readonly calling: Calling
  readonly input: Input<unknown>
  readonly policy: Policy
  readonly ordered: boolean
  /** Results are handed out one by one, so the input is read no faster than its consumer reads them. */
  readonly streams: boolean
  readonly options: IterateOptions
  readonly site: CallSite
}

/** A call that needs no flow. */
interface DirectCall<T> extends ActiveCall {
  readonly fault: ExecutionFault | undefined
  execute(executor: Executor): Promise<Outcome<T>>
}

export type ListRequest = Pick<CallRequest, 'owner' | 'task' | 'calling' | 'options' | 'site'>

export interface PoolCall {
  readonly flow: Flow
  readonly source: ValuesSource
  /** The consumer received one more item. */
  itemHandedOut(): void
  /** The pool was closed before all of the input was read. */
  readonly wasCutShort: boolean
}

interface ActiveCall {
  readonly owner: object
  /** The pool was closed. */
  onClose(): void
}

const UNBOUNDED = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

export class PoolCore implements WatchedPool {
  readonly #options: PoolCoreOptions
  readonly #executor: Executor
  readonly #shownJob: string
  readonly #calls = new Set<ActiveCall>()
  readonly #taskSpecs: Readonly<Record<Calling, Map<string, TaskSpec>>> = {
    item: new Map(),
    spread: new Map(),
  }
  readonly #errorOf = (thrown: unknown, site: CallSite) => this.errorOf(thrown, site)
  readonly #onEnd = (call: ActiveCall) => void this.#calls.delete(call)
  #state: 'open' | 'closed' | 'terminated' = 'open'
  /** Resolves when the workers have exited; `undefined` while the pool is open. */
  #exited: Promise<void> | undefined
  /** The job was not found or does not compile. */
  #jobProblem: Thrown | undefined

  constructor(job: string | URL, options: PoolCoreOptions, create: CreateExecutor = createExecutor) {
    this.#options = options
    const cwd = process.cwd()
    let source: Promise<JobSource>
    try {
      const file = resolveJob(job, cwd)
      this.#shownJob = showPath(file, cwd)
      source = compileJob(file, {
        cwd,
        nodeOptions: [...(options.execArgv ?? []), options.env?.NODE_OPTIONS ?? ''],
      })
    } catch (error) {
      this.#shownJob = String(job)
      this.#jobProblem = { error }
      source = Promise.reject(error)
    }
    this.#executor = create({
      ...executorOptions(options),
      job: source,
      emit: (event) => this.#onEvent(event),
    })
    if (options.onWorkerOutput === undefined) joinStderr(this.#executor)
    source.catch((error: unknown) => {
      this.#jobProblem = { error }
      void this.#executor.terminate()
    })
    if (this.#jobProblem === undefined) this.#executor.start(options.processes)
  }

  get title(): string {
    return `the pool for ${this.#shownJob}`
  }

  /** @throws PoolStateError, JobError, or the error that broke the pool */
  open(request: CallRequest): PoolCall {
    const { input, streams, options, site } = request
    this.#assertOpen(site)
    const source = openSource(input)
    // A call that is already aborted takes nothing from its input.
    if (options.signal?.aborted === true) source.stopReading()
    const window: ItemWindow = streams
      ? createItemWindow(source, options.bufferSize, this.#options.processes)
      : { source, itemHandedOut() {}, lift() {} }
    // As in Python, the items of a collection are taken when the call is made, and so are all that a `map` iterates.
    const isTaken = isCollection(input) || !(streams || isAsync(input))
    let wasCutShort = false
    const call: ActiveCall = {
      owner: request.owner,
      onClose() {
        if (!isTaken) {
          wasCutShort = !source.ended
          source.stopReading()
        }
        // What was taken runs to its end even if nobody reads its results, because `join` must not wait for a consumer.
        window.lift()
      },
    }
    const flow = this.#openFlow(request, call, source, window)
    const { itemHandedOut } = window
    return {
      flow,
      source,
      itemHandedOut,
      get wasCutShort() {
        return wasCutShort
      },
    }
  }

  /**
   * Calls the task once with `args`.
   * @throws PoolStateError, JobError, or the error that broke the pool
   */
  callOnce(
    owner: object,
    task: string,
    args: readonly unknown[],
    options: ApplyOptions,
    site: CallSite,
  ): Promise<Outcome<unknown>> {
    this.#assertOpen(site)
    const call = new SingleCall({
      owner,
      item: args,
      task: this.#taskSpec(task, 'spread'),
      timeoutMs: finite(options.timeout ?? this.#options.timeout),
      retry: retryOptions(options, this.#options),
      signal: options.signal,
      errorOf: this.#errorOf,
      onEnd: this.#onEnd,
    })
    return this.#start(call, site)
  }

  /**
   * Calls the task with each item, until one fails. The outcome is that of `readToEnd` for the same call.
   * @throws PoolStateError, JobError, or the error that broke the pool
   */
  callEach(request: ListRequest, items: readonly unknown[]): Promise<Outcome<unknown[]>> {
    const { owner, task, calling, options, site } = request
    this.#assertOpen(site)
    const call = new ListCall({
      owner,
      items,
      task: this.#taskSpec(task, calling),
      ...this.#settingsOf(options),
      errorOf: this.#errorOf,
      onEnd: this.#onEnd,
    })
    return this.#start(call, site)
  }

  /** Only a fault that is already known is reported before `execute` returns; the call then throws it. */
  #start<T>(call: DirectCall<T>, site: CallSite): Promise<Outcome<T>> {
    this.#calls.add(call)
    const outcome = call.execute(this.#executor)
    if (call.fault !== undefined && breaksPool(call.fault)) throw this.errorOf(call.fault, site)
    return outcome
  }

  /** The options of a call; those that it lacks are the pool's. */
  #settingsOf(options: IterateOptions) {
    return {
      chunkSize: options.chunkSize,
      timeoutMs: finite(options.timeout ?? this.#options.timeout),
      retry: retryOptions(options, this.#options),
      intervalMs: options.rate === undefined ? undefined : 1000 / options.rate,
      signal: options.signal,
    }
  }

  /** The same object for all calls of a task: a message with many of them contains it once. */
  #taskSpec(name: string, calling: Calling): TaskSpec {
    const specs = this.#taskSpecs[calling]
    let spec = specs.get(name)
    if (spec === undefined) {
      spec = { name, calling, reply: 'values' }
      specs.set(name, spec)
    }
    return spec
  }

  #assertOpen(site: CallSite): void {
    if (this.#state !== 'open') throw attachCallSite(new PoolStateError(`the pool is ${this.#state}`), site)
    if (this.#jobProblem !== undefined) throw freshJobError(this.#jobProblem.error, site)
  }

  /** The error for what a flow threw: a fault becomes a PoolError, anything that the caller brought along is unchanged. */
  errorOf(thrown: unknown, site: CallSite): unknown {
    if (!(thrown instanceof ExecutionFault)) return thrown
    if (this.#jobProblem !== undefined) return freshJobError(this.#jobProblem.error, site)
    return attachCallSite(toPoolError(thrown, this.#shownJob), site)
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    stopWatching(this)
    for (const call of this.#calls) call.onClose()
    this.#exited = this.#executor.close().finally(() => leaveStderr(this.#executor))
  }

  terminate(): Promise<void> {
    this.#state = 'terminated'
    stopWatching(this)
    this.#exited = this.#executor.terminate().finally(() => leaveStderr(this.#executor))
    return this.#exited
  }

  /** Rejects with PoolStateError before `close` or `terminate`. */
  join(site: CallSite): Promise<void> {
    if (this.#exited !== undefined) return this.#exited
    const message = 'the pool is still running: call close() or terminate() before join()'
    return Promise.reject(attachCallSite(new PoolStateError(message), site))
  }

  abandon(): void {
    this.close()
  }

  /** @throws JobError or the error that broke the pool, if the call cannot begin */
  #openFlow(request: CallRequest, call: ActiveCall, source: ValuesSource, window: ItemWindow): Flow {
    const { task, calling, policy, ordered, options, site } = request
    const faults: ExecutionFault[] = []
    const onFault = (fault: ExecutionFault) => void faults.push(fault)
    const flow = openFlow({
      executor: { execute: (execution) => this.#execute(call, source, { ...execution, onFault }) },
      source: window.source,
      task: this.#taskSpec(task, calling),
      policy,
      ordered,
      window: UNBOUNDED,
      ...this.#settingsOf(options),
    })
    // Only faults that are already known are reported before `openFlow` returns; the call then throws them.
    const [fault] = faults
    if (fault !== undefined && breaksPool(fault)) throw this.errorOf(fault, site)
    return flow
  }

  async #execute(call: ActiveCall, source: ValuesSource, execution: Execution): Promise<void> {
    const release = () => source.stopReading()
    const unlisten = execution.signal && onAbort(execution.signal, release)
    this.#calls.add(call)
    try {
      await this.#executor.execute(execution)
    } finally {
      unlisten?.()
      release()
      this.#calls.delete(call)
    }
  }

  #onEvent(event: RunEvent): void {
    if (event.type === 'warning') return emitWarning(warningText(event.warning))
    if (event.type !== 'worker-output') return
    const { lines, ...from } = event
    const { onWorkerOutput } = this.#options
    if (onWorkerOutput === undefined) return writeToStderr(lines)
    for (const line of lines.split('\n')) this.#passOn(line, from, onWorkerOutput)
  }

  #passOn(
    line: string,
    { workerId, pid, stream }: WorkerLineInfo,
    onWorkerOutput: NonNullable<PoolOptions['onWorkerOutput']>,
  ): void {
    const warn = (how: string, thrown: unknown) =>
      emitWarning(`onWorkerOutput ${how}: ${thrown instanceof Error ? thrown.message : inspect(thrown)}`)
    try {
      const returned: unknown = onWorkerOutput(line, { workerId, pid, stream })
      if (typeof returned === 'object' && returned !== null)
        Promise.resolve(returned).catch((thrown: unknown) => warn('rejected', thrown))
    } catch (thrown) {
      warn('threw', thrown)
    }
  }
}

/** A job without the task of a call ends that call alone: it rejects, whether the job has loaded by then or not. */
function breaksPool({ reason }: ExecutionFault): boolean {
  return reason.type !== 'no-task'
}

/** A new error object for each call. */
function freshJobError(thrown: unknown, site: CallSite): unknown {
  if (!(thrown instanceof JobError)) return thrown
  return attachCallSite(new JobError(thrown.message, { cause: thrown.cause }), site)
}

function finite(ms: number | undefined): number | undefined {
  return ms === Number.POSITIVE_INFINITY ? undefined : ms
}
