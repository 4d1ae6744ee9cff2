// `--param`: values that every task of a run is given.
import { expect, it } from 'vitest'
import { fixture, runCli } from '../helpers/run-cli.js'

const job = fixture('params')

it.each([['1'], ['3']])(
  'gives every task the same params, and __proto__ as data, at a concurrency of %s',
  async (concurrency) => {
    const params = ['--param', 'size=3', '--param', 'name=a,b', '--param', '__proto__=null']
    const run = await runCli(['map', job, ...params, '--concurrency', concurrency, '1', '2'])
    const rest = '{"size":3,"name":"a,b","__proto__":null},["size","name","__proto__"],true'
    expect(run.stdout).toBe(`[1,${rest}]\n[2,${rest}]\n`)
  },
)

it.each([
  ['apply', '1'],
  ['starmap', '2'],
])(
  'gives them to currentTask() where the function receives only its arguments: %s, at a concurrency of %s',
  async (command, concurrency) => {
    const args = [command, `${job}#spread`, '--param', 'a=[1]', '--concurrency', concurrency, '[]']
    expect((await runCli(args)).stdout).toBe('{"a":[1]}\n')
  },
)

it('fails the item that changes them', async () => {
  const run = await runCli(['collect', `${job}#changes`, '--param', 'list=[]', '1', '2'])
  expect(run.stderr).toContain('TypeError: Cannot add property 0, object is not extensible')
  expect(run.exitCode).toBe(3)
})
