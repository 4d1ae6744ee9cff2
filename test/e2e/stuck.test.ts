// Runs that wait for another process that never reads or writes still obey signals.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { fixture, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

test('a second signal ends a run whose output is not read', async () => {
  const item = JSON.stringify('x'.repeat(1_000_000))
  const { child, ended } = startCli(['imap', fixture('identity'), '-j', '1'], { unread: true })
  child.stdin.write(`${item}\n${item}\n`)
  await once(child.stdout, 'readable')
  child.once('exit', () => child.stdout.resume())
  // Two equal signals could arrive as one.
  child.kill('SIGINT')
  child.kill('SIGTERM')
  expect(await ended()).toMatchObject({ signal: expect.stringMatching(/^SIG(INT|TERM)$/) })
})

test('a signal ends a run that opens a named pipe without a writer', async () => {
  const space = tempSpace()
  const job = space.write({ 'job.mjs': "console.log('loaded')\nexport default (item) => item\n" })
  const pipe = space.path('pipe')
  execFileSync('mkfifo', [pipe])
  const { child, ended } = startCli(['map', job, '-i', pipe, '-j', '1'])
  await once(child.stderr, 'data')
  child.kill('SIGTERM')
  expect(await ended()).toMatchObject({ signal: 'SIGTERM' })
})
