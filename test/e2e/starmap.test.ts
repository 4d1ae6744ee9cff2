// `poolrun starmap`: each item is an array and becomes the task's arguments.
import { expect, it } from 'vitest'
import { fixture, runCli } from '../helpers/run-cli.js'

it('spreads each item over the arguments, and passes no context', async () => {
  const run = await runCli(['starmap', fixture('starmap-add')], { input: '[[1,2],[3,4,5],[]]' })
  expect(run.stdout).toBe('{"sum":3,"args":2}\n{"sum":12,"args":3}\n{"sum":0,"args":0}\n')
  expect(run.exitCode).toBe(0)
})

it('fails an item that is not an array, with a TypeError and its index', async () => {
  const run = await runCli(['starmap', fixture('starmap-add'), '-j', '0', '[1,2]', '7'])
  expect(run.stdout).toBe('')
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toMatch(/^TypeError: /m)
  expect(run.stderr).toContain('(item 1: 7)')
})

it('offers the context through currentTask(), in the order of the input', async () => {
  const run = await runCli(['starmap', fixture('current-task-echo'), '-j', '1', '["a"]', '["b","c"]'])
  expect(run.stdout).toBe(
    '{"index":0,"attempt":1,"workerId":0,"args":1}\n{"index":1,"attempt":1,"workerId":0,"args":2}\n',
  )
})
