// The iterator that `imap`, `imapUnordered` and `collect` return. Not a generator, because a generator is done once it has
// thrown, and this one continues after a failed item. Calls of `next` queue up; one that timed out leaves its item to the
// following call.
import { clearTimeout, setTimeout } from '../clock.js'
import { PoolError, TimeoutError } from '../errors/classes.js'
import { formatMs } from '../errors/messages.js'
import { makeCallbackError, makeItemError } from '../errors/rebuild/item-error.js'
import { attachCallSite, type CallSite, captureCallSite } from '../errors/stacks.js'
import { type ItemFailure, itemIndexAt, type SettledRange } from '../model.js'
import { checkOptions, checkWait } from './check-options.js'
import type { FailureHandler } from './failure-handler.js'
import { valuesOf } from './outcome.js'
import type { PoolCall } from './pool-core.js'
import type { NextOptions } from './types.js'

/**
 * The iterator that `imap`, `imapUnordered` and `collect` return: Python's `IMapIterator`, as an async iterator.
 *
 * It is its own iterable, for `for await`. Leaving the loop early, `return()` and `await using` all cancel what is left
 * of the call.
 */
export interface PoolIterator<T> extends AsyncIterableIterator<T, undefined> {
  /**
   * The next result.
   *
   * Rejects with the error of a failed item; the next call continues with the item after it. Rejects with the input's
   * own error after the results of all items before it, with the call's `signal.reason` after an abort, and with
   * PoolTerminatedError, PoolBrokenError, InitializerError, JobError or CallbackError if the whole call failed; after
   * these errors the iterator is done. Concurrent calls are answered in order.
   * @throws TimeoutError if no result is ready within `timeout`; nothing is lost
   * @throws TypeError, RangeError for bad options
   */
  next(options?: NextOptions): Promise<IteratorResult<T, undefined>>
  /**
   * Ends the call: cancels its running items, calls the input's own `return`, and frees the workers for other calls.
   * Rejects with what the input's `return` threw.
   */
  return(): Promise<IteratorResult<T, undefined>>
  [Symbol.asyncIterator](): this
  /** Calls `return()`. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface ItemIteratorOptions {
  readonly call: PoolCall
  /** Where the iterator was made. */
  readonly site: CallSite
  /** Makes the error for what the flow threw. */
  readonly errorOf: (thrown: unknown, site: CallSite) => unknown
  /** Called for each failed item, which is then skipped. Without it, failures are raised by `next`. */
  readonly onFailure?: FailureHandler<unknown> | undefined
}

/** What answers one call of `next`. */
type Step<T> = { readonly result: IteratorResult<T, undefined> } | { readonly error: unknown }

/** A call of `next` that has not been answered. */
interface PendingNext<T> {
  answer(step: Step<T>): void
}

/** A delivered range while its items are handed out. */
interface OpenRange {
  readonly settled: SettledRange
  readonly values: readonly unknown[]
  /** Items handed out or skipped so far, and the failures among them. */
  itemsTaken: number
  failuresTaken: number
}

const DONE = { result: { done: true, value: undefined } } as const

export class ItemIterator<T> implements PoolIterator<T> {
  readonly #options: ItemIteratorOptions
  readonly #pending: PendingNext<T>[] = []
  /** A step whose `next` timed out in the meantime; for the following call. */
  #unclaimed: Step<T> | undefined
  #range: OpenRange | undefined
  #isAnswering = false
  #isDone = false
  #wasReturned = false

  constructor(options: ItemIteratorOptions) {
    this.#options = options
  }

