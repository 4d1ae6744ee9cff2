// Whole runs, from plan to exit code, on an executor that is not the one of worker processes: a run uses nothing but the
// executor's interface.
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { parseCommandLine } from '../../../src/cli/program.js'
import { JobError } from '../../../src/errors/classes.js'
import type { ExecutionFault } from '../../../src/executor/executor.js'
import type { RunEvent, RunView } from '../../../src/model.js'
import { summaryLine } from '../../../src/report/summary-line.js'
import { run } from '../../../src/run/run.js'
import { startWorkers } from '../../../src/run/workers.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { InProcessExecutor } from './in-process-executor.js'

interface RunOptions {
  readonly task?: (...args: never[]) => unknown
  readonly fault?: ExecutionFault['reason']
}

/** Runs a command on the job `task`. The job file exists and is empty: nothing loads it. */
async function runCommand(argv: readonly string[], { task = double, fault }: RunOptions = {}) {
  const space = tempSpace()
  space.write({ 'job.mjs': '' })
  const [command, ...rest] = argv as [string, ...string[]]
  const line = parseCommandLine({
    argv: [command, space.path('job.mjs'), ...rest],
    env: {},
    stdinIsTTY: true,
    availableParallelism: 2,
    readFile: () => '',
    isFile: () => false,
  })
  if (line.kind !== 'run') throw new Error('not a run')
  const executor = new InProcessExecutor(task, fault)
  const workers = startWorkers(line.plan, () => executor)
  const stdout = new PassThrough()
  const events: RunEvent[] = []
  const errors: unknown[] = []
  let view: RunView | undefined
  const { exitCode, summary, signal, itemsCounted } = await run(line.plan, workers, {
    cwd: space.dir,
    stdout,
    report: (event) => events.push(event),
    reportError: (error) => errors.push(error),
    watcher: {
      watch(given) {
        view = given
      },
      suspend() {},
      resume() {},
    },
  })
  return {
    exitCode,
    line: summary && summaryLine(line.plan, summary),
    signal,
    itemsCounted,
    stdout: String(stdout.read() ?? ''),
    verdicts: events.flatMap((event) => (event.type === 'item-failed' ? event.verdict : [])),
    errors,
    calls: executor.calls,
    view,
  }
}

const double = (n: number) => n * 2

function doubleButThree(n: number): number {
  if (n === 3) throw new RangeError('three')
  return n * 2
}

test.each(['map', 'imap', 'imap-unordered', 'collect', 'starmap'])(
  '%s of an empty input ends with 0 and writes nothing',
  async (command) => {
    expect(await runCommand([command, '-i', '/dev/null'])).toMatchObject({
      stdout: '',
      exitCode: 0,
      line: `poolrun ${command}: 0 ok`,
      errors: [],
    })
  },
)

describe('map', () => {
  test('writes all results in input order and ends with 0', async () => {
    expect(await runCommand(['map', '1', '2', '3', '4', '5'])).toMatchObject({
      stdout: '2\n4\n6\n8\n10\n',
      exitCode: 0,
      line: 'poolrun map: 5 ok',
      errors: [],
    })
  })

  test('writes nothing and ends with 1 when an item failed', async () => {
    const { stdout, exitCode, line, verdicts } = await runCommand(['map', '1', '2', '3', '4', '5'], {
      task: doubleButThree,
    })
    expect({ stdout, exitCode, verdicts }).toEqual({ stdout: '', exitCode: 1, verdicts: ['stop'] })
    // The first two chunks of two items settled, the fifth item was never taken.
    expect(line).toBe('poolrun map: item 2 failed, stopped (fail-fast): 3 ok, 1 failed, 1 not run')
  })
})

describe('imap', () => {
  test('writes what comes before the failed item and ends with 1', async () => {
    expect(await runCommand(['imap', '1', '2', '3', '4'], { task: doubleButThree })).toMatchObject({
      stdout: '2\n4\n',
      exitCode: 1,
      verdicts: ['raise'],
    })
  })
})

