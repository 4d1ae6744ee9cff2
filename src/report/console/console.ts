// The console: consumes run events and writes failures, warnings, job output and the summary line, for stderr.
// How a failure is rendered and where text goes are passed in.
import { formatMs, plural } from '../../errors/messages.js'
import { warningText } from '../../errors/warning-text.js'
import { type Failure, type ItemFailure, itemIndexAt, type RunEvent, type SettledRange } from '../../model.js'
import type { RunPlan } from '../../plan.js'
import type { Summary } from '../../summary.js'
import type { Charset } from '../charset.js'
import { type Colors, noColors } from '../colors.js'
import { FailurePlaces, type RepeatedFailure } from '../failure-places.js'
import { summaryLine } from '../summary-line.js'
import { groupDigits, taskTime } from '../units.js'
import { createJobOutput, type JobOutputReport, jobOutputOf } from './job-output.js'

export type FailedEvent = Extract<RunEvent, { type: 'item-failed' }>

/** All of them return sanitised text without colour. */
interface Renderers {
  /** The whole block of a failed item: remote traceback, linking sentence and local error. `isFirst`: at its place. */
  failure(event: FailedEvent, isFirst: boolean): string
  /** Its error in one line. */
  headline(event: FailedEvent): string
  /** `file:line` of the job where it failed, if that is known. */
  place(failure: Failure): string | undefined
  /** What the earlier attempts of an item failed with that succeeded in the end. */
  flaky(settled: SettledRange, attempts: readonly ItemFailure[]): string
  /** A line that may contain text of a job. */
  line(text: string): string
  /** Lines that a job printed. */
  lines(text: string): string
}

export interface ConsoleReporterOptions {
  readonly plan: Pick<RunPlan, 'command' | 'verbosity' | 'jobOutput' | 'tag' | 'maxFailures'>
  readonly renderers: Renderers
  /** Takes whole lines. */
  readonly write: (text: string) => void
  readonly colors?: Colors
  readonly charset?: Pick<Charset, 'text'> | undefined
}

export class ConsoleReporter {
  readonly #plan: ConsoleReporterOptions['plan']
  readonly #renderers: Renderers
  readonly #colors: Colors
  readonly #write: (text: string) => void
  readonly #jobOutput: JobOutputReport
  readonly #places: FailurePlaces
  #blocks = 0

  constructor({ plan, renderers, write, colors = noColors, charset }: ConsoleReporterOptions) {
    this.#plan = plan
    this.#renderers = renderers
    this.#colors = colors
    this.#write = (text) => write(charset?.text(text) ?? text)
    const shown = { verbose: 'all', normal: 'messages', quiet: 'ten' } as const
    this.#places = new FailurePlaces(shown[plan.verbosity], (repeated) =>
      this.#write(this.#repeatedLine(repeated)),
    )
    this.#jobOutput = createJobOutput({
      mode: jobOutputOf(plan),
      tag: plan.tag,
      // Not through the charset: what jobs print stays as it is.
      write,
      sanitise: renderers.lines,
    })
  }

  handle(event: RunEvent): void {
    switch (event.type) {
      case 'worker-output':
        return this.#jobOutput.print(event)
      case 'items-settled':
        this.#jobOutput.settled(event.settled)
        if (this.#plan.verbosity === 'verbose') this.#writeItemLines(event.settled)
        return
      case 'item-failed':
        return this.#writeFailure(event)
      case 'warning': {
        const text = warningText(event.warning).split('\n').map(this.#renderers.line).join('\n')
        if (this.#plan.verbosity !== 'quiet')
          this.#write(`${this.#colors.warning('poolrun: warning:')} ${text}\n`)
        return
      }
      case 'note':
        if (this.#plan.verbosity !== 'quiet') this.#write(`${this.#renderers.line(event.text)}\n`)
        return
      case 'interrupted': {
        const { signal, running, graceMs } = event
        const interrupted = `poolrun: interrupted by ${signal}`
        if (graceMs === 0) return this.#write(`${interrupted}: stopping now\n`)
        const ending =
          running === 0 ? 'ending' : `finishing ${plural(running, 'item')}, up to ${formatMs(graceMs)}`
        const again = signal === 'SIGINT' ? 'Ctrl-C again' : 'a second signal'
        return this.#write(`${interrupted}: ${ending}; ${again} stops now\n`)
      }
      case 'worker-started':
      case 'worker-ready':
      case 'worker-exited':
      case 'items-cancelled':
        return
      default:
        return event satisfies never
    }
  }

  /** Writes everything that is still held back, and then the summary line. */
  finish(summary: Summary): void {
    this.#jobOutput.finish()
    this.#places.finish()
    this.#write(`${this.#summaryColor(summary)(summaryLine(this.#plan, summary))}\n`)
  }

  #summaryColor({ failed, flaky, notRun, reason }: Summary): (text: string) => string {
    if (failed > 0 || notRun > 0 || reason !== undefined) return this.#colors.bad
    return flaky > 0 ? this.#colors.warning : this.#colors.good
  }

  #writeFailure(event: FailedEvent): void {
    const index = itemIndexAt(event.settled.chunk, event.failure.offset)
    const failed = `${this.#plan.command}: item ${index} failed${event.verdict === 'skip' ? ', skipped' : ''}`
    const { display, like } = this.#places.add(index, event.failure.failure)
    const isBlock = display === 'first' || display === 'full'
    if (isBlock) this.#separateBlocks()
    this.#jobOutput.failed(index, display !== 'counted')
    if (isBlock) this.#writeBlock(this.#renderers.failure(event, display === 'first').trimEnd())
    if (display === 'line')
      this.#write(`${failed}: ${this.#renderers.headline(event)} (same place as item ${like})\n`)
    else if (isBlock && event.verdict === 'skip') this.#write(`${failed}\n`)
  }

  #writeBlock(text: string): void {
    this.#write(`${this.#colors.block(text)}\n`)
  }

  /** A blank line between two blocks. */
  #separateBlocks(): void {
    if (this.#blocks++ > 0) this.#write('\n')
  }

  #writeItemLines(settled: SettledRange): void {
    const { command } = this.#plan
    const { chunk, from, count, failures, flaky, workerId } = settled
    const where = (offset: number) => {
      const ms = settled.timings?.ms[offset - from]
      const worker = settled.restored === true ? 'from the journal' : `worker ${workerId}`
      return `(${ms === undefined ? '' : `${taskTime(ms)}, `}${worker})`
    }
    if (flaky !== undefined) {
      this.#separateBlocks()
      this.#writeBlock(this.#renderers.flaky(settled, flaky))
      this.#write(
        `${command}: item ${itemIndexAt(chunk, from)} ok, flaky (attempt ${flaky.length + 1}) ${where(from)}\n`,
      )
      return
    }
    const failed = new Set(failures.map(({ offset }) => offset))
    let text = ''
    for (let offset = from; offset < from + count; offset++) {
      // `collect` writes that line together with the failure.
      if (failed.has(offset) && command === 'collect') continue
      text += `${command}: item ${itemIndexAt(chunk, offset)} ${failed.has(offset) ? 'failed' : 'ok'} ${where(offset)}\n`
    }
    if (text !== '') this.#write(text)
  }

  #repeatedLine({ index, failure, more }: RepeatedFailure): string {
    const place = this.#renderers.place(failure)
    const where = place === undefined ? '' : ` (${this.#renderers.line(place)})`
    return `… and ${groupDigits(more)} more from the same place as item ${index}${where}\n`
  }
}
