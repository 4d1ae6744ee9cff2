// The workers of a run, forked before the rest of it is loaded: a short run waits for nothing as long as for their
// start. The job and whoever listens come later; until then workers wait, and what happens is kept.

import { maxWorkerRestarts } from '../defaults.js'
import { LocalExecutor } from '../executor/local-executor.js'
import type { Command } from '../executor/scheduler/messages.js'
import type { JobSource } from '../ipc/protocol.js'
import type { RunEvent } from '../model.js'
import type { RunPlan } from '../plan.js'
import { createForkTransport } from '../transport/fork.js'
import { workerEntry } from '../transport/worker-entry.js'

export interface Workers {
  readonly executor: LocalExecutor
  /** Hands them the job. */
  load(job: Promise<JobSource>): void
  /** Tells what has happened to them so far, then what happens; `trace`, with `--debug`, what is done with them. */
  listen(emit: (event: RunEvent) => void, trace?: (command: Command) => void): void
}

export function startWorkers(plan: RunPlan): Workers {
  const events = createRelay<RunEvent>()
  const commands = createRelay<Command>()
  let load!: Workers['load']
  const job = new Promise<JobSource>((resolve) => {
    load = resolve
  })
  const executor = new LocalExecutor({
    processes: plan.processes,
    concurrency: plan.concurrency,
    initTimeoutMs: plan.initTimeoutMs,
    killAfterMs: plan.killAfterMs,
    maxRestarts: plan.maxWorkerRestarts ?? maxWorkerRestarts(plan.processes),
    maxTasksPerChild: plan.maxTasksPerChild,
    maxMemoryBytes: plan.maxMemoryBytes,
    transport: createForkTransport({ entry: workerEntry(), outputFirst: marksOutput(plan) }),
    job,
    initArgs: plan.initArgs,
    loadOnly: plan.dryRun,
    markOutput: marksOutput(plan),
    emit: events.send,
    trace: plan.debug ? commands.send : undefined,
  })
  executor.start(workersAtFirst(plan))
  return {
    executor,
    load,
    listen(emit, trace = () => {}) {
      commands.connect(trace)
      events.connect(emit)
    },
  }
}

function marksOutput({ tag, jobOutput }: RunPlan): boolean {
  return tag || jobOutput === 'group' || jobOutput === 'failed'
}

/** No more than there are items, where that is known before anything is read. */
function workersAtFirst({ command, input, processes, dryRun }: RunPlan): number {
  if (dryRun) return 1
  if (command === 'apply') return 1
  return input.kind === 'items' ? Math.min(processes, Math.max(1, input.texts.length)) : processes
}

interface Relay<T> {
  readonly send: (value: T) => void
  connect(listener: (value: T) => void): void
}

/** Keeps what is sent until someone listens. */
function createRelay<T>(): Relay<T> {
  const early: T[] = []
  let deliver = (value: T): void => void early.push(value)
  return {
    send: (value) => deliver(value),
    connect(listener) {
      deliver = listener
      for (const value of early.splice(0)) listener(value)
    },
  }
}
