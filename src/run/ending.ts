// The end of a run: the exit code for what it threw; then its files, its summary and its reports.

import { UsageError } from '../errors/classes.js'
import { EXIT, type ExitCode, exitCodeOf } from '../errors/exit-codes.js'
import { formatMs } from '../errors/messages.js'
import { ItemCallbackError } from '../errors/rebuild/item-callback-error.js'
import { ExecutionFault } from '../executor/executor.js'
import type { Ms } from '../model.js'
import type { RunPlan } from '../plan.js'
import { exitCodeFor, type Summary, summarize } from '../summary.js'
import { BrokenPipeError } from '../write/broken-pipe.js'
import type { RunFiles } from './files.js'
import { DeadlineReached, type Interrupt, Interrupted } from './interrupt.js'
import { describeStartFailure, lacksProcesses, toPoolError } from './pool-error.js'
import type { RunHost, RunResult } from './run-host.js'
import type { RunProgress } from './run-progress.js'

interface ErrorContext {
  readonly plan: RunPlan
  /** A signal was received before. */
  readonly interrupted: boolean
  /** Called with the error, where the user does not learn of it otherwise. */
  readonly reportError: (error: unknown) => void
}

/** `undefined` where a signal is what ended the run: death by signal has no code. */
export function exitCodeForError(
  thrown: unknown,
  { plan, interrupted, reportError }: ErrorContext,
): ExitCode | undefined {
  if (thrown instanceof DeadlineReached) return EXIT.deadline
  if (thrown instanceof Interrupted) return undefined
  // The grace was over, or the workers were killed: this follows from the signal.
  if (interrupted && thrown instanceof ExecutionFault && thrown.reason.type === 'terminated') return undefined
  if (thrown instanceof BrokenPipeError) return EXIT.brokenPipe
  const error =
    thrown instanceof ExecutionFault
      ? (refusedOptions(thrown, plan) ?? toPoolError(thrown, plan.job.path))
      : thrown
  reportError(error)
  return exitCodeOf(error instanceof ItemCallbackError ? error.error : error)
}

/** Node refused the options of the workers, or a module that they preload has failed; no code of the job has run. */
function refusedOptions(
  { reason }: ExecutionFault,
  { nodeOptions, workerEnv }: RunPlan,
): UsageError | undefined {
  if (reason.type !== 'fault' || reason.fault.kind !== 'startup') return undefined
  // Nothing that a process does to itself: the system, or a user.
  if (reason.fault.phase !== 'boot' || reason.fault.signal === 'SIGKILL') return undefined
  if (lacksProcesses(reason.fault)) return undefined
  const sources = [
    ...(nodeOptions.length > 0 ? ['--node-options'] : []),
    ...(workerEnv.NODE_OPTIONS === undefined ? [] : ['NODE_OPTIONS in the environment of the workers']),
  ]
  if (sources.length === 0) return undefined
  return new UsageError(
    `invalid value for ${sources.join(' or ')}: a worker ${describeStartFailure(reason.fault)}`,
  )
}

interface EndedRun {
  readonly plan: RunPlan
  readonly files: RunFiles
  readonly progress: RunProgress
  /** Of the error that ended the run, if one did. */
  readonly errorCode: ExitCode | undefined
  /** Its signal ended the run, if there is one. */
  readonly interrupt: Pick<Interrupt, 'signal' | 'deadline' | 'untilFilesStall'>
  readonly itemsCounted: number | undefined
  /** By `performance.now()`. */
  readonly startedAt: Ms
}

export async function endRun(run: EndedRun, renderReport: RunHost['renderReport']): Promise<RunResult> {
  const { plan, files, progress, errorCode, interrupt, itemsCounted } = run
  const { signal } = interrupt
  // One without items, for example, has not begun and yet reached its end.
  if (errorCode === undefined && signal === undefined) files.begin()
  const areErrorsWritten = await unlessStalled(files.closeErrors(progress.cancelled), interrupt)
  const items = { ...progress.settled, ...progress.named }
  const errorCodes = errorCode === undefined ? [] : [errorCode]
  if (areErrorsWritten === false) errorCodes.push(EXIT.trouble)
  const byItems = exitCodeFor(plan, items, errorCodes)
  const isOutputKept = await files.keepOutput(byItems, signal !== undefined)
  const exitCode = isOutputKept ? byItems : EXIT.trouble
  const result = { exitCode, summary: summaryFor(run), signal, itemsCounted }
  const written = files.writeReports(async (kind) => (await renderReport?.(kind, result)) ?? '')
  const areReportsWritten = await unlessStalled(written, interrupt)
  await files.close()
  // A signal may have come since.
  const ended = { ...result, signal: interrupt.signal }
  if (areReportsWritten === true) return ended
  const isOverdue = areReportsWritten === undefined && interrupt.deadline.aborted
  return { ...ended, exitCode: isOverdue ? EXIT.deadline : EXIT.trouble }
}

/** `undefined` where a reader has stopped reading and the run must end. */
async function unlessStalled<T>(wait: Promise<T>, interrupt: EndedRun['interrupt']): Promise<T | undefined> {
  let stalled = false
  const result = await Promise.race([
    wait,
    interrupt.untilFilesStall(wait).catch(() => {
      stalled = true
      return undefined
    }),
  ])
  return stalled ? undefined : result
}

/** The run ended before its input was open. */
const NOTHING_READ = { accepted: 0, unread: true }

function summaryFor({ plan, progress, errorCode, interrupt, startedAt }: EndedRun): Summary | undefined {
  const isEndedFromOutside = interrupt.signal !== undefined || errorCode === EXIT.deadline
  const inputAtEnd = progress.inputAtEnd ?? (isEndedFromOutside ? NOTHING_READ : undefined)
  if (inputAtEnd === undefined) return undefined
  // The error is enough where it came before the first item.
  if (errorCode !== undefined && !isEndedFromOutside && inputAtEnd.accepted === 0) return undefined
  const reason = reasonFor(plan, interrupt.signal, errorCode)
  return summarize(progress.settled, progress.named, {
    ...inputAtEnd,
    reason,
    tookMs: performance.now() - startedAt,
  })
}

/** Why the run ended early, where that is not a failed item. */
function reasonFor(
  { deadlineMs }: RunPlan,
  signal: NodeJS.Signals | undefined,
  errorCode: ExitCode | undefined,
): string | undefined {
  if (signal !== undefined) return `interrupted by ${signal}`
  if (errorCode === EXIT.deadline) return `the deadline of ${formatMs(deadlineMs!)} was reached`
  if (errorCode === EXIT.brokenPipe) return 'the reader of stdout went away'
  return errorCode === undefined ? undefined : 'stopped'
}
