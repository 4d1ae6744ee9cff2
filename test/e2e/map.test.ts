// `poolrun map`: fail-fast, all or nothing, results in input order.
import { expect, it } from 'vitest'
import { lastLine } from '../helpers/normalise.js'
import { fixture, lines, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i)

it('writes one line per result, whatever text it contains, in the order of positional items', async () => {
  const text = JSON.stringify('one\ntwo\r\n\u2028three')
  const run = await runCli(['map', fixture('identity'), '1', '"2"', 'three', '{"a":4}', 'null', text])
  expect(run.stdout.split('\n').map((line) => (line === '' ? line : JSON.parse(line)))).toEqual([
    1,
    '2',
    'three',
    { a: 4 },
    null,
    'one\ntwo\r\n\u2028three',
    '',
  ])
  expect(run.exitCode).toBe(0)
})

it('keeps input order when later items finish first', async () => {
  const run = await runCli(['map', fixture('slow'), '-j', '2', '--chunk-size', '1', '300', '1', '2', '3'])
  expect(run.stdout).toBe('300\n1\n2\n3\n')
})

it('runs every item of a large input exactly once', async () => {
  const space = tempSpace()
  const items = numbers(150).map((n) => n + 10)
  const run = await runCli(
    ['map', fixture('records-run'), '-j', '2', '--init-args', JSON.stringify([space.path('log')])],
    { input: lines(...items) },
  )
  expect(run.stdout).toBe(lines(...items))
  const ran = space.read('log').trim().split('\n').map(Number)
  expect(ran.sort((a, b) => a - b)).toEqual(items)
})

it('writes nothing when an item fails, and starts no more items', async () => {
  const space = tempSpace()
  const run = await runCli(
    ['map', fixture('records-run'), '-j', '1', '--init-args', JSON.stringify([space.path('log')])],
    { input: lines(...numbers(2000)) },
  )
  expect(run.stdout).toBe('')
  expect(run.exitCode).toBe(1)
  expect(lastLine(run.stderr)).toMatch(
    /^poolrun map: item 2 failed, stopped \(fail-fast\): \d+ ok, 1 failed(, \d+ cancelled while running \([^)]*\))?, [\d,]+ not run$/,
  )
  const ran = space.read('log').trim().split('\n')
  expect(ran.length).toBeLessThan(1000)
  expect(new Set(ran).size).toBe(ran.length)
})

it('does not wait for running items that ignore their signal', async () => {
  const run = await runCli(['map', fixture('hanging-cancel'), '-j', '2', '--chunk-size', '1', '0', '1', '2'])
  expect(run.exitCode).toBe(1)
  // They would run for a minute, which is longer than `runCli` waits.
  expect(run.stderr).toContain('Error: item 0 gave up')
})

it('carries results of several megabytes', async () => {
  const run = await runCli(['map', fixture('big-result'), '5000000', '3'])
  expect(run.stdout.split('\n').map((line) => line.length)).toEqual([5_000_002, 5, 0])
})
