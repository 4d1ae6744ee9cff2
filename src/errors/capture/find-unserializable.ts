// Finds the part of a value that structured clone or JSON cannot encode. Exact but slow, so it is called only when
// encoding failed or is suspected to lose something. Runs in the worker for results and in the parent for arguments.
import { inspect, types } from 'node:util'
import { deserialize, serialize } from 'node:v8'

/** Levels of nesting. JSON.stringify overflows the stack a little deeper, and a value this deep is a mistake anyway. */
const MAX_JSON_DEPTH = 1_000
/** Structured clone overflows the stack at about 2,000 levels of objects. */
const SPARE_LEVELS = 200
const MAX_PREVIEW_CHARACTERS = 200
const STACK_OVERFLOW = 'Maximum call stack size exceeded'

const { isDate } = types
const { getPrototypeOf, hasOwn, keys } = Object
const bufferToJson = Buffer.prototype.toJSON
const { toString: errorToString } = Error.prototype

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
 * `findUncloneable` for a value that every worker must be able to receive. Refuses nesting that a stack a little smaller,
 * or a message around the value, would turn into an overflow.
 */
export function findUnsendable(value: unknown): UnserializablePart | undefined {
  let nested = value
  for (let level = 0; level < SPARE_LEVELS; level++) nested = [nested]
  const message = refusalOf(nested)
  if (message === undefined) return undefined
  return findUncloneable(value) ?? { path: '', message, preview: preview(value) }
}

/**
 * The first part of `value` that JSON cannot represent; `undefined` if it can represent all of it. Stricter than
 * `JSON.stringify`, which silently drops functions and turns NaN into null, a Map into `{}` and bytes into an object of
 * numbers. An instance of a job's own class is data: its own enumerable properties. Never throws.
 */
export function findUnjsonable(value: unknown): UnserializablePart | undefined {
  return searchJson(() => value, '', [])
}

/**
 * Names of the classes that Node defines globally, except those that JSON carries or that hold no data of their own.
 * Only names: reading all these globals would load modules (fetch, Web Crypto) that a job may never use.
 */
const GLOBAL_CLASSES = new Set(Object.getOwnPropertyNames(globalThis))
for (const name of ['Object', 'Array', 'String', 'Number', 'Boolean', 'Date', 'EventTarget'])
  GLOBAL_CLASSES.delete(name)

/** How to turn an instance into data. A class without an entry uses that of its base class. */
const CONVERSIONS: Readonly<Record<string, string>> = {
  Promise: 'is an await missing?',
  Response: 'is `await response.json()` or `await response.text()` missing?',
  Request: 'is `await request.json()` or `await request.text()` missing?',
  Buffer: "convert it with buf.toString('base64') or Array.from(buf)",
  BigInt64Array: 'convert it with Array.from(x, String)',
  BigUint64Array: 'convert it with Array.from(x, String)',
  TypedArray: 'convert it with Array.from(x)',
  DataView: 'convert it with Array.from(new Uint8Array(x.buffer, x.byteOffset, x.byteLength))',
  ArrayBuffer: "convert it with Buffer.from(x).toString('base64') or Array.from(new Uint8Array(x))",
  SharedArrayBuffer: "convert it with Buffer.from(x).toString('base64') or Array.from(new Uint8Array(x))",
  Map: 'convert it with Object.fromEntries(x) or [...x]',
  Set: 'convert it with [...x]',
  Headers: 'convert it with Object.fromEntries(x)',
  FormData: 'convert it with Object.fromEntries(x)',
  URLSearchParams: 'convert it with Object.fromEntries(x) or String(x)',
  Blob: 'convert it with `await x.text()`',
  RegExp: 'convert it with String(x)',
  Error: 'throw it, or convert it with String(x)',
  /** A global class since Node 22. */
  Iterator: 'convert an iterator with [...x]',
}

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
    if (types.isBoxedPrimitive(value)) return searchBoxed(value, refused)
    if (ancestors.includes(value)) return refused('a cycle has no form in JSON')
    if (depth >= MAX_JSON_DEPTH) return refused(`nested more than ${MAX_JSON_DEPTH} levels deep`)
    const loss = whatJsonLoses(value)
    if (loss !== undefined) return refused(loss)
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

