// The workers of a run, started before the rest of the code is loaded: their start takes longer than anything else in a
// short run. The job and the listeners come later; until then workers wait, and events are kept.
import { maxWorkerRestarts } from '../defaults.js'
import type { CommandJobOptions } from '../exec/job.js'
import { createExecutor } from '../executor/create-executor.js'
import type { CreateExecutor, Executor } from '../executor/executor.js'
import type { JobSource } from '../ipc/protocol.js'
import type { RunEvent } from '../model.js'
import type { CommandPlan, RunPlan } from '../plan.js'

/** From the kill of a command to the message of its worker. */
const COMMAND_ENDS_MS = 1000

export interface Workers {
  readonly executor: Executor
  /** Sends them the job. */
  load(job: Promise<JobSource>): void
  /** Passes on all events so far, then each new one; with `--debug` the lines for `trace` as well. */
  listen(emit: (event: RunEvent) => void, trace?: (line: string) => void): void
}

export function startWorkers(plan: RunPlan, create: CreateExecutor = createExecutor): Workers {
  const events = new Relay<RunEvent>()
  const traceLines = new Relay<string>()
  let load!: Workers['load']
  const job = new Promise<JobSource>((resolve) => {
    load = resolve
  })
  // The run awaits it, too, and reports why there is none.
  job.catch(() => {})
  const executor = create({
    processes: plan.processes,
    concurrency: plan.concurrency,
    itemsAtATime: plan.processes === 0 ? undefined : plan.exec?.commands,
    initTimeoutMs: plan.initTimeoutMs,
    // A command is killed before its worker is.
    killAfterMs: plan.exec === undefined ? plan.killAfterMs : plan.killAfterMs + COMMAND_ENDS_MS,
    maxRestarts: plan.maxWorkerRestarts ?? maxWorkerRestarts(plan.processes),
    maxTasksPerChild: plan.maxTasksPerChild,
    maxMemoryBytes: plan.maxMemoryBytes,
    job,
    initArgs: plan.exec === undefined ? plan.initArgs : [commandJobOptions(plan, plan.exec)],
    params: plan.params,
    loadOnly: plan.dryRun,
    markOutput: marksOutput(plan),
    env: plan.workerEnv,
    execArgv: plan.nodeOptions,
    emit: (event) => events.send(event),
    trace: plan.debug ? (line) => traceLines.send(line) : undefined,
  })
  executor.start(firstWorkers(plan))
  return {
    executor,
    load,
    listen(emit, trace = () => {}) {
      traceLines.connect(trace)
      events.connect(emit)
    },
  }
}

function commandJobOptions({ processes, killAfterMs }: RunPlan, exec: CommandPlan): CommandJobOptions {
  return { ...exec, processes, killAfterMs }
}

function marksOutput({ tag, jobOutput }: RunPlan): boolean {
  return tag || jobOutput === 'group' || jobOutput === 'failed'
}

/** How many workers start before the input is open: no more than there are items, where that is known. */
function firstWorkers({ command, input, processes, dryRun }: RunPlan): number {
  if (dryRun || command === 'apply') return 1
  return input.kind === 'items' ? Math.min(processes, Math.max(1, input.texts.length)) : processes
}

/** Keeps what is sent until a listener is connected. */
class Relay<T> {
  readonly #early: T[] = []
  #listener = (value: T): void => void this.#early.push(value)

  send(value: T): void {
    this.#listener(value)
  }

  connect(listener: (value: T) => void): void {
    this.#listener = listener
    for (const value of this.#early.splice(0)) listener(value)
  }
}
