// The items of one chunk while they are read.
import type { Want } from '../../source.js'
import { NUMBER_BYTES, type SizeEstimate } from './size-estimate.js'

export class Batch {
  #values: unknown[] = []
  readonly #want: Want
  readonly #sizes: SizeEstimate
  #count = 0
  #bytes = 0
  #numbers = 0

  constructor(want: Want, sizes: SizeEstimate) {
    this.#want = want
    this.#sizes = sizes
  }

  get count(): number {
    return this.#count
  }

  get isFull(): boolean {
    return this.#count >= this.#want.items || this.#bytes >= this.#want.bytes
  }

  add(value: unknown): void {
    this.#measure(value)
    this.#values.push(value)
  }

  /**
   * Instead of `add`: the items of the array from index `from` on, until it is full or the array ends. Reads each of them
   * twice: copying them together takes a fifth of the time.
   */
  addAll(items: readonly unknown[], from: number): void {
    let end = from
    while (end < items.length && !this.isFull) this.#measure(items[end++])
    this.#values = items.slice(from, end)
  }

  finish(): readonly unknown[] {
    if (this.#numbers > 0) this.#sizes.addNumbers(this.#numbers)
    return this.#values
  }

  #measure(value: unknown): void {
    this.#count++
    if (typeof value === 'number') {
      // All numbers have the same size, so `finish` adds them to the estimate together.
      this.#numbers++
      this.#bytes += NUMBER_BYTES
    } else this.#bytes += this.#sizes.add(value)
  }
}
