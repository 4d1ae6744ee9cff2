// Runs a plan in the terminal: passes run events to the reporters, which write to stderr above the live progress.
import { fstatSync } from 'node:fs'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import type { ErrorData } from '../error-data.js'
import { EXIT } from '../errors/exit-codes.js'
import { plainError } from '../errors/render/plain-error.js'
import { sanitise, sanitiseLines } from '../errors/render/sanitise.js'
import { itemIndexAt } from '../model.js'
import type { RunPlan } from '../plan.js'
import { describeProcessors, isLimited, processors } from '../processors.js'
import { chooseCharset } from '../report/charset.js'
import { createCiReport } from '../report/ci/ci.js'
import type { FailedItem } from '../report/ci/ci-report.js'
import { loadColors } from '../report/colors.js'
import { ConsoleReporter, type FailedEvent } from '../report/console/console.js'
import { dryRunText } from '../report/console/dry-run.js'
import { createFailureText } from '../report/console/failure-text.js'
import { jobOutputOf } from '../report/console/job-output.js'
import { createLifecycle } from '../report/console/lifecycle.js'
import { RecordBuilder, type RecordEnding } from '../report/files/record-builder.js'
import { renderReport } from '../report/files/reports.js'
import { shortTexts } from '../report/item-text.js'
import { Progress } from '../report/progress/progress.js'
import { chooseProgress } from '../report/progress/progress-mode.js'
import { shouldColor } from '../report/should-color.js'
import { sourceLocationOf } from '../report/source-location.js'
import { summaryLine } from '../report/summary-line.js'
import { holdSignals } from '../run/interrupt.js'
import { type RunStages, run } from '../run/run.js'
import type { RunHost, RunResult } from '../run/run-host.js'
import type { Workers } from '../run/workers.js'
import { foregroundByPs } from '../transport/foreground.js'
import { standardOutput } from '../write/standard-output.js'
import { TextOutput } from '../write/text-output.js'
import { version } from './version.js'

/** A reader of stderr that takes nothing for this long does not keep a run that has ended. */
const STALLED_AFTER_MS = 5_000
/** The same after a signal or the deadline. */
const MAX_DELAY_OF_END_MS = 1_000

