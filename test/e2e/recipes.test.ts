// Each page of docs/recipes is complete: its files are written into an empty folder, and its commands print what it shows.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, runShell } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const folder = join(root, 'docs/recipes')
const index = readFileSync(join(folder, 'README.md'), 'utf8')
const names = readdirSync(folder).filter((name) => name !== 'README.md')

/** Programs of commands, besides those of every shell. */
const TOOLS = ['jq']

function installed(name: string): string {
  return join(root, 'node_modules', name)
}

function has(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function recipe(name: string) {
  const text = readFileSync(join(folder, name), 'utf8')
  const files = [...text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, file, content]) => [file, content])
  const commands = [...text.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block]) =>
    block!
      .split(/^\$ /m)
      .slice(1)
      .map((example) => {
        const end = example.indexOf('\n')
        return { command: example.slice(0, end), output: example.slice(end + 1) }
      }),
  )
  const packages = new Set([...text.matchAll(/^import \w+ from '([a-z]\w*)'$/gm)].map(([, name]) => name!))
  const builtins = [...text.matchAll(/'(node:\w+)'/g)].map(([, module]) => module!)
  const missing = [
    ...[...packages].filter((name) => !existsSync(installed(name))),
    ...builtins.filter((module) => !isBuiltin(module)),
    ...TOOLS.filter((tool) => commands.some(({ command }) => command.includes(`${tool} `)) && !has(tool)),
  ]
  return { files: Object.fromEntries(files) as Record<string, string>, packages, commands, missing }
}

describe.each(names)('docs/recipes/%s', (name) => {
  const { files, packages, commands, missing } = recipe(name)

  it.skipIf(missing.length > 0)(
    `does what it shows${missing.map((tool) => ` (skipped: no ${tool})`).join('')}`,
    async () => {
      expect(commands.length).toBeGreaterThan(0)
      const space = tempSpace()
      space.write(files)
      for (const name of packages) {
        mkdirSync(space.path('node_modules'), { recursive: true })
        symlinkSync(installed(name), space.path(`node_modules/${name}`))
      }
      // Commands, and what they start, find the command and the Node under test as their users would.
      space.write({
        'bin/npx': '#!/bin/sh\nshift\nexec "$NODE" "$POOLRUN_JS" "$@"\n',
        'bin/node': '#!/bin/sh\nexec "$NODE" "$@"\n',
      })
      // All of them in one shell, as in a terminal; a NUL ends the output of each.
      const script = commands.map(({ command }) => `${command}\nprintf '\\0'`).join('\n')
      const { stdout, stderr } = await runShell(`chmod +x bin/*; PATH="$PWD/bin:$PATH"\n${script}`, {
        cwd: space.dir,
        timeoutMs: 25_000,
      })
      const outputs = stdout.split('\0').slice(0, -1)
      expect(
        commands.map(({ command }, i) => ({ command, output: outputs[i] })),
        stderr,
      ).toEqual(commands)
    },
  )

  it('is listed', () => {
    expect(index).toContain(`](${name})`)
  })
})