describe('collect', () => {
  test('writes what succeeded and ends with 3', async () => {
    expect(await runCommand(['collect', '1', '2', '3', '4'], { task: doubleButThree })).toMatchObject({
      stdout: '2\n4\n8\n',
      exitCode: 3,
      verdicts: ['skip'],
      line: 'poolrun collect: 3 ok, 1 failed (item 2)',
    })
  })

  test('ends with 0 when no more items failed than allowed', async () => {
    const argv = ['collect', '--allow-failures=25%', '1', '2', '3', '4']
    expect(await runCommand(argv, { task: doubleButThree })).toMatchObject({ exitCode: 0 })
  })

  test('stops at --max-failures and counts what did not run', async () => {
    const argv = ['collect', '--max-failures', '1', '--chunk-size', '1', '3', '1', '2']
    expect(await runCommand(argv, { task: doubleButThree })).toMatchObject({
      exitCode: 3,
      verdicts: ['stop'],
      line: 'poolrun collect: 1 item failed, stopped (--max-failures 1): 0 ok, 1 failed (item 0), 2 not run',
    })
  })
})

test('apply passes its arguments to the task and writes the one result', async () => {
  const task = (a: number, b: number) => a - b
  expect(await runCommand(['apply', '5', '3'], { task })).toMatchObject({ stdout: '2\n', exitCode: 0 })
})

test('a dry run counts the items and runs none', async () => {
  const task = () => {
    throw new Error('an item ran')
  }
  expect(await runCommand(['map', '--dry-run', '1', '2', '3'], { task })).toMatchObject({
    stdout: '',
    exitCode: 0,
    itemsCounted: 3,
    line: 'poolrun map: 0 ok',
  })
})

test('workers start before the input is open, and are stopped and then terminated', async () => {
  const { calls } = await runCommand(['map', '1', '2', '3'])
  expect(calls).toEqual(['start 2', 'execute', 'close', 'terminate'])
})

test('after a failure that ends the run, workers are terminated without being stopped first', async () => {
  const { calls } = await runCommand(['map', '3'], { task: doubleButThree })
  expect(calls).toEqual(['start 1', 'execute', 'terminate'])
})

test('the view of the run shows its items and the workers of the executor', async () => {
  const { view } = await runCommand(['map', '1', '2'])
  expect(view?.counts()).toEqual({ ok: 2, failed: 0, notRun: 0, total: 2 })
  expect(view?.activity()).toHaveLength(1)
})

test('a fault of the executor is reported as an error and decides the exit code', async () => {
  const fault = { type: 'no-task', exports: {} } as const
  const { errors, exitCode, stdout } = await runCommand(['map', '1'], { fault })
  expect(errors).toEqual([expect.any(JobError)])
  expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' })
})

describe('a signal', () => {
  test('takes no more items, delivers what has settled, and is part of the result', async () => {
    const task = (n: number) => {
      if (n === 2) process.emit('SIGINT', 'SIGINT')
      return n
    }
    expect(await runCommand(['imap', '1', '2', '3', '4'], { task })).toMatchObject({
      stdout: '1\n2\n',
      signal: 'SIGINT',
      exitCode: 0,
      line: 'poolrun imap: interrupted by SIGINT: 2 ok, 2 not run',
      errors: [],
    })
  })

  test('that comes twice kills the workers', async () => {
    const task = () => {
      process.emit('SIGTERM', 'SIGTERM')
      process.emit('SIGTERM', 'SIGTERM')
      return new Promise(() => {})
    }
    const { calls, signal, line } = await runCommand(['map', '1'], { task })
    expect(calls).toContain('kill')
    expect({ signal, line }).toEqual({
      signal: 'SIGTERM',
      line: 'poolrun map: interrupted by SIGTERM: 0 ok, 1 not run',
    })
  })

  test('leaves no listener behind', async () => {
    const before = process.listenerCount('SIGINT')
    await runCommand(['map', '1'])
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})
