// What the workers are doing at one moment, read off their slots and, for those that have been silent for a while, off
// what they wrote down. For people who look on: nothing is decided by it.
import type { Ms, WorkerActivity } from '../model.js'
import type { InFlightChunk } from './scheduler/in-flight.js'
import type { RunningItem } from './scheduler/messages.js'
import { inFlightOf, type Worker } from './scheduler/worker.js'

/** A worker that was heard of since then works on quick items: which one it is now would be stale when it is read. */
const SILENT_MS: Ms = 300

type Item = NonNullable<WorkerActivity['item']>

/** Of workers with nothing in flight. */
const STATES = {
  absent: 'ending',
  starting: 'starting',
  ready: 'idle',
  stopping: 'ending',
  terminating: 'ending',
} as const

/** `inspect` tells what a worker has begun, `undefined` where that is not written down. */
export function lookAt(
  workers: readonly Readonly<Worker>[],
  concurrency: number,
  now: Ms,
  inspect: (worker: number) => readonly RunningItem[] | undefined,
): WorkerActivity[] {
  return workers
    .filter(({ state }) => state.is !== 'absent')
    .map(({ id: workerId, pid, state }) => {
      const chunks = inFlightOf(state)?.chunks ?? []
      const [item, ...others] = itemsOf(chunks.slice(0, concurrency), now, () => inspect(workerId))
      const shown = chunks.length > 0 ? 'busy' : STATES[state.is]
      return { workerId, pid, state: shown, ...(item !== undefined && { item }), others: others.length }
    })
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
    .map(({ id, pending: { chunk }, settled, since }) => {
      const known = running?.find((item) => item.id === id && item.offset >= settled)
      return { chunk, offset: known?.offset ?? settled, forMs: Math.max(0, known?.forMs ?? now - since) }
    })
    .sort((a, b) => b.forMs - a.forMs)
}
