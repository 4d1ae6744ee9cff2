// When the real compiler's output is used again and when not, on a real disk, with processes racing for it.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { JobSource } from '../../../src/ipc/protocol.js'
import { removePrivateFolder } from '../../../src/job/cache-folder.js'
import { type CompileOptions, compileJob } from '../../../src/job/compile.js'
import { type Project, project } from './project.js'

const output = async (made: Promise<JobSource>) => (await made).graph!.file

/** The inode of the manifest changes exactly when the job is compiled anew. */
async function compilesAnew(some: Project): Promise<boolean> {
  const manifests = () =>
    readdirSync(path.join(some.cache, 'jobs'))
      .filter((name) => name.endsWith('.json'))
      .map((name) => statSync(path.join(some.cache, 'jobs', name)).ino)
  const before = manifests()
  await some.compile('job.ts')
  return JSON.stringify(before) !== JSON.stringify(manifests())
}

const FILES = {
  'package.json': '{}',
  'tsconfig.json': '{ "extends": "./base.json" }',
  'base.json': '{}',
  'data.json': '{"x":1}',
  'lib/a.ts': 'export { v } from "pkg"\nexport const a = 1',
  'tools/index.ts': 'export const t = 1',
  'node_modules/pkg/package.json': '{"version":"1.0.0","main":"main.js"}',
  'node_modules/pkg/main.js': 'exports.v = 1',
  'job.ts': `import { a } from './lib/a.js'
    import { v } from 'pkg'
    import data from './data.json'
    import { t } from './tools'
    void t
    try { require('optional') } catch {}
    export default () => [a, v, data.x]`,
}

describe('a compiled job is', () => {
  it('used again while nothing has changed, from links to the file too', async () => {
    const some = project(FILES)
    const first = await some.compile('job.ts')
    expect(await compilesAnew(some)).toBe(false)
    symlinkSync(some.file('job.ts'), some.file('link.ts'))
    expect(await some.compile('link.ts')).toEqual(first)
  })

  it('made anew whenever something that it is made of or looked for changes, and the old one is left in place', async () => {
    const changes: [string, Record<string, string>][] = [
      ['an imported file', { 'lib/a.ts': 'export { v } from "pkg"\nexport const a = 2' }],
      ['imported JSON', { 'data.json': '{"x":2}' }],
      ['the tsconfig', { 'tsconfig.json': '{ "extends": "./base.json", "compilerOptions": {} }' }],
      ['what the tsconfig extends', { 'base.json': '{ "compilerOptions": {} }' }],
      [
        'the version of a package',
        { 'node_modules/pkg/package.json': '{"version":"1.0.1","main":"main.js"}' },
      ],
      ['a nearer tsconfig that was not there', { 'lib/tsconfig.json': '{}' }],
      ['a nearer package.json that was not there', { 'lib/package.json': '{"type":"module"}' }],
      [
        'the main file of a folder',
        { 'tools/package.json': '{"main":"b.ts"}', 'tools/b.ts': 'export const t = 2' },
      ],
      ['a file beside the folder of that name', { 'tools.ts': 'export const t = 2' }],
      [
        'a package that is installed nearer',
        { 'lib/node_modules/pkg/package.json': '{"main":"x.js"}', 'lib/node_modules/pkg/x.js': '' },
      ],
      [
        'a package that was not installed',
        { 'node_modules/optional/package.json': '{}', 'node_modules/optional/index.js': '' },
      ],
      ['the type of the package', { 'package.json': '{"type":"module"}' }],
      ['the entry', { 'job.ts': 'export default () => 2' }],
    ]
    const some = project(FILES)
    const old = await output(some.compile('job.ts'))
    for (const [what, change] of changes) {
      some.write(change)
      expect(await compilesAnew(some), what).toBe(true)
      expect(await compilesAnew(some), what).toBe(false)
    }
    expect(await output(some.compile('job.ts'))).not.toBe(old)
    // Processes may use it.
    expect(existsSync(old)).toBe(true)
  })

  it('made anew when a symbolic link leads elsewhere', async () => {
    const some = project({ ...FILES, 'one/x.ts': 'export const a = 1', 'two/x.ts': 'export const a = 1' })
    some.write({ 'job.ts': `import { a } from './current/x'\nexport default () => a` })
    symlinkSync(some.file('one'), some.file('current'))
    await some.compile('job.ts')
    rmSync(some.file('current'))
    symlinkSync(some.file('two'), some.file('current'))
    expect(await compilesAnew(some)).toBe(true)
  })

  it('made anew when a change keeps size and times', async () => {
    const some = project(FILES)
    const before = statSync(some.file('lib/a.ts'))
    await some.compile('job.ts')
    some.write({ 'lib/a.ts': 'export const a = 7' })
    utimesSync(some.file('lib/a.ts'), before.atime, before.mtime)
    expect(await compilesAnew(some)).toBe(true)
    expect(await some.run('job.ts')).toEqual([7, 1, 1])
  })

  it('made anew when the file that a package was resolved to does not exist any more', async () => {
    const some = project({ ...FILES, 'node_modules/pkg/index.js': 'exports.v = 2' })
    await some.compile('job.ts')
    rmSync(some.file('node_modules/pkg/main.js'))
    expect(await compilesAnew(some)).toBe(true)
  })

  it('made anew when its module is cut short', async () => {
    const some = project(FILES)
    await some.compile('job.ts')
    const folder = path.join(some.cache, 'jobs')
    const name = readdirSync(folder).find((candidate) => candidate.endsWith('.graph'))!
    truncateSync(path.join(folder, name), 10)
    expect(await some.run('job.ts')).toEqual([1, 1, 1])
    expect(statSync(path.join(folder, name)).size).toBeGreaterThan(10)
  })
})

