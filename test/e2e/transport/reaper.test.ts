// Processes that outlive a parent that was killed: none, unless their group was forgotten.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { Reaper } from '../../../src/transport/reaper.js'
import { eventually } from '../../helpers/eventually.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { listen } from './connection-server.js'

const path = (name: string) => fileURLToPath(new URL(`entries/${name}`, import.meta.url))

/** Starts a separate parent process, bundled from the sources. */
async function startParent(name: string, env: Record<string, string>) {
  const space = tempSpace()
  const outfile = space.path('parent.mjs')
  await build({ entryPoints: [path(`${name}.ts`)], outfile, bundle: true, platform: 'node', format: 'esm' })
  return spawn(process.execPath, [outfile, path('connects.mjs'), space.path('flag')], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  })
}

test('a worker in a busy loop is killed within two seconds after its parent was killed', async () => {
  const server = await listen()
  const parent = await startParent('parent-of-a-blocked-worker', server.env)
  const worker = await server.connected('blocks-worker')
  const killed = performance.now()
  parent.kill('SIGKILL')
  await worker.exited
  expect(performance.now() - killed).toBeLessThan(2_000)
})

test('a forgotten group is left alone, the groups before and after it are killed', async () => {
  const server = await listen()
  const parent = await startParent('parent-that-forgets-one', server.env)
  const [first, forgotten, last] = await Promise.all(['first', 'forgotten', 'last'].map(server.connected))
  parent.kill('SIGKILL')
  await Promise.all([first!.exited, last!.exited, once(parent, 'close')])
  // The groups are killed in the order in which they were watched, so it would have been killed by now.
  await forgotten!.replies()
})

test('without a shell that works, Node takes its place', async () => {
  const server = await listen()
  const parent = await startParent('parent-without-a-shell', server.env)
  const [worker] = await Promise.all([server.connected('blocks-worker'), once(parent.stdout!, 'data')])
  parent.kill('SIGKILL')
  await worker.exited
})

test('where no program works, that is said once', async () => {
  const reaper = new Reaper([
    { command: '/nonexistent/sh', args: [] },
    { command: '/bin/false', args: [] },
  ])
  let calls = 0
  const missing = new Promise<void>((resolve) => {
    reaper.onMissing(() => {
      calls++
      resolve()
    })
  })
  reaper.watch(2 ** 30)
  await missing
  reaper.watch(2 ** 30 + 1)
  await reaper.rest()
  expect(calls).toBe(1)
})

test('at rest its process has exited, and is started again for the next group', async () => {
  const { path, read } = tempSpace()
  const reaper = new Reaper([{ command: '/bin/sh', args: ['-c', 'echo $$ >> "$0"; cat', path('pids')] }])
  const group = 2 ** 30
  const started = (count: number) =>
    eventually(`process ${count}`, () => (read('pids').split('\n').length > count ? true : undefined))
  for (const count of [1, 2]) {
    reaper.watch(group)
    await started(count)
    await reaper.rest()
    reaper.forget(group)
    const pid = Number(read('pids').split('\n')[count - 1])
    // There is a group to watch.
    expect(() => process.kill(pid, 0)).not.toThrow()
    await reaper.rest()
    // Not even a zombie is left.
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  }
})
