// What an output can say against results before they settle. Part of the interface of executors, whatever they run.
import type { WrongLine } from '../model.js'

/** Decides which results the output can take. Lines are results as JSON, one line per item. */
export interface ResultCheck {
  /** The first result is known. */
  readonly isReady: boolean
  /** Looks for the first result in these lines. Returns whether it is known now. */
  begin(lines: Uint8Array): boolean
  /** What is wrong with the items of these lines, ascending. */
  check(lines: Uint8Array): readonly WrongLine[]
}
