// --rate, and the pause that a job asks for, with real processes.
import { describe, expect, it } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { broken, fixture, lines, runCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const JOB = fixture('logs-attempts')
const range = (length: number) => Array.from({ length }, (_, n) => n)

async function run(items: readonly number[], flags: readonly string[], initArgs: readonly unknown[]) {
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
    const { attempts, stdout } = await run(range(12), ['--rate', '20/s', '--retries', '1'], [{ 4: 0, 5: 0 }])
    expect(stdout).toBe(lines(...range(12)))
    expect(attempts).toHaveLength(14)
    // A worker receives what it may begin a moment after it may; the last one before that may have waited longer.
    expect(attempts[13]!.beganAt - attempts[0]!.beganAt).toBeGreaterThan(13 * 50 - 45)
  })
})

describe('shouldRetry', () => {
  it('pauses all workers, or makes a failure final', async () => {
    const answers = { 4: { after: 2_000, everyone: true }, 5: false }
    const { attempts, exitCode, stderr } = await run(range(100), ['--retries', '3'], [answers])
    expect(lastLine(stderr)).toBe('poolrun collect: 99 ok (1 flaky: item 4), 1 failed (item 5)')
    expect(exitCode).toBe(3)
    expect(attempts).toHaveLength(101)
    const failed = attempts.find(({ item, attempt }) => item === 4 && attempt === 1)!
    const resumesAt = failed.endedAt + 2_000
    // What another worker began while the failure was on its way is not held back. Without a pause, nothing but the retry
    // would begin as late.
    const during = attempts.filter(({ beganAt }) => beganAt > failed.endedAt + 500 && beganAt < resumesAt)
    expect(during).toEqual([])
    expect(attempts.filter(({ beganAt }) => beganAt >= resumesAt).length).toBeGreaterThan(10)
  })

  it('must be a function: exit 5', async () => {
    const { exitCode, stderr } = await runCli(['map', broken('should-retry-is-true'), '-j', '0', '1'])
    expect(exitCode).toBe(5)
    expect(stderr).toContain("the job exports 'shouldRetry', which is not a function")
  })
})
