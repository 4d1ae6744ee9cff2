// What containers limit and lack.
import { spawnSync } from 'node:child_process'
import { expect, it, type TestContext } from 'vitest'
import { enterControlGroup } from '../../helpers/control-group.js'
import { root, runShell } from '../../helpers/run-cli.js'

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
  const { stdout, stderr, exitCode } = await runShell(
    `${poolrun} collect ${root}test/fixtures/jobs/identity.ts 1 2 --max-memory 100mb`,
  )
  expect({ stdout, stderr, exitCode }).toEqual({
    stdout: '',
    stderr:
      'poolrun: the memory of workers cannot be limited here: neither /proc nor ps shows how much they use\n',
    exitCode: 7,
  })
  const unlimited = await runShell(`${poolrun} map ${root}test/fixtures/jobs/identity.ts 1 2`)
  expect(unlimited).toMatchObject({ stdout: '1\n2\n', stderr: 'poolrun map: 2 ok\n', exitCode: 0 })
})
