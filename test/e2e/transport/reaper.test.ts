import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { tempSpace } from '../../helpers/temp-space.js'
import { listen } from './greeter.js'

const path = (name: string) => fileURLToPath(new URL(`entries/${name}`, import.meta.url))

/** Starts a parent process of its own, made of the sources. */
async function startParent(name: string, env: Record<string, string>) {
  const outfile = tempSpace().path('parent.mjs')
  await build({ entryPoints: [path(`${name}.ts`)], outfile, bundle: true, platform: 'node', format: 'esm' })
  return spawn(process.execPath, [outfile, path('says-hello.mjs')], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  })
}

test('a worker in a busy loop is gone within two seconds of a parent that was killed', async () => {
  const greeter = await listen()
  const parent = await startParent('parent-of-a-blocked-worker', greeter.env)
  const worker = await greeter.called('blocks-worker')
  const killed = performance.now()
  parent.kill('SIGKILL')
  await worker.gone
  expect(performance.now() - killed).toBeLessThan(2_000)
})

test('groups that were forgotten are left alone, those before and after are not', async () => {
  const greeter = await listen()
  const parent = await startParent('parent-that-forgets-one', greeter.env)
  const [first, forgotten, last] = await Promise.all(['first', 'forgotten', 'last'].map(greeter.called))
  parent.kill('SIGKILL')
  await Promise.all([first!.gone, last!.gone, once(parent, 'close')])
  // The groups are killed in the order they were watched in, so its turn would have come.
  await forgotten!.answers()
})
