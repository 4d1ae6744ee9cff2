// What a run throws × its exit code, and whether the user is shown an error; then what the end of a run comes to.
import { describe, expect, test } from 'vitest'
import { InitializerError, InputError, JobError, OutputError } from '../../../src/errors/classes.js'
import type { ExitCode } from '../../../src/errors/exit-codes.js'
import { ItemCallbackError } from '../../../src/errors/rebuild/item-callback-error.js'
import { makeCallbackError } from '../../../src/errors/rebuild/item-error.js'
import { ExecutionFault } from '../../../src/executor/executor.js'
import type { PoolFault } from '../../../src/executor/scheduler/messages.js'
import type { RunPlan } from '../../../src/plan.js'
import { endRun, exitCodeForError } from '../../../src/run/ending.js'
import { RunFiles } from '../../../src/run/files.js'
import type { Flow } from '../../../src/run/flow.js'
import { DeadlineReached, Interrupted } from '../../../src/run/interrupt.js'
import { RunProgress } from '../../../src/run/run-progress.js'
import { BrokenPipeError } from '../../../src/write/broken-pipe.js'
import { settledRange, valuesChunk } from '../policy/ranges.js'
import { itemFailed } from '../report/events.js'

const plan = {
  command: 'map',
  job: { path: 'job.ts', exportName: 'default' },
  allowFailures: { count: 0 },
  deadlineMs: 1_500,
} as RunPlan

const terminated = new ExecutionFault({ type: 'terminated' }, 'default')
const callbackFault = new ItemCallbackError(
  makeCallbackError('callback', 0, new Error('no'), { result: 1 }),
  settledRange(valuesChunk(0, 1)),
  0,
  undefined,
)

describe('the exit code for an error', () => {
  const end = (thrown: unknown, interrupted: boolean) => {
    const shown: unknown[] = []
    const reportError = (error: unknown) => shown.push(error)
    return { code: exitCodeForError(thrown, { plan, interrupted, reportError }), shown }
  }

  test.each([
    ['an input error', new InputError('torn'), 4],
    ['a job error', new JobError('missing'), 5],
    ['an initializer error', new InitializerError('late'), 6],
    ['an output error', new OutputError('full'), 7],
    ['a callback that threw', callbackFault, 1],
    ['a bug', new TypeError('bug'), 7],
    ['undefined', undefined, 7],
  ])('%s is shown and has its own', (_what, thrown, code) => {
    expect(end(thrown, false)).toEqual({ code, shown: [thrown] })
  })

  test('a fault of the executor is shown as the error that it is for users', () => {
    const { code, shown } = end(new ExecutionFault({ type: 'no-task', exports: {} }, 'default'), false)
    expect(code).toBe(5)
    expect(shown).toEqual([expect.any(JobError)])
  })

  test.each([
    ['the deadline', new DeadlineReached(), false, 124],
    ['a reader that left', new BrokenPipeError(undefined), false, 141],
    ['a signal', new Interrupted('SIGINT'), true, undefined],
    ['a pool that was terminated after a signal', terminated, true, undefined],
  ])('%s is not shown', (_what, thrown, interrupted, code) => {
    expect(end(thrown, interrupted)).toEqual({ code, shown: [] })
  })

  const exited = { worker: 0, pid: 41, started: 1, exitCode: 1, signal: null, stderrTail: ['Error: no'] }
  const startup = { kind: 'startup', phase: 'boot', notice: undefined, ...exited } as const
  const killed = { ...startup, exitCode: null, signal: 'SIGKILL' }
  const options = { nodeOptions: ['--x'] }
  const environment = { workerEnv: { NODE_OPTIONS: '--y' } }
  const how = 'a worker exited with code 1 before it loaded the job: Error: no'
  const inEnvironment = 'NODE_OPTIONS in the environment of the workers'
  test.each<[what: string, fault: PoolFault, Partial<RunPlan>, code: number, message: string]>([
    ['its options', startup, options, 2, `invalid value for --node-options: ${how}`],
    ['its environment', startup, environment, 2, `invalid value for ${inEnvironment}: ${how}`],
    [
      'one of the two',
      startup,
      { ...options, ...environment },
      2,
      `invalid value for --node-options or ${inEnvironment}: ${how}`,
    ],
    ['none of them', startup, {}, 7, 'cannot start a worker process: worker 0 (pid 41) exited with code 1'],
    ['a kill from outside', killed, options, 7, 'worker 0 (pid 41) was killed by SIGKILL before'],
    [
      'a limit of threads',
      { ...startup, exitCode: null, signal: 'SIGABRT', stderrTail: ['pthread_create: no'] },
      options,
      7,
      'raise the limit of processes',
    ],
    ['the job, whatever its options', { ...startup, phase: 'load' }, options, 5, 'job.ts exited with code 1'],
  ])('a worker that could not start because of %s', (_what, fault, changes, code, message) => {
    const shown: Error[] = []
    const context = {
      plan: { ...plan, nodeOptions: [], workerEnv: {}, ...changes },
      interrupted: false,
      reportError: (error: unknown) => shown.push(error as Error),
    }
    const thrown = new ExecutionFault({ type: 'fault', fault }, 'default')
    expect(exitCodeForError(thrown, context)).toBe(code)
    expect(shown.map((error) => error.message)).toEqual([expect.stringContaining(message)])
  })

  test('a pool that was terminated without a signal is shown', () => {
    const { code, shown } = end(terminated, false)
    expect({ code, shown: shown.length }).toEqual({ code: 7, shown: 1 })
  })
})

