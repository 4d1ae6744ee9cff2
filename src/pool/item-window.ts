// How far a call may read ahead of its reader: items taken from the input and not yet handed out, one by one.
// Knows nothing of results, nor of who the reader is.
import {
  POOL_BUFFER_BYTES_PER_WORKER,
  POOL_BUFFER_ITEMS_PER_WORKER,
  POOL_MIN_BUFFER_ITEMS_PER_WORKER,
} from '../defaults.js'
import { FlowWindow } from '../policy/flow-window.js'
import type { ChunkSource } from '../source.js'
import type { ValuesSource } from './values-source.js'

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
  const fitting = () => Math.floor(POOL_BUFFER_BYTES_PER_WORKER / (source.meanBytes ?? 1))
  const perWorker = () =>
    Math.max(POOL_MIN_BUFFER_ITEMS_PER_WORKER, Math.min(POOL_BUFFER_ITEMS_PER_WORKER, fitting()))
  const window = new FlowWindow(source, {
    get items() {
      if (lifted) return Number.POSITIVE_INFINITY
      return bufferSize ?? processes * perWorker()
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
