// `poolrun imap-unordered`: streamed in order of completion.
import { expect, it } from 'vitest'
import { fixture, lines, runCli } from '../helpers/run-cli.js'

it.each([['imap-unordered'], ['imap', '--unordered']])(
  '%s %s writes in order of completion',
  async (command, ...flags) => {
    const items = ['600', '1', '2']
    const run = await runCli([command, fixture('slow'), ...flags, '-j', '2', '--chunk-size', '1', ...items])
    expect(run.stdout.split('\n')).toHaveLength(4)
    expect(run.stdout).toMatch(/\n600\n$/)
    expect(run.exitCode).toBe(0)
  },
)

it('stops at the first failure that completes', async () => {
  const args = ['imap-unordered', fixture('slow-unless-negative'), '-j', '2', '--chunk-size', '1']
  const run = await runCli(args, { input: lines(5000, -1) })
  expect(run.stdout).toBe('')
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain('(item 1: -1)')
  expect(run.durationMs).toBeLessThan(4500)
})
