// The packed package, installed into an empty folder, in the programs that people use it from: Node in its several ways,
// test runners, TypeScript, and bundles.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { execa } from 'execa'
import { rollup } from 'rollup'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import webpack from 'webpack'
import { root } from '../../helpers/run-cli.js'

const space = mkdtempSync(join(realpathSync(tmpdir()), 'poolrun-package-'))
afterAll(() => rmSync(space, { recursive: true, force: true }))
const project = join(space, 'project')
const fixtures = join(root, 'test/fixtures/package')
const modules = join(root, 'node_modules')
const require = createRequire(import.meta.url)
const { expected } = require(join(fixtures, 'use.cjs')) as { expected: string }
/** What poolrun depends on, linked from this checkout: the test needs no network, and copies no compiler. */
const esbuild = join(modules, 'esbuild')
let tarball = ''

/** Its exit code must be 0. */
async function run(args: readonly string[], { command = process.execPath, cwd = project } = {}) {
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME, NO_COLOR: '1', POOLRUN_CACHE_DIR: inject('cacheDir') }
  const { all } = await execa(command, args, { cwd, env, extendEnv: false, all: true, timeout: 60_000 })
  return all
}

beforeAll(async () => {
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', space]
  tarball = join(space, (await run(pack, { command: 'npm', cwd: root })).trim())
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  cpSync(fixtures, project, { recursive: true })
  const install = [
    'install',
    '--offline',
    '--no-install-links',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
  ]
  await run([...install, tarball, esbuild], { command: 'npm' })
})

it('runs from the command line', async () => {
  const args = ['map', './job.ts', '1', '2', '-j1']
  expect(await run(args, { command: join(project, 'node_modules/.bin/poolrun') })).toContain('2\n4')
})

/** In one process, as in a program of which a part is still CommonJS. */
const importsAndRequires = ['--import', './imports.mjs', 'requires.cjs']

it('works in node, with import and with require', async () => {
  expect(await run(importsAndRequires)).toBe(`${expected}\n${expected}`)
})

it('works in tsx', async () => {
  expect(await run([require.resolve('tsx/cli'), 'typescript.ts'])).toBe(expected)
})

it('works where pnpm has installed it, which shows it only its own dependencies', async () => {
  const cwd = join(space, 'pnpm')
  cpSync(fixtures, cwd, { recursive: true })
  const manifest = {
    private: true,
    dependencies: { poolrun: `file:${tarball}` },
    pnpm: { overrides: { esbuild: `link:${esbuild}` } },
  }
  writeFileSync(join(cwd, 'package.json'), JSON.stringify(manifest))
  const pnpm = join(dirname(require.resolve('pnpm')), 'bin/pnpm.cjs')
  await run([pnpm, 'install', '--offline', '--ignore-scripts', `--store-dir=${join(space, 'store')}`], {
    cwd,
  })
  expect(await run(importsAndRequires, { cwd })).toBe(`${expected}\n${expected}`)
})

it('works in a thread, and leaves no process when the thread is terminated', async () => {
  expect(await run(['thread.cjs'])).toBe(`${expected}\nand nothing is left`)
})

const jest = require.resolve('jest/bin/jest')
const jestConfig = (name: string, more = {}) => [
  '--rootDir=.',
  `--config=${JSON.stringify({ testMatch: [`**/${name}`], moduleFileExtensions: ['js', 'cjs', 'mjs'], ...more })}`,
]
const vitest = join(modules, 'vitest/vitest.mjs')

it.each([
  ['node --test', ['--test', '--test-reporter=tap', 'node.test.mjs'], /^# pass 1$/m],
  ['jest, with require', [jest, ...jestConfig('requires.test.cjs')], /^Tests: +1 passed/m],
  [
    'jest, with import',
    ['--experimental-vm-modules', jest, ...jestConfig('imports.test.mjs', { transform: {} })],
    /^Tests: +1 passed/m,
  ],
  ['vitest', [vitest, 'run', '--root=.', '--globals', 'imports.test.mjs'], /Tests +1 passed/],
])('works in a test of %s', async (_runner, args, passed) => {
  expect(await run(args)).toMatch(passed)
})

it('has types for import and for require', () => {
  const program = ts.createProgram(
    ['types.mts', 'types.cts'].map((name) => join(project, name)),
    {
      strict: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      types: ['node'],
      typeRoots: [join(modules, '@types')],
    },
  )
  const checked = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(project))
  expect(checked.map(({ fileName }) => fileName.replace(/^.*\//, '')).sort()).toEqual([
    'index.d.cts',
    'index.d.ts',
    'job.ts',
    'types.cts',
    'types.mts',
  ])
  const problems = checked.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ])
  expect(problems.map(({ messageText }) => messageText)).toEqual([])
})

describe('a program that is bundled together with it', () => {
  const out = (name: string) => join(project, 'out', name)
  const entries = { import: join(project, 'imports.mjs'), require: join(project, 'requires.cjs') }
  const common = { bundle: true, platform: 'node', logLevel: 'error' } as const

  it.each([
    ['import', 'cjs'],
    ['import', 'esm'],
    ['require', 'cjs'],
    ['require', 'esm'],
  ] as const)('finds its worker (esbuild, %s, %s)', async (how, format) => {
    const outfile = out(`esbuild-${how}.${format === 'esm' ? 'mjs' : 'cjs'}`)
    await build({ ...common, entryPoints: [entries[how]], format, outfile })
    expect(await run([outfile])).toBe(expected)
  })

  it('finds its worker (rollup)', async () => {
    // Without the plugin for CommonJS, which poolrun does not need.
    const entry = join(project, 'node_modules/poolrun/dist/index.js')
    const resolve = { name: 'resolve', resolveId: (name: string) => (name === 'poolrun' ? entry : null) }
    const bundle = await rollup({
      input: entries.import,
      plugins: [resolve],
      external: [/^node:/, /use\.cjs$/],
    })
    const file = join(project, 'rollup.mjs')
    await bundle.write({ file, format: 'es' })
    expect(readFileSync(file, 'utf8')).not.toContain("from 'poolrun'")
    expect(await run([file])).toBe(expected)
  })

  it('finds its worker (webpack, import and require)', async () => {
    const compiler = webpack({
      entry: entries,
      mode: 'none',
      target: 'node',
      output: { path: join(project, 'out'), filename: 'webpack-[name].cjs' },
    })
    const problems = await new Promise((resolve, reject) =>
      compiler?.run((error, stats) => {
        const { errors = [], warnings = [] } = stats?.toJson({ errors: true, warnings: true }) ?? {}
        if (error) reject(error)
        else resolve([...errors, ...warnings].map(({ message }) => message))
      }),
    )
    expect(problems).toEqual([])
    expect(await run([out('webpack-import.cjs')])).toBe(expected)
    expect(await run([out('webpack-require.cjs')])).toBe(expected)
  })

  it('says what to write where poolrun is not installed', async () => {
    const outfile = join(space, 'elsewhere/program.cjs')
    await build({ ...common, entryPoints: [entries.import], format: 'cjs', outfile })
    const { message } = await run([outfile]).then(
      () => ({ message: 'no error' }),
      (error: Error) => error,
    )
    expect(message).toContain(`Error: poolrun is bundled into ${outfile}, and not installed there.`)
    expect(message).toContain('esbuild: --external:poolrun')
  })
})
