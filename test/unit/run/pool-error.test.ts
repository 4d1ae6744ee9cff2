// Faults of a pool as the errors that users see.
import { describe, expect, test } from 'vitest'
import { InitializerError, JobError, PoolBrokenError } from '../../../src/errors/classes.js'
import { ExecutionFault } from '../../../src/executor/executor.js'
import type { PoolFault } from '../../../src/executor/scheduler/messages.js'
import { toPoolError } from '../../../src/run/pool-error.js'

const STARTUP: Extract<PoolFault, { kind: 'startup' }> = {
  kind: 'startup',
  phase: 'boot',
  exitCode: 1,
  signal: null,
  stderrTail: [],
  notice: undefined,
  worker: 0,
  pid: 41,
  started: 2,
}

const errorOf = (changes: Partial<typeof STARTUP>) =>
  toPoolError(new ExecutionFault({ type: 'fault', fault: { ...STARTUP, ...changes } }, 'default'), 'job.ts')

describe('a worker that exited while it started', () => {
  test.each<[what: string, stderrTail: readonly string[], reason: string]>([
    ['nothing', [], ''],
    ['an error', ['loader:1210', '  throw err;', '  ^', '', 'Error: no x', '    at y'], ': Error: no x'],
    ['an error with a code', ['  ^', 'TypeError [ERR_X]: no x', 'Node.js v22'], ': TypeError [ERR_X]: no x'],
    ['an abort', ['', '<--- JS stacktrace --->', '# Fatal javascript OOM', '#'], ': # Fatal javascript OOM'],
    ['a refused option', ['node: bad option: --bogus'], ': node: bad option: --bogus'],
    ['a thrown text', ['/a/preload.cjs:1', "throw 'x'", 'Node.js v22'], ': /a/preload.cjs:1'],
  ])('before it loaded the job is not the fault of the job; it wrote %s', (_, stderrTail, reason) => {
    const error = errorOf({ stderrTail })
    expect(error).toBeInstanceOf(PoolBrokenError)
    expect(error.message).toBe(
      `cannot start a worker process: worker 0 (pid 41) exited with code 1 before it loaded the job${reason}`,
    )
  })

  const NO_THREAD = 'node[7]: pthread_create: Resource temporarily unavailable'
  test.each<[what: string, changes: Partial<typeof STARTUP>, isJobToBlame: boolean]>([
    ['where Node names the thread', { stderrTail: [NO_THREAD] }, false],
    [
      'where Node names the thread after the job began to load',
      { phase: 'load', stderrTail: [NO_THREAD] },
      false,
    ],
    ['in silence', {}, false],
    ['for another reason', { phase: 'load', stderrTail: ['addon: no'] }, true],
    ['in silence while the job loads', { phase: 'load' }, true],
  ])('by an abort %s: %j', (_what, changes, isJobToBlame) => {
    const error = errorOf({ exitCode: null, signal: 'SIGABRT', ...changes })
    expect(error).toBeInstanceOf(isJobToBlame ? JobError : PoolBrokenError)
    const hint = expect(error.message)
    const help = 'raise the limit of processes'
    isJobToBlame ? hint.not.toContain(help) : hint.toContain(help)
  })

  test('that the system did not allow is named with what helps', () => {
    const cause = Object.assign(new Error('spawn node EAGAIN'), { code: 'EAGAIN', syscall: 'spawn node' })
    const fault = { type: 'fault', fault: { kind: 'spawn', error: cause } } as const
    expect(toPoolError(new ExecutionFault(fault, 'default'), 'job.ts').message).toBe(
      'cannot start a worker process: spawn node EAGAIN; raise the limit of processes and threads (ulimit -u, pids.max of the container) or lower --processes',
    )
  })

  test('while it loaded the job is the fault of the job', () => {
    const error = errorOf({ phase: 'load', exitCode: null, signal: 'SIGSEGV' })
    expect(error).toBeInstanceOf(JobError)
    expect(error.message).toBe('job.ts was killed by SIGSEGV while loading')
  })
})

describe('a worker that is not ready in time', () => {
  const late = (phase: 'load' | 'initializer') => {
    const fault = { kind: 'init-timeout', phase, afterMs: 500, worker: 0, pid: 41, started: 1 } as const
    return toPoolError(new ExecutionFault({ type: 'fault', fault }, 'default'), 'job.ts')
  }

  test('is the fault of the job while that loads: it may await at top level', () => {
    expect(late('load')).toBeInstanceOf(JobError)
    expect(late('load').message).toMatch(/^job\.ts was not loaded within 500 ms \(worker 0 \(pid 41\)\)/)
  })

  test('is that of the initializer once the job has loaded', () => {
    expect(late('initializer')).toBeInstanceOf(InitializerError)
  })
})
