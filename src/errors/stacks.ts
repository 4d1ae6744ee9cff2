// Stacks of errors that poolrun makes itself: the text is made only when it is read, because mapping locations is slow,
// and the caller's frames are captured when the call is made. Runs in the parent; every other part of errors/ may use it.

/** The frames of a call. V8 formats the text when `stack` is first read. */
export interface CallSite {
  readonly stack?: string
}

/** Captures the frames above `publicMethod`, the method that the user called. */
export function captureCallSite(publicMethod: (...args: never[]) => unknown): CallSite {
  const site: CallSite = {}
  Error.captureStackTrace(site, publicMethod)
  return site
}

/** Makes the stack of `error` show where the call was made instead of where poolrun made the error. */
export function attachCallSite<E extends Error>(error: E, site: CallSite): E {
  setLazyStack(error, () => headerOf(error) + framesAfterHeader(site.stack ?? ''))
  return error
}

/** The frames of a stack, each with a line feed before it. */
export function framesAfterHeader(stack: string): string {
  const first = stack.indexOf('\n    at ')
  return first < 0 ? '' : stack.slice(first)
}

/** The header that V8 gives a stack. */
export function headerOf({ name, message }: { readonly name: string; readonly message: string }): string {
  return message === '' ? name : `${name}: ${message}`
}

/** Calls `make` when `error.stack` is first read, unless it was assigned before. */
export function setLazyStack(error: Error, make: () => string): void {
  const setStack = (value: unknown) =>
    Object.defineProperty(error, 'stack', { value, writable: true, enumerable: false, configurable: true })
  Object.defineProperty(error, 'stack', {
    get() {
      const stack = make()
      setStack(stack)
      return stack
    },
    set: setStack,
    enumerable: false,
    configurable: true,
  })
}