describe('across processes', () => {
  let script: string

  beforeAll(() => {
    // Beside the sources, so that the compiled copy finds its own package.
    script = fileURLToPath(new URL('../../../dist/.test-compile.mjs', import.meta.url))
    buildSync({
      stdin: {
        contents: `import { once } from 'node:events'
          import { compileJob } from './src/job/compile.js'
          import { loadJob } from './src/job/load-job.js'
          const source = await compileJob(process.argv[2])
          const job = await loadJob(source)
          const { spawned, loaded } = globalThis
          // A compiler that does not end keeps this process from ending, too.
          for (const child of spawned)
            if (child.exitCode === null && child.signalCode === null) {
              child.ref()
              await once(child, 'exit')
            }
          console.log(JSON.stringify({ result: job.get('default')(), file: source.graph.file, loaded, spawned: spawned.length }))`,
        resolveDir: fileURLToPath(new URL('../../..', import.meta.url)),
      },
      banner: {
        js: `import cp from 'node:child_process'; import Module, { syncBuiltinESMExports } from 'node:module'
          globalThis.spawned = []; globalThis.loaded = false
          const { spawn } = cp, { _load } = Module
          cp.spawn = (...args) => { const child = spawn(...args); globalThis.spawned.push(child); return child }
          Module._load = function (name, ...rest) { globalThis.loaded ||= /esbuild.*main/.test(name); return _load.call(this, name, ...rest) }
          syncBuiltinESMExports()`,
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['esbuild'],
      outfile: script,
      logLevel: 'error',
    })
    return () => rmSync(script)
  })

  const run = (some: Project, env: Record<string, string> = {}) =>
    JSON.parse(
      execFileSync(process.execPath, [script, some.file('job.ts')], {
        env: { ...process.env, POOLRUN_CACHE_DIR: some.cache, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      }).toString(),
    )

  it('a cold start spawns the compiler once and ends it; a warm one neither loads nor spawns it', () => {
    const some = project(FILES)
    expect(run(some)).toMatchObject({ result: [1, 1, 1], spawned: 1, loaded: true })
    expect(run(some)).toMatchObject({ result: [1, 1, 1], spawned: 0, loaded: false })
  })

  it('four that compile the same job concurrently all get the whole module', async () => {
    const some = project(FILES)
    const results = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, [script, some.file('job.ts')], {
          env: { ...process.env, POOLRUN_CACHE_DIR: some.cache },
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        const text: Buffer[] = []
        child.stdout.on('data', (data: Buffer) => text.push(data))
        await once(child, 'close')
        return JSON.parse(Buffer.concat(text).toString())
      }),
    )
    for (const result of results) expect(result).toMatchObject({ result: [1, 1, 1], file: results[0].file })
    expect(readdirSync(path.join(some.cache, 'jobs')).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('a process that cannot write the cache takes a directory of its own and removes it', () => {
    const some = project(FILES)
    const { result, file } = run(some, { POOLRUN_CACHE_DIR: '/dev/null/x' })
    expect(result).toEqual([1, 1, 1])
    expect(existsSync(path.dirname(file))).toBe(false)
  })
})

describe('the job is compiled for this process alone if the cache folder is', () => {
  afterEach(removePrivateFolder)

  const compile = (some: Project, env: CompileOptions['env'] = { POOLRUN_CACHE_DIR: some.cache }) =>
    output(compileJob(some.file('job.ts'), { cwd: some.root, env: env ?? {} }))

  it('below a file', async () => {
    const some = project(FILES)
    writeFileSync(some.cache, '')
    const file = await compile(some)
    expect(file.startsWith(some.cache)).toBe(false)
    removePrivateFolder()
    expect(existsSync(file)).toBe(false)
  })

  it('a folder in which no file can be created', async () => {
    const some = project(FILES)
    mkdirSync(some.cache)
    // Root may write anywhere; a name in the way of the file is as good as a read-only disk.
    await some.compile('job.ts')
    const folder = path.join(some.cache, 'jobs')
    for (const name of readdirSync(folder)) {
      rmSync(path.join(folder, name))
      mkdirSync(path.join(folder, name, 'in-the-way'), { recursive: true })
    }
    const file = await compile(some)
    expect(file.startsWith(some.cache)).toBe(false)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
