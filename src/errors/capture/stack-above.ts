// Who called a function that stands in for one of Node's.

/** The call stack without `caller` and what it calls. */
export function stackAbove(caller: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, caller)
  return String(holder.stack).split('\n').slice(1).join('\n')
}
