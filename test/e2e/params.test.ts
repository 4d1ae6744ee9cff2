// `--param`: values that every task of a run is given.
import { expect, it } from 'vitest'
import { runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const JOB = `
import { currentTask, type TaskContext } from 'poolrun'
export default (item: unknown, { params }: TaskContext) => [item, params]
export function spread() { return currentTask().params }
export function changes(item: unknown, { params }: TaskContext) {
  ;(params.list as unknown[]).push(item)
}
export const own = (item: unknown, { params }: TaskContext) => [Object.keys(params), params instanceof Object]
`

it.each([['1'], ['3']])('gives every task the same params, at a concurrency of %s', async (concurrency) => {
  const job = tempSpace().write({ 'job.ts': JOB })
  const run = await runCli(
    ['map', job, '--param', 'size=3', '--param', 'name=a,b', '--concurrency', concurrency, '1', '2'],
    {},
  )
  expect(run.stdout).toBe('[1,{"size":3,"name":"a,b"}]\n[2,{"size":3,"name":"a,b"}]\n')
})

it('gives them to currentTask() where the function receives only its arguments', async () => {
  const job = tempSpace().write({ 'job.ts': JOB })
  for (const command of ['apply', 'starmap'])
    for (const concurrency of ['1', '2']) {
      const args = [command, `${job}#spread`, '--param', 'a=[1]', '--concurrency', concurrency, '[]']
      expect((await runCli(args)).stdout).toBe('{"a":[1]}\n')
    }
})

it('fails the item that changes them', async () => {
  const job = tempSpace().write({ 'job.ts': JOB })
  const run = await runCli(['collect', `${job}#changes`, '--param', 'list=[]', '1', '2'])
  expect(run.stderr).toContain('TypeError: Cannot add property 0, object is not extensible')
  expect(run.exitCode).toBe(3)
})

it('carries __proto__ as data', async () => {
  const job = tempSpace().write({ 'job.ts': JOB })
  const run = await runCli(['map', `${job}#own`, '--param', '__proto__=null', '1'])
  expect(run.stdout).toBe('[["__proto__"],true]\n')
})
