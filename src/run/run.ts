// One run of the command line, from plan to exit code: sends the workers their job, opens the input, lets results flow
// to the output and ends everything. Only the order of the steps is here; each step is in a file of its own.
import { EXIT, type ExitCode } from '../errors/exit-codes.js'
import type { JobSource } from '../ipc/protocol.js'
import { removePrivateFolder } from '../job/cache-folder.js'
import { compileExpression, compileJob } from '../job/compile.js'
import { resolveJob } from '../job/reference.js'
import type { RunEvent } from '../model.js'
import { isTable, type RunPlan } from '../plan.js'
import type { ErrorsFile } from '../write/errors-file.js'
import { createOutput } from '../write/output.js'
import { Table } from '../write/table.js'
import { type OpenCallbacks, openCallbacks } from './callback-hook.js'
import { deliverOutput, reportSkipped } from './deliver-output.js'
import { endRun, exitCodeForError } from './ending.js'
import { RunFiles } from './files.js'
import { type Flow, openFlow } from './flow.js'
import { type Interrupt, interruptFor } from './interrupt.js'
import { missingCommand } from './missing-command.js'
import { describeResume } from './resume-counts.js'
import type { RunHost, RunResult } from './run-host.js'
import { countItems, NO_ITEMS, openRunInput } from './run-input.js'
import { openRunJournal, type RunJournal } from './run-journal.js'
import { RunProgress } from './run-progress.js'
import { policyFor, taskFor, windowFor } from './settings.js'
import type { SettleHook } from './settle-queue.js'
import type { Workers } from './workers.js'

/** Where a run has its code and its items from. */
export interface RunStages {
  compile(plan: RunPlan, cwd: string): Promise<JobSource>
  openInput: typeof openRunInput
}

const STAGES: RunStages = { compile, openInput: openRunInput }

export async function run(
  plan: RunPlan,
  workers: Workers,
  host: RunHost,
  stages: RunStages = STAGES,
): Promise<RunResult> {
  const startedAt = performance.now()
  const { executor } = workers
  const { cwd, reportError } = host
  const files = new RunFiles(reportError)
  const progress = new RunProgress(() => files.begin())
  const emit = (event: RunEvent) => {
    progress.handle(event)
    host.report(event)
  }
  const note = (text: string) => emit({ type: 'note', text })
  const job = stages.compile(plan, cwd)
  // Reported below, where it is awaited: the files must be open by then, or wait for a reader.
  const jobFailed = new AbortController()
  job.catch((error: unknown) => jobFailed.abort(error))
  const interrupt = interruptFor(plan, executor, emit, host)
  // Only now: a signal that answers the first line of text must find its handler.
  workers.listen(emit, host.trace)
  let itemsCounted: number | undefined
  let errorCode: ExitCode | undefined
  let journal: RunJournal | undefined
  try {
    await files.open(plan, cwd, AbortSignal.any([interrupt.drain, interrupt.deadline, jobFailed.signal]))
    const output = createOutput(files.stream ?? host.stdout, plan.output)
    const warn = (text: string) => emit({ type: 'warning', warning: { kind: 'text', text } })
    journal = openRunJournal(plan, warn)
    const checkedJob = journal === undefined ? job : journal.check(job)
    workers.load(checkedJob)
    host.watcher?.watch({
      counts: () => progress.counts,
      activity: () => executor.activity(),
      get isEnding() {
        return interrupt.drain.aborted
      },
      limit: plan.rate?.text,
      get pausedForMs() {
        return executor.pausedForMs
      },
    })
    let source = await interrupt.untilStopped(stages.openInput(plan, cwd, warn, journal?.inputRead))
    progress.opened(source)
    if (plan.dryRun) {
      // Counting may wait for the writer of a pipe.
      await interrupt.untilStopped(job)
      const commands = plan.exec && (await import('./commands.js')).dryRunCommands(plan.exec)
      itemsCounted = await interrupt.untilStopped(countItems(source, commands?.add))
      if (commands !== undefined) {
        await output.write(Buffer.from(commands.text()))
        await output.end()
      }
      source = NO_ITEMS
      progress.opened(source)
    }
    await interrupt.untilStopped(checkedJob)
    if (journal?.isResumed === true)
      note(await interrupt.untilStopped(describeResume(plan, cwd, journal.journal)))
    const callbacks = await interrupt.untilStopped(callbacksFor(plan, cwd))
    const onSettled = withRoom(settleHook(files.errors, callbacks, plan), roomUntilStopped(host, interrupt))
    const table = await tableFor(plan)
    const policy = policyFor(plan)
    const flow: Flow = openFlow({
      executor: journal === undefined ? executor : journal.before(executor, note),
      source,
      task: taskFor(plan),
      policy,
      ordered: plan.ordered,
      window: windowFor(plan),
      chunkSize: plan.chunkSize,
      timeoutMs: plan.timeoutMs,
      retry: plan.retry,
      intervalMs: plan.rate?.intervalMs,
      onTaken: progress.itemsTaken,
      check: table,
      onSettled(settled) {
        emit({ type: 'items-settled', settled })
        const missing = missingCommand(settled, flow.counts.ok)
        if (missing !== undefined) return failAfter(onSettled(settled), missing)
        reportSkipped(settled, policy, flow.stopped?.failure, emit)
        return onSettled(settled)
      },
      onCancelled: (cancelled) => emit({ type: 'items-cancelled', cancelled }),
      end: interrupt.deadline,
      drain: interrupt.drain,
    })
    progress.started(flow)
    const delivery = deliverOutput({ plan, policy, flow, output, table, cwd, emit })
    const escaped = callbacks === undefined ? [] : [callbacks.escaped]
    const ended = Promise.race([delivery, rejection(output.failed), ...escaped])
    await interrupt.untilStalled(ended, () => {
      const { ok, failed } = flow.reportedCounts
      return ok + failed + output.written
    })
    // It was reached while an item was cancelled or the last results were written.
    interrupt.deadline.throwIfAborted()
    progress.ended()
    // After a stop, running items are of no use: they are cancelled below.
    if (progress.named.stoppedBy === undefined) await Promise.race([executor.close(), ...escaped])
  } catch (thrown) {
    progress.ended()
    const interrupted = interrupt.signal !== undefined
    errorCode = exitCodeForError(thrown, { plan, interrupted, reportError })
    // Nobody reads the results any more.
    if (errorCode === EXIT.brokenPipe) void executor.kill()
  } finally {
    await Promise.all([executor.terminate(), progress.closeSource()])
    const mismatch = progress.closeFlow()
    if (mismatch !== undefined)
      errorCode = exitCodeForError(mismatch, { plan, interrupted: false, reportError })
    await journal?.close(progress, errorCode).catch((error: unknown) => {
      // One that could not be written is reported already.
      errorCode ??= exitCodeForError(error, { plan, interrupted: false, reportError })
    })
    // Here, because a death by signal runs no exit handlers.
    removePrivateFolder()
  }
  try {
    return await endRun(
      { plan, files, progress, errorCode, interrupt, itemsCounted, startedAt },
      host.renderReport,
    )
  } finally {
    interrupt.dispose()
  }
}

