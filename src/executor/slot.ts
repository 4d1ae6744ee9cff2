// One worker as the scheduler sees it: its place in the pool, outliving the processes that fill it one after another.
// Data and what can be read from it; every change is the scheduler's.
import type { ErrorData } from '../errors/envelope.js'
import type { Ms } from '../model.js'
import type { Call, Work } from './call.js'

/** Chunks queued in a worker beyond those it runs, so that it never waits for a round trip … */
const PREFETCH_CHUNKS = 2
/** … as long as what waits there is little: a long item in front must not hold others that a free worker could run. */
const PREFETCH_MS: Ms = 8

export interface Assignment {
  readonly id: number
  readonly call: Call
  readonly work: Work
  /** Items settled so far; the one at this place is running or next. */
  settled: number
  /** When the item at `settled` can have begun at the earliest. */
  since: Ms
}

/** Why a worker is being ended although nothing is wrong with its process. */
export type Doom =
  | { readonly kind: 'timeout'; readonly id: number; readonly offset: number; readonly timeoutMs: Ms }
  | { readonly kind: 'oom' }
  /** It begins nothing that it is given. */
  | { readonly kind: 'stuck' }

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
  queue: Assignment[]
  /** Items ever given to this process. */
  assigned: number
  /** It is asked to give back what has not begun; gets nothing until it is empty. */
  draining: boolean
  /** To be replaced once it is empty. */
  retiring: boolean
  doom: Doom | undefined
  /** What it said before it died. */
  escaped: ErrorData | undefined
  exitSite: string | undefined
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
    assigned: 0,
    draining: false,
    retiring: false,
    doom: undefined,
    escaped: undefined,
    exitSite: undefined,
    deadline: undefined,
    killAt: undefined,
    cancelBy: undefined,
    inspectAt: undefined,
    foundIdle: false,
  } satisfies Omit<Slot, 'id'>)
}

export function hasRoom(slot: Slot, concurrency: number, maxTasks: number): boolean {
  const { state, queue, assigned, draining, retiring, cancelBy } = slot
  if (state !== 'ready' || draining || retiring || cancelBy !== undefined || assigned >= maxTasks)
    return false
  const waiting = queue.length - concurrency
  if (waiting < 0) return true
  if (waiting >= PREFETCH_CHUNKS) return false
  let ms = 0
  for (const { call, work, settled } of queue)
    ms += (call.sizer.meanMs ?? PREFETCH_MS) * (work.chunk.count - settled)
  return ms < PREFETCH_MS
}

/** Whether each of its items is written down before it begins, however cheap. */
export function isExact({ call, work }: Pick<Assignment, 'call' | 'work'>): boolean {
  return work.exact || call.timeoutMs !== undefined
}

export function nextDeadline({ deadline, killAt, cancelBy, inspectAt }: Slot): Ms | undefined {
  let next: Ms | undefined
  for (const at of [deadline, killAt, cancelBy, inspectAt])
    if (at !== undefined && (next === undefined || at < next)) next = at
  return next
}
