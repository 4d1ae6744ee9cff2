// The left end of a run: where chunks come from, on demand. Knows nothing of workers or windows.
import type { Chunk } from './model.js'

/** The most that the asker can use now; a source may give less, never more (but always at least one item). */
export interface Want {
  readonly items: number
  /** Bytes of a bytes payload; one item that is larger goes alone. */
  readonly bytes: number
}

/**
 * Yields chunks in input order, `seq` counting items from 0 without a gap.
 * `next` answers at once where it can, so that cheap inputs cost no event-loop turn; it is never called again before
 * its promise settled. It throws (or rejects with) `InputError`, or whatever the user's iterable threw, after all
 * chunks before the fault were given; after that, and after `undefined`, it is done.
 */
export interface ChunkSource {
  next(want: Want): Chunk | undefined | Promise<Chunk | undefined>
  /** Stops reading and frees what is open. Idempotent; also called after the end. */
  close(): Promise<void> | void
  /** Items not yet taken, if that is known without more reading. */
  remaining?(): number | undefined
}
