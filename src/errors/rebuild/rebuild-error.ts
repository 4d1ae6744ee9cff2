// Makes an error in the parent out of what crossed: of the same built-in class, with its name, message, properties
// and causes. No constructor of a job ever runs. Knows nothing of items and workers.
import type { ErrorData } from '../../error-data.js'
import { formatFrames } from '../render/frames.js'
import { headerOf, setStack } from '../stacks.js'

type ErrorNode = Extract<ErrorData, { type: 'error' }>

const BUILTINS: ReadonlyMap<string, new (message: string) => Error> = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((type) => [
    type.name,
    type,
  ]),
)

/** A value thrown that was no Error comes back as itself, or as its preview where it could not be cloned. */
export function fromErrorData(data: ErrorData): unknown {
  if (data.type === 'thrown') return data.cloned ? data.value : data.preview
  const error = rebuildError(data)
  if (data.cause !== undefined) define(error, 'cause', fromErrorData(data.cause), false)
  setStack(error, () => headerOf(data) + formatFrames(data.frames))
  return error
}

/** All but its cause and stack, which the error that a call rejects with has from elsewhere. */
export function rebuildError(data: ErrorNode): Error {
  const error = construct(data)
  if (error.name !== data.name) define(error, 'name', data.name, false)
  if (data.errors !== undefined) define(error, 'errors', data.errors.map(fromErrorData), false)
  for (const key of Object.keys(data.props)) define(error, key, data.props[key], true)
  return error
}

function construct({ builtin, name, message }: ErrorNode): Error {
  if (builtin === 'AggregateError') return new AggregateError([], message)
  if (builtin === 'DOMException') return new DOMException(message, name)
  return new (BUILTINS.get(builtin) ?? Error)(message)
}

/** Not by assignment: `__proto__` is data, and a setter on the prototype is not asked. */
export function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable, configurable: true })
}
