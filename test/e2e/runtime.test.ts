// What runs poolrun: a Node that is too old, Bun and Deno are refused in one line, before anything of theirs can fail.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { describe, expect, it } from 'vitest'
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

const refused: [string, Record<string, string>, string][] = [
  ['Node 12', { node: '12.22.12' }, 'this is Node 12.22.12'],
  ['Node 18', { node: '18.20.8' }, 'this is Node 18.20.8'],
  ['Node 20 before 20.19', { node: '20.18.3' }, 'this is Node 20.18.3'],
  ['a pre-release before 20.19', { node: '20.0.0-nightly2023' }, 'this is Node 20.0.0-nightly2023'],
  ['Bun', { bun: '1.3.0', node: '24.3.0' }, 'this is Bun 1.3.0'],
  ['Deno', { deno: '2.5.0', node: '24.2.0' }, 'this is Deno 2.5.0'],
]

describe.each(refused)('%s', (_what, versions, words) => {
  const line = `poolrun needs Node.js 20.19 or newer; ${words}`

  it('is refused by the command line with 7', async () => {
    const { stdout, stderr, exitCode } = await runShell(
      `"$NODE" -r ${pretend(versions)} "$POOLRUN_JS" --version`,
    )
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: `${line}\n`, exitCode: 7 })
  })

  it('is refused by the library', async () => {
    const program = `import('${root}dist/index.js').catch((error) => console.log(error.message))`
    const { stdout } = await runShell(`"$NODE" -r ${pretend(versions)} --input-type=module -e "${program}"`)
    expect(stdout).toBe(`${line}\n`)
  })
})

it.each(['20.19.0', '21.0.0', '22.1.0', '100.0.0', node])('Node %s is accepted', async (version) => {
  const { stdout, exitCode } = await runShell(
    `"$NODE" -r ${pretend({ node: version })} "$POOLRUN_JS" map test/fixtures/jobs/identity.ts 1`,
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
