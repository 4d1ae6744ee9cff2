// The message that carries a chunk to a worker. Pure.
import type { ChunkMessage } from '../../ipc/protocol.js'
import type { Chunk } from '../../model.js'
import type { InFlightChunk } from './chunk-queue.js'
import { mayRetry } from './retry.js'

/** Ascending indexes of consecutive items are as many as lie between the first and the last. */
function indexOf({ seq, count, indexes }: Chunk): ChunkMessage['index'] {
  if (indexes === undefined) return seq
  const [first = seq] = indexes
  return indexes[count - 1] === first + count - 1 ? first : indexes
}

export function chunkMessage({ id, call, pending, isSmall }: InFlightChunk): ChunkMessage {
  const { chunk, attempt } = pending
  const { task, timeoutMs, retry } = call
  const message: { -readonly [key in keyof ChunkMessage]: ChunkMessage[key] } = {
    id,
    task,
    count: chunk.count,
    index: indexOf(chunk),
    attempt,
    recordEachItem: pending.recordEachItem || pending.isSuspect,
    isSmall,
    payload: chunk.payload,
  }
  if (mayRetry(retry, 'error', attempt)) message.mayRetry = true
  if (timeoutMs !== undefined) message.timeoutMs = timeoutMs
  return message
}
