// `--dry-run`: the job loads, the items are counted, nothing runs.
import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { fixture, lines, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

it('prints what would run, and runs neither task nor initializer', async () => {
  const { path } = tempSpace()
  const args = [
    'collect',
    fixture('initializer-throws'),
    '-n',
    '--timeout',
    '2s',
    '--report',
    `json=${path('r')}`,
  ]
  const { stdout, stderr, exitCode } = await runCli([...args, '-j', '3', '--only', '1-'], {
    input: lines(1, 2, 3),
  })
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 })
  expect(stderr).toBe(`poolrun collect: dry run, nothing was run
  job      ${fixture('initializer-throws')}: loads
  items    2
  workers  3
  chunks   adapt to the cost of items
  limits   2 s per attempt
  results  stdout, ndjson
  report   json to ${path('r')}
`)
  expect(existsSync(path('r'))).toBe(false)
})

it.each([
  ['a job that does not exist', 5, ['no-such-job.ts'], '1'],
  ['a task that is not exported', 5, [`${fixture('identity')}#nope`], '1'],
  ['an input that is torn', 4, [fixture('identity')], '[1, 2'],
  ['a bad value', 2, [fixture('identity'), '--chunk-size', '0'], '1'],
])('exits for %s as a run would: %i', async (_, code, args, input) => {
  expect((await runCli(['map', '-n', '-j', '0', ...args], { input })).exitCode).toBe(code)
})
