// What containers limit and lack.
import { expect, it } from 'vitest'
import { enterControlGroup } from '../../helpers/control-group.js'
import { runShell } from '../../helpers/run-cli.js'

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
