// What the package consists of, and what it needs from other packages when it runs.
import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, runShell } from '../../helpers/run-cli.js'

const dist = join(root, 'dist')
/** Without what job/projects.test.ts may have there at the same time. */
const files = readdirSync(dist).filter((name) => !name.startsWith('.test-host-'))
const read = (name: string) => readFileSync(join(dist, name), 'utf8')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const optional = Object.keys(manifest.peerDependencies ?? {})

/** Calls that load or look up a package by a name in quotes; static imports only in the one ES module. */
const CALL = /\b(?:require|resolve|import|createRequire\([^()]*\))\(\s*(["'`])([\w@][^"'`$]*)\1/g
const STATEMENT = /^import [^'"]*(["'])([\w@][^"']*)\1/gm

function packageOf(request: string): string {
  return request
    .split('/')
    .slice(0, request.startsWith('@') ? 2 : 1)
    .join('/')
}

function packagesThatLoad(name: string): string[] {
  const text = read(name)
  const found = [...text.matchAll(CALL), ...(name.endsWith('.js') ? text.matchAll(STATEMENT) : [])]
  return found.map(([, , request = '']) => request).filter((request) => !isBuiltin(request))
}

it('depends on exactly those packages that dist loads at run time', () => {
  const code = files.filter((name) => /\.c?js$/.test(name) && name !== 'page.js')
  const loaded = new Set(code.flatMap(packagesThatLoad).map(packageOf))
  loaded.delete('poolrun')
  expect([...loaded].filter((name) => !optional.includes(name)).sort()).toEqual(
    Object.keys(manifest.dependencies).sort(),
  )
})

describe('the licences of bundled packages', () => {
  const text = read('LICENSES.txt')
  const packages = text.match(/(?<=^# )\S+(?=@\S+$)/gm) ?? []

  it('are in one file, with those of indirect ones', () => {
    expect(packages).toEqual([...packages].sort())
    expect(packages).toEqual(
      expect.arrayContaining([
        '@babel/code-frame',
        'chalk',
        'commander',
        'js-tokens',
        'ora',
        'picomatch',
        'signal-exit',
        'string-width',
      ]),
    )
    for (const section of text.split(/^# /m).slice(1)) expect(section).toMatch(/Copyright|permission/i)
  })

  it('name only packages that are not installed with it', () => {
    expect(packages.filter((name) => name in manifest.dependencies)).toEqual([])
    expect(packages).not.toContain('lodash')
  })
})

describe('source maps', () => {
  const maps = files.filter((name) => name.endsWith('.map'))

  it('lead to sources of poolrun, not to those of other packages', () => {
    for (const name of maps) {
      const { sources, sourcesContent, mappings } = JSON.parse(read(name))
      expect(mappings).not.toBe('')
      expect(sources.filter((source: string) => !source.startsWith('../src/'))).toEqual([])
      expect(sources).not.toEqual([])
      expect(sourcesContent ?? []).toEqual([])
    }
  })

  it('belong to files that name them, and there is one for each file that names one', () => {
    const named = files
      .filter((name) => name.endsWith('.cjs'))
      .flatMap((name) => /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(read(name))?.[1] ?? [])
    expect(named.sort()).toEqual(maps.sort())
    expect(named).toContain('main.cjs.map')
  })

  it('show where in the sources an error of poolrun was thrown', async () => {
    const program = 'new (require("poolrun").Pool)("./job.ts", { processes: -1 })'
    const { stderr } = await runShell(`"$NODE" --enable-source-maps --eval '${program}'`)
    expect(stderr).toMatch(/at \S+ \(\S+\/src\/pool\/check-options\.ts:\d+:\d+\)/)
  })
})

it('has no file in dist that nothing uses', () => {
  const kinds = new Set(files.map((name) => name.replace(/^[^.]*/, '')))
  expect([...kinds].sort()).toEqual(['.cjs', '.cjs.map', '.css', '.d.cts', '.d.ts', '.js', '.txt'])
})
