// What the workers are doing at one moment, read off their slots and, for those that have been silent for a while, off
// what they wrote down. For people who look on: nothing is decided by it.
import type { Ms, WorkerActivity } from '../model.js'
import type { RunningItem } from './scheduler/messages.js'
import type { InFlightChunk, Slot } from './scheduler/slot.js'

/** A worker that was heard of since then works on quick items: which one it is now would be stale when it is read. */
const SILENT_MS: Ms = 300

type Item = NonNullable<WorkerActivity['item']>

/** `inspect` tells what a worker has begun, `undefined` where that is not written down. */
export function lookAt(
  slots: readonly Readonly<Slot>[],
  concurrency: number,
  now: Ms,
  inspect: (worker: number) => readonly RunningItem[] | undefined,
): WorkerActivity[] {
  return slots
    .filter(({ state }) => state !== 'absent')
    .map((slot) => {
      const { id: workerId, pid, queue } = slot
      const [item, ...others] = itemsOf(queue.slice(0, concurrency), now, () => inspect(workerId))
      const state = stateOf(slot)
      return { workerId, pid, state, ...(item !== undefined && { item }), others: others.length }
    })
}

function stateOf({ state, queue }: Readonly<Slot>): WorkerActivity['state'] {
  if (state === 'starting') return 'starting'
  if (queue.length > 0) return 'busy'
  return state === 'ready' ? 'idle' : 'ending'
}

/** Each chunk runs one item at a time. The oldest first. */
function itemsOf(
  begun: readonly InFlightChunk[],
  now: Ms,
  inspect: () => readonly RunningItem[] | undefined,
): Item[] {
  const silent = begun.some(({ since }) => now - since >= SILENT_MS)
  const running = silent ? inspect() : undefined
  return begun
    .map(({ id, work: { chunk }, settled, since }) => {
      const known = running?.find((item) => item.id === id && item.offset >= settled)
      return { chunk, offset: known?.offset ?? settled, forMs: Math.max(0, known?.forMs ?? now - since) }
    })
    .sort((a, b) => b.forMs - a.forMs)
}
