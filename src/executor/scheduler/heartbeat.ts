// Whether a worker that sends nothing is at work. A job can break its process so that it neither ends nor goes on, and
// nothing but a time limit would notice. Pure: data in, data out.
import type { Ms } from '../../model.js'
import type { WorkRecord } from './messages.js'
import { MAX_SENDING_MS } from './timeouts.js'

/**
 * A worker that has sent nothing for this long is asked whether an item is running, and again after the same time. One
 * that does nothing ends after three of these times, 9 s.
 */
export const HEARTBEAT_MS: Ms = 3_000
/**
 * Judgements in a row that end the worker. More than one, because one can be wrong: after this process, or the whole
 * machine, was stopped, the timer fires before the answer that has arrived is read.
 */
const MAX_SILENT = 2

export interface Heartbeat {
  /** When it is due. `undefined` while nothing is in flight. */
  at: Ms | undefined
  /** When the worker last sent something about an item, or was given the first one. */
  heardAt: Ms
  /** The worker was asked, and what it has answered. */
  isAsked: boolean
  answer: { readonly isRunning: boolean } | undefined
  /** Judgements in a row that it does nothing. */
  silent: number
}

/** What of a chunk in flight counts here. */
interface Chunk {
  readonly id: number
  readonly settled: number
}

export function createHeartbeat(): Heartbeat {
  return { at: undefined, heardAt: 0, isAsked: false, answer: undefined, silent: 0 }
}

/** The worker has been given its first chunk, or has sent something about an item. */
export function heard(heartbeat: Heartbeat, now: Ms): void {
  heartbeat.heardAt = now
  heartbeat.isAsked = false
  heartbeat.answer = undefined
  heartbeat.silent = 0
  heartbeat.at ??= now + HEARTBEAT_MS
}

/** It is due: true if the worker has to be asked. */
export function beat(heartbeat: Heartbeat, now: Ms): boolean {
  const isSilent = now >= heartbeat.heardAt + HEARTBEAT_MS
  heartbeat.at = (isSilent ? now : heartbeat.heardAt) + HEARTBEAT_MS
  return isSilent
}

/**
 * Judges the answer to the last question, `record` being what the flight record shows now. True if the worker has chunks
 * and does nothing.
 */
export function isStuck(
  heartbeat: Heartbeat,
  record: WorkRecord | undefined,
  chunks: readonly Chunk[],
): boolean {
  if (heartbeat.isAsked)
    heartbeat.silent = mayBeRunning(heartbeat.answer, record, chunks) ? 0 : heartbeat.silent + 1
  heartbeat.isAsked = true
  heartbeat.answer = undefined
  return heartbeat.silent >= MAX_SILENT
}

/** A worker that computes, or waits in a system call, does not answer: then its record counts. */
export function mayBeRunning(
  answer: Heartbeat['answer'],
  record: WorkRecord | undefined,
  chunks: readonly Chunk[],
): boolean {
  if (answer !== undefined) return answer.isRunning
  if (record === undefined) return true
  const { running, unrecorded } = record
  return (
    unrecorded.some((id) => chunks.some((chunk) => chunk.id === id)) ||
    running.some(
      ({ id, offset, forMs, isSending }) =>
        chunks.some((chunk) => chunk.id === id && offset >= chunk.settled) &&
        !(isSending === true && forMs >= MAX_SENDING_MS),
    )
  )
}
