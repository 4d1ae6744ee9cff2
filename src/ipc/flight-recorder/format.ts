// The flight recorder's file as writer and reader see it: a nameless file that a worker and its parent share. The worker
// writes which items run and the outcomes it has not sent yet; the parent reads the file when the worker has exited or
// does not answer, so that a crash loses nothing that was recorded.
//
//   file:    HEADER · records … · zeros up to FILE_BYTES
//   record:  size u32 · kind u8 · chunk id u32 · offset u32 · time f64 · body · check u32      … then size 0: the end
import type { Ms } from '../../model.js'

/**
 * Written when the file is made. Its space is taken from then on, so that no later write can find the disk full, and a
 * shorter file is not one of ours.
 */
export const FILE_BYTES = 128 * 1024
/** What the file begins with. Where it is damaged, something else has written to the file. */
export const HEADER = Buffer.from('poolrun\x01')
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
  /** No item of the chunk is running; those before the offset have begun. */
  between: 6,
  /** The item has ended, and its outcome is in a message that is leaving the worker, and nowhere in the file. */
  sending: 7,
  /** The item has returned to the event loop, and awaits something. */
  suspended: 8,
  /**
   * What items of the chunk returned that were not recorded one by one, from the one at the offset on, one per line: JSON
   * texts, or values as JSON (an empty line is `undefined`).
   */
  jsonLines: 9,
  valueLines: 10,
} as const

/** Node's own: a job may replace it, as fake timers do. */
const { hrtime } = process

/** The clock both processes share, in ms: monotonic since the machine started, unlike `performance.now()`. */
export function sharedNow(): Ms {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
