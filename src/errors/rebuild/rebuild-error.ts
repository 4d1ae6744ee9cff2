// Rebuilds an error in the parent from error data: same built-in class, name, message, properties and causes. A job's own
// constructor never runs here.
import type { ErrorData } from '../../error-data.js'
import { formatFrames } from '../render/frames.js'
import { headerOf, setLazyStack } from '../stacks.js'

type ErrorNode = Extract<ErrorData, { type: 'error' }>

const BUILTINS: ReadonlyMap<string, new (message: string) => Error> = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((type) => [
    type.name,
    type,
  ]),
)

/** A thrown value that is not an Error comes back as itself, or as its preview if it could not be cloned. */
export function fromErrorData(data: ErrorData): unknown {
  if (data.type === 'thrown') return data.cloned ? data.value : data.preview
  const error = rebuildError(data)
  if (data.cause !== undefined) define(error, 'cause', fromErrorData(data.cause), false)
  setLazyStack(error, () => headerOf(data) + formatFrames(data.frames))
  return error
}

/** Everything but cause and stack: for the error that a call rejects with they are a RemoteTraceback and a call site. */
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

/** Defines instead of assigning, so that `__proto__` is data and no setter of the prototype runs. */
export function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable, configurable: true })
}