/** `JSON.stringify` writes the primitive inside, except a symbol's. */
function searchBoxed(
  value: object,
  refused: (message: string) => UnserializablePart,
): UnserializablePart | undefined {
  if (types.isStringObject(value) || types.isBooleanObject(value)) return undefined
  if (!types.isNumberObject(value))
    return refused(`a ${types.isBigIntObject(value) ? 'bigint' : 'symbol'} has no form in JSON`)
  const number = Number(value)
  return Number.isFinite(number) ? undefined : refused(`${number} has no form in JSON`)
}

/** Why JSON would lose what an object holds outside its own enumerable properties; `undefined` if that is nothing. */
function whatJsonLoses(value: object): string | undefined {
  const prototype = getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null || Array.isArray(value)) return undefined
  const classes = classesOf(value)
  const name = classes[0]?.name ?? 'object without a class'
  const builtIn = classes.find(isGlobal)?.name
  const conversion = () => {
    const known = classes.find((Class) => hasOwn(CONVERSIONS, Class.name))?.name
    return known === undefined ? '' : `; ${CONVERSIONS[known]}`
  }
  if (builtIn !== undefined || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))
    return `${withArticle(name)} has no form in JSON${conversion()}`
  const has = (method: string) => typeof (value as Record<string, unknown>)[method] === 'function'
  // Other implementations of fetch have own properties that say nothing about the body.
  if (has('arrayBuffer') && has('json'))
    return `${withArticle(name)} has no form in JSON; ${CONVERSIONS.Response}`
  if (has('pipe') && has('on'))
    return `${withArticle(name)} has no form in JSON; a stream must be read by the job`
  // Timers, sockets, servers, child processes.
  if (has('ref') && has('unref'))
    return `${withArticle(name)} has no form in JSON; it belongs to this process`
  if (keys(value).length > 0 || isPlainOfAnotherRealm(prototype)) return undefined
  if (typeof (value as Partial<Iterator<unknown>>).next === 'function')
    return `${withArticle(name)} has no form in JSON; ${CONVERSIONS.Iterator}`
  return `${withArticle(name)} has no properties that JSON could carry; return a plain object, or give it a toJSON${conversion()}`
}

/** The class of an object and its base classes. A job can give a prototype any `constructor`. */
function classesOf(value: object): { readonly name: string }[] {
  const classes: { readonly name: string }[] = []
  for (let prototype = getPrototypeOf(value); prototype !== null; prototype = getPrototypeOf(prototype)) {
    const Class: unknown = hasOwn(prototype, 'constructor') ? prototype.constructor : undefined
    if (typeof Class === 'function' && Class.name !== '') classes.push(Class)
  }
  return classes
}

function isGlobal(Class: { readonly name: string }): boolean {
  return GLOBAL_CLASSES.has(Class.name) && (globalThis as Record<string, unknown>)[Class.name] === Class
}

/** An object from another `vm` context has a prototype of its own kind. */
function isPlainOfAnotherRealm(prototype: object): boolean {
  return getPrototypeOf(prototype) === null && hasOwn(prototype, 'hasOwnProperty')
}

function withArticle(name: string): string {
  return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`
}

/** What `JSON.stringify` writes instead of the value. It, too, calls `toJSON` only once. */
function replacedByToJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { toJSON } = value as { toJSON?: unknown }
  // A Buffer's own is an object of numbers, which nobody wants who returns a Buffer.
  return typeof toJSON === 'function' && toJSON !== bufferToJson ? toJSON.call(value, '') : value
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

/** Some values can be serialized but not deserialized: a long linked list, an error that is its own cause in Node 20. */
function refusalOf(value: unknown): string | undefined {
  try {
    deserialize(serialize(value))
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
    // Async hooks put their ids and the context of the item on it.
    if (types.isPromise(value)) return 'Promise'
    // The stack of an error would fill the preview, also with frames that are not the job's.
    const text = types.isNativeError(value)
      ? `[${errorToString.call(value)}]`
      : inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY })
    return text.length > MAX_PREVIEW_CHARACTERS ? `${text.slice(0, MAX_PREVIEW_CHARACTERS - 1)}…` : text
  } catch {
    return typeof value
  }
}
