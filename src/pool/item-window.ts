// How far a call may read ahead of its reader: items taken from the input and not yet handed out, one by one.
// Knows nothing of results, nor of who the reader is.
import { FlowWindow } from '../policy/flow-window.js'
import type { ChunkSource } from '../source.js'
import type { ValuesSource } from './values-source.js'

/** Enough for a few chunks of cheap items in each worker … */
const ITEMS = 1024
/** … but no more arguments than this in bytes, for each worker … */
const BYTES = 16 * 1024 * 1024
/** … as long as each worker has an item to run and some to go on with. */
const LEAST_ITEMS = 4

export interface ItemWindow {
  readonly source: ChunkSource
  /** The reader has got one more. */
  handedOut(): void
  /** No bound any more. */
  lift(): void
}

export function createItemWindow(
  source: ValuesSource,
  bufferSize: number | undefined,
  processes: number,
): ItemWindow {
  let lifted = false
  const fitting = () => Math.floor(BYTES / (source.meanBytes ?? 1))
  const window = new FlowWindow(source, {
    get items() {
      if (lifted) return Number.POSITIVE_INFINITY
      return bufferSize ?? processes * Math.max(LEAST_ITEMS, Math.min(ITEMS, fitting()))
    },
    bytes: Number.POSITIVE_INFINITY,
  })
  return {
    source: window.source,
    handedOut: () => window.delivered(1, 0),
    lift() {
      lifted = true
      window.delivered(0, 0)
    },
  }
}
