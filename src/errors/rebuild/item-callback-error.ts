// What `--callbacks` code threw, together with the item it was called for. Internal: the run throws it, the report reads
// the item from it, and users see only its `error`.
import type { ItemFailure, SettledRange } from '../../model.js'
import type { CallbackError } from '../classes.js'

/** A callback threw. `failure` is the item's own, where the callback was an `errorCallback`. */
export class ItemCallbackError extends Error {
  override readonly name = 'ItemCallbackError'

  constructor(
    readonly error: CallbackError,
    readonly settled: SettledRange,
    readonly offset: number,
    readonly failure: ItemFailure | undefined,
  ) {
    super(error.message)
  }
}
