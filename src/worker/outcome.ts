// The outcome of calling a task: a value, a promise of one, something thrown, or a refusal of its item.
import { toErrorData } from '../errors/capture/to-error-data.js'
import type { Failure } from '../model.js'

/** In place of a value: the item fails with this. Validation, a generator or `shouldRetry` has decided it. */
export class Refusal {
  constructor(readonly failure: Failure) {}
}

/** `undefined` where the outcome is the item's result. */
export function failureOf(succeeded: boolean, outcome: unknown): Failure | undefined {
  if (!succeeded) return { kind: 'error', error: toErrorData(outcome) }
  return outcome instanceof Refusal ? outcome.failure : undefined
}

export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
