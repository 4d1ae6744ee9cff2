// Reads what makes an error an error (class, name, message) from an object that may be hostile: a proxy, of another
// realm, with getters that throw. Knows nothing of stacks and of the other properties.
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
/** Longer than any real chain; a proxy can make one without end. */
const MAX_PROTOTYPES = 100

/** In place of what a getter or trap threw for. */
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
  return findPrototype(value, (prototype) => prototype === NativeError.prototype || undefined) ?? false
}

/** Name of the nearest built-in class, of another realm too (there by its name). */
export function builtinOf(error: object): string {
  return findPrototype(error, ownBuiltin) ?? findPrototype(error, foreignBuiltin) ?? 'Error'
}

/** As V8 names it, but a class that sets no `name` keeps its class name. */
export function nameOf(error: object, builtin: string): string {
  const name = read(error, 'name')
  if (typeof name === 'string' && name !== '') {
    if (name !== builtin || hasOwn(error, 'name')) return name
  }
  return findPrototype(error, ownClassName) ?? builtin
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

/** First answer along the prototype chain; `undefined` where a proxy does not let it be walked. */
function findPrototype<T>(object: object, ask: (prototype: object) => T | undefined): T | undefined {
  try {
    let prototype = getPrototypeOf(object)
    for (let i = 0; prototype !== null && i < MAX_PROTOTYPES; i++) {
      const answer = ask(prototype)
      if (answer !== undefined) return answer
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

/** Of a data property: a getter would be job code. */
function ownValue(object: object, key: string): unknown {
  return getOwnPropertyDescriptor(object, key)?.value
}
