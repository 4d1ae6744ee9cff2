// Faults of a pool as the errors that users see.
import { describe, expect, test } from 'vitest'
import { JobError, PoolBrokenError } from '../../../src/errors/classes.js'
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

  test('while it loaded the job is the fault of the job', () => {
    const error = errorOf({ phase: 'load', exitCode: null, signal: 'SIGSEGV' })
    expect(error).toBeInstanceOf(JobError)
    expect(error.message).toBe('job.ts was killed by SIGSEGV while loading')
  })
})
