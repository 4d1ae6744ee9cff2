// What `imap`, `imapUnordered` and `collect` return. Written by hand, for a generator is dead once it has thrown, while
// this goes on after a failed item. Requests queue up; one that ran out of time leaves its item to the next one.
// Knows nothing of workers.
import { PoolError, TimeoutError } from '../errors/classes.js'
import { formatMs } from '../errors/messages.js'
import { makeCallbackError, makeItemError } from '../errors/rebuild/item-error.js'
import { type CallSite, captureCallSite } from '../errors/stacks.js'
import { type ItemFailure, itemIndexAt, type SettledRange } from '../model.js'
import { valuesOf } from './collect-values.js'
import { checkOptions, checkWait } from './options.js'
import { at } from './outcome.js'
import type { PoolCall } from './pool-core.js'
import type { NextOptions } from './types.js'

/** An async iterator that is also iterable; `next` takes a time limit. */
export interface PoolIterator<T> extends AsyncIterableIterator<T, undefined> {
  /**
   * The next result. Rejects with the error of an item that failed, and then goes on with the one after it.
   * @throws TimeoutError when nothing is there in time; nothing is lost
   */
  next(options?: NextOptions): Promise<IteratorResult<T, undefined>>
  /** Cancels what is left, calls the input's own `return` and frees the workers; what `break` does. */
  return(): Promise<IteratorResult<T, undefined>>
  [Symbol.asyncIterator](): this
  [Symbol.asyncDispose](): Promise<void>
}

export interface ItemIteratorOptions {
  readonly call: PoolCall
  readonly site: CallSite
  /** Of what the flow threw. */
  readonly errorOf: (thrown: unknown, site: CallSite) => unknown
  /** Hears of failed items, which are then skipped; without it they are raised. */
  readonly onFailure?: ((error: unknown, index: number, item: unknown) => unknown) | undefined
}

/** What one step comes to. */
type Step<T> = { readonly result: IteratorResult<T, undefined> } | { readonly error: unknown }

interface Request<T> {
  readonly settle: (step: Step<T>) => void
}

/** A delivered range while it is handed out. */
interface DeliveredRange {
  readonly settled: SettledRange
  readonly values: readonly unknown[]
  place: number
  failed: number
}

const DONE = { result: { done: true, value: undefined } } as const

export class ItemIterator<T> implements PoolIterator<T> {
  readonly #options: ItemIteratorOptions
  readonly #requests: Request<T>[] = []
  /** Made for a request that had gone by then. */
  #kept: Step<T> | undefined
  #range: DeliveredRange | undefined
  #stepping = false
  #over = false
  #returned = false

  constructor(options: ItemIteratorOptions) {
    this.#options = options
  }

  next(options?: NextOptions): Promise<IteratorResult<T, undefined>> {
    // Most results are there before they are asked for: those are given without further ado.
    if (options === undefined && !this.#stepping && this.#kept === undefined && !this.#over) {
      const range = this.#range ?? this.#open(this.#options.call.flow.nextReady())
      if (range !== undefined && range.failed === range.settled.failures.length)
        return Promise.resolve(this.#take(range))
    }
    const site = options === undefined ? undefined : captureCallSite(this.next)
    return new Promise((resolve, reject) => {
      const ms = checkWait(checkOptions('next', options).timeout)
      let timer: NodeJS.Timeout | undefined
      const request: Request<T> = {
        settle(step) {
          clearTimeout(timer)
          if ('result' in step) resolve(step.result)
          else reject(step.error)
        },
      }
      this.#requests.push(request)
      if (ms !== undefined && site !== undefined)
        timer = setTimeout(() => {
          this.#requests.splice(this.#requests.indexOf(request), 1)
          reject(at(site, new TimeoutError(`no result was ready after ${formatMs(ms)}`)))
        }, ms)
      void this.#serve()
    })
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    const { flow, source } = this.#options.call
    this.#returned = true
    this.#end()
    for (const request of this.#requests.splice(0)) request.settle(DONE)
    // What still runs is cancelled behind this: whoever leaves a loop must not wait for it.
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

  #end(): void {
    this.#over = true
    this.#kept = undefined
    this.#range = undefined
  }

  async #serve(): Promise<void> {
    if (this.#stepping) return
    this.#stepping = true
    while (this.#requests.length > 0) {
      const step = this.#kept ?? (await this.#step())
      this.#kept = undefined
      const request = this.#requests.shift()
      if (request !== undefined) request.settle(step)
      else if (!this.#returned) this.#kept = step
    }
    this.#stepping = false
  }

  async #step(): Promise<Step<T>> {
    try {
      while (!this.#over) {
        const range = this.#range ?? (await this.#nextRange())
        if (range === undefined) break
        const step = this.#takeFrom(range)
        const taken = step instanceof Promise ? await step : step
        if (taken !== undefined) return taken
      }
    } catch (thrown) {
      if (this.#over) return DONE
      this.#end()
      const { call, errorOf, site } = this.#options
      call.flow.cancel().catch(() => {})
      return { error: thrown instanceof PoolError ? thrown : errorOf(thrown, site) }
    }
    this.#over = true
    return DONE
  }

  async #nextRange(): Promise<DeliveredRange | undefined> {
    const settled = await this.#options.call.flow.next()
    return this.#over ? undefined : this.#open(settled)
  }

  #open(settled: SettledRange | undefined): DeliveredRange | undefined {
    if (settled === undefined) return undefined
    this.#range = { settled, values: valuesOf(settled), place: 0, failed: 0 }
    return this.#range
  }

  #take(range: DeliveredRange): { readonly done: false; readonly value: T } {
    const value = range.values[range.place++] as T
    if (range.place >= range.settled.count) this.#range = undefined
    this.#options.call.handedOut()
    return { done: false, value }
  }

  /** One item of the range, `undefined` where it is skipped. */
  #takeFrom(range: DeliveredRange): Step<T> | undefined | Promise<undefined> {
    const { settled } = range
    const failure = settled.failures[range.failed]
    const isFailed = failure !== undefined && failure.offset === settled.from + range.place
    const result = this.#take(range)
    if (!isFailed) return { result }
    range.failed++
    const { onFailure, site } = this.#options
    const index = itemIndexAt(settled.chunk, failure.offset)
    const error = makeItemError({ index, site }, failure)
    if (onFailure === undefined) return { error }
    return this.#tell(onFailure, error, index, itemOf(settled, failure))
  }

  async #tell(
    onFailure: NonNullable<ItemIteratorOptions['onFailure']>,
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
}

function itemOf({ chunk }: SettledRange, { offset }: ItemFailure): unknown {
  return chunk.payload.kind === 'values' ? chunk.payload.values[offset] : undefined
}