describe('the result of a run', () => {
  type Overrides = { errorCode?: ExitCode; signal?: NodeJS.Signals }

  /** Two of three items settled, one of them failed; `accepted` 0: none was taken. */
  function progressOf(accepted: 0 | 3, stopped = false): RunProgress {
    const progress = new RunProgress(() => {})
    const counts = accepted === 0 ? { ok: 0, failed: 0, notRun: 0 } : { ok: 1, failed: 1, notRun: 1 }
    progress.opened({ next: () => undefined, close() {} })
    progress.started({ counts, reportedCounts: counts, inputEnded: true } as Flow)
    if (stopped) progress.handle(itemFailed(1, 'stop'))
    progress.ended()
    return progress
  }
  const end = (progress: RunProgress, { errorCode, signal }: Overrides = {}) => {
    const files = new RunFiles(() => {})
    const interrupt = {
      signal,
      deadline: new AbortController().signal,
      untilFilesStall: <T>(wait: Promise<T>) => wait,
    }
    return endRun(
      { plan, files, progress, errorCode, interrupt, itemsCounted: undefined, startedAt: 0 },
      undefined,
    )
  }

  test('has the counts and the code of its items', async () => {
    const { exitCode, summary } = await end(progressOf(3, true))
    expect(exitCode).toBe(1)
    expect(summary).toMatchObject({ ok: 1, failed: 1, notRun: 1, stoppedBy: { index: 1, verdict: 'stop' } })
    expect(summary?.reason).toBeUndefined()
  })

  test.each([
    ['a signal', { signal: 'SIGINT' } as const, 'interrupted by SIGINT'],
    ['the deadline', { errorCode: 124 } as const, 'the deadline of 1.5 s was reached'],
    ['an error', { errorCode: 5 } as const, 'stopped'],
    ['a reader that left', { errorCode: 141 } as const, 'the reader of stdout went away'],
  ])('has %s as its reason', async (_what, overrides, reason) => {
    expect((await end(progressOf(3), overrides)).summary?.reason).toBe(reason)
  })

  test('has no summary where no item could run', async () => {
    const progress = new RunProgress(() => {})
    progress.ended()
    expect(await end(progress, { errorCode: 5 })).toMatchObject({ exitCode: 5, summary: undefined })
  })

  test('has no summary after an error before the first item', async () => {
    expect((await end(progressOf(0), { errorCode: 4 })).summary).toBeUndefined()
    expect((await end(progressOf(0))).summary).toMatchObject({ ok: 0 })
  })
})
