// What a failure does to its run. Two hooks: `onSettle` judges when a failure becomes known, `onDeliver` when its turn
// in the output has come. Order is a separate setting; none of this knows processes, streams or text.
import type { Counts, ItemFailure, SettledRange } from '../model.js'

export interface Policy {
  readonly name: 'fail-fast' | 'lazy' | 'collect'
  /** A failure that settles may end the run: then little is to be under way. */
  readonly mayStop: boolean
  /** `counts` include this failure; `total` is the number of items, where it is known. */
  onSettle(
    failure: ItemFailure,
    settled: SettledRange,
    counts: Counts,
    total: number | undefined,
  ): 'continue' | 'stop'
  onDeliver(failure: ItemFailure, settled: SettledRange): 'raise' | 'skip'
}

/** `map`, `starmap`, `apply`: the first failure that settles ends the run. */
export const failFast: Policy = {
  name: 'fail-fast',
  mayStop: true,
  onSettle: () => 'stop',
  onDeliver: () => 'raise',
}

/** `imap`, `imap-unordered`: a failure is raised when it is reached, after everything before it. */
export const lazy: Policy = {
  name: 'lazy',
  mayStop: false,
  onSettle: () => 'continue',
  onDeliver: () => 'raise',
}

/** `collect`: failures are logged and left out; `tooMany` may end the run. */
export function collect(tooMany?: (counts: Counts, total: number | undefined) => boolean): Policy {
  return {
    name: 'collect',
    mayStop: tooMany !== undefined,
    onSettle: (_failure, _settled, counts, total) => (tooMany?.(counts, total) ? 'stop' : 'continue'),
    onDeliver: () => 'skip',
  }
}
