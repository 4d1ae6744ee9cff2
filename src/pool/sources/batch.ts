// The items of one chunk while they are read.
import type { Want } from '../../source.js'
import { NUMBER_BYTES, type SizeEstimate } from './size-estimate.js'

export class Batch {
  readonly #values: unknown[] = []
  readonly #want: Want
  readonly #sizes: SizeEstimate
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
    this.#values.push(value)
  }

  finish(): readonly unknown[] {
    if (this.#numbers > 0) this.#sizes.addNumbers(this.#numbers)
    return this.#values
  }
}
