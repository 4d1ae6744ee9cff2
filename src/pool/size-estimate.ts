// How many bytes a value takes on the wire, more or less: exact where that is free, else from samples, because
// serialising every item only to measure it would double the cost of sending it. Knows nothing of chunks.
import { serialize } from 'node:v8'

/** Numbers, booleans, null … with their tag. */
export const SMALL_BYTES = 8
/** The first few are all measured; then one of so many. */
const FIRST = 4
const EVERY = 64
const ALPHA = 0.3

export class SizeEstimate {
  #mean: number | undefined
  #meanObject: number | undefined
  #objects = 0

  /** Of all values so far, `undefined` before the first. */
  get mean(): number | undefined {
    return this.#mean
  }

  of(value: unknown): number {
    const bytes = this.#measure(value)
    this.#mean = blend(this.#mean, bytes)
    return bytes
  }

  /** So many small ones together: the mean moves as if they came one by one. */
  addSmall(count: number): void {
    const before = this.#mean ?? SMALL_BYTES
    this.#mean = SMALL_BYTES + (before - SMALL_BYTES) * (1 - ALPHA) ** count
  }

  #measure(value: unknown): number {
    if (typeof value === 'string') return SMALL_BYTES + value.length
    if (typeof value !== 'object' || value === null) return SMALL_BYTES
    if (ArrayBuffer.isView(value)) return SMALL_BYTES + value.byteLength
    const place = this.#objects++
    if (this.#meanObject === undefined || place < FIRST || place % EVERY === 0)
      this.#meanObject = blend(this.#meanObject, sizeOf(value))
    return this.#meanObject
  }
}

function blend(mean: number | undefined, latest: number): number {
  return mean === undefined ? latest : mean + ALPHA * (latest - mean)
}

function sizeOf(value: object): number {
  try {
    return serialize(value).byteLength
  } catch {
    // It cannot be cloned: sending it will say so, and why.
    return SMALL_BYTES
  }
}
