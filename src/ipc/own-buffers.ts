// Node's deserializer makes typed arrays that are views of the whole message. Such an array would keep the message in
// memory, and its `.buffer` would show a job or a caller everything else in it, also the token of the worker.
import { types } from 'node:util'

const { isView } = ArrayBuffer
const { isArray } = Array
const { keys } = Object
const { isMap, isSet, isNativeError } = types

type View = ArrayBufferView & { readonly constructor: unknown }

/** Parts and levels that are looked at before cycles have to be watched for. Most values have fewer, and no cycle. */
const PARTS_WITHOUT_MEMORY = 10_000
const LEVELS_WITHOUT_MEMORY = 100

/** A counter shared by all searches, so that a search allocates nothing. */
let partsLeft = 0

/** `withOwnBuffers` for each value of an array, which is changed. */
export function ownBuffersOfEach(values: readonly unknown[]): readonly unknown[] {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value !== 'object' || value === null) continue
    const own = withOwnBuffers(value)
    if (own !== value) (values as unknown[])[i] = own
  }
  return values
}

/**
 * A value as it was deserialized, in which each typed array has a buffer of its own size. Changes the value in place, and
 * returns it unless it is a typed array itself.
 */
export function withOwnBuffers<T>(value: T): T {
  partsLeft = PARTS_WITHOUT_MEMORY
  return mayHoldView(value, 0) ? (copyViews(value) as T) : value
}

/** True also where the answer would take long. */
function mayHoldView(value: unknown, level: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (--partsLeft < 0 || level > LEVELS_WITHOUT_MEMORY) return true
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) if (mayHoldView(value[i], level + 1)) return true
    return false
  }
  if (isView(value) || isMap(value) || isSet(value) || isNativeError(value)) return true
  for (const key in value) if (mayHoldView((value as Record<string, unknown>)[key], level + 1)) return true
  return false
}

/** A list of what is left to visit in place of recursion: a message can be nested as deeply as the stack allowed. */
function copyViews(root: unknown): unknown {
  const copies = new Map<View, View>()
  const seen = new Set<object>()
  const left: object[] = []
  const visit = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part
    if (isView(part)) return copyOf(part, copies)
    if (!seen.has(part)) {
      seen.add(part)
      left.push(part)
    }
    return part
  }
  const result = visit(root)
  for (let value = left.pop(); value !== undefined; value = left.pop()) replaceParts(value, visit)
  return result
}

function replaceParts(value: object, visit: (part: unknown) => unknown): void {
  if (isMap(value)) {
    const entries: [unknown, unknown][] = []
    value.forEach((part, key) => {
      entries.push([key, part])
    })
    value.clear()
    for (let i = 0; i < entries.length; i++) value.set(visit(entries[i]![0]), visit(entries[i]![1]))
  } else if (isSet(value)) {
    const parts: unknown[] = []
    value.forEach((part) => {
      parts.push(part)
    })
    value.clear()
    for (let i = 0; i < parts.length; i++) value.add(visit(parts[i]))
  } else {
    const record = value as Record<string, unknown>
    const names = keys(value)
    for (let i = 0; i < names.length; i++) replacePart(record, names[i]!, visit)
    // Not enumerable.
    if (isNativeError(value) && !names.includes('cause')) replacePart(record, 'cause', visit)
  }
}

function replacePart(record: Record<string, unknown>, name: string, visit: (part: unknown) => unknown): void {
  const part = record[name]
  const replaced = visit(part)
  if (replaced !== part) Object.defineProperty(record, name, { value: replaced })
}

/** A view that occurs twice stays one view. */
function copyOf(view: View, copies: Map<View, View>): View {
  const known = copies.get(view)
  if (known !== undefined) return known
  const { buffer, byteOffset, byteLength } = view
  let copy = view
  if (byteLength !== buffer.byteLength) {
    const own = buffer.slice(byteOffset, byteOffset + byteLength)
    if (Buffer.isBuffer(view)) copy = Buffer.from(own as ArrayBuffer)
    else copy = new (view.constructor as new (buffer: ArrayBufferLike) => View)(own)
  }
  copies.set(view, copy)
  return copy
}
