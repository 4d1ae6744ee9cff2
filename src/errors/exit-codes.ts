// Exit codes of the command line, and which error that ends a whole run has which code. Few, distinct and stable: CI
// systems branch on them.
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
  /** A problem of poolrun itself: cannot spawn, too many crashed workers, output not writable, a bug. */
  trouble: 7,
  deadline: 124,
  /** The reader of stdout closed it. */
  brokenPipe: 141,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The code for the error that ended a run; any error without a code of its own is a problem of poolrun itself. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof InputError) return EXIT.input
  if (error instanceof JobError) return EXIT.job
  if (error instanceof InitializerError) return EXIT.initializer
  if (error instanceof CallbackError) return EXIT.itemFailed
  return EXIT.trouble
}
