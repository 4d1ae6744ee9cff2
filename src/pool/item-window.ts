// Limits how far a call reads ahead of its consumer: items taken from the input and not yet handed out, one by one.
import {
  POOL_BUFFER_BYTES_PER_WORKER,
  POOL_BUFFER_ITEMS_PER_WORKER,
  POOL_MIN_BUFFER_ITEMS_PER_WORKER,
} from '../defaults.js'
import { FlowWindow } from '../policy/flow-window.js'
import type { ChunkSource } from '../source.js'
import type { ValuesSource } from './sources/values-source.js'

export interface ItemWindow {
  readonly source: ChunkSource
  /** The consumer received one more item. */
  itemHandedOut(): void
  /** Removes the limit. */
  lift(): void
}

/** `bufferSize` is the limit in items; by default it follows from `processes` and the size of the items. */
export function createItemWindow(
  source: ValuesSource,
  bufferSize: number | undefined,
  processes: number,
): ItemWindow {
  let lifted = false
  const itemsThatFit = () => Math.floor(POOL_BUFFER_BYTES_PER_WORKER / (source.meanBytes ?? 1))
  const itemsPerWorker = () =>
    Math.max(POOL_MIN_BUFFER_ITEMS_PER_WORKER, Math.min(POOL_BUFFER_ITEMS_PER_WORKER, itemsThatFit()))
  const window = new FlowWindow(source, {
    get items() {
      if (lifted) return Number.POSITIVE_INFINITY
      return bufferSize ?? processes * itemsPerWorker()
    },
    bytes: Number.POSITIVE_INFINITY,
  })
  return {
    source: window.source,
    itemHandedOut: () => window.delivered(1, 0),
    lift() {
      lifted = true
      // Lets the window notice its new limit.
      window.delivered(0, 0)
    },
  }
}
