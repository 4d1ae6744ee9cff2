// What a failed item means for its call: a policy is two hooks and a few facts, and `run/flow` uses only these. Delivery
// order is a separate setting.
import type { Counts, ItemFailure, SettledRange } from '../model.js'

export interface Policy {
  /** `onSettle` can return `stop`. Few chunks are dispatched ahead then, because a stop would waste them. */
  readonly mayStop: boolean
  /** After a stop, what had settled before and has not been delivered yet. */
  readonly afterStop: 'discard' | 'deliver'
  /** At the end, deliver what settled behind items that never ran; otherwise delivery ends at the first of them. */
  readonly skipGaps: boolean
  /** The output holds the results of all items or nothing. */
  readonly allOrNothing: boolean
  /** Called when a failure settles. `counts` include it; `total` is the number of all items, where it is known. */
  onSettle(
    failure: ItemFailure,
    settled: SettledRange,
    counts: Counts,
    total: number | undefined,
  ): 'continue' | 'stop'
  /** What becomes of the failed item in the output: called when it settles and when it is next there, with one answer. */
  onDeliver(failure: ItemFailure, settled: SettledRange): 'raise' | 'skip'
}

/** `map`, `starmap`, `apply`: the first failure that settles ends the run. */
export const failFast: Policy = {
  mayStop: true,
  afterStop: 'discard',
  skipGaps: false,
  allOrNothing: true,
  onSettle: () => 'stop',
  onDeliver: () => 'raise',
}

/** The library's iterators: a failure is raised when it is reached. A caller could not see a gap. */
export const lazy: Policy = {
  mayStop: false,
  afterStop: 'deliver',
  skipGaps: false,
  allOrNothing: false,
  onSettle: () => 'continue',
  onDeliver: () => 'raise',
}

/** `imap`, `imap-unordered`: as `lazy`, but where the run ends from outside, the summary counts what is missing. */
export const lazyOverGaps: Policy = { ...lazy, skipGaps: true }

/** `collect`: failures are reported and left out; `tooMany` may end the run. */
export function collect(tooMany?: (counts: Counts, total: number | undefined) => boolean): Policy {
  return {
    mayStop: tooMany !== undefined,
    afterStop: 'deliver',
    skipGaps: true,
    allOrNothing: false,
    onSettle: (_failure, _settled, counts, total) => (tooMany?.(counts, total) ? 'stop' : 'continue'),
    onDeliver: () => 'skip',
  }
}
