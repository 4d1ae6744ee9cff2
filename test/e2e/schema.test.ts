// `input`: a Standard Schema that every item must fit before its task sees it, with three libraries as they are.
import { describe, expect, it } from 'vitest'
import { broken, fixture, lines, runCli } from '../helpers/run-cli.js'

describe.each([
  ['schema-zod', '{"id":7,"tags":[]}'],
  ['schema-valibot', '{"id":7}'],
  ['schema-arktype', '{"id":7}'],
])('%s', (name, passed) => {
  it('hands on what it lets through, and refuses the rest with issue and path', async () => {
    const input = lines({ id: 7 }, { id: 'x1' }, { nothing: true })
    const { stdout, stderr, exitCode } = await runCli(['collect', fixture(name)], { input })
    // valibot makes NaN of the text, which JSON cannot carry.
    expect(stdout).toBe(`${passed}\n`)
    expect(exitCode).toBe(3)
    expect(stderr).toContain("InputValidationError: item 2 does not fit the job's input:\n  id: ")
  })
})

it('may take its time', async () => {
  const { stderr } = await runCli(['map', fixture('schema-valibot'), '{"id": 13}'])
  expect(stderr).toContain("item 0 does not fit the job's input:\n  no 13 here")
})

it('sees the arguments of starmap as a list', async () => {
  const run = await runCli(['starmap', fixture('schema-pair'), '[1, 2]', '[3, "4"]'])
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain("item 1 does not fit the job's input:\n  [1]: ")
  expect((await runCli(['apply', fixture('schema-pair'), '1', '2'])).stdout).toBe('3\n')
})

it('that throws fails the item as any error does', async () => {
  const { stderr, exitCode } = await runCli(['map', fixture('schema-throws'), '1'])
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/RangeError: the schema is broken\n {4}at .*schema-throws\.ts:7:\d+/)
})

it('that is none is said once, before anything runs', async () => {
  const { stderr, exitCode } = await runCli(['map', broken('input-is-no-schema'), '1'])
  expect(exitCode).toBe(5)
  expect(stderr).toContain("the job exports 'input', which is not a Standard Schema")
})

it('is retried only where that was asked for', async () => {
  const args = ['collect', fixture('schema-zod'), '--envelope', '--retries', '1']
  const plain = await runCli(args, { input: lines({}) })
  expect(JSON.parse(plain.stdout)).toMatchObject({ ok: false, attempts: 1 })
  const asked = await runCli([...args, '--retry-on', 'validation'], { input: lines({}) })
  expect(JSON.parse(asked.stdout)).toMatchObject({ ok: false, attempts: 2 })
})
