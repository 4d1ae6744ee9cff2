// `poolrun imap`: streamed in input order; a failure is raised when its turn comes.
import { expect, it } from 'vitest'
import { fixture, lines, runCli, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

it('writes every result before the failed item, then stops', async () => {
  const run = await runCli(['imap', fixture('throws-error'), '-j', '2', '0', '1', '2', '3', '4'])
  expect(run.stdout).toBe('0\n1\n')
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain('(item 2: 2)')
})

it('raises a failure in input order, however early the item settled', async () => {
  const args = ['imap', fixture('slow-unless-negative'), '-j', '2', '--chunk-size', '1']
  const run = await runCli(args, { input: lines(300, -1) })
  expect(run.stdout).toBe('300\n')
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain('(item 1: -1)')
})

it('writes a result while the input is still open', async () => {
  const run = startCli(['imap', fixture('identity')])
  const first = new Promise<string>((resolve) =>
    run.child.stdout.once('data', (data) => resolve(String(data))),
  )
  run.child.stdin.write('1\n')
  expect(await first).toBe('1\n')
  run.child.stdin.end('2\n')
  const { stdout, exitCode } = await run.ended()
  expect(stdout).toBe('1\n2\n')
  expect(exitCode).toBe(0)
})

it('takes no more than --buffer-size items ahead of what is written', async () => {
  const space = tempSpace()
  const run = await runCli(
    [
      'imap',
      fixture('counts-started'),
      '-j',
      '2',
      '--buffer-size',
      '4',
      '--init-args',
      JSON.stringify([space.path('log')]),
    ],
    { input: lines(...Array(40).keys()) },
  )
  expect(Number(run.stdout.split('\n')[0])).toBeLessThanOrEqual(4)
  expect(run.stdout.split('\n')).toHaveLength(41)
  expect(run.exitCode).toBe(0)
})

it('keeps input order over many chunks of differing cost', async () => {
  const items = Array.from({ length: 300 }, (_, i) => (i % 50 === 0 ? 20 : i % 3))
  const run = await runCli(['imap', fixture('slow'), '-j', '2', '--job-output', 'none'], {
    input: lines(...items),
  })
  expect(run.stdout).toBe(lines(...items))
})
