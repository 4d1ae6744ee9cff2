// What stands behind a Pool: the executor with its workers, the calls that are open, and the pool's life from open to
// closed or terminated. The same executor and flow as the command line's; knows nothing of Python's names.
import { RETRIES, RETRY_DELAY_MS, RETRY_ON } from '../defaults.js'
import { JobError, PoolStateError } from '../errors/classes.js'
import type { CallSite } from '../errors/stacks.js'
import { warningText } from '../errors/warning-text.js'
import { createExecutor } from '../executor/create-executor.js'
import { type CreateExecutor, type Execution, ExecutionFault, type Executor } from '../executor/executor.js'
import type { JobSource } from '../ipc/protocol.js'
import { compileJob } from '../job/compile.js'
import { resolveJob, showPath } from '../job/reference.js'
import type { Calling, RunEvent } from '../model.js'
import type { Policy } from '../policy/policy.js'
import { type Flow, openFlow } from '../run/flow.js'
import { toPoolError } from '../run/pool-error.js'
import { createItemWindow } from './item-window.js'
import { at } from './outcome.js'
import { executorOptions, type PoolCoreOptions } from './settings.js'
import type { Input, IterateOptions } from './types.js'
import { type Closable, forgetUnclosed } from './unclosed.js'
import { isAsync, isCollection, type ValuesSource, valuesSource } from './values-source.js'
import { warn } from './warnings.js'

export interface CallRequest {
  /** What must not be collected while the call runs. */
  readonly owner: object
  readonly task: string
  readonly calling: Calling
  readonly input: Input<unknown>
  readonly policy: Policy
  readonly ordered: boolean
  /** Results are handed out one by one to a reader who may be slow: the input is read no faster. */
  readonly streams: boolean
  readonly options: IterateOptions
  readonly site: CallSite
}

export interface PoolCall {
  readonly flow: Flow
  readonly source: ValuesSource
  /** The reader has got one more. */
  handedOut(): void
  /** The pool was closed before all of the input was taken. */
  readonly cutShort: boolean
}

interface ActiveCall {
  readonly owner: object
  /** The pool takes no new calls. */
  onClose(): void
}

const UNBOUNDED = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

export class PoolCore implements Closable {
  readonly #options: PoolCoreOptions
  readonly #executor: Executor
  readonly #shownJob: string
  readonly #calls = new Set<ActiveCall>()
  #life: 'open' | 'closed' | 'terminated' = 'open'
  #gone: Promise<void> | undefined
  /** The job was not found, or does not compile. */
  #unusable: { readonly error: unknown } | undefined

  constructor(job: string | URL, options: PoolCoreOptions, create: CreateExecutor = createExecutor) {
    this.#options = options
    const cwd = process.cwd()
    let source: Promise<JobSource>
    try {
      const file = resolveJob(job, cwd)
      this.#shownJob = showPath(file, cwd)
      source = compileJob(file, { cwd })
    } catch (error) {
      this.#shownJob = String(job)
      this.#unusable = { error }
      source = Promise.reject(error)
    }
    this.#executor = create({
      ...executorOptions(options),
      job: source,
      emit: (event) => this.#hear(event),
    })
    source.catch((error: unknown) => {
      this.#unusable = { error }
      void this.#executor.terminate()
    })
    if (this.#unusable === undefined) this.#executor.start(options.processes)
  }

  get title(): string {
    return `the pool for ${this.#shownJob}`
  }

  /** @throws PoolStateError, or what broke the pool */
  open(request: CallRequest): PoolCall {
    const { owner, input, task, calling, policy, ordered, streams, options, site } = request
    if (this.#life !== 'open') throw at(site, new PoolStateError(`the pool is ${this.#life}`))
    if (this.#unusable !== undefined) throw jobError(this.#unusable.error, site)
    const source = valuesSource(input)
    // Nothing is to be taken for a call that is over before it began.
    if (options.signal?.aborted === true) source.end()
    const window = streams
      ? createItemWindow(source, options.bufferSize, this.#options.processes)
      : { source, handedOut() {}, lift() {} }
    // As in Python, what a collection holds is taken when the call is made, and so is all that a `map` iterates.
    const taken = isCollection(input) || !(streams || isAsync(input))
    let cutShort = false
    const call: ActiveCall = {
      owner,
      onClose() {
        if (!taken) {
          cutShort = !source.over
          source.end()
        }
        // What is taken runs to its end whether or not anyone reads it: whoever joins must not wait for a reader.
        window.lift()
      },
    }
    const refusals: ExecutionFault[] = []
    const flow = openFlow({
      executor: {
        execute: (execution) =>
          this.#execute(call, source, { ...execution, onFault: (fault) => refusals.push(fault) }),
      },
      source: window.source,
      task: { name: task, calling, reply: 'values' },
      policy,
      ordered,
      window: UNBOUNDED,
      chunkSize: options.chunkSize,
      timeoutMs: finite(options.timeout ?? this.#options.timeout),
      retry: { retries: this.#options.retries ?? RETRIES, delayMs: RETRY_DELAY_MS, on: RETRY_ON },
      signal: options.signal,
    })
    const [refusal] = refusals
    if (refusal !== undefined) throw this.errorOf(refusal, site)
    return {
      flow,
      source,
      handedOut: window.handedOut,
      get cutShort() {
        return cutShort
      },
    }
  }

  /** Of what a flow threw: poolrun's own faults become errors, what the caller brought along stays as it is. */
  errorOf(thrown: unknown, site: CallSite): unknown {
    if (!(thrown instanceof ExecutionFault)) return thrown
    if (this.#unusable !== undefined) return jobError(this.#unusable.error, site)
    return at(site, toPoolError(thrown, this.#shownJob))
  }

  close(): void {
    if (this.#life !== 'open') return
    this.#life = 'closed'
    forgetUnclosed(this)
    for (const call of this.#calls) call.onClose()
    this.#gone = this.#executor.close()
  }

  terminate(): Promise<void> {
    this.#life = 'terminated'
    forgetUnclosed(this)
    this.#gone = this.#executor.terminate()
    return this.#gone
  }

  /** @throws PoolStateError before `close` or `terminate` */
  join(site: CallSite): Promise<void> {
    if (this.#gone !== undefined) return this.#gone
    const message = 'the pool is still running: call close() or terminate() before join()'
    return Promise.reject(at(site, new PoolStateError(message)))
  }

  abandon(): void {
    this.close()
  }

  async #execute(call: ActiveCall, source: ValuesSource, execution: Execution): Promise<void> {
    const release = () => source.end()
    execution.signal.addEventListener('abort', release, { once: true })
    this.#calls.add(call)
    try {
      await this.#executor.execute(execution)
    } finally {
      release()
      this.#calls.delete(call)
    }
  }

  #hear(event: RunEvent): void {
    if (event.type === 'warning') return warn(warningText(event.warning))
    if (event.type !== 'worker-output') return
    const { line, workerId, pid, stream } = event
    const { onWorkerOutput } = this.#options
    if (onWorkerOutput === undefined) return void process.stderr.write(`${line}\n`)
    try {
      onWorkerOutput(line, { workerId, pid, stream })
    } catch (thrown) {
      warn(`onWorkerOutput threw: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    }
  }
}

function jobError(thrown: unknown, site: CallSite): unknown {
  if (!(thrown instanceof JobError)) return thrown
  return at(site, new JobError(thrown.message, { cause: thrown.cause }))
}

function finite(ms: number | undefined): number | undefined {
  return ms === Number.POSITIVE_INFINITY ? undefined : ms
}
