// How many bytes a value takes on the wire, approximately: exact where that is free, otherwise from samples, because
// serialising every item only to measure it would double the cost of sending it.
import { serialize } from 'node:v8'

/** Bytes of a number, boolean or null, with its tag. */
export const NUMBER_BYTES = 8
/** Of the type and the length of a string. */
const TAG_BYTES = 2
const MAX_FLAT_PROPERTIES = 64
const FLAT_TYPES = new Set(['string', 'number', 'boolean', 'undefined'])
/** The first objects are all measured, then every n-th. */
const MEASURED_AT_FIRST = 4
const MEASURE_EVERY = 64
/** Weight of the latest value in the moving averages. */
const ALPHA = 0.3

export class SizeEstimate {
  #mean: number | undefined
  #meanObject: number | undefined
  #objects = 0

  /** Moving average over all values; `undefined` before the first. */
  get mean(): number | undefined {
    return this.#mean
  }

  /** Estimates the bytes of `value` and adds them to the average. */
  add(value: unknown): number {
    const bytes = this.#measure(value)
    this.#mean = average(this.#mean, bytes)
    return bytes
  }

  /** Moves the average as if `count` numbers had been added one by one. */
  addNumbers(count: number): void {
    const before = this.#mean ?? NUMBER_BYTES
    this.#mean = NUMBER_BYTES + (before - NUMBER_BYTES) * (1 - ALPHA) ** count
  }

  #measure(value: unknown): number {
    if (typeof value === 'string') return NUMBER_BYTES + value.length
    if (typeof value !== 'object' || value === null) return NUMBER_BYTES
    if (ArrayBuffer.isView(value)) return NUMBER_BYTES + value.byteLength
    const i = this.#objects++
    if (this.#meanObject === undefined || i < MEASURED_AT_FIRST || i % MEASURE_EVERY === 0)
      this.#meanObject = average(this.#meanObject, objectBytes(value))
    return this.#meanObject
  }
}

function average(mean: number | undefined, latest: number): number {
  return mean === undefined ? latest : mean + ALPHA * (latest - mean)
}

function objectBytes(value: object): number {
  try {
    return flatBytes(value as Record<string, unknown>) ?? serialize(value).byteLength
  } catch {
    // It cannot be cloned; sending it will fail with the reason.
    return NUMBER_BYTES
  }
}

/** Of an object with few properties, all of them primitive. For these, the serializer takes ten times as long. */
function flatBytes(value: Record<string, unknown>): number | undefined {
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined
  let bytes = NUMBER_BYTES
  let left = MAX_FLAT_PROPERTIES
  for (const name in value) {
    const property = value[name]
    if (--left < 0 || !isFlat(property)) return undefined
    bytes += TAG_BYTES + name.length
    bytes += typeof property === 'string' ? TAG_BYTES + property.length : NUMBER_BYTES
  }
  return bytes
}

function isFlat(value: unknown): boolean {
  return FLAT_TYPES.has(typeof value) || value === null
}
