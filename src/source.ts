// The left end of a call: where chunks come from, on demand.
import type { Chunk } from './model.js'

/** The most that the caller can use now; a source may give less but never more, except that it gives at least one item. */
export interface Want {
  readonly items: number
  /** Bytes of a bytes payload; a single item that is larger is a chunk of its own. */
  readonly bytes: number
  /** A multiple of this many items would do better than more. Sources may ignore it. */
  readonly multipleOf?: number
}

/**
 * Yields chunks in input order; `seq` counts items from 0 without a gap.
 * `next` returns a chunk without a promise where it can, so that cheap inputs cost no turn of the event loop. It is not
 * called again before its promise has settled. It throws (or rejects with) `InputError`, or whatever the user's iterable
 * threw, after it has given all chunks before the error; after that, and after `undefined`, it has ended.
 */
export interface ChunkSource {
  next(want: Want): Chunk | undefined | Promise<Chunk | undefined>
  /** Stops reading and frees what is open. Idempotent; also called after the end. */
  close(): Promise<void> | void
  /** Items not yet taken, if that is known without more reading. */
  remaining?(): number | undefined
  /** Takes all items as one chunk, where they are few and there already. Instead of `next`, before it is ever called. */
  whole?(): Chunk | undefined
}
