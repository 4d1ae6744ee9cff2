// `poolrun imap`: streamed in input order; a failure is raised when its turn comes.
import { expect, it } from 'vitest'
import { fixture, lines, runCli, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

it('writes every result before a failed item, then stops, however early that item settled', async () => {
  const args = ['imap', fixture('slow-unless-negative'), '-j', '2', '--chunk-size', '1']
  const run = await runCli(args, { input: lines(1, 300, -1, 2, 3) })
  expect(run.stdout).toBe('1\n300\n')
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain('(item 2: -1)')
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

it('keeps input order over many chunks of differing cost, and shows nothing that jobs print with --job-output none', async () => {
  const items = Array.from({ length: 120 }, (_, i) => (i % 20 === 0 ? 20 : i % 3))
  const run = await runCli(['imap', fixture('slow'), '-j', '2', '--job-output', 'none'], {
    input: lines(...items),
  })
  expect(run.stdout).toBe(lines(...items))
  // Each item prints `started`.
  expect(run.stderr).toBe('poolrun imap: 120 ok\n')
})
