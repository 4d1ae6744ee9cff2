// How many items the next chunk should hold. Pure arithmetic over measured cost; knows no clock and no worker.

import { CHUNK_BYTES } from '../../defaults.js'
import { meanCost } from '../../mean-cost.js'
import type { Ms } from '../../model.js'
import type { Want } from '../../source.js'

/** Work a chunk should hold: long enough that its way, some 0.5 ms of all processors, vanishes; short enough to settle often. */
const TARGET_MS: Ms = 12
/** A few items were cheap: that says little about the next thousand, so chunks grow step by step. */
const GROWTH = 4
/** Even for free items: one message settles together, and its results are held together. */
const MOST_ITEMS = 16 * 1024

export interface ChunkSizer {
  /** Cost of one item in ms, `undefined` before the first measurement. */
  readonly meanMs: Ms | undefined
  measured(items: number, busyMs: Ms): void
  /** `remaining` items are left to take, where that is known; `workers` share them. */
  want(workers: number, remaining: number | undefined): Want
}

/** A fixed number of items a chunk, as `--chunk-size` asks for; cost is measured all the same. */
export function createChunkSizer(fixed?: number): ChunkSizer {
  let meanMs: Ms | undefined
  let size = fixed ?? 1
  return {
    get meanMs() {
      return meanMs
    },
    measured(items, busyMs) {
      meanMs = meanCost(meanMs, busyMs / items, items)
      if (fixed !== undefined) return
      const ideal = meanMs > 0 ? Math.floor(TARGET_MS / meanMs) : MOST_ITEMS
      size = Math.max(1, Math.min(ideal, size * GROWTH, MOST_ITEMS))
    },
    want(workers, remaining) {
      if (fixed !== undefined) return { items: fixed, bytes: Number.POSITIVE_INFINITY }
      // Halving what each worker's share would be lets all workers end together.
      const fair = remaining === undefined ? size : Math.ceil(remaining / (2 * workers))
      return { items: Math.max(1, Math.min(size, fair)), bytes: CHUNK_BYTES }
    },
  }
}
