// What containers limit and lack.
import { spawnSync } from 'node:child_process'
import { describe, expect, it, type TestContext } from 'vitest'
import { enterControlGroup } from '../../helpers/control-group.js'
import { fixture, root, runShell } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

it('the CPU quota of the control group limits -j auto', async (context) => {
  const enter = enterControlGroup(context, 'cpu', {
    v1: { 'cpu.cfs_quota_us': '50000' },
    v2: { 'cpu.max': '50000 100000' },
  })
  const { stdout } = await runShell(`${enter}poolrun --version --verbose`)
  expect(stdout).toMatch(/^processors: 1 \(\d+ available, CPU quota 0\.5 in \/.*\)$/m)
  const { stderr } = await runShell(`${enter}poolrun collect -e 'n => n' 1 2 3 -j auto --debug`)
  expect(stderr).toMatch(/debug: \+\S+ s processors: 1 /)
  expect(stderr).not.toContain('worker 1 ')
})

/** Skips the test where this user may not make namespaces. Returns the start of a command that runs in one. */
function unshare(context: TestContext, mounts: string): string {
  const { status, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', mounts], { encoding: 'utf8' })
  if (status !== 0) {
    const reason = `no mount namespace can be made here: ${stderr}`
    console.warn(`SKIPPED: ${context.task.name}: ${reason}`)
    context.skip(reason)
  }
  return `unshare -rm sh -c '${mounts} && exec "$NODE" "$POOLRUN_JS" "$@"' sh`
}

it('without /proc, --max-memory is refused before anything runs', async (context) => {
  const poolrun = unshare(context, 'mount -t tmpfs none /proc')
  const { stdout, stderr, exitCode } = await runShell(`${poolrun} collect ${JOB} 1 2 --max-memory 100mb`)
  expect({ stdout, stderr, exitCode }).toEqual({
    stdout: '',
    stderr:
      'poolrun: the memory of workers cannot be limited here: neither /proc nor ps shows how much they use\n',
    exitCode: 7,
  })
  const unlimited = await runShell(`${poolrun} map ${JOB} 1 2`)
  expect(unlimited).toMatchObject({ stdout: '1\n2\n', stderr: 'poolrun map: 2 ok\n', exitCode: 0 })
})

const JOB = `${root}${fixture('identity')}`

it('where PID 1 reaps nothing, no zombie is left', async (context) => {
  unshare(context, 'true')
  const { dir, write } = tempSpace()
  // PID 1 of its own namespace. Node waits only for the processes that it has started.
  write({
    'pid1.mjs': `import { spawn } from 'node:child_process'
      import { readdirSync, readFileSync } from 'node:fs'
      const { NODE, POOLRUN_JS } = process.env
      const run = spawn(NODE, [POOLRUN_JS, 'collect', ${JSON.stringify(JOB)}, '-j', '2', '1', '2'], { stdio: 'inherit' })
      run.on('exit', (code) => {
        const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
        console.error(code, pids.map((pid) => readFileSync('/proc/' + pid + '/stat', 'latin1').split(' ', 3).join(' ')))
      })`,
  })
  const { stderr } = await runShell(`unshare -rmpf --mount-proc "$NODE" pid1.mjs`, { cwd: dir })
  expect(stderr).toMatch(/^poolrun collect: 2 ok\n0 \[ '1 \(node\) R' \]\n$/)
})

it('without /bin/sh a run prints nothing more', async (context) => {
  const poolrun = unshare(context, 'mount --bind /dev/null /bin/sh')
  expect(await runShell(`${poolrun} map ${JOB} 1 2`)).toMatchObject({
    stdout: '1\n2\n',
    stderr: 'poolrun map: 2 ok\n',
  })
})

describe('too few processes', () => {
  it.for([
    // For the worker itself, for its first threads, for those that it needs to load the job; and enough.
    ['a JavaScript job', 'job.mjs', [13, 20, 22, 80]],
    ['a TypeScript job', 'job.ts', [13, 80]],
  ] as const)('are never blamed on %s', async ([, job, limits], context) => {
    const codes = new Set<number | undefined>()
    for (const limit of limits) {
      const text = `${limit}`
      const enter = enterControlGroup(context, 'pids', { v1: { 'pids.max': text }, v2: { 'pids.max': text } })
      const space = tempSpace()
      space.write({ 'job.mjs': 'export default (n) => n', 'job.ts': 'export default (n: number) => n' })
      const { exitCode, stderr } = await runShell(`${enter}poolrun map ${job} 1 2 3 -j 1`, {
        cwd: space.path('.'),
        env: { POOLRUN_CACHE_DIR: space.path('cache') },
      })
      expect(stderr, text).not.toMatch(/while loading|does not compile/)
      codes.add(exitCode)
    }
    expect([...codes].sort()).toEqual([0, 7])
  })
})
