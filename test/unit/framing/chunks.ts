// Chunks of raw bytes for tests.
import type { BytesPayload } from '../../../src/framing/items.js'
import type { Chunk, Framing } from '../../../src/model.js'

/** A chunk that begins in the middle of an input: item 40, line 7, column 5. */
export function chunkOf(framing: Framing, text: string | Buffer, count: number): Chunk {
  const bytes = new Uint8Array(Buffer.from(text as string))
  const origin = { file: 'in', offset: 100, line: 7, column: 5 }
  return { seq: 40, count, payload: { kind: 'bytes', bytes, framing }, origin }
}

export function payloadOf(chunk: Chunk): BytesPayload {
  if (chunk.payload.kind !== 'bytes') throw new Error('no bytes')
  return chunk.payload
}
