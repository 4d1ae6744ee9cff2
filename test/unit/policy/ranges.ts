// Chunks and settled ranges, written short.
import type { Chunk, Failure, ItemFailure, SettledRange } from '../../../src/model.js'

/** `count` numbers from `seq` on. */
export function valuesChunk(seq: number, count: number): Chunk {
  const values = Array.from({ length: count }, (_, i) => seq + i)
  return { seq, count, payload: { kind: 'values', values } }
}

/** The same as lines of NDJSON, which is what the command line sends. */
export function bytesChunk(seq: number, count: number): Chunk {
  const text = Array.from({ length: count }, (_, i) => `${seq + i}\n`).join('')
  return { seq, count, payload: { kind: 'bytes', bytes: Buffer.from(text), framing: 'ndjson' } }
}

const BOOM: Failure = {
  kind: 'error',
  error: { type: 'error', name: 'Error', message: 'boom', frames: '', builtin: 'Error', props: {} },
}

export function itemFailure(offset: number, failure: Failure = BOOM): ItemFailure {
  return { offset, failure, workerId: 0, pid: 4131, attempts: 1 }
}

export interface RangeOptions {
  readonly from?: number
  readonly count?: number
  /** Offsets within the chunk. */
  readonly failed?: readonly number[]
  readonly failure?: Failure
}

/** Every item of the range that did not fail has itself as its result: as a value, or as a line of JSON. */
export function settledRange(chunk: Chunk, options: RangeOptions = {}): SettledRange {
  const { from = 0, count = chunk.count - from, failed = [], failure } = options
  const offsets = Array.from({ length: count }, (_, i) => from + i)
  const results =
    chunk.payload.kind === 'values'
      ? {
          kind: 'values' as const,
          values: offsets.map((offset) => (failed.includes(offset) ? undefined : chunk.seq + offset)),
        }
      : {
          kind: 'json' as const,
          bytes: Buffer.from(
            offsets
              .filter((offset) => !failed.includes(offset))
              .map((offset) => `${chunk.seq + offset}\n`)
              .join(''),
          ),
        }
  const failures = failed.map((offset) => itemFailure(offset, failure))
  return { chunk, from, count, results, failures, workerId: 0, pid: 1, attempts: 1 }
}

/** Sequence numbers of a range's items. */
export function seqsOf({ chunk, from, count }: SettledRange): number[] {
  return Array.from({ length: count }, (_, i) => chunk.seq + from + i)
}
