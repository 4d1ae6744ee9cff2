// The summary line, which is the last line of a run, and lists of item indexes. Plain text.
import { plural } from '../errors/messages.js'
import type { CommandName, FailureLimit, RunPlan } from '../plan.js'
import { NAMED_INDEXES, type Summary } from '../summary.js'

/** Like `poolrun map: item 2 failed, stopped (fail-fast): 3 ok, 1 failed, 1 not run`, without a newline. */
export function summaryLine(plan: Pick<RunPlan, 'command' | 'maxFailures'>, summary: Summary): string {
  const { failed, notRun, unread } = summary
  const why = summary.reason ?? whyStopped(plan, summary)
  const named =
    plan.command === 'collect' && failed > 0 ? ` (${itemList(summary.failedIndexes, failed)})` : ''
  const flaky =
    summary.flaky > 0 ? ` (${summary.flaky} flaky: ${itemList(summary.flakyIndexes, summary.flaky)})` : ''
  const ok = `${summary.ok} ok${flaky}`
  const failures = `${failed} failed${named}`
  const rest = unread ? ', the rest of the input was not read' : ''
  if (why !== undefined)
    return `poolrun ${plan.command}: ${why}: ${ok}, ${failures}, ${notRun} not run${rest}`
  const unrun = notRun > 0 ? `, ${notRun} not run` : ''
  return `poolrun ${plan.command}: ${ok}${failed > 0 ? `, ${failures}` : ''}${unrun}${rest}`
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
  const more = total > shown.length ? `, … and ${total - shown.length} more` : ''
  return `${total === 1 ? 'item' : 'items'} ${shown.join(', ')}${more}`
}
