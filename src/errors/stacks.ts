// The stacks of errors that poolrun makes for others: text that is dear is made when it is read, and the caller's line
// is kept from the time of the call. Knows nothing of what the text says.

/** Where a call was made; V8 writes the text when it is first read. */
export interface CallSite {
  readonly stack?: string
}

/** The frames above `below`, the public function the user called. */
export function captureCallSite(below: (...args: never[]) => unknown): CallSite {
  const site: CallSite = {}
  Error.captureStackTrace(site, below)
  return site
}

/** Lets `error` say where the call was made, not where poolrun made the error. */
export function showCaller(error: Error, site: CallSite): void {
  setStack(error, () => headerOf(error) + framesBelow(site.stack ?? ''))
}

/** What follows a stack's header, each frame with its own line end before it. */
export function framesBelow(stack: string): string {
  const first = stack.indexOf('\n    at ')
  return first < 0 ? '' : stack.slice(first)
}

/** As V8 heads a stack. */
export function headerOf({ name, message }: { readonly name: string; readonly message: string }): string {
  return message === '' ? name : `${name}: ${message}`
}

export function setStack(error: Error, make: () => string): void {
  const settle = (value: unknown) =>
    Object.defineProperty(error, 'stack', { value, writable: true, enumerable: false, configurable: true })
  Object.defineProperty(error, 'stack', {
    get() {
      const stack = make()
      settle(stack)
      return stack
    },
    set: settle,
    enumerable: false,
    configurable: true,
  })
}
