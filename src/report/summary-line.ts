// The summary line, which is the last line of a run, and lists of item indexes. Plain text.
import { longDuration, plural } from '../errors/messages.js'
import type { Ms } from '../model.js'
import type { CommandName, FailureLimit, RunPlan } from '../plan.js'
import { NAMED_INDEXES, type Summary } from '../summary.js'
import { groupDigits, rateText } from './units.js'

/** A run of this duration or more has its duration and rate in the summary line. */
const LONG_RUN_MS: Ms = 10_000

/** Like `poolrun map: item 2 failed, stopped (fail-fast): 3 ok, 1 failed, 1 not run`, without a newline. */
export function summaryLine(plan: Pick<RunPlan, 'command' | 'maxFailures'>, summary: Summary): string {
  const { ok, failed, flaky, cancelled, notRun, unread } = summary
  const why = summary.reason ?? whyStopped(plan, summary)
  const flakyText =
    flaky > 0 ? ` (${groupDigits(flaky)} flaky: ${itemList(summary.flakyIndexes, flaky)})` : ''
  const parts = [`${groupDigits(ok)} ok${flakyText}`]
  if (failed > 0)
    parts.push(
      `${groupDigits(failed)} failed${plan.command === 'collect' ? ` (${itemList(summary.failedIndexes, failed)})` : ''}`,
    )
  if (cancelled > 0)
    parts.push(
      `${groupDigits(cancelled)} cancelled while running (${itemList(summary.cancelledIndexes, cancelled)})`,
    )
  if (notRun > 0) parts.push(`${groupDigits(notRun)} not run`)
  if (unread) parts.push('the rest of the input was not read')
  return `poolrun ${plan.command}: ${why === undefined ? '' : `${why}: `}${parts.join(', ')}${pace(summary)}`
}

/** ` in 41 s (243/s)` for a run that took long. */
function pace({ ok, failed, tookMs }: Summary): string {
  if (tookMs < LONG_RUN_MS) return ''
  const settled = ok + failed
  const rate = rateText((settled * 1000) / tookMs).replace(/^\d{4,}/, (digits) => groupDigits(Number(digits)))
  return ` in ${longDuration(tookMs)}${settled === 0 ? '' : ` (${rate})`}`
}

function whyStopped(
  { command, maxFailures }: { command: CommandName; maxFailures: FailureLimit | undefined },
  { stoppedBy, failed }: Summary,
): string | undefined {
  if (stoppedBy === undefined) return undefined
  if (command === 'collect') {
    const limit = maxFailures === undefined ? '' : ` (--max-failures ${limitText(maxFailures)})`
    return `${plural(failed, 'item')} failed, stopped${limit}`
  }
  return `item ${stoppedBy.index} failed, stopped${stoppedBy.verdict === 'stop' ? ' (fail-fast)' : ''}`
}

function limitText(limit: FailureLimit): string {
  return 'count' in limit ? String(limit.count) : `${limit.percent}%`
}

/** `item 2`, `items 2, 5, 9`, or the first ten and `… and 90 more`. */
export function itemList(indexes: readonly number[], total: number): string {
  const shown = indexes.slice(0, NAMED_INDEXES)
  const more = total > shown.length ? `, … and ${groupDigits(total - shown.length)} more` : ''
  return `${total === 1 ? 'item' : 'items'} ${shown.join(', ')}${more}`
}
