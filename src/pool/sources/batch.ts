// The items of one chunk while they are read.
import { deserialize, serialize } from 'node:v8'
import type { Want } from '../../source.js'
import { NUMBER_BYTES, type SizeEstimate } from './size-estimate.js'

export class Batch {
  readonly #values: unknown[] = []
  readonly #want: Want
  readonly #sizes: SizeEstimate
  /** The objects among the values. Created with the first: a chunk of numbers needs none. */
  #objects: Set<object> | undefined
  #bytes = 0
  #numbers = 0

  constructor(want: Want, sizes: SizeEstimate) {
    this.#want = want
    this.#sizes = sizes
  }

  get count(): number {
    return this.#values.length
  }

  get isFull(): boolean {
    return this.#values.length >= this.#want.items || this.#bytes >= this.#want.bytes
  }

  add(value: unknown): void {
    if (typeof value === 'number') {
      // All numbers have the same size, so `finish` adds them to the estimate together.
      this.#numbers++
      this.#bytes += NUMBER_BYTES
      this.#values.push(value)
      return
    }
    this.#bytes += this.#sizes.add(value)
    this.#values.push(this.#unshared(value))
  }

  finish(): readonly unknown[] {
    if (this.#numbers > 0) this.#sizes.addNumbers(this.#numbers)
    return this.#values
  }

  /**
   * A copy if the same object is already in the batch. Structured clone keeps identity within a message, so without it
   * the task of one item could change the other item.
   */
  #unshared(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    this.#objects ??= new Set()
    if (!this.#objects.has(value)) {
      this.#objects.add(value)
      return value
    }
    try {
      return deserialize(serialize(value))
    } catch {
      return value
    }
  }
}
