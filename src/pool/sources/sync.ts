// Items of a synchronous iterable. `next` returns without a promise, so cheap inputs cost no turn of the event loop.
import { types } from 'node:util'
import type { Chunk } from '../../model.js'
import type { Want } from '../../source.js'
import type { Batch } from './batch.js'
import { assertIsStep, ValuesSource } from './values-source.js'

const arrayIterator = Array.prototype[Symbol.iterator]

export class SyncSource extends ValuesSource {
  readonly #input: Iterable<unknown>
  #iterator: Iterator<unknown> | undefined
  #isReading = false

  constructor(input: Iterable<unknown>) {
    super(input)
    this.#input = input
  }

  /** A hint for chunk sizes, for arrays only. The end of the input is decided by its iterator. */
  override remaining(): number | undefined {
    return Array.isArray(this.#input) ? Math.max(0, this.#input.length - this.taken) : undefined
  }

  protected read(want: Want): Chunk | undefined {
    const batch = this.newBatch(want)
    this.#isReading = true
    try {
      if (!this.ended && isPlainArray(this.#input)) this.#readArray(this.#input, batch)
      else this.#readIterator(batch)
    } catch (error) {
      this.fail(error)
    } finally {
      this.#isReading = false
    }
    return this.complete(batch)
  }

  #readIterator(batch: Batch): void {
    while (!this.ended && !batch.isFull) {
      this.#iterator ??= iteratorOf(this.#input)
      const step = this.#iterator.next()
      assertIsStep(step)
      if (step.done) this.markEnded()
      else batch.add(step.value)
    }
  }

  /** Faster than the array's iterator, with the same result: it also looks at the length before each step. */
  #readArray(input: readonly unknown[], batch: Batch): void {
    const from = this.taken
    batch.addAll(input, from)
    if (from + batch.count >= input.length && !batch.isFull) this.markEnded()
  }

  protected async release(): Promise<void> {
    if (this.ended) return
    this.markEnded()
    // If it is closed from within the input's own code: `return` of a running generator throws.
    while (this.#isReading) await undefined
    this.#iterator?.return?.()
  }
}

/** Its own iterator and methods would do what those of all arrays do, and nothing sees how often an item is read. */
function isPlainArray(input: Iterable<unknown>): input is readonly unknown[] {
  return (
    Array.isArray(input) &&
    !types.isProxy(input) &&
    input[Symbol.iterator] === arrayIterator &&
    input.constructor === Array
  )
}

/** With the error of `for…of` for what is not an iterator. */
function iteratorOf(input: Iterable<unknown>): Iterator<unknown> {
  const iterator: unknown = input[Symbol.iterator]()
  if (typeof iterator === 'object' && iterator !== null) return iterator as Iterator<unknown>
  throw new TypeError('Result of the Symbol.iterator method is not an object')
}
