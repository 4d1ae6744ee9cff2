// Which worker is given the next chunk, and the message that carries it there. Pure.
import type { ChunkMessage } from '../../ipc/protocol.js'
import type { InFlightChunk } from './in-flight.js'
import { hasRoom, isReady, type ReadyWorker, type Worker } from './worker.js'

/** `undefined` if none has room. */
export function leastLoadedWorker(workers: readonly Worker[]): ReadyWorker | undefined {
  let best: ReadyWorker | undefined
  for (const worker of workers) {
    if (!isReady(worker) || !hasRoom(worker.state)) continue
    if (best === undefined || worker.state.inFlight.length < best.state.inFlight.length) best = worker
  }
  return best
}

export function chunkMessage({ id, call, pending, recordEachItem }: InFlightChunk): ChunkMessage {
  const { chunk, attempt } = pending
  const { task, timeoutMs } = call
  return {
    id,
    task,
    count: chunk.count,
    index: chunk.indexes ?? chunk.seq,
    attempt,
    recordEachItem,
    ...(timeoutMs !== undefined && { timeoutMs }),
    payload: chunk.payload,
  }
}
