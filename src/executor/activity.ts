// What the workers are doing at one moment, for progress displays: from the scheduler's workers and, for those that have
// been silent for a while, from their flight recorders.
import type { Ms, WorkerActivity } from '../model.js'
import type { InFlightChunk } from './scheduler/chunk-queue.js'
import type { RunningItem } from './scheduler/messages.js'
import { inFlightOf, type Worker } from './scheduler/worker.js'

/** Workers that have sent something within this time run short items: naming one would be out of date on screen. */
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

/** `inspect` reads what a worker is running, `undefined` without a flight recorder. */
export function readActivity(
  workers: readonly Readonly<Worker>[],
  concurrency: number,
  now: Ms,
  inspect: (worker: number) => readonly RunningItem[] | undefined,
): WorkerActivity[] {
  return workers
    .filter(({ state }) => state.is !== 'absent')
    .map(({ id: workerId, pid, state }) => {
      const chunks = inFlightOf(state)?.chunks ?? []
      const [item, ...others] = runningItems(chunks.slice(0, concurrency), now, () => inspect(workerId))
      const shown = chunks.length > 0 ? 'busy' : STATES[state.is]
      return { workerId, pid, state: shown, ...(item !== undefined && { item }), others: others.length }
    })
}

/** One of each chunk, the oldest first. */
function runningItems(
  begun: readonly InFlightChunk[],
  now: Ms,
  inspect: () => readonly RunningItem[] | undefined,
): Item[] {
  const isSilent = begun.some(({ since }) => now - since >= SILENT_MS)
  const running = isSilent ? inspect() : undefined
  return begun
    .map(({ id, pending: { chunk }, settled, since }) => {
      const recorded = running?.find((item) => item.id === id && item.offset >= settled)
      return {
        chunk,
        offset: recorded?.offset ?? settled,
        forMs: Math.max(0, recorded?.forMs ?? now - since),
      }
    })
    .sort((a, b) => b.forMs - a.forMs)
}
