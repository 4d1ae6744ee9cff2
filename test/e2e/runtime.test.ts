// What runs poolrun: a Node that is too old, Bun and Deno are refused in one line, before anything of theirs can fail.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFunction } from 'node:vm'
import { transform } from 'esbuild'
import { expect, it } from 'vitest'
import { root, runShell } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const node = process.versions.node

/** A preload that makes Node report these versions. */
function pretend(versions: Record<string, string>): string {
  const value = JSON.stringify({ ...process.versions, ...versions })
  return tempSpace().write({
    'fake.cjs': `Object.defineProperty(process, 'versions', { value: ${value} })\n`,
  })
}

const ONE_LINE = 'poolrun needs Node.js 20.19 or newer; '

it.each([
  ['Node 12', { node: '12.22.12' }, 'this is Node 12.22.12'],
  ['Bun', { bun: '1.3.0', node: '24.3.0' }, 'this is Bun 1.3.0'],
])('%s is refused by the command line with 7, and by the library', async (_what, versions, words) => {
  const preload = pretend(versions)
  const { stdout, stderr, exitCode } = await runShell(`"$NODE" -r ${preload} "$POOLRUN_JS" --version`)
  const line = `${ONE_LINE}${words}\n`
  expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: line, exitCode: 7 })
  const program = `import('${root}dist/index.js').catch((error) => console.log(error.message))`
  const library = await runShell(`"$NODE" -r ${preload} --input-type=module -e "${program}"`)
  expect(library.stdout).toBe(line)
})

/** What bin/runtime.cjs says of a process with these versions. */
function problemOn(versions: Record<string, string>): unknown {
  const exports: { problem?: unknown } = {}
  const code = readFileSync(join(root, 'bin/runtime.cjs'), 'utf8')
  compileFunction(code, ['exports', 'process'])(exports, { versions: { ...process.versions, ...versions } })
  return exports.problem
}

it.each<[Record<string, string>, string]>([
  [{ node: '12.22.12' }, 'this is Node 12.22.12'],
  [{ node: '18.20.8' }, 'this is Node 18.20.8'],
  [{ node: '20.18.3' }, 'this is Node 20.18.3'],
  [{ node: '20.0.0-nightly2023' }, 'this is Node 20.0.0-nightly2023'],
  [{ bun: '1.3.0', node: '24.3.0' }, 'this is Bun 1.3.0'],
  [{ deno: '2.5.0', node: '24.2.0' }, 'this is Deno 2.5.0'],
])('what reports %j is refused', (versions, words) => {
  expect(problemOn(versions)).toBe(`${ONE_LINE}${words}`)
})

it.each(['20.19.0', '21.0.0', '22.1.0', '100.0.0', node])('Node %s is accepted', (version) => {
  expect(problemOn({ node: version })).toBeUndefined()
})

it('a newer Node runs a job', async () => {
  const { stdout, exitCode } = await runShell(
    `"$NODE" -r ${pretend({ node: '100.0.0' })} "$POOLRUN_JS" map test/fixtures/jobs/identity.ts 1`,
  )
  expect({ stdout, exitCode }).toEqual({ stdout: '1\n', exitCode: 0 })
})

it.each(['poolrun.js', 'runtime.cjs', 'refuse-runtime.cjs'])('bin/%s parses on Node 12', async (file) => {
  const code = readFileSync(join(root, 'bin', file), 'utf8')
  const [old, current] = await Promise.all(
    ['node12.0', 'esnext'].map((target) => transform(code, { target, loader: 'js', platform: 'node' })),
  )
  expect(old?.code).toBe(current?.code)
})
