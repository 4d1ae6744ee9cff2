// `poolrun collect`: every item runs, failures are logged and skipped, the summary line comes last.
import { expect, it } from 'vitest'
import { lastLine, occurrences } from '../helpers/normalise.js'
import { fixture, lines, runCli, watchCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const FIVE = ['0', '1', '2', '3', '4']

it('writes what succeeded, logs what failed and exits 3', async () => {
  const run = await runCli(['collect', fixture('throws-error'), '-j', '2', ...FIVE])
  expect(run.stdout).toBe('0\n1\n3\n4\n')
  expect(run.stderr).toContain('collect: item 2 failed, skipped')
  expect(lastLine(run.stderr)).toBe('poolrun collect: 4 ok, 1 failed (item 2)')
  expect(run.exitCode).toBe(3)
})

it.each([
  ['any number', ['--allow-failures'], 0],
  ['fewer than failed', ['--allow-failures=1', '--max-failures', '3'], 3],
])(
  'allows %s of failures, which decides the exit code, and stops only at --max-failures',
  async (_what, flags, code) => {
    const run = await runCli(['collect', fixture('throws-error'), '-j', '0', ...flags], {
      input: lines(0, 2, 1, 2, 3),
    })
    expect(run.stdout).toBe('0\n1\n3\n')
    expect(lastLine(run.stderr)).toMatch(/^poolrun collect: 3 ok, 2 failed \(items? 1, 3\)$/)
    expect(run.exitCode).toBe(code)
  },
)

it('stops when --max-failures have failed', async () => {
  const run = await runCli([
    'collect',
    fixture('throws-error'),
    '-j',
    '1',
    '--chunk-size',
    '1',
    '--max-failures',
    '1',
    ...FIVE,
  ])
  expect(run.stdout).toBe('0\n1\n')
  expect(run.exitCode).toBe(3)
  expect(occurrences(run.stderr, 'RemoteTraceback:')).toBe(1)
})

it('writes in order of completion with --unordered', async () => {
  // Item 0 ends after the last one has begun.
  const init = ['--init-args', JSON.stringify([tempSpace().path('flag'), 2])]
  const flags = ['--unordered', '-j', '1', '--concurrency', '3', ...init]
  const run = await runCli(['collect', fixture('first-waits-for-last'), ...flags, '0', '1', '2'])
  expect(
    run.stdout
      .trim()
      .split('\n')
      .map((line) => line.slice(1, 3)),
  ).toEqual(['1 ', '2 ', '0 '])
  expect(run.exitCode).toBe(0)
})

it('groups many failures that are the same', async () => {
  const run = await runCli(['collect', fixture('throws-always'), '-j', '0'], {
    input: lines(...Array(40).keys()),
  })
  expect(occurrences(run.stderr, 'RemoteTraceback:')).toBeLessThanOrEqual(11)
  expect(lastLine(run.stderr)).toMatch(/^poolrun collect: 0 ok, 40 failed \(items? 0, 1, /)
  expect(run.stdout).toBe('')
  expect(run.exitCode).toBe(3)
})

it('treats a line that does not parse as a failed item and goes on', async () => {
  const run = await runCli(['collect', fixture('identity'), '-j', '1'], { input: '0\n1\n{bad\n3\n' })
  expect(run.stdout).toBe('0\n1\n3\n')
  expect(run.stderr).toContain('<stdin>:3:2')
  expect(lastLine(run.stderr)).toBe('poolrun collect: 3 ok, 1 failed (item 2)')
  expect(run.exitCode).toBe(3)
})

it('does not treat a torn last line as a failed item', async () => {
  const run = await runCli(['collect', fixture('identity'), '-j', '0'], { input: '0\n1\n{"torn":' })
  expect(run.stdout).toBe('0\n1\n')
  expect(run.stderr).toMatch(/<stdin>:3:\d+/)
  expect(run.exitCode).toBe(4)
})

it('shows a failure as soon as it settles, while an earlier item still runs', async () => {
  const space = tempSpace()
  const job = space.write({
    'job.mjs': `import { existsSync } from 'node:fs'
export default async (item) => {
  while (item === 'wait' && !existsSync(${JSON.stringify(space.path('flag'))})) await new Promise((r) => setTimeout(r, 5))
  if (item === 'bad') throw new Error('no good')
  return item
}`,
  })
  const run = watchCli(['collect', job, '-j', '2', '--chunk-size', '1', 'wait', 'bad', 'good'])
  await run.printed(/Error: no good(.|\n)*collect: item 1 failed, skipped/)
  space.write({ flag: '' })
  expect(await run.ended()).toMatchObject({ stdout: '"wait"\n"good"\n', exitCode: 3 })
})