  next(options?: NextOptions): Promise<IteratorResult<T, undefined>> {
    return this.#nextIfReady(options) ?? this.#enqueueNext(options)
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    const { flow, source } = this.#options.call
    this.#wasReturned = true
    this.#end()
    for (const next of this.#pending.splice(0)) next.answer(DONE)
    // Not awaited: leaving a loop should not wait until the running items are cancelled.
    flow.cancel().catch(() => {})
    await source.close()
    return DONE.result
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** Fast path: most results are ready before they are requested, and need neither queue nor call site. */
  #nextIfReady(options: NextOptions | undefined): Promise<IteratorResult<T, undefined>> | undefined {
    if (options !== undefined || this.#isAnswering || this.#unclaimed !== undefined || this.#isDone)
      return undefined
    const range = this.#range ?? this.#openRange(this.#options.call.flow.nextReady())
    if (range === undefined || range.failuresTaken < range.settled.failures.length) return undefined
    return Promise.resolve(this.#takeValue(range))
  }

  #enqueueNext(options: NextOptions | undefined): Promise<IteratorResult<T, undefined>> {
    const site = options === undefined ? undefined : captureCallSite(this.next)
    return new Promise((resolve, reject) => {
      const ms = checkWait(checkOptions('next', options).timeout)
      let timer: NodeJS.Timeout | undefined
      const next: PendingNext<T> = {
        answer(step) {
          clearTimeout(timer)
          if ('result' in step) resolve(step.result)
          else reject(step.error)
        },
      }
      this.#pending.push(next)
      if (ms !== undefined && site !== undefined)
        timer = setTimeout(() => {
          this.#pending.splice(this.#pending.indexOf(next), 1)
          reject(attachCallSite(new TimeoutError(`no result was ready after ${formatMs(ms)}`), site))
        }, ms)
      void this.#answerPending()
    })
  }

  async #answerPending(): Promise<void> {
    if (this.#isAnswering) return
    this.#isAnswering = true
    while (this.#pending.length > 0) {
      const step = this.#unclaimed ?? (await this.#makeStep())
      this.#unclaimed = undefined
      const next = this.#pending.shift()
      if (next !== undefined) next.answer(step)
      else if (!this.#wasReturned) this.#unclaimed = step
    }
    this.#isAnswering = false
  }

  async #makeStep(): Promise<Step<T>> {
    try {
      while (!this.#isDone) {
        const range = this.#range ?? (await this.#nextRange())
        if (range === undefined) break
        const taken = this.#takeItem(range)
        const step = taken instanceof Promise ? await taken : taken
        if (step !== undefined) return step
      }
    } catch (thrown) {
      if (this.#isDone) return DONE
      this.#end()
      const { call, errorOf, site } = this.#options
      call.flow.cancel().catch(() => {})
      return { error: thrown instanceof PoolError ? thrown : errorOf(thrown, site) }
    }
    this.#isDone = true
    return DONE
  }

  async #nextRange(): Promise<OpenRange | undefined> {
    const settled = await this.#options.call.flow.next()
    return this.#isDone ? undefined : this.#openRange(settled)
  }

  #openRange(settled: SettledRange | undefined): OpenRange | undefined {
    if (settled === undefined) return undefined
    this.#range = { settled, values: valuesOf(settled), itemsTaken: 0, failuresTaken: 0 }
    return this.#range
  }

  #takeValue(range: OpenRange): { readonly done: false; readonly value: T } {
    const value = range.values[range.itemsTaken++] as T
    if (range.itemsTaken >= range.settled.count) this.#range = undefined
    this.#options.call.itemHandedOut()
    return { done: false, value }
  }

  /** The next item of the range; `undefined` if it failed and was skipped. */
  #takeItem(range: OpenRange): Step<T> | undefined | Promise<undefined> {
    const { settled } = range
    const failure = settled.failures[range.failuresTaken]
    const hasFailed = failure !== undefined && failure.offset === settled.from + range.itemsTaken
    const result = this.#takeValue(range)
    if (!hasFailed) return { result }
    range.failuresTaken++
    const { onFailure, site } = this.#options
    const index = itemIndexAt(settled.chunk, failure.offset)
    const error = makeItemError({ index, site }, failure)
    if (onFailure === undefined) return { error }
    return this.#callOnFailure(onFailure, error, index, itemOf(settled, failure))
  }

  async #callOnFailure(
    onFailure: FailureHandler<unknown>,
    error: Error,
    index: number,
    item: unknown,
  ): Promise<undefined> {
    try {
      await onFailure(error, index, item)
    } catch (thrown) {
      throw makeCallbackError('onFailure', index, thrown, { error }, this.#options.site)
    }
  }

  #end(): void {
    this.#isDone = true
    this.#unclaimed = undefined
    this.#range = undefined
  }
}

function itemOf({ chunk }: SettledRange, { offset }: ItemFailure): unknown {
  return chunk.payload.kind === 'values' ? chunk.payload.values[offset] : undefined
}
