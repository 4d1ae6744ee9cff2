// What a call came to: a value, or how to make its error. An error is made anew for each who asks, with that caller's
// line in its stack; what a caller brought along (an input's own error, the reason of a signal) is passed on as it is.
import { attachCallSite, type CallSite } from '../errors/stacks.js'

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly makeError: (site: CallSite) => unknown }

export function succeeded<T>(value: T): Outcome<T> {
  return { ok: true, value }
}

export function failed(makeError: (site: CallSite) => unknown): Outcome<never> {
  return { ok: false, makeError }
}

export function unwrap<T>(outcome: Outcome<T>, site: CallSite): T {
  if (outcome.ok) return outcome.value
  throw outcome.makeError(site)
}

export function at<E extends Error>(site: CallSite, error: E): E {
  return attachCallSite(error, site)
}
