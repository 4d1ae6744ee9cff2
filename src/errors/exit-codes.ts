// Exit codes of the command line, and which fault of a whole run ends it with which. Few, distinct and stable: CI
// systems branch on them. Knows nothing of signals, of items that failed or of policies.
import { CallbackError, InitializerError, InputError, JobError, UsageError } from './classes.js'

export const EXIT = {
  ok: 0,
  /** map, starmap, apply: an item failed; imap: a failed item was reached; a callback threw. */
  itemFailed: 1,
  usage: 2,
  /** collect: more items failed than allowed. */
  someFailed: 3,
  input: 4,
  job: 5,
  initializer: 6,
  /** poolrun's own trouble: cannot spawn, restart budget spent, output not writable, a bug. */
  trouble: 7,
  deadline: 124,
  /** The reader of stdout went away. */
  brokenPipe: 141,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** For what a run threw as a whole; whatever has no code of its own is poolrun's own trouble. */
export function exitCodeOf(fault: unknown): ExitCode {
  if (fault instanceof UsageError) return EXIT.usage
  if (fault instanceof InputError) return EXIT.input
  if (fault instanceof JobError) return EXIT.job
  if (fault instanceof InitializerError) return EXIT.initializer
  if (fault instanceof CallbackError) return EXIT.itemFailed
  return EXIT.trouble
}
