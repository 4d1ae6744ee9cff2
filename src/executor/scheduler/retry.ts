// Whether and when a failed item is retried. Pure; randomness is an argument.
import { RETRIES, RETRY_DELAY_MS, RETRY_ON } from '../../defaults.js'
import type { Failure, FailureKind, ItemFailure, Ms, RetryAdvice } from '../../model.js'
import type { RetryOptions } from '../../plan.js'

export const NO_RETRY: RetryOptions = { retries: RETRIES, delayMs: RETRY_DELAY_MS, on: RETRY_ON }

/** Longest delay, whatever the number of attempts: five minutes. */
const MAX_DELAY_MS: Ms = 300_000

/** Earlier failures of an item that are kept: a million retries must not fill memory with them. */
const MAX_REMEMBERED = 100

/** The newest ones. Each comes without its own `earlier`, which precedes it in the list. */
export function remember(
  earlier: readonly ItemFailure[],
  { earlier: _, ...failure }: ItemFailure,
): readonly ItemFailure[] {
  return [...earlier.slice(1 - MAX_REMEMBERED), failure]
}

/** Whether a failure of this kind is retried, unless the job says otherwise. */
export function mayRetry({ retries, on }: RetryOptions, kind: FailureKind, attempt: number): boolean {
  return attempt <= retries && on.includes(kind)
}

export function isRetried(options: RetryOptions, failure: Failure, attempt: number): boolean {
  if (failure.kind === 'error' && failure.retry === 'never') return false
  return mayRetry(options, failure.kind, attempt)
}

/** What the job has decided about the next attempt. */
export function adviceOf(failure: Failure): Exclude<RetryAdvice, 'never'> | undefined {
  return failure.kind === 'error' && failure.retry !== 'never' ? failure.retry : undefined
}

/**
 * Exponential backoff with "equal jitter": half of the delay is fixed, half is random, so that items that failed
 * together are not retried together (Brooker, "Exponential Backoff and Jitter", 2015). `attempt`, from 1, has just failed.
 */
export function retryDelay({ delayMs }: RetryOptions, attempt: number, random: () => number): Ms {
  // After a thousand attempts the power is Infinity, and 0 * Infinity is NaN.
  if (delayMs === 0) return 0
  const full = Math.min(delayMs * 2 ** (attempt - 1), MAX_DELAY_MS)
  return full / 2 + (random() * full) / 2
}
