// Job modules of every kind: what Node and TypeScript users write is loaded as they mean it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixture, root, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const result = async (job: string, item: string, cwd = root) => {
  const run = await runCli(['apply', job, '-j', '1', item], { cwd })
  expect(run.stderr).not.toMatch(/Error/)
  return JSON.parse(run.stdout)
}

describe.each(['commonjs', 'module', 'none'])('in a package of type %s', (type) => {
  it.each([
    ['job.ts', 'HELLO ADA'],
    ['job.mts', 'HELLO ADA'],
    ['job.cts', `job.cts in ${type}: ada`],
    ['job.js', type === 'module' ? 'esm ada' : 'cjs ada'],
    ['job.mjs', 'esm ada'],
    ['job.cjs', 'cjs ada'],
  ])('%s', async (name, expected) => {
    expect(await result(`test/fixtures/projects/${type}/${name}`, 'ada')).toBe(expected)
  })
})

const TSCONFIG = { compilerOptions: { paths: { '@lib/*': ['./lib/*'] }, experimentalDecorators: true } }

/** Each a small project: its files, the first of them the job. */
const PROJECTS = {
  'imports with and without an extension': {
    files: {
      'job.ts': `import { a } from './a'
        import { b } from './b.ts'
        import { c } from './c.js'
        export default () => a + b + c`,
      'a.ts': 'export const a = 1',
      'b.ts': 'export const b = 10',
      'c.ts': 'export const c = 100',
    },
    expected: 111,
  },
  'tsconfig paths': {
    files: {
      'job.ts': `import { shelf } from '@lib/shelf'\nexport default () => shelf`,
      'lib/shelf.ts': `export const shelf = 'top'`,
      'tsconfig.json': JSON.stringify(TSCONFIG),
    },
    expected: 'top',
  },
  enums: {
    files: {
      'job.ts': `enum Size { Small = 'S', Large = 'L' }
        const enum Count { One = 1 }
        export default () => [Size.Large, Count.One]`,
    },
    expected: ['L', 1],
  },
  'the decorators of the standard': {
    files: {
      'job.ts': `function loud(method: (this: unknown) => string, _context: ClassMethodDecoratorContext) {
          return function (this: unknown) { return method.call(this).toUpperCase() }
        }
        class Greeter { @loud greet() { return 'hello' } }
        export default () => new Greeter().greet()`,
      'tsconfig.json': '{}',
    },
    expected: 'HELLO',
  },
  'the decorators of experimentalDecorators': {
    files: {
      'job.ts': `function loud(_target: object, _key: string, descriptor: PropertyDescriptor) {
          const method = descriptor.value
          descriptor.value = function () { return method.call(this).toUpperCase() }
        }
        class Greeter { @loud greet() { return 'hello' } }
        export default () => new Greeter().greet()`,
      'tsconfig.json': JSON.stringify(TSCONFIG),
    },
    expected: 'HELLO',
  },
  'packages, CommonJS and ESM': {
    files: {
      'job.ts': `import cjs from 'old-school'
        import { esm } from 'new-school'
        export default () => [cjs.cjs, esm]`,
      'node_modules/old-school/package.json': '{ "name": "old-school", "version": "1.0.0" }',
      'node_modules/old-school/index.js': `module.exports = { cjs: require('node:path').basename(__dirname) }`,
      'node_modules/new-school/package.json':
        '{ "name": "new-school", "version": "1.0.0", "type": "module", "exports": "./main.js" }',
      'node_modules/new-school/main.js': `export const esm = import.meta.url.split('/').at(-2)`,
    },
    expected: ['old-school', 'new-school'],
  },
  'a dynamic import': {
    files: {
      'job.ts': `export default async () => (await import('./late.js')).late`,
      'late.ts': `export const late = 'better than never'`,
    },
    expected: 'better than never',
  },
  'a path with spaces and letters beyond ASCII': {
    files: { 'my jobs/é 日本.ts': `export default () => 'found'` },
    expected: 'found',
  },
} as const

describe('loads', () => {
  it.each(Object.entries(PROJECTS))('%s', async (_what, { files, expected }) => {
    const space = tempSpace()
    space.write(files)
    expect(await result(Object.keys(files)[0] as string, 'x', space.dir)).toEqual(expected)
  })

  it('leaves nothing behind in the directory of the job', async () => {
    const space = tempSpace()
    const job = space.write({ 'job.ts': 'export default (x: string) => x' })
    await result(job, 'x')
    expect(readdirSync(space.dir)).toEqual(['job.ts'])
  })

  it('compiles a job again when a file that it imports has changed', async () => {
    const space = tempSpace()
    const job = space.write({
      'job.ts': `import { n } from './n.js'\nexport default () => n`,
      'n.ts': 'export const n = 1',
    })
    expect(await result(job, 'x')).toBe(1)
    space.write({ 'n.ts': 'export const n = 2' })
    expect(await result(job, 'x')).toBe(2)
  })

  it('a job that awaits at top level', async () => {
    expect(await result(fixture('top-level-await'), '4')).toBe(40)
  })

  it('a job that asks where it is: the file that the user wrote', async () => {
    const file = join(root, fixture('returns-its-location'))
    expect(await result(fixture('returns-its-location'), 'x')).toEqual([file, join(file, '..'), file])
  })

  it('keeps the names of classes and functions', async () => {
    expect(await result(fixture('class-names'), 'x')).toEqual(['Shelf', 'arrow', 'task'])
  })

  it('a named export, by path relative or absolute', async () => {
    expect(await result(`${fixture('no-default-export')}#halve`, '4')).toBe(2)
    expect(await result(`${join(root, fixture('no-default-export'))}#double`, '4')).toBe(8)
  })
})
