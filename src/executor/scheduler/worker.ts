// The life of a worker: its states, the timers that each of them owns, and the one function that changes the state.
//
//   absent ──▶ starting ──▶ ready ──▶ stopping ──▶ absent
//                 │           │           │
//                 └───────────┴───────────┴──▶ terminating ──▶ absent
//
// Every state but `absent` may also end without warning: the process exits.
import { formatMs } from '../../errors/messages.js'
import type { Ms } from '../../model.js'
import { createHeartbeat, type Heartbeat } from './heartbeat.js'
import { InFlight } from './in-flight.js'
import type { Command, ExitNotice, StartPhase } from './messages.js'
import { earlierOf } from './timeouts.js'

/** A worker that has not answered by then is busy in a loop: only a signal reaches it. */
export const ANSWER_MS: Ms = 100

/** One place in the pool. It outlives the processes that fill it one after another. */
export interface Worker {
  readonly id: number
  /** Of the present process. 0 while there is none, or until its pid arrives. */
  pid: number
  /** What the present process has sent before an exit that it saw coming. */
  notice: ExitNotice | undefined
  /** The present process has a flight recorder. */
  hasRecorder: boolean
  /** Its flight recorder cannot be relied on. */
  hasRecorderFailed: boolean
  /** Changed by `transition` alone. */
  state: WorkerState
}

export type WorkerState = AbsentState | StartingState | ReadyState | StoppingState | TerminatingState

/** There is no process. */
interface AbsentState {
  readonly is: 'absent'
}

/** The process starts, loads the job and runs its initializer. */
export interface StartingState {
  readonly is: 'starting'
  /** What fails if it exits now. */
  phase: StartPhase
  /** When the job, which may have to be compiled first, was sent. */
  jobSentAt: Ms | undefined
  /** Unknown until then. */
  readyBy: Ms | undefined
}

/** Runs chunks, or waits for some. Created once per process: what changes with every chunk changes in place. */
export interface ReadyState {
  readonly is: 'ready'
  readonly inFlight: InFlight
  /** Items dispatched to this process so far. */
  dispatchedItems: number
  /** Dispatch nothing more; stop it once nothing is in flight. */
  replaceWhenIdle: boolean
  /** It was asked to return what it has not begun. Dispatch nothing until nothing is in flight. */
  isDraining: boolean
  /** It was asked to return what it has not begun, and goes on. */
  isAskedToReturn: boolean
  /** Killed if items of an aborted call are still running by then. */
  cancelBy: Ms | undefined
  /** They were, and items of other calls have as long again. */
  isCancelExtended: boolean
  /** An item has exceeded its time and does not end: the worker ends once the others have, or by then. */
  endBy: Ms | undefined
  /** It has announced its exit: dispatch nothing more. Killed by then, because a listener of the job can block the exit. */
  exitBy: Ms | undefined
  readonly heartbeat: Heartbeat
  /** When an item may exceed its timeout. */
  inspectAt: Ms | undefined
  /** At the last inspection no item was running although some could have been. */
  sawNothingRunning: boolean
}

/** Was asked to finish, and runs its finalizer. */
interface StoppingState {
  readonly is: 'stopping'
  readonly killAt: Ms
}

/** Was asked to exit now, or was killed. */
interface TerminatingState {
  readonly is: 'terminating'
  /** `undefined` if it was never ready, or had nothing in flight any more. */
  readonly inFlight: InFlight | undefined
  readonly reason: TerminationReason | undefined
  /** Its items have no more time to settle. */
  readonly isImmediate: boolean
  /** For the signals of its items. */
  readonly why: string
  /** SIGTERM, unless it answers before. `undefined` once it has, or after a signal. */
  signalAt: Ms | undefined
  /** SIGKILL. `undefined` once that was sent. */
  readonly killAt: Ms | undefined
}

/** Why a worker is terminated although its process is sound. */
export type TerminationReason =
  | { readonly kind: 'timeout'; readonly late: readonly LateItem[] }
  /** Its messages leave out items: the last of them is at this offset. */
  | { readonly kind: 'protocol'; readonly id: number; readonly offset: number }
  | { readonly kind: 'oom' }
  /** The job has written to the channel. */
  | { readonly kind: 'channel' }
  /** It does not begin what it was given, or has not sent what has ended. */
  | { readonly kind: 'stuck' }

/** An item that did not end in time. The first of several is the one that its worker ends for. */
interface LateItem {
  readonly id: number
  readonly offset: number
  readonly index: number
  readonly timeoutMs: Ms
}

/** How a worker is terminated. */
export interface Termination {
  readonly reason: TerminationReason | undefined
  /** For the signals of its items. By default it follows from the reason. */
  readonly why?: string | undefined
  /** Its items have no more time to settle. */
  readonly isImmediate?: boolean
  /** It has not answered a message: SIGTERM is sent with this one. */
  readonly isBlocked?: boolean
}

export type ReadyWorker = Worker & { readonly state: ReadyState }

export const ABSENT: WorkerState = { is: 'absent' }

export function createWorker(id: number): Worker {
  return { id, pid: 0, notice: undefined, hasRecorder: false, hasRecorderFailed: false, state: ABSENT }
}

