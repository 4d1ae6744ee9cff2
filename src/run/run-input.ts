// Opens the input of a run: its items or batches of them, those that are selected, for `apply` as one item. For a dry run
// the items are only counted.
import type { Chunk } from '../model.js'
import type { RunPlan } from '../plan.js'
import { batchItems } from '../read/batches.js'
import { openInput } from '../read/open.js'
import { selectItems } from '../read/selection.js'
import { asSingleItem } from '../read/single-call.js'
import type { ChunkSource } from '../source.js'

export async function openRunInput(
  plan: RunPlan,
  cwd: string,
  warn: (text: string) => void,
  onRead?: (chunk: Chunk) => void,
): Promise<ChunkSource> {
  const tolerant = plan.command === 'collect'
  const { batch, delimiter, only, shard } = plan
  const input = await openInput(plan.input, plan.inputFormat, { tolerant, cwd, delimiter, warn, batch })
  const whole = batch === undefined ? input : batchItems(input, batch)
  const source = only === undefined && shard === undefined ? whole : selectItems(whole, only, shard, onRead)
  return plan.command === 'apply' ? asSingleItem(source) : source
}

/** Reads the source to its end and closes it. */
export async function countItems(source: ChunkSource, onChunk?: (chunk: Chunk) => void): Promise<number> {
  const want = { items: Number.POSITIVE_INFINITY, bytes: 1 << 20 }
  let count = 0
  for (let chunk = await source.next(want); chunk !== undefined; chunk = await source.next(want)) {
    onChunk?.(chunk)
    count += chunk.count
  }
  await source.close()
  return count
}

export const NO_ITEMS: ChunkSource = { next: () => undefined, close() {}, remaining: () => 0 }
