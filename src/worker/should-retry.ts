// The job's `shouldRetry`: whether a failed item gets another attempt, and when.
import { previewValue } from '../errors/capture/to-cloneable.js'
import { toErrorData } from '../errors/capture/to-error-data.js'
import type { Failure, RetryAdvice } from '../model.js'
import { thrownText } from './thrown-text.js'

/** Called with what an attempt has thrown, in the context of its item. */
export type ShouldRetry = (error: unknown) => unknown

/** The failure of an attempt, with what the job says to it. `warn` says why an answer is none: the failure is final then. */
export async function failureWithAdvice(
  thrown: unknown,
  shouldRetry: ShouldRetry,
  warn: (message: string) => void,
): Promise<Failure> {
  const failure = { kind: 'error', error: toErrorData(thrown) } as const
  try {
    const answer = await shouldRetry(thrown)
    if (answer === true) return failure
    const advice = answer === false ? 'never' : adviceOf(answer)
    if (advice !== undefined) return { ...failure, retry: advice }
    const expected = 'a boolean, milliseconds, or { after: milliseconds, everyone: boolean }'
    warn(`shouldRetry returned ${previewValue(answer)}, which is not ${expected}: the failure is final`)
  } catch (error) {
    warn(`shouldRetry threw ${thrownText(error)}: the failure is final`)
  }
  return { ...failure, retry: 'never' }
}

/** Reads what the job has returned, which can throw. */
function adviceOf(answer: unknown): RetryAdvice | undefined {
  if (typeof answer === 'number') return isDelay(answer) ? { afterMs: answer, everyone: false } : undefined
  if (typeof answer !== 'object' || answer === null) return undefined
  const { after, everyone = false } = answer as { after?: unknown; everyone?: unknown }
  if (typeof after !== 'number' || !isDelay(after) || typeof everyone !== 'boolean') return undefined
  return { afterMs: after, everyone }
}

function isDelay(ms: number): boolean {
  return ms >= 0 && ms < Number.POSITIVE_INFINITY
}
