// What workers inherit and are given: `--env`, `--env-file`, `--node-options`, POOLRUN_WORKER_ID.
import { expect, it } from 'vitest'
import { runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const JOB = `
import { execFileSync } from 'node:child_process'
const atLoad = process.env.POOLRUN_WORKER_ID
let atInit: string | undefined
export function initializer() { atInit = process.env.POOLRUN_WORKER_ID }
export default (name: string, { workerId }: { workerId: number }) => {
  if (name === 'execArgv') return process.execArgv
  if (name === 'worker') return [atLoad, atInit, execFileSync('printenv', ['POOLRUN_WORKER_ID'], { encoding: 'utf8' }).trim(), String(workerId)]
  return process.env[name] ?? null
}
`

it('gives workers --env over --env-file over the environment of poolrun', async () => {
  const space = tempSpace()
  const job = space.write({ 'job.ts': JOB, '.env': 'B="file b"\nC=file\nMULTI="1\n2"\n' })
  const run = await runCli(
    ['map', job, '--env-file', space.path('.env'), '--env', 'C=flag,with=more', '--', 'A', 'B', 'C', 'MULTI'],
    { env: { A: 'own', B: 'own', C: 'own' } },
  )
  expect(run.stdout).toBe('"own"\n"file b"\n"flag,with=more"\n"1\\n2"\n')
})

it('starts workers with --node-options, and only workers', async () => {
  const space = tempSpace()
  const job = space.write({
    'job.ts': JOB,
    'pre load.cjs': "process.env.PRELOADED = process.env.POOLRUN_WORKER_ID ?? 'in poolrun itself'",
  })
  const run = await runCli([
    'map',
    job,
    '--node-options',
    `--no-warnings --require '${space.path('pre load.cjs')}'`,
    'execArgv',
    'PRELOADED',
  ])
  expect(run.stdout).toBe(
    `${JSON.stringify(['--no-warnings', '--require', space.path('pre load.cjs')])}\n"0"\n`,
  )
})

it('names the worker in POOLRUN_WORKER_ID for the module, the initializer, commands and replacements', async () => {
  const space = tempSpace()
  const job = space.write({ 'job.ts': JOB })
  const run = await runCli(
    ['map', job, '-j', '2', '--chunk-size', '1', '--max-tasks-per-child', '1', ...Array(6).fill('worker')],
    { env: { POOLRUN_WORKER_ID: 'of the shell' } },
  )
  const rows = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[])
  expect(rows).toHaveLength(6)
  for (const ids of rows) {
    expect(new Set(ids).size).toBe(1)
    expect(['0', '1']).toContain(ids[0])
  }
})

it('says which option of Node is unknown', async () => {
  const space = tempSpace()
  const job = space.write({ 'job.ts': JOB })
  const run = await runCli(['map', job, '--node-options', '--no-such-option', 'A'])
  expect(run.stderr).toContain('bad option: --no-such-option')
  expect(run.stderr).toContain('--node-options')
  expect(run.exitCode).toBe(2)
})

it('ends with exit code 2 when an env file is missing, a folder or not UTF-8', async () => {
  const space = tempSpace()
  const job = space.write({ 'job.ts': JOB, latin1: Buffer.from('A=\xe9', 'latin1') })
  for (const path of [space.path('missing'), space.dir, space.path('latin1')]) {
    // As a variable: Node itself reads the file of an `--env-file` among the arguments of its script and exits with 9 if
    // it cannot (nodejs/node#54232).
    const run = await runCli(['map', job, 'A'], { env: { POOLRUN_ENV_FILE: path } })
    expect(run.stderr).toContain(`poolrun: cannot read --env-file '${path}'`)
    expect(run.exitCode).toBe(2)
  }
})
