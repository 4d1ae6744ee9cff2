// How long attempts took: quantiles, and a histogram with a logarithmic scale.
import { ATTEMPT_STATUSES } from '../../../files/run-record.js'
import type { AttemptColumns } from '../../page-data.js'

/** A histogram of durations starts no lower: the logarithm of 0 is infinite. */
const LEAST_MS = 0.01

/** The value at `part` (0 … 1) of the way through ascending values: 0.5 is the median. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
}

export interface LogScale {
  readonly low: number
  readonly high: number
  /** Natural logarithm of how many times `high` is larger than `low`; more than 0. */
  readonly steps: number
}

export function logScale(shortest: number, longest: number): LogScale {
  const low = Math.max(LEAST_MS, shortest)
  const high = Math.max(low * 1.01, longest)
  return { low, high, steps: Math.log(high / low) }
}

/** The duration at a `part` (0 … 1) of the scale. */
export function durationAt({ low, steps }: LogScale, part: number): number {
  return low * Math.exp(part * steps)
}

/** By position in `ATTEMPT_STATUSES`. */
const IS_FAILURE = ATTEMPT_STATUSES.map((status) => status !== 'ok' && status !== 'flaky')

export interface Histogram {
  readonly succeeded: Int32Array
  readonly failed: Int32Array
  /** Attempts in the fullest bin, at least 1. */
  readonly most: number
}

export function histogram(attempts: AttemptColumns, { low, steps }: LogScale, bins: number): Histogram {
  const succeeded = new Int32Array(bins)
  const failed = new Int32Array(bins)
  for (const [id, ms] of attempts.ms.entries()) {
    const bin = Math.floor((Math.log(Math.max(low, ms) / low) / steps) * bins)
    const counts = IS_FAILURE[attempts.status[id]!] ? failed : succeeded
    counts[Math.max(0, Math.min(bins - 1, bin))]! += 1
  }
  return { succeeded, failed, most: Math.max(...succeeded.map((count, bin) => count + failed[bin]!), 1) }
}
