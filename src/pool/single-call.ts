// A call of one item, as `apply` makes it. It needs no flow: nothing is read ahead, and there is no order, no policy and no
// second result. A server makes thousands of such calls per second.

import { onAbort } from '../abort.js'
import { PoolBrokenError } from '../errors/classes.js'
import { makeItemError } from '../errors/rebuild/item-error.js'
import type { CallSite } from '../errors/stacks.js'
import type { Execution, ExecutionFault, Executor } from '../executor/executor.js'
import type { Chunk, Ms, SettledRange, TaskSpec } from '../model.js'
import type { RetryOptions } from '../plan.js'
import type { ChunkSource } from '../source.js'
import { failed, type Outcome, succeeded, valuesOf } from './outcome.js'

interface SingleCallOptions {
  /** An object that must not be garbage-collected while the call runs: the Pool. */
  readonly owner: object
  readonly item: unknown
  readonly task: TaskSpec
  readonly timeoutMs?: Ms | undefined
  readonly retry?: RetryOptions | undefined
  readonly signal?: AbortSignal | undefined
  /** The error for what the executor rejects with. */
  readonly errorOf: (thrown: unknown, site: CallSite) => unknown
  /** Nothing of the call runs any more. */
  readonly onEnd: (call: SingleCall) => void
}

/** One object is nearly all that there is of a call: thousands may be open. */
export class SingleCall implements Execution {
  readonly owner: object
  readonly task: TaskSpec
  readonly source: ChunkSource
  readonly timeoutMs: Ms | undefined
  readonly retry: RetryOptions | undefined
  readonly signal: AbortSignal | undefined
  /** Set before `execute` returns, if the fault is known by then. */
  fault: ExecutionFault | undefined
  readonly #errorOf: SingleCallOptions['errorOf']
  readonly #onEnd: SingleCallOptions['onEnd']
  /** The promise keeps the first outcome: nothing that follows an abort or a result changes it. */
  #resolve!: (outcome: Outcome<unknown>) => void
  #unlisten: (() => void) | undefined

  constructor({ owner, item, task, timeoutMs, retry, signal, errorOf, onEnd }: SingleCallOptions) {
    this.owner = owner
    this.task = task
    this.source = new SingleItem(item)
    this.timeoutMs = timeoutMs
    this.retry = retry
    this.signal = signal
    this.#errorOf = errorOf
    this.#onEnd = onEnd
  }

  /** Never rejects. The call ends with the reason of its `signal` if that aborts. */
  execute(executor: Pick<Executor, 'execute'>): Promise<Outcome<unknown>> {
    const { signal } = this
    return new Promise((resolve) => {
      this.#resolve = resolve
      this.#unlisten = signal && onAbort(signal, () => resolve(aborted(signal)))
      if (signal?.aborted === true) resolve(aborted(signal))
      executor.execute(this).then(
        () => this.#end(NEVER_SETTLED),
        (thrown: unknown) => this.#end(failed((site) => this.#errorOf(thrown, site))),
      )
    })
  }

  onSettled(settled: SettledRange): void {
    this.#resolve(outcomeOf(settled))
  }

  onFault(fault: ExecutionFault): void {
    this.fault = fault
  }

  /** The pool was closed: there is nothing left to read. */
  onClose(): void {}

  #end(last: Outcome<unknown>): void {
    this.#unlisten?.()
    this.#onEnd(this)
    this.#resolve(last)
  }
}

const NEVER_SETTLED = failed(
  () => new PoolBrokenError('the items do not add up: item 0 never settled; this is a bug in poolrun'),
)

function aborted(signal: AbortSignal): Outcome<never> {
  return failed(() => signal.reason)
}

function outcomeOf(settled: SettledRange): Outcome<unknown> {
  const [failure] = settled.failures
  if (failure !== undefined) return failed((site) => makeItemError({ index: 0, site }, failure))
  return succeeded(valuesOf(settled)[0])
}

class SingleItem implements ChunkSource {
  #chunk: Chunk | undefined

  constructor(item: unknown) {
    this.#chunk = { seq: 0, count: 1, payload: { kind: 'values', values: [item] } }
  }

  remaining(): number {
    return this.#chunk === undefined ? 0 : 1
  }

  whole(): Chunk | undefined {
    return this.next()
  }

  next(): Chunk | undefined {
    const chunk = this.#chunk
    this.#chunk = undefined
    return chunk
  }

  async close(): Promise<void> {
    this.#chunk = undefined
  }
}
