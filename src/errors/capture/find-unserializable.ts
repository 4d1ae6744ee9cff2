// Finds what in a value cannot be encoded, for structured clone or for JSON. Slow and exact: called only when
// something is known, or suspected, to be wrong. Knows nothing of messages.
import { inspect, types } from 'node:util'
import { serialize } from 'node:v8'

/** JSON.stringify overflows the stack somewhere above; a value this deep is a mistake anyway. */
const DEEPEST = 1_000
const STACK_OVERFLOW = 'Maximum call stack size exceeded'

const { isDate } = types

export interface UnserializablePart {
  /** Like `a.f` or `[2].x`; empty for the value itself. */
  readonly path: string
  readonly message: string
  readonly preview: string
}

/** The first part of `value` that structured clone refuses, `undefined` if it takes all of it. Never throws. */
export function findUncloneable(value: unknown): UnserializablePart | undefined {
  return searchClone(() => value, '', new Set())
}

/**
 * The first part of `value` that JSON cannot carry, `undefined` if it takes all of it. Stricter than `JSON.stringify`,
 * which drops functions and turns NaN into null and a Map into `{}` without a word. Never throws.
 */
export function findUnjsonable(value: unknown): UnserializablePart | undefined {
  return searchJson(() => value, '', [])
}

/** What `JSON.stringify` turns into `{}` without a word. */
const FORMLESS = [Map, Set, Promise, Error, RegExp, WeakMap, WeakSet] as const

/** Reading may throw: the part can be a getter, and what it stands in a proxy. */
interface Part {
  readonly path: string
  read(): unknown
}

/** `above` is the same on return. */
function searchJson(read: Part['read'], path: string, above: unknown[]): UnserializablePart | undefined {
  let value: unknown
  const refused = (message: string): UnserializablePart => ({ path, message, preview: shown(value) })
  try {
    value = read()
  } catch (thrown) {
    return { path, message: reasonOf(thrown), preview: 'unreadable' }
  }
  const depth = above.length
  try {
    if (isDate(value) && Number.isNaN(value.getTime())) return refused('an invalid Date has no form in JSON')
    value = asWritten(value)
    if (typeof value === 'number')
      return Number.isFinite(value) ? undefined : refused(`${value} has no form in JSON`)
    if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
      return refused(`a ${typeof value} has no form in JSON`)
    if (typeof value !== 'object' || value === null) return undefined
    if (above.includes(value)) return refused('a cycle has no form in JSON')
    if (depth >= DEEPEST) return refused(`nested more than ${DEEPEST} levels deep`)
    const Class = FORMLESS.find((candidate) => value instanceof candidate)
    if (Class === Promise) return refused('a Promise has no form in JSON; is an await missing?')
    if (Class !== undefined) return refused(`a ${Class.name} has no form in JSON`)
    above.push(value)
    for (const part of partsOf(value, path)) {
      const culprit = searchJson(part.read, part.path, above)
      if (culprit !== undefined) return culprit
    }
    return undefined
  } catch (thrown) {
    return refused(reasonOf(thrown))
  } finally {
    above.length = depth
  }
}

/** What `JSON.stringify` writes in the place of a value; it, too, asks only once. */
function asWritten(value: unknown): unknown {
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
  // Where the nesting is to blame, no part is more guilty than the whole.
  if (message !== STACK_OVERFLOW && typeof value === 'object' && value !== null && !seen.has(value)) {
    seen.add(value)
    try {
      for (const part of partsOf(value, path)) {
        const culprit = searchClone(part.read, part.path, seen)
        if (culprit !== undefined) return culprit
      }
    } catch {
      // A proxy that does not let itself be looked into is itself the culprit.
    }
  }
  return { path, message, preview: shown(value) }
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
      yield { path: `${path}${path === '' ? '' : '.'}get(${shown(key)})`, read: () => child }
  else if (value instanceof Set)
    for (const [place, child] of [...value].entries()) yield { path: join(path, place), read: () => child }
  else
    for (const key of Object.keys(value))
      yield {
        path: join(path, Array.isArray(value) ? Number(key) : key),
        read: () => (value as Record<string, unknown>)[key],
      }
}

/** The job may have thrown anything, undefined too. */
function reasonOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : `it threw ${shown(thrown)}`
  } catch {
    return 'it threw an error that cannot be read'
  }
}

/** As a person writes it: `a.b[2]`. */
export function pathText(keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => join(path, typeof key === 'number' ? key : String(key)), '')
}

function join(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  if (/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)) return path === '' ? key : `${path}.${key}`
  return `${path}[${JSON.stringify(key)}]`
}

function shown(value: unknown): string {
  try {
    const text = inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY })
    return text.length > 200 ? `${text.slice(0, 199)}…` : text
  } catch {
    return typeof value
  }
}
