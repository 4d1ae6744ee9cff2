// Handles the failures that `collect` skips.
import { emitWarning } from './process-warning.js'

export type FailureHandler<Item> = (error: unknown, index: number, item: Item) => unknown

/** The caller's `onFailure`. Without one, the first failure of the call becomes a warning, so that it is not lost. */
export function failureHandler<Item>(onFailure?: FailureHandler<Item>): FailureHandler<unknown> {
  if (onFailure !== undefined) return (error, index, item) => onFailure(error, index, item as Item)
  let hasWarned = false
  return (error, index) => {
    if (hasWarned) return
    hasWarned = true
    emitWarning(
      `collect skips failed items, first item ${index}: ${String(error)}; pass onFailure to receive each failure`,
    )
  }
}
