// The handle of a call that runs while its caller goes on.
import { clearTimeout, setTimeout } from '../clock.js'
import { ResultNotReadyError, TimeoutError } from '../errors/classes.js'
import { formatMs } from '../errors/messages.js'
import { makeCallbackError } from '../errors/rebuild/item-error.js'
import { attachCallSite, type CallSite, captureCallSite } from '../errors/stacks.js'
import { checkWait } from './check-options.js'
import { failed, type Outcome, unwrap } from './outcome.js'
import { emitWarning } from './process-warning.js'
import type { Callbacks } from './types.js'

/**
 * The handle that `applyAsync`, `mapAsync` and `starmapAsync` return: Python's `multiprocessing.pool.AsyncResult`.
 *
 * It can be awaited; `await` gives what `get()` gives. A failure that is never looked at is not an unhandled rejection.
 */
export class AsyncResult<T> implements PromiseLike<T> {
  readonly #site: CallSite
  readonly #settled: Promise<Outcome<T>>
  #outcome: Outcome<T> | undefined
  /** Calls of `get`, `wait` and `await` that are pending. */
  #pending = 0

  /** @internal `outcome` must never reject. */
  constructor(outcome: Promise<Outcome<T>>, site: CallSite, callbacks: Callbacks<T>) {
    this.#site = site
    this.#settled = outcome
      .then((ofTask) => this.#runCallback(ofTask, callbacks))
      .then((final) => {
        this.#outcome = final
        return final
      })
  }

  /**
   * The result of the call.
   *
   * Rejects with the call's error, as a new object each time, whose stack shows the caller of `get`.
   * @param timeout milliseconds to wait, 0 or more; 0 polls, and without it `get` waits as long as it takes
   * @throws TimeoutError if the result is not ready in time. Nothing is lost, and `get` may be called again.
   * @throws TypeError, RangeError for a bad timeout
   */
  get(timeout?: number): Promise<T> {
    return this.#get(captureCallSite(this.get), timeout)
  }

  /**
   * Waits until the result is ready, whether the call succeeded or failed.
   * @param timeout milliseconds to wait, 0 or more; without it as long as it takes
   * @returns whether the result is ready (Python's returns nothing)
   * @throws TypeError, RangeError for a bad timeout
   */
  async wait(timeout?: number): Promise<boolean> {
    return (await this.#outcomeWithin(checkWait(timeout))) !== undefined
  }

  /** Whether the result is ready, whether the call succeeded or failed. */
  ready(): boolean {
    return this.#outcome !== undefined
  }

  /**
   * Whether the call succeeded.
   * @throws ResultNotReadyError if the result is not ready (Python raises ValueError)
   */
  successful(): boolean {
    if (this.#outcome === undefined) throw new ResultNotReadyError('the result is not ready')
    return this.#outcome.ok
  }

  /** What `await` calls: `get()`, except that the stack of an error shows where the call was made. */
  // biome-ignore lint/suspicious/noThenProperty: being awaitable is the point
  then<Value = T, Reason = never>(
    onFulfilled?: ((value: T) => Value | PromiseLike<Value>) | null,
    onRejected?: ((reason: unknown) => Reason | PromiseLike<Reason>) | null,
  ): Promise<Value | Reason> {
    // The stack of a `then` that `await` calls has no frame of the caller, so the call's own site is used.
    return this.#get(this.#site).then(onFulfilled, onRejected)
  }

  async #get(site: CallSite, timeout?: number): Promise<T> {
    const outcome = await this.#outcomeWithin(checkWait(timeout))
    if (outcome !== undefined) return unwrap(outcome, site)
    throw attachCallSite(new TimeoutError(`the result was not ready after ${formatMs(timeout!)}`), site)
  }

  /** `undefined` if the outcome is not known within `ms`. */
  async #outcomeWithin(ms: number | undefined): Promise<Outcome<T> | undefined> {
    if (this.#outcome !== undefined) return this.#outcome
    this.#pending++
    let timer: NodeJS.Timeout | undefined
    const timedOut = new Promise<undefined>((resolve) => {
      if (ms !== undefined) timer = setTimeout(resolve, ms, undefined)
    })
    const outcome = await (ms === undefined ? this.#settled : Promise.race([this.#settled, timedOut]))
    clearTimeout(timer)
    this.#pending--
    return outcome
  }

  /** Runs the caller's callback. If it throws, the outcome is a CallbackError that contains the task's own outcome. */
  async #runCallback(outcome: Outcome<T>, { callback, errorCallback }: Callbacks<T>): Promise<Outcome<T>> {
    if (outcome.ok) {
      const { value } = outcome
      return this.#unlessThrown(outcome, 'callback', { result: value }, () => callback?.(value))
    }
    if (errorCallback === undefined) return outcome
    const error = outcome.makeError(this.#site)
    return this.#unlessThrown(outcome, 'errorCallback', { error }, () => errorCallback(error))
  }

  async #unlessThrown(
    outcome: Outcome<T>,
    which: 'callback' | 'errorCallback',
    task: { readonly result?: unknown; readonly error?: unknown },
    call: () => unknown,
  ): Promise<Outcome<T>> {
    try {
      await call()
      return outcome
    } catch (thrown) {
      const makeError = (site: CallSite) => makeCallbackError(which, undefined, thrown, task, site)
      // A pending `get` rejects with the error. Otherwise the warning may be its only trace.
      if (this.#pending === 0) emitWarning(makeError(this.#site))
      return failed(makeError)
    }
  }
}
