// Built-ins captured before any job code runs. A job may replace methods on prototypes and globals, and its errors must
// still arrive, so the code that captures them uses only what is exported here.

/** `method` as a function that takes its receiver first; later changes of the prototype do not reach it. */
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
