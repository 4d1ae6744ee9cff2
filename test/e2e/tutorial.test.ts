// The examples of a well-known tutorial on exceptions in Python's multiprocessing pool, on the command line. Tests are
// named after its sections, and jobs/fail2.ts is its task. Python's bugs (the endless restarts after a failed initializer,
// the hanging callback) must not happen here.
import { describe, expect, it } from 'vitest'
import { lastLine, normalise, occurrences } from '../helpers/normalise.js'
import { fixture, runCli } from '../helpers/run-cli.js'

const RANGE5 = ['-i', 'jobs/data/range5.json']

/** The traceback of `jobs/fail2.ts` with one worker. */
const f1 = (command: string) => `RemoteTraceback: item 2, worker 0 (pid <pid>)
"""
Error: Something bad happened!
    at task (jobs/fail2.ts:6:11)
"""

The above exception was the direct cause of the following exception:

Error: Something bad happened!
    at poolrun ${command} jobs/fail2.ts (item 2: 2)
`

describe('Exception Handling in Worker Initialization', () => {
  it('an initializer that throws ends the run with one traceback, exit code 6 and no restarts', async () => {
    const run = await runCli(['apply', fixture('initializer-throws'), '1'])
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(6)
    expect(occurrences(run.stderr, 'RemoteTraceback: initializer, worker ')).toBe(1)
    expect(occurrences(run.stderr, 'Error: no licence')).toBe(1)
  })
})

describe('Exception Handling in Task Execution', () => {
  it('Handle Exception Within the Task', async () => {
    const run = await runCli(['apply', fixture('handles-its-own-error'), '-j', '0', '--format', 'raw'])
    expect(run).toMatchObject({ stdout: 'Unable to get the result\n', exitCode: 0 })
  })

  it('Handle Exception Outside the Task', async () => {
    const run = await runCli(['apply', 'jobs/fail2.ts', '-j', '1', '2'])
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(1)
    expect(normalise(run.stderr)).toMatch(
      /^RemoteTraceback: item 0, worker 0 \(pid <pid>\)\n"""\nError: Something bad happened!\n {4}at task \(jobs\/fail2\.ts:6:11\)\n"""\n\nThe above exception was the direct cause of the following exception:\n\nError: Something bad happened!\n {4}at poolrun apply jobs\/fail2\.ts \(item 0: .*2.*\)\npoolrun apply: item 0 failed, stopped \(fail-fast\): 0 ok, 1 failed\n$/,
    )
  })

  it('Handle Exception When Calling map()', async () => {
    const run = await runCli(['map', 'jobs/fail2.ts', '-j', '1', ...RANGE5])
    expect(run.stdout).toBe('')
    expect(normalise(run.stderr)).toBe(
      `${f1('map')}poolrun map: item 2 failed, stopped (fail-fast): 2 ok, 1 failed, 2 not run\n`,
    )
    expect(run.exitCode).toBe(1)
  })

  it('Handle Exception When Calling map(): two workers stop before all items have run', async () => {
    const run = await runCli(['map', 'jobs/fail2.ts', '-j', '2', '--chunk-size', '1', ...RANGE5])
    expect(run.stdout).toBe('')
    const [ok, cancelled = 0, notRun = 0] =
      /(\d) ok, 1 failed(?:, (\d) cancelled while running \(.*\))?(?:, (\d) not run)?$/
        .exec(lastLine(run.stderr))
        ?.slice(1)
        .map((count) => Number(count ?? 0)) ?? []
    expect(ok! + cancelled + notRun).toBe(4)
    expect(cancelled + notRun).toBeGreaterThanOrEqual(1)
    expect(run.exitCode).toBe(1)
  })

  it('Handle Exception When Calling imap()', async () => {
    const run = await runCli(['imap', 'jobs/fail2.ts', '-j', '1', ...RANGE5])
    expect(run.stdout).toBe('0\n1\n')
    expect(normalise(run.stderr).startsWith(f1('imap'))).toBe(true)
    expect(run.exitCode).toBe(1)
  })

  it('Handle Exception When Calling imap_unordered()', async () => {
    const run = await runCli(['imap-unordered', 'jobs/fail2.ts', '-j', '1', ...RANGE5])
    const written = run.stdout.split('\n').slice(0, -1)
    expect(new Set(written).size).toBe(written.length)
    for (const line of written) expect(['0', '1', '3', '4']).toContain(line)
    expect(run.stderr).toContain('(item 2: 2)')
    expect(run.exitCode).toBe(1)
  })

  it('collect, which Python lacks, continues after a failed item', async () => {
    const run = await runCli(['collect', 'jobs/fail2.ts', '-j', '1', ...RANGE5])
    expect(run.stdout).toBe('0\n1\n3\n4\n')
    const stderr = normalise(run.stderr)
    expect(stderr).toContain(f1('collect'))
    expect(stderr).toContain('collect: item 2 failed, skipped')
    expect(lastLine(stderr)).toBe('poolrun collect: 4 ok, 1 failed (item 2)')
    expect(run.exitCode).toBe(3)
  })
})

describe('Exception Handling in Task Completion Callbacks', () => {
  it('a callback that prints and then throws causes a CallbackError instead of a hang', async () => {
    const callbacks = fixture('callback-prints-then-throws')
    const run = await runCli(['apply', fixture('identity'), '--callbacks', callbacks, '22'])
    expect(run.stderr).toContain('Got result 22')
    expect(run.stdout).not.toContain('Got result')
    expect(run.stderr).toContain('CallbackError: callback for item 0 threw; the task itself succeeded')
    expect(run.exitCode).toBe(1)
  })
})
