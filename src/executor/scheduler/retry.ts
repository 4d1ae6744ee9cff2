// Whether and when a failed item is tried again. Pure; randomness is handed in.
import { RETRIES, RETRY_DELAY_MS, RETRY_ON } from '../../defaults.js'
import type { FailureKind, ItemFailure, Ms } from '../../model.js'
import type { RetryOptions } from '../../plan.js'

export const NO_RETRY: RetryOptions = { retries: RETRIES, delayMs: RETRY_DELAY_MS, on: RETRY_ON }

/** Longest pause, whatever the number of attempts: five minutes. */
const LONGEST_MS: Ms = 300_000

/** Earlier failures of an item that are kept: one that is tried a million times must not fill memory with them. */
const MOST_REMEMBERED = 100

/** The newest of them; each without its own past, which stands before it. */
export function remember(
  earlier: readonly ItemFailure[],
  { earlier: _, ...failure }: ItemFailure,
): readonly ItemFailure[] {
  return [...earlier.slice(1 - MOST_REMEMBERED), failure]
}

export function triesAgain({ retries, on }: RetryOptions, kind: FailureKind, attempt: number): boolean {
  return attempt <= retries && on.includes(kind)
}

/**
 * Exponential backoff with "equal jitter": half of it is certain, half is chance, so that items that failed together
 * do not come back together (Brooker, "Exponential Backoff and Jitter", 2015). `attempt` has just failed, from 1.
 */
export function retryDelay({ delayMs }: RetryOptions, attempt: number, random: () => number): Ms {
  // Beyond a thousand attempts the power is infinite, and nothing times infinity is no number.
  if (delayMs === 0) return 0
  const full = Math.min(delayMs * 2 ** (attempt - 1), LONGEST_MS)
  return full / 2 + (random() * full) / 2
}
