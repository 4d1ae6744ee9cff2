// The job's `shouldRetry`: whether a failed item gets another attempt, and when.
import { inspect } from 'node:util'
import { toErrorData } from '../errors/capture/to-error-data.js'
import type { Failure, RetryAdvice } from '../model.js'

/** Called with what an attempt has thrown, in the context of its item. */
export type ShouldRetry = (error: unknown) => unknown

/** The failure of an attempt, with what the job says to it. `warn` says why an answer is none: the failure is final then. */
export async function failureWithAdvice(
  thrown: unknown,
  shouldRetry: ShouldRetry,
  warn: (message: string) => void,
): Promise<Failure> {
  const failure = { kind: 'error', error: toErrorData(thrown) } as const
  let answer: unknown
  try {
    answer = await shouldRetry(thrown)
  } catch (error) {
    warn(`shouldRetry threw ${inspect(error)}: the failure is final`)
    return { ...failure, retry: 'never' }
  }
  if (answer === true) return failure
  const advice = answer === false ? 'never' : adviceOf(answer)
  if (advice === undefined) {
    const expected = 'a boolean, milliseconds, or { after: milliseconds, everyone: boolean }'
    warn(`shouldRetry returned ${inspect(answer)}, which is not ${expected}: the failure is final`)
  }
  return { ...failure, retry: advice ?? 'never' }
}

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