export function starting(): WorkerState {
  return { is: 'starting', phase: 'boot', jobSentAt: undefined, readyBy: undefined }
}

export function ready(concurrency: number, hasRecorder = false): WorkerState {
  return {
    is: 'ready',
    inFlight: new InFlight(concurrency, hasRecorder),
    dispatchedItems: 0,
    replaceWhenIdle: false,
    isDraining: false,
    isAskedToReturn: false,
    cancelBy: undefined,
    isCancelExtended: false,
    endBy: undefined,
    exitBy: undefined,
    heartbeat: createHeartbeat(),
    inspectAt: undefined,
    sawNothingRunning: false,
  }
}

export function stopping(killAt: Ms): WorkerState {
  return { is: 'stopping', killAt }
}

/** By message first, then by SIGTERM, then by SIGKILL. */
export function terminating(
  { state }: Worker,
  { reason, why = whyTerminated(reason), isImmediate = false, isBlocked = false }: Termination,
  now: Ms,
  killAfterMs: Ms,
): WorkerState {
  return {
    is: 'terminating',
    inFlight: inFlightOf(state),
    reason,
    isImmediate,
    why,
    signalAt: isBlocked ? undefined : now + ANSWER_MS,
    killAt: now + killAfterMs,
  }
}

/** By SIGKILL. A reason that it has already stays. */
export function killed({ state }: Worker, because?: TerminationReason): WorkerState {
  const reason = state.is === 'terminating' ? state.reason : because
  return {
    is: 'terminating',
    inFlight: inFlightOf(state),
    reason,
    isImmediate: true,
    why: whyTerminated(reason),
    signalAt: undefined,
    killAt: undefined,
  }
}

function whyTerminated(reason: TerminationReason | undefined): string {
  switch (reason?.kind) {
    case undefined:
      return 'the pool was terminated'
    case 'timeout': {
      const { index, timeoutMs } = reason.late[0]!
      return `item ${index} exceeded ${formatMs(timeoutMs)} in the same worker`
    }
    case 'oom':
      return 'the worker uses too much memory'
    case 'protocol':
    case 'channel':
    case 'stuck':
      return 'the worker does not work any more'
    default:
      return reason satisfies never
  }
}

const NEXT: Readonly<Record<WorkerState['is'], readonly WorkerState['is'][]>> = {
  absent: ['starting'],
  starting: ['ready', 'terminating', 'absent'],
  ready: ['stopping', 'terminating', 'absent'],
  stopping: ['terminating', 'absent'],
  terminating: ['terminating', 'absent'],
}

/** Changes the state. Returns the command that makes the process follow, if it has to. */
export function transition(worker: Worker, next: WorkerState): Command | undefined {
  const { id, state } = worker
  if (!NEXT[state.is].includes(next.is))
    throw new Error(`worker ${id} cannot become ${next.is}: it is ${state.is}`)
  worker.state = next
  switch (next.is) {
    case 'absent':
      worker.pid = 0
      worker.notice = undefined
      worker.hasRecorder = false
      worker.hasRecorderFailed = false
      return undefined
    case 'starting':
      return { type: 'spawn', worker: id }
    case 'ready':
      return undefined
    case 'stopping':
      return { type: 'stop', worker: id }
    case 'terminating':
      return next.killAt === undefined
        ? { type: 'kill', worker: id, signal: 'SIGKILL' }
        : { type: 'terminate', worker: id, isImmediate: next.isImmediate, why: next.why }
    default:
      return next satisfies never
  }
}

/** When the state has to be looked at again if nothing happens before. */
export function nextDeadline({ state }: Worker): Ms | undefined {
  switch (state.is) {
    case 'absent':
      return undefined
    case 'starting':
      return state.readyBy
    case 'ready':
      return earlierOf(
        earlierOf(earlierOf(state.cancelBy, state.exitBy), earlierOf(state.heartbeat.at, state.inspectAt)),
        state.endBy ?? state.inFlight.expiredBy,
      )
    case 'stopping':
      return state.killAt
    case 'terminating':
      return earlierOf(state.signalAt, state.killAt)
    default:
      return state satisfies never
  }
}

export function isReady(worker: Worker): worker is ReadyWorker {
  return worker.state.is === 'ready'
}

/** Chunks that are in the worker. */
export function inFlightOf(state: WorkerState): InFlight | undefined {
  return state.is === 'ready' || state.is === 'terminating' ? state.inFlight : undefined
}

/** Chunks in it, `Infinity` if it has no room, `isSmall` for a chunk of a small call. */
export function loadOf({ state }: Worker, isSmall: boolean): number {
  return state.is === 'ready' && hasRoom(state, isSmall) ? state.inFlight.length : Number.POSITIVE_INFINITY
}

/** `isSmall`: for a chunk of a small call. */
export function hasRoom(state: ReadyState, isSmall: boolean): boolean {
  const { isDraining, replaceWhenIdle, cancelBy, endBy, exitBy, inFlight } = state
  const isEnding = cancelBy !== undefined || endBy !== undefined || exitBy !== undefined
  return !isDraining && !replaceWhenIdle && !isEnding && inFlight.hasRoom(isSmall)
}
