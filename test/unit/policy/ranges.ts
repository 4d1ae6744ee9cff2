// Chunks and settled ranges, written short, for everything right of the executor.
import type { Chunk, Failure, ItemFailure, SettledRange } from '../../../src/model.js'

/** `count` numbers from `seq` on, each its own value. */
export function valuesChunk(seq: number, count: number): Chunk {
  const values = Array.from({ length: count }, (_, place) => seq + place)
  return { seq, count, payload: { kind: 'values', values } }
}

/** NDJSON of the numbers, as the command line has it. */
export function bytesChunk(seq: number, count: number): Chunk {
  const text = Array.from({ length: count }, (_, place) => `${seq + place}\n`).join('')
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

/** Every item of the range that did not fail gives itself: as value, or as line of JSON. */
export function settledRange(chunk: Chunk, options: RangeOptions = {}): SettledRange {
  const { from = 0, count = chunk.count - from, failed = [], failure } = options
  const offsets = Array.from({ length: count }, (_, place) => from + place)
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

/** Places of a range's items in the order the call took them. */
export function placesOf({ chunk, from, count }: SettledRange): number[] {
  return Array.from({ length: count }, (_, place) => chunk.seq + from + place)
}
