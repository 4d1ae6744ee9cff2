// The text of `--dry-run`: what would run.
import { formatMs, plural } from '../../errors/messages.js'
import { type RunPlan, SHOWN_COMMANDS } from '../../plan.js'

/** Returns whole lines. `items` is how many there are in the input. */
export function dryRunText(plan: RunPlan, items: number): string {
  const { command, exec, job, batch, processes, concurrency, chunkSize, timeoutMs, deadlineMs, retry, rate } =
    plan
  const name = job.exportName === 'default' ? job.path : `${job.path}#${job.exportName}`
  const limits = [
    timeoutMs === undefined ? undefined : `${formatMs(timeoutMs)} per attempt`,
    rate && `attempts begin at ${rate.text} at most`,
    deadlineMs === undefined ? undefined : `${formatMs(deadlineMs)} for the whole run`,
    retry.retries === 0 ? undefined : `${plural(retry.retries, 'more attempt')} on ${retry.on.join(', ')}`,
  ].filter((limit) => limit !== undefined)
  const isCut = exec !== undefined && items > SHOWN_COMMANDS
  const rows: readonly (readonly [string, string])[] = [
    exec === undefined
      ? ['job', `${name}: loads`]
      : ['command', `${exec.template}, at most ${exec.commands} at a time`],
    [
      'items',
      `${items}${batch === undefined ? '' : `, each a batch of up to ${batch}`}${isCut ? `; stdout has the first ${SHOWN_COMMANDS} commands` : ''}`,
    ],
    [
      'workers',
      `${processes === 0 ? "none: items run in poolrun's own process" : processes}${concurrency > 1 ? `, ${concurrency} items at once in each` : ''}`,
    ],
    ['chunks', chunkSize === undefined ? 'adapt to the cost of items' : `of ${chunkSize}`],
    ['limits', limits.length === 0 ? 'none' : limits.join('; ')],
    ['results', `${plan.output ?? 'stdout'}, ${plan.format}${plan.envelope ? ' in envelopes' : ''}`],
    ...(plan.errors === undefined ? [] : [['errors', plan.errors] as const]),
    ...plan.reports.map(({ kind, path }) => ['report', `${kind} to ${path}`] as const),
  ]
  const lines = rows.map(([label, text]) => `  ${label.padEnd(8)} ${text}\n`)
  return `poolrun ${command}: dry run, nothing was run\n${lines.join('')}`
}
