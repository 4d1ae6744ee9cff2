// `poolrun imap-unordered`: streamed in order of completion.
import { expect, it } from 'vitest'
import { fixture, lines, runCli } from '../helpers/run-cli.js'

it('writes in order of completion', async () => {
  const items = ['600', '1', '2']
  const run = await runCli(['imap-unordered', fixture('slow'), '-j', '2', '--chunk-size', '1', ...items])
  expect(run.stdout.split('\n')).toHaveLength(4)
  expect(run.stdout).toMatch(/\n600\n$/)
  expect(run.exitCode).toBe(0)
})

it('is imap --unordered, also among the items of one worker', async () => {
  const args = ['imap', fixture('slow'), '--unordered', '-j', '1', '--concurrency', '3']
  const run = await runCli([...args, '600', '1', '2'])
  expect(run.stdout.split('\n')).toHaveLength(4)
  expect(run.stdout).toMatch(/\n600\n$/)
  expect(run.exitCode).toBe(0)
})

it('stops at the first failure that completes', async () => {
  const args = ['imap-unordered', fixture('slow-unless-negative'), '-j', '2', '--chunk-size', '1']
  // A run that waited for the first item would exceed its time limit.
  const run = await runCli(args, { input: lines(60_000, -1) })
  expect(run.stdout).toBe('')
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain('(item 1: -1)')
})
