// The console: a consumer of run events that writes failures, warnings, job output and the verdict, for stderr.
// Knows neither streams nor how a failure is rendered; both are handed in.
import { formatMs, plural } from '../../errors/messages.js'
import { warningText } from '../../errors/warning-text.js'
import { type ItemFailure, itemIndexAt, type RunEvent, type SettledRange } from '../../model.js'
import type { RunPlan } from '../../plan.js'
import type { Summary } from '../../summary.js'
import type { Charset } from '../charset.js'
import { type Colors, noColors } from '../colors.js'
import { FailureGroups, type RepeatedFailure } from '../groups.js'
import { itemList, summaryLine } from '../summary-line.js'
import { taskTime } from '../units.js'
import { createJobOutput } from './job-output.js'

export type FailedEvent = Extract<RunEvent, { type: 'item-failed' }>

export interface Renderers {
  /** The whole block of a failed item, remote part, sentence and local error; harmless and without colour. */
  failure(event: FailedEvent): string
  /** What the earlier attempts of an item failed with that succeeded at last; as harmless. */
  flaky(settled: SettledRange, attempts: readonly ItemFailure[]): string
  /** A line that a job had a hand in, made harmless. */
  line(text: string): string
}

export interface ConsoleReporterOptions {
  readonly plan: Pick<RunPlan, 'command' | 'verbosity' | 'jobOutput' | 'tag' | 'maxFailures'>
  readonly renderers: Renderers
  /** Takes whole lines. */
  readonly write: (text: string) => void
  readonly painter?: Colors
  readonly letters?: Pick<Charset, 'text'> | undefined
}

export interface ConsoleReporter {
  handle(event: RunEvent): void
  /** The verdict, the last thing that is written. */
  finish(summary: Summary): void
}

/** Of a message that stands for a group. */
const TITLE_LENGTH = 120

export function createConsoleReporter(options: ConsoleReporterOptions): ConsoleReporter {
  const { plan, renderers, painter = noColors, letters } = options
  const write = (text: string) => options.write(letters?.text(text) ?? text)
  const { command, verbosity } = plan
  const quiet = verbosity === 'quiet'
  const jobOutput = createJobOutput({
    mode: plan.jobOutput ?? (quiet ? 'none' : 'lines'),
    tag: plan.tag,
    // What jobs print is theirs: no letter of it is replaced.
    write: options.write,
    sanitise: renderers.line,
  })
  const groups = new FailureGroups((repeated) => write(repeatedLine(repeated)))
  let blocks = 0

  function itemFailed(event: FailedEvent): void {
    const index = itemIndexAt(event.settled.chunk, event.failure.offset)
    const shown = groups.add(index, event.failure.failure)
    if (shown) separate()
    jobOutput.failed(index, shown)
    if (shown) write(`${painter.block(renderers.failure(event).trimEnd())}\n`)
    if (event.verdict === 'skip' && (shown || verbosity === 'verbose')) {
      write(`${command}: item ${index} failed, skipped\n`)
    }
  }

  function separate(): void {
    if (blocks++ > 0) write('\n')
  }

  function writeItemLines(settled: SettledRange): void {
    const { chunk, from, count, failures, flaky, workerId } = settled
    const where = (offset: number) => {
      const ms = settled.timings?.ms[offset - from]
      return `(${ms === undefined ? '' : `${taskTime(ms)}, `}worker ${workerId})`
    }
    if (flaky !== undefined) {
      separate()
      write(`${painter.block(renderers.flaky(settled, flaky))}\n`)
      write(
        `${command}: item ${itemIndexAt(chunk, from)} ok, flaky (attempt ${flaky.length + 1}) ${where(from)}\n`,
      )
      return
    }
    const failed = new Set(failures.map(({ offset }) => offset))
    let text = ''
    for (let offset = from; offset < from + count; offset++) {
      // collect says it with the failure.
      if (failed.has(offset) && command === 'collect') continue
      text += `${command}: item ${itemIndexAt(chunk, offset)} ${failed.has(offset) ? 'failed' : 'ok'} ${where(offset)}\n`
    }
    if (text !== '') write(text)
  }

  function repeatedLine({ index, title, more, indexes }: RepeatedFailure): string {
    const firstLine = title.split('\n', 1)[0] ?? ''
    const shown = firstLine.length > TITLE_LENGTH ? `${firstLine.slice(0, TITLE_LENGTH - 1)}…` : firstLine
    return `${command}: ${more} more failed like item ${index} (${renderers.line(shown)}): ${itemList(indexes, more)}\n`
  }

  return {
    handle(event) {
      switch (event.type) {
        case 'worker-output':
          return jobOutput.line(event)
        case 'items-settled':
          jobOutput.settled(event.settled)
          if (verbosity === 'verbose') writeItemLines(event.settled)
          return
        case 'item-failed':
          return itemFailed(event)
        case 'warning': {
          const text = warningText(event.warning).split('\n').map(renderers.line).join('\n')
          if (!quiet) write(`${painter.warning('poolrun: warning:')} ${text}\n`)
          return
        }
        case 'interrupted': {
          const { signal, running, graceMs } = event
          const waiting =
            running === 0
              ? 'ending'
              : `waiting up to ${formatMs(graceMs)} for ${plural(running, 'running item')}`
          return write(`poolrun: interrupted by ${signal}: ${waiting}; once more to kill at once\n`)
        }
        case 'worker-started':
        case 'worker-ready':
        case 'worker-exited':
          return
        default:
          return event satisfies never
      }
    },
    finish(summary) {
      jobOutput.finish()
      groups.finish()
      const ended = summary.notRun === 0 && summary.reason === undefined
      const paint =
        summary.failed > 0 || !ended ? painter.bad : summary.flaky > 0 ? painter.warning : painter.good
      write(`${paint(summaryLine(plan, summary))}\n`)
    },
  }
}