async function compile(plan: RunPlan, cwd: string): Promise<JobSource> {
  const { job, exec, workerEnv, processes } = plan
  if (exec !== undefined)
    return (await import('./commands.js')).commandJob(exec, { ...process.env, ...workerEnv }, cwd)
  const own = workerEnv.NODE_OPTIONS === undefined ? [] : [workerEnv.NODE_OPTIONS]
  const nodeOptions = [...(processes === 0 ? process.execArgv : plan.nodeOptions), ...own]
  if (job.expression !== undefined) return compileExpression(job.expression, job.path, { cwd, nodeOptions })
  return compileJob(resolveJob(job.path, cwd), { cwd, nodeOptions })
}

async function tableFor({ format, delimiter = ',' }: RunPlan): Promise<Table | undefined> {
  if (!isTable(format)) return undefined
  const { stringify } = await import('csv-stringify/sync')
  return new Table(format, delimiter, stringify)
}

async function callbacksFor({ callbacks }: RunPlan, cwd: string): Promise<OpenCallbacks | undefined> {
  return callbacks === undefined ? undefined : openCallbacks(callbacks, cwd)
}

/** What happens when items have settled and were reported: `--errors` and `--callbacks`, in this order. */
function settleHook(
  errors: ErrorsFile | undefined,
  callbacks: OpenCallbacks | undefined,
  { journal }: RunPlan,
): SettleHook {
  const call: SettleHook = (settled) => {
    // Callbacks are given what is written.
    const isWritten = settled.restored !== true || journal?.emitsNew !== true
    return isWritten ? callbacks?.call(settled) : undefined
  }
  return (settled) => {
    const written = errors?.write(settled)
    return written instanceof Promise ? written.then(() => call(settled)) : call(settled)
  }
}

/** Waits for the reader of reports while it is behind, until the run is stopped from outside. */
function roomUntilStopped({ roomForReports }: RunHost, interrupt: Interrupt) {
  return () => {
    const room = roomForReports?.()
    return room && interrupt.untilStopped(room).catch(() => {})
  }
}

function withRoom(hook: SettleHook, roomForReports: () => Promise<void> | undefined): SettleHook {
  return (settled) => {
    const called = hook(settled)
    const room = roomForReports()
    return room === undefined ? called : Promise.all([called, room]).then(() => {})
  }
}

/** Throws at once if there is nothing to wait for, so that no other item begins. */
function failAfter(called: ReturnType<SettleHook>, error: Error): Promise<void> {
  if (!(called instanceof Promise)) throw error
  return called.then(() => Promise.reject(error))
}

async function rejection(failed: Promise<Error>): Promise<never> {
  throw await failed
}
