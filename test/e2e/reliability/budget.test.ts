// Workers that cannot be kept alive: the run gives up in bounded time, and counts every item.
import { describe, expect, it } from 'vitest'
import { occurrences } from '../../helpers/normalise.js'
import { fixture, lines, runCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { counts } from './support.js'

const ITEMS = lines(...Array(60).keys())

describe('a job that kills every worker', () => {
  it.each([
    ['collect', []],
    ['imap-unordered', ['--max-worker-restarts', '0', '--retries', '1000000']],
    ['map', ['--max-worker-restarts', '2', '--retries', '1000000', '-j', '2']],
  ])('ends %s %j with code 7, every item accounted for', async (command, flags) => {
    const run = await runCli([command, fixture('kills-self-always'), ...flags], { input: ITEMS })
    expect(run.stderr).toMatch(/^poolrun \S+: gave up: workers crashed more than \d+ times/m)
    const { ok, failed, cancelled, notRun } = counts(run)
    expect(ok).toBe(0)
    expect(ok + failed + cancelled + notRun).toBe(60)
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(7)
  })
})

describe('a worker that crashes before it was ever ready', () => {
  it('in the initializer, is a failed initializer, reported once and not tried again', async () => {
    const space = tempSpace()
    const init = ['--init-args', JSON.stringify([space.path('log')])]
    const run = await runCli(['collect', fixture('initializer-kills-self'), '-j', '2', ...init], {
      input: ITEMS,
    })
    expect(
      occurrences(
        run.stderr,
        'InitializerError: initializer failed, pool is broken (it was killed by SIGKILL',
      ),
    ).toBe(1)
    expect(occurrences(space.read('log'), 'started')).toBeLessThanOrEqual(2)
    expect(run.exitCode).toBe(6)
  })

  it('while it loads the job, is a job that does not load, reported once', async () => {
    const run = await runCli(['collect', fixture('import-kills-self'), '-j', '2'], { input: ITEMS })
    expect(occurrences(run.stderr, 'import-kills-self.ts was killed by SIGKILL while loading')).toBe(1)
    expect(run.exitCode).toBe(5)
  })
})
