// The handle of a call that was started and is not waited for. Knows nothing of how the result comes about.
import { ResultNotReadyError, TimeoutError } from '../errors/classes.js'
import { formatMs } from '../errors/messages.js'
import { makeCallbackError } from '../errors/rebuild/item-error.js'
import { type CallSite, captureCallSite } from '../errors/stacks.js'
import { checkWait } from './options.js'
import { at, failed, type Outcome, unwrap } from './outcome.js'
import type { Callbacks } from './types.js'
import { warn } from './warnings.js'

/** Python's `AsyncResult`, and a thenable: `await` gives what `get()` gives. */
export class AsyncResult<T> implements PromiseLike<T> {
  readonly #site: CallSite
  readonly #settled: Promise<Outcome<T>>
  #outcome: Outcome<T> | undefined
  #waiting = 0

  /** @internal Made by `applyAsync`, `mapAsync` and `starmapAsync`. `outcome` never rejects. */
  constructor(outcome: Promise<Outcome<T>>, site: CallSite, callbacks: Callbacks<T>) {
    this.#site = site
    this.#settled = outcome
      .then((known) => this.#tell(known, callbacks))
      .then((known) => {
        this.#outcome = known
        return known
      })
  }

  /**
   * The result. Rejects with the call's error, a new object each time.
   * @param timeout in ms; without it waits as long as it takes, 0 polls
   * @throws TimeoutError when it is not there in time; nothing is lost, and `get` may be called again
   */
  get(timeout?: number): Promise<T> {
    return this.#get(captureCallSite(this.get), timeout)
  }

  /**
   * Waits until the result is ready, however it came out. Unlike Python's, tells whether it is.
   * @param timeout in ms
   */
  async wait(timeout?: number): Promise<boolean> {
    return (await this.#within(checkWait(timeout))) !== undefined
  }

  /** Whether the result, good or bad, is there. */
  ready(): boolean {
    return this.#outcome !== undefined
  }

  /**
   * Whether the call succeeded.
   * @throws ResultNotReadyError while it is not ready (Python: ValueError)
   */
  successful(): boolean {
    if (this.#outcome === undefined) throw new ResultNotReadyError('the result is not ready')
    return this.#outcome.ok
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is the point
  then<Value = T, Reason = never>(
    onFulfilled?: ((value: T) => Value | PromiseLike<Value>) | null,
    onRejected?: ((reason: unknown) => Reason | PromiseLike<Reason>) | null,
  ): Promise<Value | Reason> {
    // `await` calls this with no line of the caller's above it: the line of the call itself says more.
    return this.#get(this.#site).then(onFulfilled, onRejected)
  }

  async #get(site: CallSite, timeout?: number): Promise<T> {
    const outcome = await this.#within(checkWait(timeout))
    if (outcome !== undefined) return unwrap(outcome, site)
    throw at(site, new TimeoutError(`the result was not ready after ${formatMs(timeout!)}`))
  }

  async #within(ms: number | undefined): Promise<Outcome<T> | undefined> {
    if (this.#outcome !== undefined) return this.#outcome
    this.#waiting++
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      if (ms !== undefined) timer = setTimeout(resolve, ms, undefined)
    })
    const outcome = await (ms === undefined ? this.#settled : Promise.race([this.#settled, late]))
    clearTimeout(timer)
    this.#waiting--
    return outcome
  }

  /** Calls the caller's function; what it throws becomes the outcome, with the task's own outcome in it. */
  async #tell(outcome: Outcome<T>, { callback, errorCallback }: Callbacks<T>): Promise<Outcome<T>> {
    if (outcome.ok) {
      const { value } = outcome
      return this.#attempt(outcome, 'callback', { result: value }, () => callback?.(value))
    }
    if (errorCallback === undefined) return outcome
    const error = outcome.makeError(this.#site)
    return this.#attempt(outcome, 'errorCallback', { error }, () => errorCallback(error))
  }

  async #attempt(
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
      // Whoever waits is told by the rejection; if nobody does, this may be the only trace.
      if (this.#waiting === 0) warn(makeError(this.#site))
      return failed(makeError)
    }
  }
}
