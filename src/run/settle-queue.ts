// Calls a hook for each settled range in the order in which the ranges settled. A hook that returns a promise delays the
// hooks of later ranges, and only those.
import type { SettledRange } from '../model.js'
import { CompletionOrder } from '../policy/delivery-order.js'
import type { SettledCounts } from './item-counts.js'

export type SettleHook = (settled: SettledRange) => Promise<void> | void

interface SettleQueueOptions {
  readonly hook: SettleHook
  /** Called once the hook is done with the range. Not called for a range whose hook threw. */
  readonly onDone: (settled: SettledRange) => void
  /** Called with what a hook threw; must call `stop`. */
  readonly onError: (error: unknown) => void
}

export class SettleQueue {
  readonly #options: SettleQueueOptions
  /** The end of the chain of hook calls; `undefined` as long as no hook has returned a promise. */
  #last: Promise<void> | undefined
  #stopped = false
  /** Ranges whose hook has not been called, and their items. */
  readonly #ranges = new CompletionOrder()
  readonly #waiting = { ok: 0, failed: 0 }

  constructor(options: SettleQueueOptions) {
    this.#options = options
  }

  push(settled: SettledRange): void {
    if (this.#last !== undefined) {
      this.#ranges.push(settled)
      this.#addWaiting(settled, 1)
      this.#last = this.#last.then(() => this.#callNext())
      return
    }
    const called = this.#call(settled)
    if (called === undefined) this.#done(settled)
    else this.#last = called.then(() => this.#done(settled))
  }

  /** Calls no further hook, and `onDone` no more. */
  stop(): void {
    this.#stopped = true
  }

  /** As `stop`. Returns the ranges whose hook will not be called; their items stay in `waiting`. */
  stopAndTakeRest(): readonly SettledRange[] {
    this.#stopped = true
    return this.#ranges.releaseRest()
  }

  /** Resolves when the hooks of all ranges so far are done. */
  get idle(): Promise<void> | undefined {
    return this.#last
  }

  /** Items that settled without a call of the hook so far. */
  get waiting(): SettledCounts {
    return this.#waiting
  }

  async #callNext(): Promise<void> {
    if (this.#stopped) return
    const settled = this.#ranges.shift()!
    this.#addWaiting(settled, -1)
    await this.#call(settled)
    this.#done(settled)
  }

  /** The hook's promise, if it returned one; that promise does not reject. */
  #call(settled: SettledRange): Promise<void> | undefined {
    const { hook, onError } = this.#options
    try {
      const called = hook(settled)
      return called instanceof Promise ? called.catch(onError) : undefined
    } catch (error) {
      onError(error)
      return undefined
    }
  }

  #done(settled: SettledRange): void {
    if (!this.#stopped) this.#options.onDone(settled)
  }

  #addWaiting({ count, failures }: SettledRange, sign: 1 | -1): void {
    this.#waiting.ok += sign * (count - failures.length)
    this.#waiting.failed += sign * failures.length
  }
}
