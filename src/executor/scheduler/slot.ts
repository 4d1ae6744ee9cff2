// One worker as the scheduler sees it: its place in the pool, outliving the processes that fill it one after another.
// Data and what can be read from it; every change is the scheduler's.
import type { ErrorData } from '../../error-data.js'
import type { Ms } from '../../model.js'
import type { PendingChunk, ScheduledCall } from './call.js'

/** Chunks queued in a worker beyond those it runs, so that it never waits for a round trip … */
const PREFETCH_CHUNKS = 2
/** … or so many items, where the caller wants small chunks: filled up in one message once half of them are done … */
const PREFETCH_ITEMS = 128
/** … as long as what waits there is little: a long item in front must not hold others that a free worker could run. */
const PREFETCH_MS: Ms = 18

export interface InFlightChunk {
  readonly id: number
  readonly call: ScheduledCall
  readonly work: PendingChunk
  /** Items settled so far; the one at this place is running or next. */
  settled: number
  /** When the item at `settled` can have begun at the earliest. */
  since: Ms
  /** How long it was thought to take when it was given out. */
  readonly expectedMs: Ms
  /** Each of its items is recorded before it begins, however cheap. */
  readonly recordEachItem: boolean
}

/** Why a worker is being ended although nothing is wrong with its process. */
export type TerminationReason =
  | { readonly kind: 'timeout'; readonly id: number; readonly offset: number; readonly timeoutMs: Ms }
  | { readonly kind: 'oom' }
  /** It begins nothing that it is given. */
  | { readonly kind: 'stuck' }

/** What a worker sent before an exit that it saw coming. */
export interface ExitNotice {
  /** Thrown outside every task's promise. */
  readonly uncaughtError: ErrorData | undefined
  /** Of the job's own `process.exit` (or `abort`, `kill`). */
  readonly exitCallStack: string | undefined
}

export interface Slot {
  readonly id: number
  /**
   * starting ─▶ ready ─▶ stopping ─▶ absent     `stopping` finishes and runs its finalizer; `ending` has been told to
   *     └──────────┴──▶ ending ────▶ absent     leave, or was killed. Each but `ready` and `absent` has a deadline.
   */
  state: 'absent' | 'starting' | 'ready' | 'stopping' | 'ending'
  pid: number
  /** How far a starting worker has come: whose fault its death would be. */
  stage: 'load' | 'initializer'
  queue: InFlightChunk[]
  /** Items in the queue, and how long they were thought to take. */
  queuedItems: number
  queuedMs: Ms
  /** It has run down to half of what it may hold ahead, and is being filled up again. */
  refilling: boolean
  /** Items ever given to this process. */
  assigned: number
  /** It is asked to give back what has not begun; gets nothing until it is empty. */
  draining: boolean
  /** To be replaced once it is empty. */
  retiring: boolean
  reason: TerminationReason | undefined
  notice: ExitNotice | undefined
  /** Starting: not ready in time. Ending: no answer, so it takes a signal. */
  deadline: Ms | undefined
  /** SIGKILL, whatever it does. */
  killAt: Ms | undefined
  /** Cancelled items that still run by then cost it its life. */
  cancelBy: Ms | undefined
  /** When an item may have run for too long. */
  inspectAt: Ms | undefined
  /** Nothing was running when it was last looked at for a timeout. */
  foundIdle: boolean
}

export function createSlot(id: number): Slot {
  return reset({ id } as Slot)
}

/** As before any process was in it. */
export function reset(slot: Slot): Slot {
  return Object.assign(slot, {
    state: 'absent',
    pid: 0,
    stage: 'load',
    queue: [],
    queuedItems: 0,
    queuedMs: 0,
    refilling: false,
    assigned: 0,
    draining: false,
    retiring: false,
    reason: undefined,
    notice: undefined,
    deadline: undefined,
    killAt: undefined,
    cancelBy: undefined,
    inspectAt: undefined,
    foundIdle: false,
  } satisfies Omit<Slot, 'id'>)
}

export function hasRoom(slot: Slot, concurrency: number, maxTasks: number): boolean {
  const { state, queue, assigned, draining, retiring, cancelBy, refilling, queuedMs } = slot
  if (state !== 'ready' || draining || retiring || cancelBy !== undefined || assigned >= maxTasks)
    return false
  const waiting = queue.length - concurrency
  if (waiting < 0) return true
  return (waiting < PREFETCH_CHUNKS || refilling) && queuedMs < PREFETCH_MS
}

export function enqueue(slot: Slot, assignment: InFlightChunk): void {
  const { call, work, expectedMs } = assignment
  slot.queue.push(assignment)
  slot.queuedItems += work.chunk.count
  slot.queuedMs += expectedMs
  if (slot.queuedItems >= PREFETCH_ITEMS) slot.refilling = false
  else if (!call.batched) slot.refilling = false
}

export function dequeue(slot: Slot, assignment: InFlightChunk): void {
  const { call, work, expectedMs } = assignment
  if (slot.queue[0] === assignment) slot.queue.shift()
  else slot.queue = slot.queue.filter((other) => other !== assignment)
  slot.queuedItems -= work.chunk.count
  // What is left of adding and subtracting fractions must not pile up.
  slot.queuedMs = slot.queue.length === 0 ? 0 : slot.queuedMs - expectedMs
  if (call.batched && slot.queuedItems <= PREFETCH_ITEMS / 2) slot.refilling = true
}

export function expectedMs(call: ScheduledCall, items: number): Ms {
  return (call.sizer.meanMs ?? PREFETCH_MS) * items
}

export function nextDeadline({ deadline, killAt, cancelBy, inspectAt }: Slot): Ms | undefined {
  let next: Ms | undefined
  for (const at of [deadline, killAt, cancelBy, inspectAt])
    if (at !== undefined && (next === undefined || at < next)) next = at
  return next
}
