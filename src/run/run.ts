// One run of the command line from plan to exit code: hands the workers their job, opens the input, lets results flow,
// ends everything. The composition of the stages; each of them is elsewhere.
import type { Writable } from 'node:stream'
import { GRACE_MS } from '../defaults.js'
import { CallbackFault } from '../errors/callback-fault.js'
import { EXIT, type ExitCode, exitCodeOf } from '../errors/exit-codes.js'
import { formatMs } from '../errors/messages.js'
import { ExecutionFault } from '../executor/execution-fault.js'
import type { LocalExecutor } from '../executor/local-executor.js'
import type { JobSource } from '../ipc/protocol.js'
import { removePrivateFolder } from '../job/cache-folder.js'
import { compileJob } from '../job/compile.js'
import { resolveJob } from '../job/reference.js'
import type { RunEvent, RunView } from '../model.js'
import type { ReportKind, RunPlan } from '../plan.js'
import { openInput } from '../read/open.js'
import { selected } from '../read/selection.js'
import { asSingleItem } from '../read/single-call.js'
import type { ChunkSource } from '../source.js'
import { EMPTY_TALLY, exitCodeFor, type Summary, summarize, tally } from '../summary.js'
import { BrokenPipeError } from '../write/broken-pipe.js'
import type { ErrorsFile } from '../write/errors-file.js'
import { createOutput } from '../write/output.js'
import { openCallbacks } from './callback-hook.js'
import { deliverOutput } from './deliver-output.js'
import { RunFiles } from './files.js'
import { type Flow, openFlow } from './flow.js'
import { DeadlineReached, type Interrupt, Interrupted, listenForInterrupt } from './interrupt.js'
import { toPoolError } from './pool-error.js'
import { policyFor, taskFor, windowFor } from './settings.js'
import { traceCommands } from './trace.js'
import type { Workers } from './workers.js'

export interface RunHost {
  readonly cwd: string
  readonly stdout: Writable
  /** Hears of everything that happens. */
  readonly report: (event: RunEvent) => void
  /** Hears of what ended the run, where that is no failed item: a `PoolError`, a `CallbackFault`, or a bug. */
  readonly fault: (error: unknown) => void
  /** The text of a report on what happened. */
  readonly renderReport?: ((kind: ReportKind, result: RunResult) => Promise<string>) | undefined
  /** Looks on while it runs. */
  readonly watcher?: RunWatcher | undefined
  /** Hears what is done with workers, in a line each; costs a little for each chunk. */
  readonly trace?: ((line: string) => void) | undefined
}

export interface RunWatcher {
  watch(view: RunView): void
  /** Everything is about to stand still (Ctrl-Z). */
  suspend(): void
  /** It goes on. */
  resume(): void
}

export interface RunResult {
  readonly exitCode: ExitCode
  /** None where there is nothing to sum up: the run never began, or its reader left and wants to hear no more. */
  readonly summary: Summary | undefined
  /** The run was ended by it; to be raised again. */
  readonly signal: NodeJS.Signals | undefined
  /** Of a dry run. */
  readonly itemsCounted: number | undefined
}

export async function run(plan: RunPlan, workers: Workers, host: RunHost): Promise<RunResult> {
  const { executor } = workers
  let counted = EMPTY_TALLY
  const emit = (event: RunEvent) => {
    counted = tally(counted, event)
    host.report(event)
  }
  let itemsCounted: number | undefined
  const files = new RunFiles(host.fault)
  const job = compile(plan, host.cwd)
  // Told below, once the files are open.
  job.catch(() => {})
  workers.listen(emit, host.trace && traceCommands(host.trace))
  const interrupt = interruptOf(plan, executor, emit, host.watcher)
  let source: ChunkSource | undefined
  let flow: Flow | undefined
  let fault: ExitCode | undefined
  let known: Known | undefined
  try {
    await files.open(plan, host.cwd)
    const output = createOutput(files.stream ?? host.stdout)
    workers.load(job)
    host.watcher?.watch({ counts: () => countsOf(flow, source), activity: () => executor.activity() })
    // A pipe without a writer opens only when one comes.
    source = await Promise.race([openSource(plan, host.cwd), interrupt.stopped])
    if (plan.dryRun) {
      itemsCounted = await Promise.race([countItems(source), interrupt.stopped])
      source = NO_ITEMS
    }
    await Promise.race([job, interrupt.stopped])
    const onSettled = await Promise.race([settleHook(plan, host.cwd, emit, files.errors), interrupt.stopped])
    const policy = policyFor(plan)
    flow = openFlow({
      executor,
      source,
      task: taskFor(plan),
      policy,
      ordered: plan.ordered,
      window: windowFor(plan),
      chunkSize: plan.chunkSize,
      onSettled,
      timeoutMs: plan.timeoutMs,
      retry: plan.retry,
      signal: interrupt.stop,
      drain: interrupt.drain,
    })
    const unwritable = output.failed.then((error) => Promise.reject(error))
    await Promise.race([
      deliverOutput({ plan, policy, flow, output, cwd: host.cwd, emit }),
      unwritable,
      interrupt.overdue,
    ])
    known = whatIsKnown(flow, source)
    // A run that was stopped has nothing to finish in good order: what still runs is cancelled, below.
    if (counted.stoppedBy === undefined) await executor.close()
  } catch (thrown) {
    if (flow !== undefined && source !== undefined) known ??= whatIsKnown(flow, source)
    fault = judge(thrown, plan, host, interrupt.cause !== undefined)
    // Its reader is gone, so nothing that still runs is of use to anyone.
    if (fault === EXIT.brokenPipe) void executor.kill()
  } finally {
    await Promise.all([executor.terminate(), source?.close()])
    interrupt.dispose()
    // A death by signal runs no exit handlers.
    removePrivateFolder()
  }
  const { cause } = interrupt
  let exitCode = exitCodeFor(plan, counted, fault === undefined ? [] : [fault])
  if (!(await files.keepOutput(exitCode, cause !== undefined))) exitCode = EXIT.trouble
  const nothing = known?.accepted === 0 && fault !== undefined
  const began = known !== undefined && !nothing && fault !== EXIT.brokenPipe
  const reason = reasonOf(plan, cause, fault)
  const summary = began ? summarize(counted, { ...known!, reason }) : undefined
  const result = { exitCode, summary, signal: cause, itemsCounted }
  const reported = await files.writeReports(async (kind) => (await host.renderReport?.(kind, result)) ?? '')
  return { ...result, exitCode: reported ? exitCode : EXIT.trouble }
}

