// The result of a call: a value, or how to make its error. The error is made anew for each `get()` and `await`, with that
// caller's frames in its stack. Errors that the caller brought along (thrown by its input, the reason of its signal) are
// passed on unchanged.
import type { CallSite } from '../errors/stacks.js'
import type { SettledRange } from '../model.js'

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly makeError: (site: CallSite) => unknown }

export function succeeded<T>(value: T): Outcome<T> {
  return { ok: true, value }
}

export function failed(makeError: (site: CallSite) => unknown): Outcome<never> {
  return { ok: false, makeError }
}

/** @throws the outcome's error, made for `site` */
export function unwrap<T>(outcome: Outcome<T>, site: CallSite): T {
  if (outcome.ok) return outcome.value
  throw outcome.makeError(site)
}

export function valuesOf({ results }: SettledRange): readonly unknown[] {
  if (results.kind === 'values') return results.values
  throw new TypeError('the library requests values from its workers')
}
