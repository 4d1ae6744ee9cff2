// What the exit of a worker means: for the pool, and for each chunk that was in the worker.
// Pure: data in, data out.
import { GROUP_SIGNALS } from '../../ipc/group-signals.js'
import type { Failure, Ms } from '../../model.js'
import type { ExitNotice, ExitRecord, StartPhase, WorkerExit } from './messages.js'
import type { TerminationReason, WorkerState } from './worker.js'

/** V8 aborts with this line on stderr when the heap limit is reached. */
const HEAP_ABORT = /JavaScript heap out of memory/

/** Everything that is known about the exit. */
export interface ExitFacts {
  readonly exit: WorkerExit
  /** Why the scheduler was terminating the worker, if it was. */
  readonly reason: TerminationReason | undefined
  /** What the worker sent before an exit that it saw coming. */
  readonly notice: ExitNotice | undefined
  readonly now: Ms
}

/** A chunk that was in the worker. Its items from offset `settled` on have not settled. */
export interface LostChunk {
  readonly id: number
  readonly count: number
  readonly settled: number
  /** When the item at `settled` can have begun at the earliest. */
  readonly since: Ms
  /**
   * False for a prefetched chunk: as many chunks as the worker runs at a time are in front of it. Only where those have
   * ended and were not sent can it have begun, so that it is not blamed.
   */
  readonly canHaveBegun: boolean
}

/** What was in a worker that crashed, all of it together. */
export interface LostWork {
  readonly facts: ExitFacts
  readonly judgements: readonly CrashJudgement[]
}

export interface CrashJudgement {
  /** Items that fail with their worker, ascending; the first is at `settled`. */
  readonly failed: readonly { readonly offset: number; readonly failure: Failure }[]
  /** The items from this offset on run elsewhere. */
  readonly requeueFrom: number
  /**
   * How they run there. `recorded`: they may have begun, and now each item is recorded, so that another crash names the
   * item that ran. `singles`: the same, and each item is a chunk of its own, for workers without a flight recorder.
   */
  readonly requeueAs: 'unchanged' | 'recorded' | 'singles'
}

/** The items that were running fail; what had not begun runs elsewhere. */
export function judgeCrash(chunk: LostChunk, facts: ExitFacts): CrashJudgement {
  const { id, count, settled, since } = chunk
  const { exit, reason, notice, now } = facts
  const { record } = exit
  const running = record?.running.find((item) => item.id === id && item.offset >= settled)
  const begun = record?.begun?.find((chunk) => chunk.id === id)?.upTo ?? 0
  // The item at fault fails even if the record shows a later one: it may have ended before the worker was terminated.
  const atFault = offsetAtFault(id, reason)
  const last = Math.max(running?.offset ?? -1, atFault, begun - 1)
  // The items before it have ended, and their outcomes were lost with the worker.
  const failed = failures(last, running?.forMs ?? now - since)
  const rest = Math.max(settled, last + 1)
  // Without a record, any item may have begun, unless the worker announced its exit: it has sent what had settled before.
  const requeueAs = record === undefined && notice === undefined ? 'recorded' : 'unchanged'
  if (running !== undefined || atFault >= settled) return { failed, requeueFrom: rest, requeueAs }
  const isUnrecorded = record === undefined ? chunk.canHaveBegun : record.unrecorded.includes(id)
  if (!isUnrecorded) return { failed, requeueFrom: rest, requeueAs }
  // How far the chunk came is known only after an announced exit, or if a single item is left that can have run.
  if (rest < count && (notice !== undefined || (record === undefined && count - rest === 1)))
    return { failed: failures(rest, now - since), requeueFrom: rest + 1, requeueAs }
  return { failed, requeueFrom: rest, requeueAs: record === undefined ? 'singles' : 'recorded' }

  function failures(upTo: number, afterMs: Ms): CrashJudgement['failed'] {
    return Array.from({ length: Math.max(0, upTo + 1 - settled) }, (_, i) => {
      const offset = settled + i
      return { offset, failure: crashFailure(id, offset, afterMs, facts) }
    })
  }
}

