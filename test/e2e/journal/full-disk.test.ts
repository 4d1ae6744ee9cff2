// No space is left for the journal in the middle of a run. A limit on the size of files stands for it: the system writes as
// much as fits, and then fails.
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runCli, runShell } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

test('a run whose journal cannot grow ends with 7, and goes on from what fits', async () => {
  const { dir, write, path } = tempSpace()
  write({
    'job.mjs': "export default (n) => n + 'x'.repeat(1000)",
    'items.ndjson': Array.from({ length: 500 }, (_, n) => `${n}\n`).join(''),
  })
  const args = ['imap', path('job.mjs'), '-i', path('items.ndjson'), '--journal', path('j')]
  const expected = Array.from({ length: 500 }, (_, n) => `"${n}${'x'.repeat(1000)}"\n`).join('')
  const full = await runShell(`ulimit -f 200; poolrun ${args.join(' ')}`, { cwd: dir })
  expect(full.exitCode).toBe(7)
  expect(full.stderr).toContain(`cannot write the journal ${path('j')}: `)
  expect(expected.startsWith(full.stdout)).toBe(true)
  expect(full.stdout.length).toBeLessThan(expected.length)
  const resumed = await runCli([...args, '--resume'], { cwd: dir })
  expect([resumed.exitCode, resumed.stdout === expected]).toEqual([0, true])
  const done = Number(/resume: (\d+) done/.exec(resumed.stderr)?.[1])
  // What was written is done, and no line was torn.
  expect(done).toBeGreaterThanOrEqual(full.stdout.split('\n').length - 1)
  expect(resumed.stderr).not.toContain('torn')
})

test('half of a large value does not stay where the disk is full', async () => {
  const { dir, path } = tempSpace()
  const run = `poolrun imap -e 'n => "x".repeat(3e6)' 1 --journal ${path('j')}`
  const full = await runShell(`ulimit -f 200; ${run}`, { cwd: dir })
  expect(full.exitCode).toBe(7)
  expect(readdirSync(path('j.values'))).toEqual([])
})
