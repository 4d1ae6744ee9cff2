// `input`: a Standard Schema that every item must fit before its task sees it. Other schema libraries, issues and paths
// are in test/unit/worker/validate.test.ts.
import { expect, it } from 'vitest'
import { broken, fixture, lines, runCli } from '../helpers/run-cli.js'

it('passes on what fits, as the schema returns it, and refuses the rest with issue and path, without a retry', async () => {
  const input = lines({ id: 7 }, { id: 'x1' }, { nothing: true })
  const args = ['collect', fixture('schema-zod'), '--envelope', '--retries', '1']
  const { stdout, stderr, exitCode } = await runCli(args, { input })
  const envelopes = stdout.trim().split('\n')
  expect(envelopes.map((line) => JSON.parse(line))).toMatchObject([
    { ok: true, value: { id: 7, tags: [] } },
    { ok: false, attempts: 1 },
    { ok: false, attempts: 1 },
  ])
  expect(exitCode).toBe(3)
  expect(stderr).toContain("InputValidationError: item 2 does not fit the job's input:\n  id: ")
})

it('retries a refused item if --retry-on names validation', async () => {
  const args = ['collect', fixture('schema-zod'), '-j', '0', '--envelope', '--retries', '1']
  const { stdout } = await runCli([...args, '--retry-on', 'validation'], { input: lines({}) })
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, attempts: 2 })
})

it('checks the arguments of starmap and apply as a list', async () => {
  const run = await runCli(['starmap', fixture('schema-pair'), '-j', '0', '[1, 2]', '[3, "4"]'])
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain("item 1 does not fit the job's input:\n  [1]: ")
  expect((await runCli(['apply', fixture('schema-pair'), '-j', '0', '1', '2'])).stdout).toBe('3\n')
})

it('fails the item if the schema throws, as any error does', async () => {
  const { stderr, exitCode } = await runCli(['map', fixture('schema-throws'), '1'])
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/RangeError: the schema is broken\n {4}at .*schema-throws\.ts:7:\d+/)
})

it('ends the run before any item if `input` is not a schema', async () => {
  const { stderr, exitCode } = await runCli(['map', broken('input-is-no-schema'), '-j', '0', '1'])
  expect(exitCode).toBe(5)
  expect(stderr).toContain("the job exports 'input', which is not a Standard Schema")
})
