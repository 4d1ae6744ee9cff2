// Items of an asynchronous iterable. Reads only on demand, one item at a time, and returns a chunk of what has arrived
// when the iterable pauses.
import { setImmediate } from '../../clock.js'
import type { Chunk } from '../../model.js'
import type { Want } from '../../source.js'
import type { Batch } from './batch.js'
import { assertIsStep, ValuesSource } from './values-source.js'

/** A call of `next` that has not been answered. */
interface Demand {
  readonly batch: Batch
  readonly resolve: (chunk: Chunk | undefined) => void
  readonly reject: (error: unknown) => void
}

export class AsyncSource extends ValuesSource {
  readonly #input: AsyncIterable<unknown>
  #iterator: AsyncIterator<unknown> | undefined
  #demand: Demand | undefined
  /** The iterator's `next` was called and has not settled. Its item may arrive after the demand was answered. */
  #isReading = false
  /** Such a late item, for the next demand. */
  #late: { readonly value: unknown } | undefined

  constructor(input: AsyncIterable<unknown>) {
    super(input)
    this.#input = input
  }

  protected read(want: Want): Promise<Chunk | undefined> {
    return new Promise((resolve, reject) => {
      this.#demand = { batch: this.newBatch(want), resolve, reject }
      if (this.#late === undefined) return this.#readOn()
      const { value } = this.#late
      this.#late = undefined
      this.#addItem(value)
    })
  }

  #addItem(value: unknown): void {
    const demand = this.#demand
    if (demand === undefined) {
      this.#late = { value }
      return
    }
    demand.batch.add(value)
    // Items that arrive within one turn of the event loop travel together; the chunk does not wait for later ones.
    if (demand.batch.count === 1)
      setImmediate(() => {
        if (this.#demand === demand) this.#answer()
      })
    this.#readOn()
  }

  #readOn(): void {
    if (this.ended || this.#demand?.batch.isFull) return this.#answer()
    if (this.#isReading) return
    this.#isReading = true
    this.#readItem().then(
      (step) => {
        this.#isReading = false
        if (this.ended) return
        if (!step.done) return this.#addItem(step.value)
        this.markEnded()
        this.#answer()
      },
      (error: unknown) => {
        this.#isReading = false
        if (this.ended) return
        this.fail(error)
        this.#answer()
      },
    )
  }

  /** Rejects also if the iterator does not return an object. */
  async #readItem(): Promise<{ readonly done: boolean; readonly value: unknown }> {
    this.#iterator ??= this.#input[Symbol.asyncIterator]()
    const step = await this.#iterator.next()
    assertIsStep(step)
    const { done = false, value } = step
    return { done, value }
  }

  #answer(): void {
    const demand = this.#demand
    if (demand === undefined) return
    this.#demand = undefined
    try {
      demand.resolve(this.complete(demand.batch))
    } catch (error) {
      demand.reject(error)
    }
  }

  protected async release(): Promise<void> {
    const hadEnded = this.ended
    const isStuck = this.#isReading
    this.markEnded()
    this.#answer()
    if (hadEnded) return
    const returned = this.#return()
    // `return` of a generator that awaits something settles only after that, which may never happen.
    if (isStuck) returned.catch(() => {})
    else await returned
  }

  async #return(): Promise<void> {
    await this.#iterator?.return?.()
  }
}
