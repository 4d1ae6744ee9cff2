// Results that no recorder keeps, and recorders that keep nothing: each item is accounted for all the same, and nobody
// fails for another one.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { lines, root, runCli, runShell, startCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { counts, expectNoneTwice, itemLog } from './support.js'

const numbers = (count: number) => lines(...Array.from({ length: count }, (_, i) => i))

describe('a result that is too large for the recorder', () => {
  it.each(['map', 'collect'])('leaves no gap when its worker exits at once (%s)', async (command) => {
    const space = tempSpace()
    const job = space.write({
      'gap.mjs': `export default i => {
        if (i === 1000) { setImmediate(() => process.exit(3)); return 'x'.repeat(3_000_000) }
        return i
      }`,
    })
    const out = space.path('out')
    const run = await runCli([command, job, '-j', '1', '-o', out], { input: numbers(3_000) })
    const { ok, failed, cancelled, notRun } = counts(run)
    const written = space.read('out').split('\n').filter(Boolean).length
    // The result is kept, or the item fails: never both, and never neither.
    if (run.exitCode === 0) expect({ ok, written }).toEqual({ ok: 3_000, written: 3_000 })
    else if (command === 'collect') expect({ failed, written }).toEqual({ failed: 1, written: 2_999 })
    else
      expect({ failed, written, all: ok + failed + cancelled + notRun }).toEqual({
        failed: 1,
        written: 0,
        all: 3_000,
      })
  })

  it.each([
    ['in the same chunk', '3'],
    ['in the next chunk', '1'],
  ])('has left before the next item kills the worker, %s', async (_, chunkSize) => {
    const job = tempSpace().write({
      'big.mjs': `export default i => {
        if (i === 1) process.kill(process.pid, 'SIGKILL')
        return i === 0 ? 'x'.repeat(3_000_000) : i
      }`,
    })
    const run = await runCli(['collect', job, '-j', '1', '--chunk-size', chunkSize], { input: '0\n1\n2\n' })
    expect(run.stdout).toBe(`"${'x'.repeat(3_000_000)}"\n2\n`)
    expect(counts(run)).toEqual({ ok: 2, failed: 1, cancelled: 0, notRun: 0 })
  })

  it('is not late because its message takes long to leave', async () => {
    const job = tempSpace().write({ 'huge.mjs': `export default i => i === 0 ? 'x'.repeat(60_000_000) : i` })
    const run = await runCli(['collect', job, '-j', '1', '--timeout', '500ms', '--format', 'raw'], {
      input: '0\n1\n',
    })
    expect(counts(run)).toEqual({ ok: 2, failed: 0, cancelled: 0, notRun: 0 })
  })
})

it.each(['1', '2'])(
  'a result appears before a later item ends that blocks its worker (chunk size %s)',
  async (size) => {
    const space = tempSpace()
    const job = space.write({
      'blocks.mjs': `import { existsSync } from 'node:fs'
      const never = new Int32Array(new SharedArrayBuffer(4))
      export default i => {
        while (i === 1 && !existsSync(${JSON.stringify(space.path('go'))})) Atomics.wait(never, 0, 0, 5)
        return i
      }`,
    })
    const input = space.path('items')
    space.write({ items: '0\n1\n' })
    const run = startCli(['imap', job, '-j', '1', '--chunk-size', size, '-i', input])
    await once(run.child.stdout!, 'data')
    space.write({ go: '' })
    expect(await run.ended()).toMatchObject({ exitCode: 0, stdout: '0\n1\n' })
  },
)

const mayMount =
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', '/dev/shm']).status === 0
if (!mayMount) console.warn('SKIPPED: a full /dev/shm needs the right to mount')

it.skipIf(!mayMount)('a full /dev/shm changes nothing about which item is lost', async () => {
  const space = tempSpace()
  const log = itemLog(space, 'log', 'SIGKILL')
  space.write({ items: numbers(20) })
  const args = ['collect', 'test/fixtures/jobs/crashes-for-item-2.ts', '-j', '2', '--chunk-size', '5']
  const command = [...args, ...log.args, '-i', space.path('items')].map((word) => `'${word}'`).join(' ')
  const run = await runShell(
    `unshare -m sh -c 'mount -t tmpfs -o size=4k none /dev/shm && head -c 4096 /dev/zero > /dev/shm/full && exec "$@"' sh node ${root}/bin/poolrun.js ${command}`,
  )
  expect(counts(run)).toEqual({ ok: 19, failed: 1, cancelled: 0, notRun: 0 })
  expectNoneTwice(log.begun())
})

it('a job that closes the descriptor of the recorder loses only the item that kills its worker', async () => {
  const job = tempSpace().write({
    'closes.mjs': `import { closeSync } from 'node:fs'
      try { closeSync(3) } catch {}
      export default i => { if (i === 5) process.kill(process.pid, 'SIGKILL'); return i }`,
  })
  const run = await runCli(['collect', job, '-j', '1', '--chunk-size', '20'], { input: numbers(20) })
  expect(counts(run)).toEqual({ ok: 19, failed: 1, cancelled: 0, notRun: 0 })
  expect(run.stderr).toContain('item 5 lost')
})
