// --rate, and the pause that a job asks for, with real processes.
import { describe, expect, it } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { fixture, lines, runCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const JOB = fixture('logs-attempts')
const items = Array.from({ length: 12 }, (_, n) => n)

async function run(flags: readonly string[], initArgs: readonly unknown[] = []) {
  const space = tempSpace()
  const init = ['--init-args', JSON.stringify([space.path('log'), ...initArgs])]
  const result = await runCli(['collect', JOB, '-j', '2', '--concurrency', '3', ...init, ...flags], {
    input: lines(...items),
  })
  const attempts = space
    .read('log')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { item: number; attempt: number; beganAt: number; endedAt: number })
    .sort((a, b) => a.beganAt - b.beganAt)
  return { ...result, attempts }
}

describe('--rate', () => {
  it('holds over all workers, and retries count', async () => {
    const { attempts, stdout } = await run(['--rate', '20/s', '--retries', '1'], [[4, 5], 0])
    expect(stdout).toBe(lines(...items))
    expect(attempts).toHaveLength(14)
    // A worker receives what it may begin a moment after it may; the last one before that may have waited longer.
    expect(attempts[13]!.beganAt - attempts[0]!.beganAt).toBeGreaterThan(13 * 50 - 45)
  })
})

describe('shouldRetry', () => {
  it('pauses all workers', async () => {
    const { attempts, exitCode, stderr } = await run(
      ['--retries', '3'],
      [[4], { after: 1_000, everyone: true }],
    )
    expect([exitCode, lastLine(stderr)]).toEqual([0, 'poolrun collect: 12 ok (1 flaky: item 4)'])
    const failed = attempts.find(({ item, attempt }) => item === 4 && attempt === 1)!
    const resumesAt = failed.endedAt + 1_000
    // What another worker began while the failure was on its way is not held back.
    const during = attempts.filter(({ beganAt }) => beganAt > failed.endedAt + 100 && beganAt < resumesAt)
    expect(during).toEqual([])
    expect(attempts.some(({ beganAt }) => beganAt >= resumesAt)).toBe(true)
  })

  it('makes a failure final', async () => {
    const { attempts, exitCode } = await run(['--retries', '3'], [[4], false])
    expect(attempts).toHaveLength(12)
    expect(exitCode).toBe(3)
  })

  it('must be a function: exit 5', async () => {
    const { exitCode, stderr } = await runCli(['map', 'test/fixtures/broken/should-retry-is-true.ts', '1'])
    expect(exitCode).toBe(5)
    expect(stderr).toContain("the job exports 'shouldRetry', which is not a function")
  })
})
