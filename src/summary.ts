// What a run is judged by: the counts of its items, a pure fold of its events to the few items that are named, and the
// exit code that follows from both.
import { EXIT, type ExitCode } from './errors/exit-codes.js'
import {
  type CancelledRange,
  type Counts,
  itemIndexAt,
  type Ms,
  type RunEvent,
  type SettledRange,
  type Verdict,
} from './model.js'
import { compareToLimit, type RunPlan } from './plan.js'

/** How many failed, flaky and cancelled indexes are kept: those that the summary line names. */
export const NAMED_INDEXES = 10

/** The failed item that ended the run. */
interface StoppedBy {
  readonly index: number
  readonly verdict: Exclude<Verdict, 'skip'>
}

/** Items that the summary names. Never more than a few indexes, however many items fail. */
export interface NamedItems {
  /** The lowest ones, ascending, at most `NAMED_INDEXES`. */
  readonly failedIndexes: readonly number[]
  /** How many items succeeded only after a failed attempt. */
  readonly flaky: number
  readonly flakyIndexes: readonly number[]
  /** How many items had begun, or may have, when the run ended, and never settled. */
  readonly cancelled: number
  readonly cancelledIndexes: readonly number[]
  readonly stoppedBy: StoppedBy | undefined
}

export const NO_NAMED_ITEMS: NamedItems = {
  failedIndexes: [],
  flaky: 0,
  flakyIndexes: [],
  cancelled: 0,
  cancelledIndexes: [],
  stoppedBy: undefined,
}

/** Failed items are taken from `items-settled`; `item-failed` shows which of them ended the run. */
export function addEvent(named: NamedItems, event: RunEvent): NamedItems {
  switch (event.type) {
    case 'items-settled':
      return addSettled(named, event.settled)
    case 'items-cancelled':
      return addCancelled(named, event.cancelled)
    case 'item-failed': {
      if (event.verdict === 'skip' || named.stoppedBy !== undefined) return named
      const index = itemIndexAt(event.settled.chunk, event.failure.offset)
      return { ...named, stoppedBy: { index, verdict: event.verdict } }
    }
    default:
      return named
  }
}

function addSettled(named: NamedItems, { chunk, from, failures, flaky }: SettledRange): NamedItems {
  if (failures.length === 0 && flaky === undefined) return named
  return {
    ...named,
    failedIndexes: failures.reduce(
      (lowest, failure) => addIndex(lowest, itemIndexAt(chunk, failure.offset)),
      named.failedIndexes,
    ),
    ...(flaky !== undefined && {
      flaky: named.flaky + 1,
      flakyIndexes: addIndex(named.flakyIndexes, itemIndexAt(chunk, from)),
    }),
  }
}

function addCancelled(named: NamedItems, { chunk, from, count }: CancelledRange): NamedItems {
  let { cancelledIndexes } = named
  // The indexes of a chunk ascend.
  for (let offset = from; offset < from + Math.min(count, NAMED_INDEXES); offset++)
    cancelledIndexes = addIndex(cancelledIndexes, itemIndexAt(chunk, offset))
  return { ...named, cancelled: named.cancelled + count, cancelledIndexes }
}

function addIndex(lowest: readonly number[], index: number): readonly number[] {
  if (lowest.length === NAMED_INDEXES && index > lowest.at(-1)!) return lowest
  return [...lowest, index].sort((a, b) => a - b).slice(0, NAMED_INDEXES)
}

/** How the run ended, apart from what its items settled with. */
export interface Ending {
  /** Items of the input as far as it was read, settled or not. */
  readonly accepted: number
  /** The input was not read to its end: how many more items it holds is unknown. */
  readonly unread?: boolean
  /** From the start of the run to its end. */
  readonly tookMs?: Ms
  /** What else ended the run, as text that follows `poolrun map: `, like `interrupted by SIGINT`. */
  readonly reason?: string | undefined
}

/** `notRun`: never began. */
export interface Summary extends Counts, NamedItems {
  readonly unread: boolean
  readonly reason: string | undefined
  readonly tookMs: Ms
}

export function summarize(
  { ok, failed }: Pick<Counts, 'ok' | 'failed'>,
  named: NamedItems,
  { accepted, unread = false, reason, tookMs = 0 }: Ending,
): Summary {
  const notRun = accepted - ok - failed - named.cancelled
  return { ok, failed, notRun, ...named, unread, reason, tookMs }
}

/** The first that applies is the exit code. Death by signal comes before all of them and has no code. */
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

type ExitRules = Pick<RunPlan, 'command' | 'allowFailures'>
type JudgedItems = Pick<Summary, 'ok' | 'failed' | 'stoppedBy'>

/** `errorCodes`: of errors that ended the run itself; a callback that threw is `EXIT.itemFailed`. */
export function exitCodeFor(
  rules: ExitRules,
  items: JudgedItems,
  errorCodes: readonly ExitCode[] = [],
): ExitCode {
  const codes = [...errorCodes, exitCodeForItems(rules, items)]
  return PRECEDENCE.find((code) => codes.includes(code)) ?? EXIT.ok
}

function exitCodeForItems({ command, allowFailures }: ExitRules, items: JudgedItems): ExitCode {
  const { ok, failed, stoppedBy } = items
  switch (command) {
    case 'map':
    case 'starmap':
    case 'apply':
      return failed > 0 || stoppedBy !== undefined ? EXIT.itemFailed : EXIT.ok
    case 'imap':
    case 'imap-unordered':
      // A failed item that was not reached, because the reader left earlier, does not count.
      return stoppedBy !== undefined ? EXIT.itemFailed : EXIT.ok
    case 'collect': {
      const settled = ok + failed
      const allowed = allowFailures === 'any' || compareToLimit(allowFailures, failed, settled) <= 0
      return allowed ? EXIT.ok : EXIT.someFailed
    }
    default:
      return command satisfies never
  }
}
