// The outcome of calling a task: a value, a promise of one, something thrown, or a refusal of its item.
import { types } from 'node:util'
import { toErrorData } from '../errors/capture/to-error-data.js'
import type { Failure } from '../model.js'

/** In place of a value: the item fails with this. Validation, a generator or `shouldRetry` has decided it. */
export class Refusal {
  constructor(readonly failure: Failure) {}
}

// Taken before the job is loaded.
const { isNativeError: isError } = types
const FAILURE = Symbol.for('poolrun.failure')

/** What a task of poolrun's own has thrown in place of an error. */
function ownFailure(thrown: unknown): Failure | undefined {
  try {
    return thrown !== null && typeof thrown === 'object' && !isError(thrown)
      ? (thrown as { [FAILURE]?: Failure })[FAILURE]
      : undefined
  } catch {
    return undefined
  }
}

/** The command that an item has run, if that is what failed. */
export function failedCommand(thrown: unknown): string | undefined {
  const failure = ownFailure(thrown)
  if (failure?.kind !== 'error' || failure.error.type !== 'error') return undefined
  const { command } = failure.error.props
  return typeof command === 'string' ? command : undefined
}

/** `undefined` where the outcome is the item's result. */
export function failureOf(succeeded: boolean, outcome: unknown): Failure | undefined {
  if (!succeeded) return ownFailure(outcome) ?? { kind: 'error', error: toErrorData(outcome) }
  return outcome instanceof Refusal ? outcome.failure : undefined
}

export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
