// The parent's side of the flight recorder: the bytes of the file as facts about the worker that wrote it.
import { deserialize } from 'node:v8'
import type { Failure, Ms } from '../../model.js'
import { CHECK, CHECK_BYTES, HEAD_BYTES, KIND } from './format.js'

/** One outcome as it was recorded. */
export type RecordedOutcome = { readonly id: number; readonly offset: number } & (
  | { readonly text: string }
  | { readonly value: unknown }
  | { readonly failure: Failure }
)

export interface FlightRecord {
  /** In the order in which the items settled; some may have been sent, too. */
  readonly outcomes: readonly RecordedOutcome[]
  /** Items that have started and have no outcome, with the time they started at on the shared clock. */
  readonly running: readonly { readonly id: number; readonly offset: number; readonly since: Ms }[]
  /** Chunks whose position is not known. */
  readonly unrecorded: readonly number[]
}

export function readFlightRecord(bytes: Buffer): FlightRecord {
  const outcomes: RecordedOutcome[] = []
  const running = new Map<number, FlightRecord['running'][number]>()
  const unrecorded = new Set<number>()
  for (let at = 0; at + HEAD_BYTES + CHECK_BYTES <= bytes.length; ) {
    const size = bytes.readUInt32LE(at)
    if (size < HEAD_BYTES + CHECK_BYTES || at + size > bytes.length) break
    // A crash during the write tore this record.
    if (bytes.readUInt32LE(at + size - CHECK_BYTES) !== (size ^ CHECK) >>> 0) break
    const kind = bytes[at + 4]
    const id = bytes.readUInt32LE(at + 5)
    const offset = bytes.readUInt32LE(at + 9)
    const body = bytes.subarray(at + HEAD_BYTES, at + size - CHECK_BYTES)
    if (kind === KIND.start) {
      unrecorded.delete(id)
      running.set(id, { id, offset, since: bytes.readDoubleLE(at + 13) })
    } else if (kind === KIND.unrecorded) {
      unrecorded.add(id)
      running.delete(id)
    } else if (kind === KIND.between) {
      unrecorded.delete(id)
      running.delete(id)
    } else {
      if (running.get(id)?.offset === offset) running.delete(id)
      if (kind === KIND.json) outcomes.push({ id, offset, text: body.toString() })
      else if (kind === KIND.value) outcomes.push({ id, offset, value: deserialize(body) })
      else outcomes.push({ id, offset, failure: deserialize(body) })
    }
    at += size
  }
  return { outcomes, running: [...running.values()], unrecorded: [...unrecorded] }
}
