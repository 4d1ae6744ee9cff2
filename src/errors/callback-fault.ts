// What ends a run whose callback threw. Internal: the run throws it, the report finds its item; users see its `error`.
import type { ItemFailure, SettledRange } from '../model.js'
import type { CallbackError } from './classes.js'

/** A callback threw: the error to tell, and the item it was called for. */
export class CallbackFault extends Error {
  override readonly name = 'CallbackFault'

  constructor(
    readonly error: CallbackError,
    readonly settled: SettledRange,
    readonly offset: number,
    readonly failure: ItemFailure | undefined,
  ) {
    super(error.message)
  }
}
