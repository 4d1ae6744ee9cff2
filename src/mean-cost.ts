// The running mean of what an item costs, for the two that measure it: the worker, to recognise cheap items, and the
// parent, to size chunks.
import type { Ms } from './model.js'

/** Bounds of a new sample's weight: one pause in a small sample must not replace the mean. */
const MIN_WEIGHT = 0.3
const MAX_WEIGHT = 0.8
/** A sample of this many items weighs as much as the whole history. A single item weighs less: the first one runs cold code. */
const HALF_WEIGHT_ITEMS = 8

/** The mean after `count` more items took `each` on average. */
export function meanCost(mean: Ms | undefined, each: Ms, count: number): Ms {
  if (mean === undefined) return each
  const weight = Math.min(MAX_WEIGHT, Math.max(MIN_WEIGHT, count / (count + HALF_WEIGHT_ITEMS)))
  return mean + weight * (each - mean)
}
