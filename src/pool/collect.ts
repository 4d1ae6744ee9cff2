// What becomes of the failures that `collect` skips: the caller's function hears of them. Without one they must not
// vanish, so the first of a call is said as a warning. Knows nothing of iterators.
import { warn } from './warnings.js'

type OnFailure<Item> = (error: unknown, index: number, item: Item) => unknown

export function collectFailures<Item>(onFailure?: OnFailure<Item>): OnFailure<unknown> {
  if (onFailure !== undefined) return (error, index, item) => onFailure(error, index, item as Item)
  let warned = false
  return (error, index) => {
    if (warned) return
    warned = true
    warn(`collect skips failed items, first item ${index}: ${String(error)}; onFailure hears of each`)
  }
}
