// What TypeScript means inside a job, with the real compiler and real imports.
import { symlinkSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { context } from 'esbuild'
import { describe, expect, it, onTestFinished } from 'vitest'
import { toErrorData } from '../../../src/errors/capture/to-error-data.js'
import { project } from './project.js'

const PACKAGES = {
  'without a type': {},
  'of type commonjs': { 'package.json': '{"type":"commonjs"}' },
  'of type module': { 'package.json': '{"type":"module"}' },
}
/** Files whose extension says what they are, where the package says the opposite. */
const MTS = ['job.mts', 'of type commonjs'] as const
const CTS = ['job.cts', 'of type module'] as const
const everyPackage = (name: string) =>
  (Object.keys(PACKAGES) as (keyof typeof PACKAGES)[]).map((type) => [name, type] as const)

it.each([...everyPackage('job.ts'), ['job.tsx', 'of type commonjs'] as const, MTS, CTS])(
  'an ES module in %s runs in a package %s',
  async (name, type) => {
    const { run } = project({
      ...PACKAGES[type],
      [name]: 'export default function task(): number { return 7 }',
    })
    expect(await run(name)).toBe(7)
  },
)

it.each([...everyPackage('job.ts'), CTS])('CommonJS in %s runs in a package %s', async (name, type) => {
  const { run, load, file } = project({
    ...PACKAGES[type],
    'lib/other.ts': 'exports.here = () => [__filename, require.resolve("./data.json")]',
    'lib/data.json': '{}',
    [name]: `const { here } = require('./lib/other')
      const { sep } = require('node:path')
      module.exports = function task() { return [__dirname, here(), sep] }
      module.exports.initializer = () => 1`,
  })
  expect(await run(name)).toEqual(
    [file('.'), [file('lib/other.ts'), file('lib/data.json')], '/'].map(trimSlash),
  )
  expect((await load(name)).exports).toEqual({ default: 'function', initializer: 'function' })
})

it.each([...everyPackage('job.ts'), CTS])(
  'export = in %s is the default export in a package %s',
  async (name, type) => {
    const { run } = project({
      ...PACKAGES[type],
      [name]: `import path = require('node:path')
        function task() { return path.basename(__filename) }
        export = task`,
    })
    expect(await run(name)).toBe(name)
  },
)

it.each(['a*b/job.ts', 'job*.mts', '[a]{b}?/job.ts'])('%s is a name, not a pattern', async (name) => {
  const { run } = project({
    [name]: "import { n } from './n.js'\nexport default (): number => n",
    [`${name}/../n.ts`]: 'export const n = 7',
  })
  expect(await run(name)).toBe(7)
})

function trimSlash<T>(value: T): T {
  return (typeof value === 'string' && value.length > 1 ? value.replace(/\/\.?$/, '') : value) as T
}

describe('imports', () => {
  it('of other TypeScript files work with .js, .ts and no suffix', async () => {
    const { run } = project({
      'a.ts': 'export const a = 1',
      'b.ts': 'export const b = 2',
      'c.mts': 'export const c = 3',
      'd/index.ts': 'export const d = 4',
      'job.ts': `import { a } from './a.js'
        import { b } from './b.ts'
        import { c } from './c.mjs'
        import { d } from './d'
        export default () => [a, b, c, d]`,
    })
    expect(await run('job.ts')).toEqual([1, 2, 3, 4])
  })

  it('of JSON work with and without an attribute', async () => {
    const { run } = project({
      'data.json': '{"x":1}',
      'job.ts': `import plain from './data.json'
        import attributed from './data.json' with { type: 'json' }
        export default () => [plain.x, attributed.x]`,
    })
    expect(await run('job.ts')).toEqual([1, 1])
  })

  it('by a dynamic import of a literal are compiled, too, and evaluated only then', async () => {
    const { run } = project({
      'late.ts': 'throw new Error("late")',
      'job.ts': 'export default () => import("./late.ts").catch((error: Error) => error.message)',
    })
    expect(await run('job.ts')).toBe('late')
  })

  it.each([
    ['module', 'esm'],
    ['commonjs', 'cjs'],
  ])(
    'of packages resolve to the package beside the importing file, by the conditions of type %s',
    async (type, side) => {
      const dual = (name: string) => ({
        [`${name}/package.json`]: '{"exports":{"import":"./esm.mjs","require":"./cjs.cjs"}}',
        [`${name}/esm.mjs`]: `export const kind = ${JSON.stringify(`${name} esm`)}`,
        [`${name}/cjs.cjs`]: `exports.kind = ${JSON.stringify(`${name} cjs`)}`,
      })
      const { run } = project({
        'package.json': JSON.stringify({ type }),
        ...dual('node_modules/dual'),
        ...dual('inner/node_modules/dual'),
        'inner/helper.ts': 'export { kind } from "dual"',
        'job.ts': `import { kind } from 'dual'
        import { kind as inner } from './inner/helper.js'
        export default async () => [kind, inner, require('dual').kind, (await import('dual')).kind]`,
      })
      expect(await run('job.ts')).toEqual([
        `node_modules/dual ${side}`,
        `inner/node_modules/dual ${side}`,
        'node_modules/dual cjs',
        'node_modules/dual esm',
      ])
    },
  )

  it('of a package are the same module that other files get from Node', async () => {
    const { run, file } = project({
      'node_modules/state/package.json': '{"main":"index.js"}',
      'node_modules/state/index.js': 'exports.loaded = __filename',
      'job.ts': 'import state from "state"; export default () => state',
    })
    expect(await run('job.ts')).toBe((await import(file('node_modules/state/index.js'))).default)
  })

  it('of a linked workspace package in TypeScript are compiled with the job', async () => {
    const { run, root, file, write } = project({
      'packages/shared/package.json': '{"name":"shared","exports":"./src/index.ts"}',
      'packages/shared/src/index.ts': 'export enum Shade { Dark = "dark" }',
      'job.ts': 'import { Shade } from "shared"; export default () => Shade.Dark',
    })
    write({ 'node_modules/.keep': '' })
    symlinkSync(`${root}/packages/shared`, file('node_modules/shared'))
    expect(await run('job.ts')).toBe('dark')
  })

  it('of poolrun resolve to the one installed beside the job', async () => {
    const { run } = project({
      'node_modules/poolrun/package.json': '{"type":"module","exports":"./mine.js"}',
      'node_modules/poolrun/mine.js': 'export const currentTask = () => "installed"',
      'job.ts': 'import { currentTask } from "poolrun"; export default () => currentTask()',
    })
    expect(await run('job.ts')).toBe('installed')
  })

  it.each(['module', 'commonjs'])(
    'of poolrun fall back to the running one, in a package of type %s',
    async (type) => {
      const { run } = project({
        'package.json': JSON.stringify({ type }),
        'job.ts':
          'import { currentTask, Pool } from "poolrun"; export default () => [typeof currentTask, Pool.name]',
      })
      expect(await run('job.ts')).toEqual(['function', 'Pool'])
    },
  )

  it('of a missing package, if they are dynamic, fail where the job can catch the error', async () => {
    const { run } = project({
      'job.ts': 'export default () => import("no-such-package").catch((error) => error.code)',
    })
    expect(await run('job.ts')).toBe('ERR_MODULE_NOT_FOUND')
  })
})

describe('a module knows its own location', () => {
  it('by every name for it, in the entry and in what it imports', async () => {
    const names = '[import.meta.url, import.meta.dirname, import.meta.filename, __dirname, __filename]'
    const { run, file } = project({
      'lib/deep.ts': `export const deep = () => ${names}`,
      'job.ts': `import { deep } from './lib/deep.js'\nexport default () => [${names}, deep()]`,
    })
    const of = (name: string, directory: string) => [
      pathToFileURL(file(name)).href,
      file(directory),
      file(name),
      file(directory),
      file(name),
    ]
    expect(await run('job.ts')).toEqual(
      [of('job.ts', ''), of('lib/deep.ts', 'lib')].map((all) => all.map(trimSlash)),
    )
  })

  it('even if it declares those names itself', async () => {
    const { run, file } = project({
      'job.ts': `import { createRequire } from 'node:module'
        import { dirname } from 'node:path'
        import { fileURLToPath } from 'node:url'
        import './old'
        const __filename = fileURLToPath(import.meta.url)
        const __dirname = dirname(__filename)
        const require = createRequire(import.meta.url)
        const url = 1, resolve = 2
        export default () => [__dirname, require('./data.json').x, require.resolve('./data.json'), url, resolve]`,
      'data.json': '{"x":3}',
      'old.ts': 'const os = require("os"); module.exports = os',
    })
    expect(await run('job.ts')).toEqual([trimSlash(file('')), 3, file('data.json'), 1, 2])
  })

  it('when it resolves other modules', async () => {
    const { run, file } = project({
      'node_modules/pkg/package.json': '{"main":"main.js"}',
      'node_modules/pkg/main.js': '',
      'lib/deep.ts': `const resolve = require.resolve
        export const deep = () => [import.meta.resolve('./x.js'), import.meta.resolve('fs'), import.meta.resolve('pkg'), resolve('pkg')]`,
      'job.ts': 'export { deep as default } from "./lib/deep.js"',
    })
    const main = file('node_modules/pkg/main.js')
    expect(await run('job.ts')).toEqual([
      pathToFileURL(file('lib/x.js')).href,
      'node:fs',
      pathToFileURL(main).href,
      main,
    ])
  })
})

describe('TypeScript with its tsconfig', () => {
  it('has enums, namespaces, parameter properties and top-level await', async () => {
    const { run } = project({
      'job.ts': `enum Color { Red = 'red' }
        const enum Fast { A = 5 }
        namespace Space { export const x = 1 }
        class Point { constructor(readonly x: number, private y = 2) {} sum() { return this.x + this.y } }
        const late = await Promise.resolve(9)
        export default () => [Color.Red, Fast.A, Space.x, new Point(1).sum(), late]`,
    })
    expect(await run('job.ts')).toEqual(['red', 5, 1, 3, 9])
  })

  it('has paths and baseUrl, through extends and with comments', async () => {
    const { run } = project({
      'config/base.json':
        '{ /* shared */ "compilerOptions": { "paths": { "@lib/*": ["../src/lib/*"], }, }, }',
      'tsconfig.json': '{ "extends": "./config/base", // here\n "compilerOptions": { "baseUrl": "./src" } }',
      'src/lib/a.ts': 'export const a = 1',
      'src/plain/b.ts': 'export const b = 2',
      'src/plain/c.js': 'import { d } from "./d"; export const c = d',
      'src/plain/d.ts': 'export const d = 4',
      'job.ts': `import { b } from 'plain/b'
        import { c } from 'plain/c'
        export default () => [b, c]`,
      'aliased.ts': 'import { a } from "@lib/a"; export default () => a',
      'config/tsconfig.json': '{}',
    })
    expect(await run('job.ts')).toEqual([2, 4])
    const inherited = project({
      'tsconfig.json': '{ "extends": "./base.json" }',
      'base.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] } } }',
      'lib/a.ts': 'export const a = 1',
      'job.ts': 'import { a } from "@lib/a"; export default () => a',
    })
    expect(await inherited.run('job.ts')).toBe(1)
  })

  it('has none of it while a base is not installed, which a warning says', async () => {
    const some = project({
      'tsconfig.json': '{ "extends": "@some/base/tsconfig.json" }',
      'job.tsx': 'const h = (tag: string) => [tag]\nexport default () => <b />',
    })
    const warning =
      "tsconfig.json has no effect, because it extends '@some/base/tsconfig.json', which is not there"
    expect((await some.compile('job.tsx')).warnings?.[0]).toBe(warning)
    some.write({
      'node_modules/@some/base/tsconfig.json': '{"compilerOptions":{"jsx":"react","jsxFactory":"h"}}',
    })
    expect((await some.compile('job.tsx')).warnings).toEqual([])
    expect(await some.run('job.tsx')).toEqual(['b'])
  })

  it('has legacy decorators with experimentalDecorators, standard ones without', async () => {
    const job = `function log(...args: unknown[]): any { seen.push(args.length, typeof args[1]) }
      const seen: unknown[] = []
      class Service { @log work() {} }
      export default () => seen`
    const standard = project({ 'job.ts': job })
    const legacy = project({
      'job.ts': job,
      'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}',
    })
    expect(await standard.run('job.ts')).toEqual([2, 'object'])
    expect(await legacy.run('job.ts')).toEqual([3, 'string'])
  })

  it('has JSX', async () => {
    const { run } = project({
      'tsconfig.json': '{"compilerOptions":{"jsx":"react","jsxFactory":"h"}}',
      'job.tsx': 'const h = (tag: string) => [tag]\nexport default () => <b />',
    })
    expect(await run('job.tsx')).toEqual(['b'])
  })

  it('keeps the names of classes and functions that collide', async () => {
    const { run } = project({
      'a.ts': 'export class Oops extends Error {}\nexport function go() { return new Oops() }',
      'job.ts': `import { go } from './a.js'
        class Oops extends TypeError {}
        export default () => [go().constructor.name, new Oops().constructor.name]`,
    })
    expect(await run('job.ts')).toEqual(['Oops', 'Oops'])
  })
})

describe('the source map', () => {
  const cases = {
    'of a plain module': ['throw new Error("x")', ''],
    'of a module that uses its own location': ['throw new Error(import.meta.url)', ''],
    'of a CommonJS module': ['throw new Error("x")', 'module.exports.y = require("node:fs")'],
    'of a module with a hashbang': ['throw new Error("x")', '', '#!/usr/bin/env node\n'],
  }
  it.each(Object.entries(cases))(
    '%s leads to the exact line and column of a throw',
    async (_, [statement, after, before = '']) => {
      const isCommonJs = after !== ''
      const source = `${before}interface Gone { a: 1 }\n\n${isCommonJs ? 'module.exports =' : 'export default'} function task(item: Gone) {\n  if (true as boolean) ${statement}\n}\n${after}\n`
      const { compile, load, file } = project({ 'job.ts': source })
      await compile('job.ts')
      process.setSourceMapsEnabled(true)
      onTestFinished(() => process.setSourceMapsEnabled(false))
      const task = (await load('job.ts')).get('default') as () => void
      const wanted = source.split('\n').findIndex((text) => text.includes('throw'))
      const column = source.split('\n')[wanted]!.indexOf('new Error')
      expect(stackOf(task)).toMatch(
        new RegExp(`at task \\(.*${file('job.ts')}:${wanted + 1}:${column + 1}\\)`),
      )
    },
  )
})

function stackOf(task: () => void): string {
  try {
    task()
  } catch (error) {
    return (toErrorData(error) as { frames: string }).frames
  }
  throw new Error('did not throw')
}

it('compiling does not disturb the builds of a program that uses the same esbuild', async () => {
  const others = await context({ stdin: { contents: '1' }, write: false })
  await project({ 'job.ts': '' }).compile('job.ts')
  expect((await others.rebuild()).errors).toEqual([])
  await others.dispose()
})

describe('a JavaScript job', () => {
  it.each(['job.js', 'job.mjs', 'job.cjs'])('%s is used as it is', async (name) => {
    const { compile, file } = project({ [name]: '' })
    expect(await compile(name)).toEqual({ url: pathToFileURL(file(name)).href, isCompiled: false })
  })
})

describe('a job that does not compile', () => {
  it('is refused with location, message, source line and caret', async () => {
    const { compile } = project({ 'jobs/bad.ts': 'const fine = 1\n\nconst é x\n' })
    await expect(compile('jobs/bad.ts')).rejects.toMatchObject({
      name: 'JobError',
      message: 'jobs/bad.ts:3:9: Expected ";" but found "x"\n    const é x\n            ^',
    })
  })

  it('is refused at the end of an unfinished file that uses its own location', async () => {
    const { compile } = project({ 'bad.ts': 'export default function () {\n  return import.meta.url\n' })
    await expect(compile('bad.ts')).rejects.toThrow(/^bad\.ts:3:1: Unexpected end of file/)
  })

  it('is refused with file and line of an import that cannot be resolved', async () => {
    const { compile } = project({
      'job.ts': 'import "./lib/a.js"\nexport default 1',
      'lib/a.ts': 'import "./b.js"\nimport "no-such-package"',
    })
    await expect(compile('job.ts')).rejects.toThrow(
      /^lib\/a\.ts:1:8: Could not resolve "\.\/b\.js"[\s\S]*lib\/a\.ts:2:8: Could not resolve "no-such-package"/,
    )
  })

  it('is refused with at most ten errors', async () => {
    const imports = Array.from({ length: 13 }, (_, index) => `import './none${index}.js'`).join('\n')
    const { compile } = project({ 'job.ts': imports })
    const error = await compile('job.ts').catch((reason: Error) => reason)
    expect((error as Error).message.match(/Could not resolve/g)).toHaveLength(10)
    expect((error as Error).message).toMatch(/… and 3 more errors$/)
  })
})