/** The item of the chunk that its worker was terminated for; -1 if it was terminated for none of them. */
function offsetAtFault(id: number, reason: TerminationReason | undefined): number {
  if (reason?.kind === 'timeout') return reason.late.find((item) => item.id === id)?.offset ?? -1
  return reason?.kind === 'protocol' && reason.id === id ? reason.offset : -1
}

/**
 * Items of the chunk before this offset have begun, or may have. Where the record does not say how far an unrecorded
 * chunk came, or there is none, all of them may have: cheap items can be far ahead of what the parent has received.
 */
export function begunUpTo(
  { id, count, settled }: Pick<LostChunk, 'id' | 'count' | 'settled'>,
  record: ExitRecord | undefined,
): number {
  if (record === undefined || record.unrecorded.includes(id)) return count
  const running = record.running.find((item) => item.id === id)
  const begun = record.begun?.find((chunk) => chunk.id === id)?.upTo ?? 0
  return Math.max(settled, begun, (running?.offset ?? -1) + 1)
}

/**
 * Nothing says why the worker crashed: none of its items had begun, and nobody wanted it to exit. What it was given may
 * be what it cannot even receive.
 */
export function isUnexplained({ facts, judgements }: LostWork): boolean {
  const { reason, notice } = facts
  if (notice !== undefined || (reason !== undefined && reason.kind !== 'oom' && reason.kind !== 'stuck'))
    return false
  return judgements.every(({ failed, requeueAs }) => failed.length === 0 && requeueAs === 'unchanged')
}

export function crashFailure(
  id: number,
  offset: number,
  afterMs: Ms,
  { exit, reason, notice }: ExitFacts,
): Failure {
  const { exitCode, signal, stderrTail } = exit
  const late = reason?.kind === 'timeout' ? reason.late : []
  const isLate = late.find((item) => item.id === id && item.offset === offset)
  if (isLate !== undefined)
    return { kind: 'timeout', timeoutMs: isLate.timeoutMs, ended: signal === null ? 'ended' : 'killed' }
  const [because] = late
  const outOfMemory = reason?.kind === 'oom' || stderrTail.some((line) => HEAP_ABORT.test(line))
  return {
    kind: outOfMemory ? 'oom' : 'crash',
    exitCode,
    signal,
    afterMs,
    stderrTail,
    ...(because !== undefined && { because: { index: because.index, timeoutMs: because.timeoutMs } }),
    ...((reason?.kind === 'channel' || reason?.kind === 'stuck') && { killedFor: reason.kind }),
    ...(notice?.uncaughtError !== undefined && { escaped: notice.uncaughtError }),
    ...(notice?.exitCallStack !== undefined && { exitSite: notice.exitCallStack }),
  }
}

/** Of these the process is to blame, although it is poolrun that ends it. */
const CRASHES: ReadonlySet<TerminationReason['kind']> = new Set(['stuck', 'protocol', 'channel'])

/** `startup`: the pool cannot go on. `crash`: counts towards the restart limit. */
type ExitKind = 'startup' | 'crash' | 'expected'

/** They end a worker that does not ignore them yet. */
const ENDS_AT_BOOT: ReadonlySet<string | null> = new Set(GROUP_SIGNALS)

export function judgeExit({
  state,
  phase,
  reason,
  signal,
  jobHasLoaded,
}: {
  readonly state: Exclude<WorkerState['is'], 'absent'>
  /** Of a worker that was starting. */
  readonly phase?: StartPhase | undefined
  readonly reason: TerminationReason | undefined
  readonly signal: string | null
  /** In any worker so far. */
  readonly jobHasLoaded: boolean
}): ExitKind {
  // A job that has loaded once loads again: a replacement that is killed from outside while it starts has crashed.
  if (state === 'starting') {
    const isKilledFromOutside = jobHasLoaded ? signal !== null : phase === 'boot' && ENDS_AT_BOOT.has(signal)
    return isKilledFromOutside ? 'crash' : 'startup'
  }
  return state === 'ready' || (reason !== undefined && CRASHES.has(reason.kind)) ? 'crash' : 'expected'
}