export async function runInTerminal(
  plan: RunPlan,
  workers: Workers,
  { ignoresHangup }: Pick<RunHost, 'ignoresHangup'>,
  stages?: RunStages,
): Promise<RunResult> {
  const cwd = process.cwd()
  const { fullStack } = plan
  const { stdout, stderr, env } = process
  const results = standardOutput()
  const charset = chooseCharset(env)
  const color = shouldColor(stderr, { flag: plan.color, env })
  const colors = await loadColors(color)
  const excerpt = stderr.isTTY ? codeFrames(color) : undefined
  const text = createFailureText({ plan, cwd, fullStack, excerpt })
  const mode = progressMode(plan)
  // Only these lines come as fast as jobs print: what is held back by item is bounded, and is needed to the end of the item.
  const jobsWait = jobOutputOf(plan) === 'lines'
  const output = new TextOutput(stderr, (isBehind) => {
    if (jobsWait) workers.executor.readOutput(!isBehind)
  })
  const progress = new Progress({
    mode,
    command: plan.command,
    output,
    stderr,
    stdout,
    charset,
    colors,
    isForeground: foregroundByPs(),
  })
  const { write } = progress
  const reporter = new ConsoleReporter({
    plan,
    renderers: { ...text, line: sanitise, lines: sanitiseLines },
    write,
    colors,
    charset,
  })
  const record =
    plan.reports.length === 0
      ? undefined
      : new RecordBuilder({
          plan,
          version: version(),
          text: createFailureText({ plan, cwd, fullStack }),
          cwd,
          now: () => performance.timeOrigin + performance.now(),
        })
  const lifecycle = plan.debug ? createLifecycle({ write, now: () => performance.now() }) : undefined
  // Where the number of workers follows from it, or could.
  if (isLimited(processors()) && plan.processes === processors().count)
    lifecycle?.note(describeProcessors(processors()))
  const ci = createCiReport(plan.ci, { write, env, cwd, now: Date.now })
  printStatusOnSignal(progress)
  ci.begin()
  if (plan.shard?.system !== undefined && plan.verbosity !== 'quiet')
    write(`poolrun: shard ${plan.shard.index}/${plan.shard.count} (${plan.shard.system})\n`)
  const title = `poolrun ${plan.command} ${plan.job.path}`
  let lastLine = 'the run did not begin'
  let summary: RunResult['summary']
  let itemsCounted: number | undefined
  let endedFromOutside = false
  let hasReaderLeft = false
  const releaseSignals = holdSignals()
  try {
    const result = await run(
      plan,
      workers,
      {
        cwd,
        stdout: results,
        report(event) {
          lifecycle?.handle(event)
          if (event.type === 'item-failed') ci.failed(() => failedItem(event, cwd))
          record?.handle(event)
          reporter.handle(event)
        },
        roomForReports: () => output.room(),
        reportError: (error) => write(charset.text(`${colors.block(text.fault(error))}\n`)),
        renderReport: async (kind, result) => renderReport(kind, record!.finish(ending(result))),
        watcher: progress,
        ignoresHangup,
        trace: lifecycle?.note,
      },
      stages,
    )
    progress.stop()
    summary = result.summary
    itemsCounted = result.itemsCounted
    endedFromOutside = result.signal !== undefined || result.exitCode === EXIT.deadline
    // The reports have the summary line; stderr stays empty after a pipeline such as `| head`.
    hasReaderLeft = result.exitCode === EXIT.brokenPipe
    if (summary !== undefined) lastLine = summaryLine(plan, summary)
    return result
  } finally {
    progress.stop()
    const ciWarning = ci.end({ summaryLine: lastLine, title })
    if (ciWarning !== undefined) write(`${colors.warning('poolrun: warning:')} ${sanitise(ciWarning)}\n`)
    if (summary !== undefined && itemsCounted !== undefined)
      write(dryRunText(plan, itemsCounted).split('\n').map(sanitise).join('\n'))
    else if (summary !== undefined && !hasReaderLeft) reporter.finish(summary)
    await output.flushed(endedFromOutside ? MAX_DELAY_OF_END_MS : STALLED_AFTER_MS)
    releaseSignals()
  }
}

function failedItem({ settled, failure }: FailedEvent, cwd: string): FailedItem {
  const index = itemIndexAt(settled.chunk, failure.offset)
  const { name, message } = plainError({ index }, failure, { cwd })
  return {
    index,
    item: shortTexts(settled.chunk, failure.offset, 1)[0] ?? '',
    name: sanitise(name),
    message: sanitise(message),
    location: sourceLocationOf(failure.failure, { cwd }),
  }
}

/** With the exit code that the shell will see. */
function ending({ exitCode, signal, summary }: RunResult): RecordEnding {
  return { exitCode: signal === undefined ? exitCode : 128 + constants.signals[signal], signal, summary }
}

/** Loads the renderer while the workers start, long before the first item can fail. */
function codeFrames(color: boolean): (error: ErrorData) => string {
  const since = Date.now()
  let excerpt = (_error: ErrorData) => ''
  import('../report/console/code-frame.js').then(
    ({ createCodeFrames }) => {
      excerpt = createCodeFrames({ color, since })
    },
    // The installation changed while this process runs. The run continues without code frames.
    () => {},
  )
  return (error) => excerpt(error)
}

function progressMode({ progress, verbosity, input, output }: RunPlan) {
  const { stderr, env } = process
  return chooseProgress(progress, {
    isTTY: stderr.isTTY === true,
    columns: stderr.columns ?? 0,
    env,
    quiet: verbosity === 'quiet',
    typing: input.kind === 'stdin' && isatty(0),
    piped: output === undefined && isPipe(1),
  })
}

function isPipe(fd: number): boolean {
  try {
    const stats = fstatSync(fd)
    return stats.isFIFO() || stats.isSocket()
  } catch {
    // It is closed.
    return false
  }
}

/** Never removed: a signal between the end of the run and the exit of the process would kill it. */
function printStatusOnSignal(progress: Progress): void {
  const printStatus = () => progress.write(progress.status())
  process.on('SIGUSR2', printStatus)
  // Ctrl-T on macOS and BSD.
  process.on('SIGINFO', printStatus)
}
