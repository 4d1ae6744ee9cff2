// Built-ins taken before any job code ran: a job may replace what it finds on globals, and its errors must still
// arrive. Whoever runs in the worker on a failure uses these; nothing else needs them.

/** `method` as a function of its receiver, deaf to later changes of the prototype. */
function uncurry<This, Args extends unknown[], Result>(
  method: (...args: Args) => Result,
): (self: This, ...args: Args) => Result {
  return Function.prototype.call.bind(method) as (self: This, ...args: Args) => Result
}

export const charCodeAt = uncurry<string, [number], number>(String.prototype.charCodeAt)
export const indexOf = uncurry<string, [string, number?], number>(String.prototype.indexOf)
export const slice = uncurry<string, [number, number?], string>(String.prototype.slice)
export const trimStart = uncurry<string, [], string>(String.prototype.trimStart)

export const { create, freeze } = Object
export const { getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect
export const { isArray } = Array
export const { max } = Math
export const NativeError = Error
