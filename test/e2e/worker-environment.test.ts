// What workers inherit and are given: `--env`, `--env-file`, `--node-options`, POOLRUN_WORKER_ID.
import { describe, expect, it } from 'vitest'
import { occurrences } from '../helpers/normalise.js'
import { lines, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const JOB = `
import { execFileSync } from 'node:child_process'
const atLoad = process.env.POOLRUN_WORKER_ID
let atInit
export function initializer() { atInit = process.env.POOLRUN_WORKER_ID }
export default (name, { workerId }) => {
  if (name === 'execArgv') return process.execArgv
  if (name === 'worker') return [atLoad, atInit, execFileSync('printenv', ['POOLRUN_WORKER_ID'], { encoding: 'utf8' }).trim(), String(workerId)]
  return process.env[name] ?? null
}
`

it('gives workers --env over --env-file over the environment of poolrun, and --node-options to them alone', async () => {
  const space = tempSpace()
  const job = space.write({
    'job.mjs': JOB,
    '.env': 'B="file b"\nC=file\nMULTI="1\n2"\n',
    'pre load.cjs': "process.env.PRELOADED = process.env.POOLRUN_WORKER_ID ?? 'in poolrun itself'",
  })
  const preload = space.path('pre load.cjs')
  const flags = ['--env-file', space.path('.env'), '--env', 'C=flag,with=more']
  const options = ['--node-options', `--no-warnings --require '${preload}'`]
  const items = ['A', 'B', 'C', 'MULTI', 'execArgv', 'PRELOADED']
  const run = await runCli(['map', job, ...flags, ...options, '--', ...items], {
    env: { A: 'own', B: 'own', C: 'own' },
  })
  expect(run.stdout).toBe(
    lines('own', 'file b', 'flag,with=more', '1\n2', ['--no-warnings', '--require', preload], '0'),
  )
})

it('names the worker in POOLRUN_WORKER_ID for the module, the initializer, commands and replacements', async () => {
  const space = tempSpace()
  const job = space.write({ 'job.mjs': JOB })
  const run = await runCli(
    ['map', job, '-j', '2', '--chunk-size', '1', '--max-tasks-per-child', '1', ...Array(4).fill('worker')],
    { env: { POOLRUN_WORKER_ID: 'of the shell' } },
  )
  const rows = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[])
  expect(rows).toHaveLength(4)
  for (const ids of rows) {
    expect(new Set(ids).size).toBe(1)
    expect(['0', '1']).toContain(ids[0])
  }
})

describe('a worker that cannot start with its options of Node', () => {
  const files = {
    'job.mjs': 'export default (item) => item',
    'throws.cjs': 'throw new TypeError("in the preload")',
    'rejects.cjs': 'if (process.env.POOLRUN_WORKER_ID) void Promise.reject(new TypeError("too late"))',
    'throws-later.cjs':
      'if (process.env.POOLRUN_WORKER_ID) process.nextTick(() => { throw new TypeError("too late") })',
    'exits.cjs': 'process.exit(3)',
  }
  const unhandled = 'exited with code 1 before it loaded the job: TypeError: '
  const cases: [options: string, ended: string][] = [
    ['--no-such-option', 'exited with code 9 before it loaded the job: '],
    [
      '--require ./nope.js',
      "exited with code 1 before it loaded the job: Error: Cannot find module './nope.js'",
    ],
    ['--require ./throws.cjs', `${unhandled}in the preload`],
    ['--require ./rejects.cjs', `${unhandled}too late`],
    ['--require ./throws-later.cjs', `${unhandled}too late`],
    ['--require ./exits.cjs', 'exited with code 3 before it loaded the job\n'],
  ]

  it.each(cases)('%s is blamed on --node-options, not on the job', async (options, ended) => {
    const space = tempSpace()
    space.write(files)
    const flags = ['--job-output', 'none', '--node-options', options]
    const run = await runCli(['map', 'job.mjs', ...flags, 'A'], { cwd: space.dir })
    expect(run.stderr).toContain(`poolrun map: invalid value for --node-options: a worker ${ended}`)
    expect(occurrences(run.stderr, '\n')).toBe(1)
    expect(run.exitCode).toBe(2)
  })

  it('is blamed on NODE_OPTIONS where that was given to it, and shows what Node wrote', async () => {
    const space = tempSpace()
    space.write(files)
    const run = await runCli(['map', 'job.mjs', '--env', 'NODE_OPTIONS=--no-such-option', 'A'], {
      cwd: space.dir,
    })
    const [shown, message] = run.stderr.split('\n')
    expect(shown).toContain('--no-such-option is not allowed in NODE_OPTIONS')
    expect(message).toContain(
      'invalid value for NODE_OPTIONS in the environment of the workers: a worker exited with code 9',
    )
    expect(run.exitCode).toBe(2)
  })
})

it('ends with exit code 2 when an env file is missing, a folder or not UTF-8', async () => {
  const space = tempSpace()
  const job = space.write({ 'job.mjs': JOB, latin1: Buffer.from('A=\xe9', 'latin1') })
  for (const path of [space.path('missing'), space.dir, space.path('latin1')]) {
    // As a variable: Node itself reads the file of an `--env-file` among the arguments of its script and exits with 9 if
    // it cannot (nodejs/node#54232).
    const run = await runCli(['map', job, '-j', '0', 'A'], { env: { POOLRUN_ENV_FILE: path } })
    expect(run.stderr).toContain(`poolrun: cannot read --env-file '${path}'`)
    expect(run.exitCode).toBe(2)
  }
})
