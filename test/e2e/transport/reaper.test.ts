// Processes that outlive a parent that was killed: none, unless their group was forgotten.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { tempSpace } from '../../helpers/temp-space.js'
import { listen } from './connection-server.js'

const path = (name: string) => fileURLToPath(new URL(`entries/${name}`, import.meta.url))

/** Starts a separate parent process, bundled from the sources. */
async function startParent(name: string, env: Record<string, string>) {
  const outfile = tempSpace().path('parent.mjs')
  await build({ entryPoints: [path(`${name}.ts`)], outfile, bundle: true, platform: 'node', format: 'esm' })
  return spawn(process.execPath, [outfile, path('connects.mjs')], {
    stdio: 'ignore',
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
