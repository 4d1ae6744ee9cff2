// Finds the part of a value that structured clone or JSON cannot encode. Exact but slow, so it is called only when
// encoding failed or is suspected to lose something. Runs in the worker for results and in the parent for arguments.
import { inspect, types } from 'node:util'
import { serialize } from 'node:v8'

/** Levels of nesting. JSON.stringify overflows the stack a little deeper, and a value this deep is a mistake anyway. */
const MAX_JSON_DEPTH = 1_000
const MAX_PREVIEW_CHARACTERS = 200
const STACK_OVERFLOW = 'Maximum call stack size exceeded'

const { isDate } = types

export interface UnserializablePart {
  /** Like `a.f` or `[2].x`; empty for the value itself. */
  readonly path: string
  readonly message: string
  readonly preview: string
}

/** The first part of `value` that structured clone refuses; `undefined` if it accepts all of it. Never throws. */
export function findUncloneable(value: unknown): UnserializablePart | undefined {
  return searchClone(() => value, '', new Set())
}

/**
 * The first part of `value` that JSON cannot represent; `undefined` if it can represent all of it. Stricter than
 * `JSON.stringify`, which silently drops functions and turns NaN into null and a Map into `{}`. Never throws.
 */
export function findUnjsonable(value: unknown): UnserializablePart | undefined {
  return searchJson(() => value, '', [])
}

/** Classes that `JSON.stringify` silently turns into `{}`. */
const WRITTEN_AS_EMPTY = [Map, Set, Promise, Error, RegExp, WeakMap, WeakSet] as const

/** `read` may throw: the part can be a getter, or belong to a proxy. */
interface Part {
  readonly path: string
  read(): unknown
}

/** `ancestors` has the same elements on return as on entry. */
function searchJson(read: Part['read'], path: string, ancestors: unknown[]): UnserializablePart | undefined {
  let value: unknown
  const refused = (message: string): UnserializablePart => ({ path, message, preview: preview(value) })
  try {
    value = read()
  } catch (thrown) {
    return { path, message: reasonOf(thrown), preview: 'unreadable' }
  }
  const depth = ancestors.length
  try {
    if (isDate(value) && Number.isNaN(value.getTime())) return refused('an invalid Date has no form in JSON')
    value = replacedByToJson(value)
    if (typeof value === 'number')
      return Number.isFinite(value) ? undefined : refused(`${value} has no form in JSON`)
    if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
      return refused(`a ${typeof value} has no form in JSON`)
    if (typeof value !== 'object' || value === null) return undefined
    if (ancestors.includes(value)) return refused('a cycle has no form in JSON')
    if (depth >= MAX_JSON_DEPTH) return refused(`nested more than ${MAX_JSON_DEPTH} levels deep`)
    const Class = WRITTEN_AS_EMPTY.find((candidate) => value instanceof candidate)
    if (Class === Promise) return refused('a Promise has no form in JSON; is an await missing?')
    if (Class !== undefined) return refused(`a ${Class.name} has no form in JSON`)
    ancestors.push(value)
    for (const part of partsOf(value, path)) {
      const found = searchJson(part.read, part.path, ancestors)
      if (found !== undefined) return found
    }
    return undefined
  } catch (thrown) {
    return refused(reasonOf(thrown))
  } finally {
    ancestors.length = depth
  }
}

/** What `JSON.stringify` writes instead of the value. It, too, calls `toJSON` only once. */
function replacedByToJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' ? toJSON.call(value, '') : value
}

function searchClone(read: Part['read'], path: string, seen: Set<unknown>): UnserializablePart | undefined {
  let value: unknown
  try {
    value = read()
  } catch (thrown) {
    return { path, message: reasonOf(thrown), preview: 'unreadable' }
  }
  const message = refusalOf(value)
  if (message === undefined) return undefined
  // If the value is nested too deeply, no single part is the cause.
  if (message !== STACK_OVERFLOW && typeof value === 'object' && value !== null && !seen.has(value)) {
    seen.add(value)
    try {
      for (const part of partsOf(value, path)) {
        const found = searchClone(part.read, part.path, seen)
        if (found !== undefined) return found
      }
    } catch {
      // A proxy whose traps throw here is reported as a whole.
    }
  }
  return { path, message, preview: preview(value) }
}

function refusalOf(value: unknown): string | undefined {
  try {
    serialize(value)
    return undefined
  } catch (thrown) {
    return reasonOf(thrown)
  }
}

function* partsOf(value: object, path: string): Generator<Part> {
  if (value instanceof Map)
    for (const [key, child] of value)
      yield { path: `${path}${path === '' ? '' : '.'}get(${preview(key)})`, read: () => child }
  else if (value instanceof Set)
    for (const [index, child] of [...value].entries()) yield { path: join(path, index), read: () => child }
  else
    for (const key of Object.keys(value))
      yield {
        path: join(path, Array.isArray(value) ? Number(key) : key),
        read: () => (value as Record<string, unknown>)[key],
      }
}

/** `thrown` can be anything, `undefined` too. */
function reasonOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : `it threw ${preview(thrown)}`
  } catch {
    return 'it threw an error that cannot be read'
  }
}

/** The path to a part as it is written in code: `a.b[2]`. */
export function pathText(keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => join(path, typeof key === 'number' ? key : String(key)), '')
}

function join(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  if (/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)) return path === '' ? key : `${path}.${key}`
  return `${path}[${JSON.stringify(key)}]`
}

function preview(value: unknown): string {
  try {
    const text = inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY })
    return text.length > MAX_PREVIEW_CHARACTERS ? `${text.slice(0, MAX_PREVIEW_CHARACTERS - 1)}…` : text
  } catch {
    return typeof value
  }
}
