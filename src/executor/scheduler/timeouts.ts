// When to read from a worker's flight recorder what is running, and what the answer means. Pure: data in, data out.
import type { Ms } from '../../model.js'
import type { RunningItem } from './messages.js'

/** What of a chunk in flight counts here. */
export interface TimedChunk {
  readonly id: number
  /** Items settled so far: the one at this offset is running or next. */
  readonly settled: number
  /** When the item at `settled` began, or can have begun at the earliest. */
  readonly since: Ms
  readonly call: { readonly timeoutMs: Ms | undefined }
  /** Each of its items that lasts is recorded. */
  readonly recordEachItem: boolean
  /** Its item has exceeded its time, and the worker was asked to abort it. */
  readonly expired?: ExpiredItem | undefined
}

/** An item that has exceeded its time. */
export interface ExpiredItem {
  readonly offset: number
  readonly timeoutMs: Ms
  /** Until the worker has answered: by then it must have, or it is blocked. */
  answerBy: Ms | undefined
  /** By then the item must have settled. */
  settleBy: Ms
  /** One of these times has passed, and was extended once. */
  isOverdue: boolean
}

/** A message that takes longer to leave is not on its way any more: its worker is stopped. */
export const MAX_SENDING_MS: Ms = 60_000

/** While one item holds the event loop of its worker, others that are late are inspected again this often. */
const HELD_INSPECTION_MS: Ms = 50

type InspectionJudgement =
  | { readonly kind: 'timeout'; readonly id: number; readonly offset: number; readonly timeoutMs: Ms }
  /** There is work and the worker does not begin it. */
  | { readonly kind: 'stuck' }
  | { readonly kind: 'ok'; readonly sawNothingRunning: boolean; readonly inspectAt: Ms | undefined }

/**
 * When one of the items that can be running may exceed its timeout. A worker runs its chunks in the order in which it
 * was given them, so only the first `concurrency` can have begun.
 */
export function nextInspection(chunks: readonly TimedChunk[], concurrency: number): Ms | undefined {
  let next: Ms | undefined
  const begun = Math.min(chunks.length, concurrency)
  for (let i = 0; i < begun; i++) {
    const { call, since, expired } = chunks[i]!
    if (call.timeoutMs === undefined || expired !== undefined) continue
    const at = since + call.timeoutMs
    if (next === undefined || at < next) next = at
  }
  return next
}

/**
 * Judges what the flight recorder shows, `undefined` where there is none. `since` of each chunk already takes it into
 * account. `sawNothingRunning` is the answer of the inspection before.
 */
export function judgeInspection(
  chunks: readonly TimedChunk[],
  concurrency: number,
  running: readonly RunningItem[] | undefined,
  sawNothingRunning: boolean,
  now: Ms,
): InspectionJudgement {
  const begun = chunks.slice(0, concurrency)
  let inspectAt = nextInspection(chunks, concurrency)
  if (running === undefined) {
    // Without a record, the next item has been running since the worker last sent something.
    for (const { id, settled, since, call, expired } of begun)
      if (call.timeoutMs !== undefined && expired === undefined && now >= since + call.timeoutMs)
        return { kind: 'timeout', id, offset: settled, timeoutMs: call.timeoutMs }
    return { kind: 'ok', sawNothingRunning, inspectAt }
  }
  const holder = concurrency > 1 ? running.find((item) => holdsLoop(item, chunks)) : undefined
  let isHeld = false
  // Only a chunk whose items are all recorded runs nothing that lasts when it is not in the record.
  let nothingRuns = begun.every(({ recordEachItem }) => recordEachItem)
  for (const { id, offset, forMs, isSending } of running) {
    const chunk = chunks.find((candidate) => candidate.id === id)
    if (chunk === undefined || offset < chunk.settled) continue
    if (isSending) {
      if (forMs < MAX_SENDING_MS) nothingRuns = false
      continue
    }
    nothingRuns = false
    const { timeoutMs } = chunk.call
    if (timeoutMs === undefined || chunk.expired?.offset === offset) continue
    if (forMs >= timeoutMs) {
      // It became late while the other one kept it from ending.
      const isBlameless = holder !== undefined && holder.id !== id && forMs - timeoutMs < holder.forMs
      if (!isBlameless) return { kind: 'timeout', id, offset, timeoutMs }
      isHeld = true
      continue
    }
    // The worker may be ahead of what the parent has received, in a chunk that is not among the first.
    const at = now - forMs + timeoutMs
    if (inspectAt === undefined || at < inspectAt) inspectAt = at
  }
  // Between two items nothing runs for some microseconds. Twice, a whole timeout apart, means that the process is
  // stopped, or blocked by something that belongs to no item.
  if (nothingRuns && sawNothingRunning) return { kind: 'stuck' }
  if (isHeld) inspectAt = now + HELD_INSPECTION_MS
  return { kind: 'ok', sawNothingRunning: nothingRuns, inspectAt }
}

/**
 * The item has not returned to the event loop since it started: it is on the stack of its worker, and no other item can
 * end there meanwhile. Which item holds the loop is not known once it has awaited something. Items without a time limit
 * are not marked when they return, and nothing would end their loop.
 */
function holdsLoop(
  { id, offset, isSending, isSuspended }: RunningItem,
  chunks: readonly TimedChunk[],
): boolean {
  if (isSending || isSuspended) return false
  const chunk = chunks.find((candidate) => candidate.id === id)
  return chunk?.call.timeoutMs !== undefined && offset >= chunk.settled
}

/** What items that have exceeded their time require. */
export type ExpiryVerdict =
  /** They may still settle. */
  | 'wait'
  /** The worker does not answer and runs nothing else: it is in a loop that never yields. */
  | 'blocked'
  /** One has not settled in time: its worker must end. */
  | 'overdue'

export function judgeExpired(
  expired: readonly ExpiredItem[],
  hasOthersRunning: boolean,
  now: Ms,
): ExpiryVerdict {
  const isSilent = expired.some(({ answerBy }) => answerBy !== undefined && now >= answerBy)
  if (isSilent && !hasOthersRunning) return 'blocked'
  return expired.some(({ settleBy }) => now >= settleBy) ? 'overdue' : 'wait'
}

export function earlierOf(a: Ms | undefined, b: Ms | undefined): Ms | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

export function isDue(at: Ms | undefined, now: Ms): boolean {
  return at !== undefined && now >= at
}
