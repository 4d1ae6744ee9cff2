// --retries: never implicit; the cause of every attempt is shown, and an item that succeeds in the end is flaky.
import { describe, expect, it } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { fixture, runCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { withoutTimes } from './support.js'

const JOB = fixture('fails-at-first')
const ITEMS = '0\n1\n2\n3\n'

async function run(goodAttempt: number, flags: readonly string[], command = 'collect', input = ITEMS) {
  const space = tempSpace()
  const init = ['--init-args', JSON.stringify([space.path('log'), goodAttempt])]
  const result = await runCli([command, JOB, ...init, ...flags], { input })
  const attempts = space
    .read('log')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number) as [item: number, attempt: number, at: number])
  return { ...result, attempts, of: (item: number) => attempts.filter(([each]) => each === item) }
}

it('an item that succeeds in the end is ok, and flaky; map writes everything', async () => {
  const result = await run(3, ['--retries', '2'], 'map')
  expect(result.stdout).toBe(ITEMS)
  expect(result.stderr).toBe('poolrun map: 4 ok (2 flaky: items 1, 3)\n')
  expect(result.of(1).map(([, attempt]) => attempt)).toEqual([1, 2, 3])
  expect(result.of(0)).toHaveLength(1)
  expect(result.exitCode).toBe(0)
})

it('-v shows the failed attempts of a flaky item', async () => {
  const result = await run(2, ['--retries', '2', '-v'], 'collect', '0\n1\n')
  expect(withoutTimes(result.stderr)).toMatchInlineSnapshot(`
    "collect: item 0 ok (<time>, worker 0)
    attempt 1 of 2 failed:
    RemoteTraceback: item 1, worker 0 (pid <pid>)
    """
    thrown: 'line busy' (string; not an Error, so no stack)

    The above exception was the direct cause of the following exception:

    Error: refused
        at task (test/fixtures/jobs/fails-at-first.ts:15:28)
    """
    collect: item 1 ok, flaky (attempt 2) (<time>, worker 0)
    poolrun collect: 2 ok (1 flaky: item 1)
    "
  `)
})

it('a failure shows the cause of every attempt', async () => {
  const flags = ['--retries', '2', '--timeout', '500ms']
  const result = await run(9, flags, 'collect', '0\n1\n')
  expect(withoutTimes(result.stderr)).toMatchInlineSnapshot(`
    "attempt 1 of 3 failed:
    RemoteTraceback: item 1, worker 0 (pid <pid>)
    """
    thrown: 'line busy' (string; not an Error, so no stack)

    The above exception was the direct cause of the following exception:

    Error: refused
        at task (test/fixtures/jobs/fails-at-first.ts:15:28)
    """

    attempt 2 of 3 failed:
    WorkerLostError: item 1 lost: worker 0 (pid <pid>) exited with code 3 after <time>
    the job ended the process:
        at task (test/fixtures/jobs/fails-at-first.ts:16:30)

    attempt 3 of 3 failed:
    TimeoutError: item 1 exceeded 500 ms on worker 0 (pid <pid>); the worker was ended
        at poolrun collect test/fixtures/jobs/fails-at-first.ts (item 1: 1)
    collect: item 1 failed, skipped
    poolrun collect: 1 ok, 1 failed (item 1)
    "
  `)
  expect(result.stdout).toBe('0\n')
  expect(result.exitCode).toBe(3)
})

it('attempts that failed alike are shown once, and a cause that is an object is not called thrown', async () => {
  const space = tempSpace()
  const job = space.write({
    'job.mjs': "export default () => { throw new Error('busy', { cause: { status: 404 } }) }",
  })
  const { stderr } = await runCli(['collect', job, '-j', '1', '--retries', '3', '1'])
  expect(stderr).toMatch(
    /^failed 4 times, each with:\nRemoteTraceback: item 0, worker 0 \(pid \d+\), attempt 4\n"""\n\{ status: 404 \}\n/,
  )
  expect(stderr.match(/Error: busy/g)).toHaveLength(2)
  expect(stderr).not.toContain('thrown')
})

describe('never implicit:', () => {
  it('without --retries every item has one attempt', async () => {
    const result = await run(2, ['-j', '0'])
    expect(result.attempts.map(([item, attempt]) => [item, attempt])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 1],
    ])
    expect(lastLine(result.stderr)).toBe('poolrun collect: 2 ok, 2 failed (items 1, 3)')
  })

  it('a kind of failure that --retry-on does not name is not retried', async () => {
    const result = await run(2, ['-j', '0', '--retries', '3', '--retry-on', 'timeout,crash'])
    expect(result.attempts).toHaveLength(4)
    expect(result.exitCode).toBe(3)
    expect(result.stderr).not.toContain('attempt')
  })

  it('a kind that it names is retried, up to the first failure of another kind', async () => {
    const result = await run(9, ['--retries', '3', '--retry-on', 'error'])
    expect(result.of(1)).toHaveLength(2)
    expect(result.stderr).toContain('attempt 2 of 2 failed:\nWorkerLostError: item 1 lost')
  })
})

it('--retry-delay doubles, with jitter, and delays no other item', async () => {
  const result = await run(3, ['--retries', '2', '--retry-delay', '400ms'], 'collect', '1\n0\n2\n4\n')
  const [first, second, third] = result.of(1).map(([, , at]) => at) as [number, number, number]
  expect(second - first).toBeGreaterThanOrEqual(199)
  expect(third - second).toBeGreaterThanOrEqual(399)
  for (const item of [0, 2, 4]) expect(result.of(item)[0]![2]).toBeLessThan(second)
  expect(result.stdout).toBe('1\n0\n2\n4\n')
})
