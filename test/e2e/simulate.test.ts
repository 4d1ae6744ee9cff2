// The simulator as a command: it finds a fault, and the seed that it prints repeats the run.
import { execa } from 'execa'
import { expect, test } from 'vitest'

test('the simulator finds a fault, and its seed finds it again', async () => {
  const fault = ['--fault', 'the window has room for more than its limit']
  const run = (...args: string[]) =>
    execa('node', ['test/simulate/run.js', ...args, ...fault], { reject: false, timeout: 60_000 })
  const first = await run('--seed', '1', '--runs', '200')
  const found = /^simulate: seed (\d+): (.+)$/m.exec(first.stdout)
  expect(found?.[2]).toMatch(/items in a window of/)
  expect(first.exitCode).toBe(1)
  const again = await run('--seed', found![1]!, '--trace')
  expect(again.stdout).toContain(`\n${found![0]}\n`)
})
