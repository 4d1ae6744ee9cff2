// How much of a message a value takes, and whether it can certainly be read at the other end. Structured clone writes
// some values that it cannot read: a long list, an error that is its own cause, a WebAssembly.Module.
import { types } from 'node:util'

const { isView } = ArrayBuffer
const { isArray } = Array
const { getPrototypeOf, keys } = Object
const objectPrototype = Object.prototype
const { isAnyArrayBuffer, isMap, isNativeError, isSet } = types
/** Captured before a job can replace them. */
const mapForEach = Function.prototype.call.bind(Map.prototype.forEach) as (
  map: Map<unknown, unknown>,
  visit: (value: unknown, key: unknown) => void,
) => void
const setForEach = Function.prototype.call.bind(Set.prototype.forEach) as (
  set: Set<unknown>,
  visit: (value: unknown) => void,
) => void
const WasmModule = (globalThis as { WebAssembly?: { Module: new () => object } }).WebAssembly?.Module

/** V8 reads objects nested 1,900 levels deep. A cycle ends here, too. */
const MAX_LEVELS = 100
/** Enough for all but the largest values, and soon reached by one that branches into itself. */
const MAX_PARTS = 100_000

// Shared by all walks, so that a walk allocates nothing.
let partsLeft = 0
let bytes = 0

/**
 * The bytes that `value` takes at least, or `Infinity` if it is not certain that it can be read, also because finding out
 * would take long. Never throws. Reads getters, which may return something else to the serializer.
 */
export function weigh(value: unknown): number {
  partsLeft = MAX_PARTS
  bytes = 0
  try {
    return isReadable(value, 0) ? bytes : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

function isReadable(value: unknown, level: number): boolean {
  if (typeof value === 'string') {
    bytes += value.length
    return true
  }
  if (typeof value !== 'object' || value === null) return true
  if (--partsLeft < 0 || level > MAX_LEVELS) return false
  if (isArray(value)) {
    partsLeft -= value.length
    if (partsLeft < 0) return false
    // It may have named properties as well, which are written too.
    if (keys(value).length > value.length) return false
    for (let i = 0; i < value.length; i++) if (!isReadable(value[i], level + 1)) return false
    return true
  }
  if (isView(value) || isAnyArrayBuffer(value)) {
    bytes += value.byteLength
    return true
  }
  if (isMap(value) || isSet(value)) return areReadable(value, level + 1)
  // Structured clone takes the texts of an error and its cause, and no other property.
  if (isNativeError(value)) return isReadable(value.cause, level + 1)
  if (!isOrdinary(value)) return false
  for (const key in value) if (!isReadable((value as Record<string, unknown>)[key], level + 1)) return false
  return true
}

/** Not a WebAssembly.Module: of this realm, of another one, or without its prototype. */
function isOrdinary(value: object): boolean {
  if (WasmModule !== undefined && value instanceof WasmModule) return false
  let prototype = getPrototypeOf(value)
  if (prototype === null) return keys(value).length > 0
  while (prototype !== objectPrototype) {
    prototype = getPrototypeOf(prototype)
    if (prototype === null) return false
  }
  return true
}

function areReadable(parts: Map<unknown, unknown> | Set<unknown>, level: number): boolean {
  let are = true
  const visit = (value: unknown, key?: unknown) => {
    are &&= isReadable(value, level) && isReadable(key, level)
  }
  if (isMap(parts)) mapForEach(parts as Map<unknown, unknown>, visit)
  else setForEach(parts as Set<unknown>, (value) => visit(value))
  return are
}
