// The parent's side of the flight recorder: the bytes of the file as facts about the worker that wrote it.
import type { Failure, Ms } from '../../model.js'
import { decodedFailure } from '../pack.js'
import { tryDecode, Undecodable } from '../values.js'
import { CHECK, CHECK_BYTES, HEAD_BYTES, HEADER, KIND } from './format.js'

/** One outcome as it was recorded. */
export type RecordedOutcome = { readonly id: number; readonly offset: number } & (
  | { readonly text: string }
  | { readonly value: unknown }
  | { readonly failure: Failure }
)

interface RecordedItem {
  readonly id: number
  readonly offset: number
  /** When it started, or when its message began to leave, on the shared clock. */
  readonly since: Ms
  /** It has ended; the message with its outcome is leaving the worker. */
  readonly isSending?: true
  /** It has returned to the event loop. Marked only where that matters: see `FlightRecorder.suspend`. */
  readonly isSuspended?: true
}

export interface FlightRecord {
  /** In the order in which the items settled; some may have been sent, too. */
  readonly outcomes: readonly RecordedOutcome[]
  /** Items that have started and have no outcome. */
  readonly running: readonly RecordedItem[]
  /** By chunk: the items before this offset have begun. One of them that has no outcome anywhere is lost. */
  readonly begun: ReadonlyMap<number, number>
  /** Chunks whose position is not known. */
  readonly unrecorded: readonly number[]
}

const SENDING = { isSending: true } as const

/** `undefined` if something else has written to the file. */
export function readFlightRecord(bytes: Buffer): FlightRecord | undefined {
  if (!bytes.subarray(0, HEADER.length).equals(HEADER)) return undefined
  const outcomes: RecordedOutcome[] = []
  const running = new Map<number, RecordedItem>()
  const begun = new Map<number, number>()
  const unrecorded = new Set<number>()
  for (let at = HEADER.length; at + HEAD_BYTES + CHECK_BYTES <= bytes.length; ) {
    const size = bytes.readUInt32LE(at)
    if (size < HEAD_BYTES + CHECK_BYTES || at + size > bytes.length) break
    // A crash during the write tore this record.
    if (bytes.readUInt32LE(at + size - CHECK_BYTES) !== (size ^ CHECK) >>> 0) break
    const kind = bytes[at + 4]
    const id = bytes.readUInt32LE(at + 5)
    const offset = bytes.readUInt32LE(at + 9)
    const body = bytes.subarray(at + HEAD_BYTES, at + size - CHECK_BYTES)
    if (kind === KIND.jsonLines || kind === KIND.valueLines) {
      const lines = body.toString().split('\n').slice(0, -1)
      for (const [i, line] of lines.entries()) outcomes.push(outcomeOfLine(kind, id, offset + i, line))
      begun.set(id, Math.max(offset + lines.length, begun.get(id) ?? 0))
      unrecorded.delete(id)
      running.delete(id)
      at += size
      continue
    }
    if (kind !== KIND.unrecorded && kind !== KIND.suspended) {
      // `between` also takes back the start of an item that was refused.
      begun.set(id, kind === KIND.between ? offset : Math.max(offset + 1, begun.get(id) ?? 0))
    }
    if (kind === KIND.start || kind === KIND.sending) {
      if (kind === KIND.start) unrecorded.delete(id)
      running.set(id, {
        id,
        offset,
        since: bytes.readDoubleLE(at + 13),
        ...(kind === KIND.sending && SENDING),
      })
    } else if (kind === KIND.suspended) {
      const item = running.get(id)
      if (item?.offset === offset) running.set(id, { ...item, isSuspended: true })
    } else if (kind === KIND.unrecorded) {
      unrecorded.add(id)
      running.delete(id)
    } else if (kind === KIND.between) {
      unrecorded.delete(id)
      running.delete(id)
    } else {
      if (running.get(id)?.offset === offset) running.delete(id)
      if (kind === KIND.json) outcomes.push({ id, offset, text: body.toString() })
      else {
        const decoded = tryDecode(body)
        if (kind === KIND.value && !(decoded instanceof Undecodable))
          outcomes.push({ id, offset, value: decoded })
        else outcomes.push({ id, offset, failure: decodedFailure(decoded) })
      }
    }
    at += size
  }
  return { outcomes, running: [...running.values()], begun, unrecorded: [...unrecorded] }
}

function outcomeOfLine(kind: number, id: number, offset: number, line: string): RecordedOutcome {
  if (kind === KIND.jsonLines) return { id, offset, text: line }
  return { id, offset, value: line === '' ? undefined : JSON.parse(line) }
}
