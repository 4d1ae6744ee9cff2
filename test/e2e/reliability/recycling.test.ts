// --max-tasks-per-child and --max-memory: workers are replaced between items, and no result is lost when they are.
import { mkdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { fixture, lines, runCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { counts } from './support.js'

const results = (stdout: string) => stdout.trim().split('\n').map(Number)
const countBy = (values: number[]) =>
  values.reduce((all, one) => all.set(one, (all.get(one) ?? 0) + 1), new Map<number, number>())

it('a worker runs no more than 3 items, counted as items and not as chunks', async () => {
  const flags = ['-j', '2', '--max-tasks-per-child', '3', '--max-worker-restarts', '0', '--chunk-size', '8']
  const run = await runCli(['collect', fixture('returns-its-pid'), ...flags], {
    input: lines(...Array(7).keys()),
  })
  expect(run.exitCode).toBe(0)
  const items = countBy(results(run.stdout))
  expect([...items.values()].reduce((a, b) => a + b)).toBe(7)
  expect(Math.max(...items.values())).toBe(3)
  expect(items.size).toBeGreaterThanOrEqual(3)
})

it('the pool never runs short of workers while one is replaced, also if each runs only 1 item', async () => {
  const space = tempSpace()
  mkdirSync(space.path('begun'))
  const init = ['--init-args', JSON.stringify([space.path('begun')])]
  const flags = ['-j', '2', '--max-tasks-per-child', '1', '--max-worker-restarts', '0', '--chunk-size', '1']
  const run = await runCli(['map', fixture('needs-two-workers'), ...flags, ...init], {
    input: lines(...Array(4).keys()),
  })
  expect(run.exitCode).toBe(0)
  expect([...countBy(results(run.stdout)).values()]).toEqual([1, 1, 1, 1])
})

it('an item that takes more than --max-memory fails with kind oom, and only that one', async () => {
  const flags = ['-j', '1', '--max-memory', '200mb', '--max-worker-restarts', '0', '--kill-after', '500ms']
  const run = await runCli(['collect', fixture('eats-memory'), '--chunk-size', '3', ...flags], {
    input: '1\n-250\n1\n',
  })
  expect(run.stderr).toMatch(/^WorkerLostError: item 1 lost: worker 0 \(pid \d+\) .* \(out of memory\)$/m)
  expect(lastLine(run.stderr)).toBe('poolrun collect: 2 ok, 1 failed (item 1)')
  expect(run.exitCode).toBe(3)
})

it('a worker that grew over --max-memory is replaced between items, and no result is lost', async () => {
  const flags = ['-j', '1', '--max-memory', '200mb', '--max-worker-restarts', '0', '--chunk-size', '1']
  // An item that is running when its worker is found to be too large fails; a slow one is therefore retried.
  const retry = ['--retries', '1', '--retry-on', 'oom']
  const run = await runCli(['collect', fixture('eats-memory'), ...flags, ...retry], {
    input: '70\n'.repeat(5),
  })
  expect(run.exitCode, run.stderr).toBe(0)
  expect(counts(run)).toEqual({ ok: 5, failed: 0, cancelled: 0, notRun: 0 })
  expect(new Set(results(run.stdout)).size).toBeGreaterThan(1)
})
