// Runs of the command line on an executor in this process, with their journal in a folder of the test.
import { PassThrough } from 'node:stream'
import { parseCommandLine } from '../../../src/cli/program.js'
import type { RunEvent } from '../../../src/model.js'
import type { RunPlan } from '../../../src/plan.js'
import { summaryLine } from '../../../src/report/summary-line.js'
import { openMerge } from '../../../src/run/merge.js'
import { type RunStages, run } from '../../../src/run/run.js'
import { startWorkers, type Workers } from '../../../src/run/workers.js'
import { type TempSpace, tempSpace } from '../../helpers/temp-space.js'
import { InProcessExecutor } from './in-process-executor.js'

type Task = (item: never) => unknown

const double = (n: number) => n * 2

/** A folder with a job, a journal and runs of any commands on both. */
export function project() {
  const space = tempSpace()
  // Nothing loads it.
  space.write({ 'job.mjs': '' })
  const started: unknown[] = []
  return {
    space,
    merge: (paths: readonly string[], options: readonly string[] = []) => merge(space, paths, options),
    journal: space.path('j.ndjson'),
    /** Items that tasks were called with since the last call. */
    took: () => started.splice(0),
    run: (argv: readonly string[], task: Task = double) =>
      runIn(space, argv, (item: never) => {
        started.push(item)
        return task(item)
      }),
  }
}

function parse(argv: readonly string[]) {
  return parseCommandLine({
    argv,
    env: {},
    stdinIsTTY: true,
    availableParallelism: 2,
    readFile: () => '',
    isFile: () => false,
  })
}

async function runIn(space: TempSpace, [command, ...rest]: readonly string[], task: Task) {
  const job = rest[0] === '-e' ? [] : [space.path('job.mjs')]
  const journal = rest.includes('--journal') ? [] : ['--journal', space.path('j.ndjson')]
  const line = parse([command!, ...job, ...rest, ...journal])
  if (line.kind !== 'run') throw new Error('not a run')
  return observe(
    space,
    line.plan,
    startWorkers(line.plan, () => new InProcessExecutor(task)),
  )
}

async function merge(space: TempSpace, paths: readonly string[], options: readonly string[]) {
  const line = parse(['merge', ...paths, ...options])
  if (line.kind !== 'merge') throw new Error('not a merge')
  const { plan, workers, stages } = openMerge(line.paths, line.plan, line.judges)
  return observe(space, plan, workers, stages)
}

async function observe(space: TempSpace, plan: RunPlan, workers: Workers, stages?: RunStages) {
  const stdout = new PassThrough()
  const events: RunEvent[] = []
  const errors: unknown[] = []
  const host = {
    cwd: space.dir,
    stdout,
    report: (event: RunEvent) => void events.push(event),
    reportError: (error: unknown) => void errors.push(error),
  }
  const { exitCode, summary } = await run(plan, workers, host, stages)
  return {
    exitCode,
    line: summary && summaryLine(plan, summary),
    stdout: String(stdout.read() ?? ''),
    notes: events.flatMap((event) => (event.type === 'note' ? event.text : [])),
    warnings: events.flatMap((event) =>
      event.type === 'warning' && event.warning.kind === 'text' ? event.warning.text : [],
    ),
    error: errors.map((error) => (error as Error).message).join('\n'),
  }
}
