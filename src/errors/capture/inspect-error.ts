// Reads the class, name and message of an error that may be hostile: a proxy, an object of another realm, or one whose
// getters throw.
import { getOwnPropertyDescriptor, getPrototypeOf, NativeError } from './builtins.js'
import { isNativeError } from './node-builtins.js'
import { previewValue } from './to-cloneable.js'

const BUILTINS = [
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError,
  DOMException,
].map((type) => ({ name: type.name, prototype: type.prototype as object }))
/** More than any real prototype chain has; a proxy can make an endless one. */
const MAX_PROTOTYPES = 100

/** Stands for a property whose getter or trap threw. */
export const UNREADABLE: unique symbol = Symbol('unreadable')

export function read(object: object, key: string | number): unknown {
  try {
    return (object as Record<string | number, unknown>)[key]
  } catch {
    return UNREADABLE
  }
}

export function isError(value: object): boolean {
  if (isNativeError(value)) return true
  return findInPrototypes(value, (prototype) => prototype === NativeError.prototype || undefined) ?? false
}

/** Name of the nearest built-in class. Classes of another realm are recognised by their name. */
export function builtinOf(error: object): string {
  return findInPrototypes(error, ownBuiltin) ?? findInPrototypes(error, foreignBuiltin) ?? 'Error'
}

/** The name V8 would show, except that a class without a `name` of its own keeps its class name. */
export function nameOf(error: object, builtin: string): string {
  const name = read(error, 'name')
  if (typeof name === 'string' && name !== '') {
    if (name !== builtin || hasOwn(error, 'name')) return name
  }
  return findInPrototypes(error, ownClassName) ?? builtin
}

export function messageOf(error: object): string {
  const message = read(error, 'message')
  if (typeof message === 'string') return message
  if (message === UNREADABLE) return '[message cannot be read]'
  return message === undefined || message === null ? '' : previewValue(message)
}

export function hasOwn(object: object, key: string): boolean {
  try {
    return getOwnPropertyDescriptor(object, key) !== undefined
  } catch {
    return false
  }
}

/** The first result of `match` along the prototype chain; `undefined` if there is none or a proxy's trap threw. */
function findInPrototypes<T>(object: object, match: (prototype: object) => T | undefined): T | undefined {
  try {
    let prototype = getPrototypeOf(object)
    for (let i = 0; prototype !== null && i < MAX_PROTOTYPES; i++) {
      const found = match(prototype)
      if (found !== undefined) return found
      prototype = getPrototypeOf(prototype)
    }
  } catch {}
  return undefined
}

function ownBuiltin(prototype: object): string | undefined {
  for (let i = 0; i < BUILTINS.length; i++) {
    if (BUILTINS[i]!.prototype === prototype) return BUILTINS[i]!.name
  }
  return undefined
}

function foreignBuiltin(prototype: object): string | undefined {
  const name = ownValue(prototype, 'name')
  for (let i = 0; i < BUILTINS.length; i++) {
    if (BUILTINS[i]!.name === name) return BUILTINS[i]!.name
  }
  return undefined
}

function ownClassName(prototype: object): string | undefined {
  const type = ownValue(prototype, 'constructor')
  if (typeof type !== 'function') return undefined
  const name = ownValue(type, 'name')
  return typeof name === 'string' && name !== '' ? name : undefined
}

/** Value of an own data property; a getter is not called, it would be job code. */
function ownValue(object: object, key: string): unknown {
  return getOwnPropertyDescriptor(object, key)?.value
}
