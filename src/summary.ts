// A pure fold of run events to what the run is judged by, and the judgement: the exit code.
// Keeps numbers and the first few failed indexes, never items; knows nothing of how they are printed.
import { EXIT, type ExitCode } from './errors/exit-codes.js'
import { type Counts, itemIndexAt, type RunEvent, type SettledRange, type Verdict } from './model.js'
import type { FailureLimit, RunPlan } from './plan.js'

/** Failed and flaky indexes that are remembered: as many as the summary line names. */
export const NAMED_INDEXES = 10

/** The failed item that ended the run. */
export interface StoppedBy {
  readonly index: number
  readonly verdict: Exclude<Verdict, 'skip'>
}

export interface Tally {
  readonly ok: number
  readonly failed: number
  /** The lowest ones, ascending, at most `NAMED_INDEXES`. */
  readonly failedIndexes: readonly number[]
  /** Of those that are ok: they failed at first. */
  readonly flaky: number
  readonly flakyIndexes: readonly number[]
  readonly stoppedBy: StoppedBy | undefined
}

export const EMPTY_TALLY: Tally = {
  ok: 0,
  failed: 0,
  failedIndexes: [],
  flaky: 0,
  flakyIndexes: [],
  stoppedBy: undefined,
}

/** Counts come from `items-settled`, once an item; `item-failed` only tells which failure ended the run. */
export function tally(before: Tally, event: RunEvent): Tally {
  switch (event.type) {
    case 'items-settled':
      return addSettled(before, event.settled)
    case 'item-failed': {
      if (event.verdict === 'skip' || before.stoppedBy !== undefined) return before
      const index = itemIndexAt(event.settled.chunk, event.failure.offset)
      return { ...before, stoppedBy: { index, verdict: event.verdict } }
    }
    default:
      return before
  }
}

function addSettled(before: Tally, { chunk, from, count, failures, flaky }: SettledRange): Tally {
  return {
    ...before,
    ok: before.ok + count - failures.length,
    failed: before.failed + failures.length,
    failedIndexes: failures.reduce(
      (lowest, failure) => withIndex(lowest, itemIndexAt(chunk, failure.offset)),
      before.failedIndexes,
    ),
    ...(flaky !== undefined && {
      flaky: before.flaky + 1,
      flakyIndexes: withIndex(before.flakyIndexes, itemIndexAt(chunk, from)),
    }),
  }
}

function withIndex(lowest: readonly number[], index: number): readonly number[] {
  if (lowest.length === NAMED_INDEXES && index > lowest.at(-1)!) return lowest
  return [...lowest, index].sort((a, b) => a - b).slice(0, NAMED_INDEXES)
}

/** How the run ended, beyond what its items tell. */
export interface Ending {
  /** Items taken from the input, settled or not. */
  readonly accepted: number
  /** The input was left before its end, so that nobody knows how many more there were. */
  readonly unread?: boolean
  /** What else ended the run, to be read after `poolrun map: `, like `interrupted by SIGINT`. */
  readonly reason?: string | undefined
}

export interface Summary extends Tally, Counts {
  readonly unread: boolean
  readonly reason: string | undefined
}

export function summarize(final: Tally, { accepted, unread = false, reason }: Ending): Summary {
  return { ...final, notRun: accepted - final.ok - final.failed, unread, reason }
}

/** The first that applies is the exit code; death by signal, before all of them, has no code. */
const PRECEDENCE: readonly ExitCode[] = [
  EXIT.usage,
  EXIT.input,
  EXIT.job,
  EXIT.initializer,
  EXIT.trouble,
  EXIT.deadline,
  EXIT.itemFailed,
  EXIT.someFailed,
  EXIT.brokenPipe,
]

type Judged = Pick<RunPlan, 'command' | 'allowFailures'>

/** `faults` are the codes of what went wrong with the run itself; a callback that threw is `EXIT.itemFailed`. */
export function exitCodeFor(plan: Judged, final: Tally, faults: readonly ExitCode[] = []): ExitCode {
  const codes = [...faults, judge(plan, final)]
  return PRECEDENCE.find((code) => codes.includes(code)) ?? EXIT.ok
}

function judge(plan: Judged, final: Tally): ExitCode {
  switch (plan.command) {
    case 'map':
    case 'starmap':
    case 'apply':
      return final.failed > 0 || final.stoppedBy !== undefined ? EXIT.itemFailed : EXIT.ok
    case 'imap':
    case 'imap-unordered':
      // A failure that was not reached, because the reader left before, is none.
      return final.stoppedBy !== undefined ? EXIT.itemFailed : EXIT.ok
    case 'collect':
      return withinLimit(plan.allowFailures, final) ? EXIT.ok : EXIT.someFailed
    default:
      return plan.command satisfies never
  }
}

function withinLimit(limit: FailureLimit | 'any', { ok, failed }: Tally): boolean {
  if (limit === 'any') return true
  return 'count' in limit ? failed <= limit.count : failed * 100 <= limit.percent * (ok + failed)
}
