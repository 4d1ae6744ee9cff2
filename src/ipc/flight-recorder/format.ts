// The flight recorder's file as writer and reader see it: a nameless file that a worker and its parent share. The worker
// writes which items run and the outcomes it has not sent yet; the parent reads the file when the worker has exited or
// does not answer, so that a crash loses nothing that was recorded.
//
//   record:  size u32 · kind u8 · chunk id u32 · offset u32 · time f64 · body · check u32      … then size 0: the end
import type { Ms } from '../../model.js'

/** Everything before the body. */
export const HEAD_BYTES = 4 + 1 + 4 + 4 + 8
/** The check behind the body: the size of the record XOR `CHECK`. */
export const CHECK_BYTES = 4
export const CHECK = 0x706f_6f6c
/** The size that marks the end of the records. */
export const END_BYTES = 4

export const KIND = {
  /** The item has started. */
  start: 1,
  /** The item's outcome: a JSON text, a value or a failure. */
  json: 2,
  value: 3,
  failure: 4,
  /** The items of the chunk are not recorded from here on. */
  unrecorded: 5,
  /** No item of the chunk is running. */
  between: 6,
} as const

/** The clock both processes share, in ms: monotonic since the machine started, unlike `performance.now()`. */
export function sharedNow(): Ms {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
