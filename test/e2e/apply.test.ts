// `poolrun apply`: one call with the items as its arguments.
import { expect, it } from 'vitest'
import { fixture, runCli } from '../helpers/run-cli.js'

it('calls the task once with all items', async () => {
  const run = await runCli(['apply', fixture('starmap-add'), '1', '2', '3'])
  expect(run.stdout).toBe('{"sum":6,"args":3}\n')
  expect(run.exitCode).toBe(0)
})

it('takes its arguments from an input, too', async () => {
  const run = await runCli(['apply', fixture('starmap-add'), '-j', '0', '-i', 'jobs/data/range5.json'])
  expect(run.stdout).toBe('{"sum":10,"args":5}\n')
})

it('calls the task without arguments when there are no items', async () => {
  const run = await runCli(['apply', fixture('starmap-add'), '-j', '0'])
  expect(run.stdout).toBe('{"sum":0,"args":0}\n')
  expect(run.exitCode).toBe(0)
})

it('calls a named export and writes its value as JSON', async () => {
  const run = await runCli([
    'apply',
    `${fixture('no-default-export')}#double`,
    '-j',
    '0',
    '21',
    '--format',
    'json',
  ])
  expect(JSON.parse(run.stdout)).toBe(42)
})