function interruptOf(
  plan: RunPlan,
  executor: LocalExecutor,
  emit: (event: RunEvent) => void,
  watcher: RunWatcher | undefined,
): Interrupt {
  return listenForInterrupt({
    deadlineMs: plan.deadlineMs,
    onFirst: (signal) => emit({ type: 'interrupted', signal, running: executor.running, graceMs: GRACE_MS }),
    onGraceOver: () => void executor.terminate(),
    onAgain: () => void executor.kill(),
    onSuspend: () => {
      executor.suspend()
      watcher?.suspend()
    },
    onResume: () => {
      executor.resume()
      watcher?.resume()
    },
  })
}

const NO_ITEMS: ChunkSource = { next: () => undefined, close() {}, remaining: () => 0 }

async function countItems(source: ChunkSource): Promise<number> {
  const want = { items: Number.POSITIVE_INFINITY, bytes: 1 << 20 }
  let count = 0
  for (let chunk = await source.next(want); chunk !== undefined; chunk = await source.next(want))
    count += chunk.count
  await source.close()
  return count
}

/** Why there is a verdict before the end of the input, where no item is the reason. */
function reasonOf(plan: RunPlan, cause: string | undefined, fault: ExitCode | undefined): string | undefined {
  if (cause !== undefined) return `interrupted by ${cause}`
  if (fault === EXIT.deadline) return `the deadline of ${formatMs(plan.deadlineMs!)} was reached`
  return fault === undefined ? undefined : 'stopped'
}

interface Known {
  /** Items known of: taken from the input, or read and not taken any more. */
  readonly accepted: number
  readonly unread: boolean
}

function whatIsKnown(flow: Flow, source: ChunkSource): Known {
  const { ok, failed, notRun } = flow.counts
  const remaining = flow.inputEnded ? 0 : source.remaining?.()
  return { accepted: ok + failed + notRun + (remaining ?? 0), unread: remaining === undefined }
}

/** Nothing is known before the input is open. */
function countsOf(flow: Flow | undefined, source: ChunkSource | undefined): ReturnType<RunView['counts']> {
  if (flow === undefined || source === undefined) return { ok: 0, failed: 0, notRun: 0, total: undefined }
  const { accepted, unread } = whatIsKnown(flow, source)
  return { ...flow.counts, total: unread ? undefined : accepted }
}

async function compile({ job }: RunPlan, cwd: string): Promise<JobSource> {
  return compileJob(resolveJob(job.path, cwd), { cwd })
}

async function openSource(plan: RunPlan, cwd: string): Promise<ChunkSource> {
  const tolerant = plan.command === 'collect'
  const whole = await openInput(plan.input, plan.inputFormat, { tolerant, cwd })
  const source = plan.only === undefined ? whole : selected(whole, plan.only)
  return plan.command === 'apply' ? asSingleItem(source) : source
}

async function settleHook(
  { callbacks }: RunPlan,
  cwd: string,
  emit: (event: RunEvent) => void,
  errors: ErrorsFile | undefined,
) {
  const call = callbacks === undefined ? undefined : await openCallbacks(callbacks, cwd)
  return (settled: Parameters<NonNullable<typeof call>>[0]) => {
    emit({ type: 'items-settled', settled })
    errors?.settled(settled)
    return call?.(settled)
  }
}

/** Says what ended the run, if that is news to the user, and with which code. */
function judge(thrown: unknown, plan: RunPlan, host: RunHost, interrupted: boolean): ExitCode | undefined {
  if (thrown instanceof DeadlineReached) return EXIT.deadline
  if (thrown instanceof Interrupted) return undefined
  // Its grace was over, or it was killed: the signal says it all.
  if (interrupted && thrown instanceof ExecutionFault && thrown.reason.type === 'terminated') return undefined
  if (thrown instanceof BrokenPipeError) return EXIT.brokenPipe
  const error = thrown instanceof ExecutionFault ? toPoolError(thrown, plan.job.path) : thrown
  host.fault(error)
  return exitCodeOf(error instanceof CallbackFault ? error.error : error)
}
