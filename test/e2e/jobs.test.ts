// Job modules of every kind are loaded with the semantics that Node and TypeScript give them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { occurrences } from '../helpers/normalise.js'
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

describe('loads', () => {
  it('a job that uses what TypeScript, Node and packages offer', async () => {
    const space = tempSpace()
    const job = space.write({
      'my jobs/é 日本.ts': `import { a } from './a'
        import { b } from './b.ts'
        import { c } from './c.js'
        import { shelf } from '@lib/shelf'
        import cjs from 'old-school'
        import { esm } from 'new-school'
        enum Size { Small = 'S', Large = 'L' }
        const enum Count { One = 1 }
        export default async () => {
          const { late } = await import('./late.js')
          return [a + b + c, shelf, Size.Large, Count.One, cjs.cjs, esm, late]
        }`,
      'my jobs/a.ts': 'export const a = 1',
      'my jobs/b.ts': 'export const b = 10',
      'my jobs/c.ts': 'export const c = 100',
      'my jobs/late.ts': `export const late = 'better than never'`,
      'lib/shelf.ts': `export const shelf = 'top'`,
      'tsconfig.json': JSON.stringify({ compilerOptions: { paths: { '@lib/*': ['./lib/*'] } } }),
      'node_modules/old-school/package.json': '{ "name": "old-school", "version": "1.0.0" }',
      'node_modules/old-school/index.js': `module.exports = { cjs: require('node:path').basename(__dirname) }`,
      'node_modules/new-school/package.json':
        '{ "name": "new-school", "version": "1.0.0", "type": "module", "exports": "./main.js" }',
      'node_modules/new-school/main.js': `export const esm = import.meta.url.split('/').at(-2)`,
    })
    expect(await result(job, 'x', space.dir)).toEqual([
      111,
      'top',
      'L',
      1,
      'old-school',
      'new-school',
      'better than never',
    ])
  })

  // Whether legacy or standard decorators are compiled is in job/compile.test.ts.
  it.each([
    [
      'standard decorators',
      {},
      `function loud(method: (this: unknown) => string, _context: ClassMethodDecoratorContext) {
        return function (this: unknown) { return method.call(this).toUpperCase() }
      }`,
    ],
    [
      'the decorators of experimentalDecorators',
      { experimentalDecorators: true },
      `function loud(_target: object, _key: string, descriptor: PropertyDescriptor) {
        const method = descriptor.value
        descriptor.value = function () { return method.call(this).toUpperCase() }
      }`,
    ],
  ])('%s', async (_what, compilerOptions, decorator) => {
    const space = tempSpace()
    const job = space.write({
      'job.ts': `${decorator}
        class Greeter { @loud greet() { return 'hello' } }
        export default () => new Greeter().greet()`,
      'tsconfig.json': JSON.stringify({ compilerOptions }),
    })
    expect(await result(job, 'x', space.dir)).toBe('HELLO')
  })

  it('a job without leaving files in its directory', async () => {
    const space = tempSpace()
    const job = space.write({ 'job.ts': 'export default (x: string) => x' })
    await result(job, 'x')
    expect(readdirSync(space.dir)).toEqual(['job.ts'])
  })

  it('a job anew when a file that it imports has changed', async () => {
    const space = tempSpace()
    const job = space.write({
      'job.ts': `import { n } from './n.js'\nexport default () => n`,
      'n.ts': 'export const n = 1',
    })
    expect(await result(job, 'x')).toBe(1)
    space.write({ 'n.ts': 'export const n = 2' })
    expect(await result(job, 'x')).toBe(2)
  })

  it('a job in a worker that is replaced, after the cache was deleted and the job was edited', async () => {
    const space = tempSpace()
    const job = space.write({
      'job.ts': `import { rmSync, writeFileSync } from 'node:fs'
        import { v } from './lib.js'
        export default () => {
          rmSync(process.env.POOLRUN_CACHE_DIR!, { recursive: true, force: true })
          writeFileSync(import.meta.dirname + '/lib.ts', 'export const v = "edited"')
          return v
        }`,
      'lib.ts': `export const v = 'as it was'`,
    })
    const env = { POOLRUN_CACHE_DIR: space.path('cache') }
    const run = await runCli(['map', job, '--max-tasks-per-child', '1', '1', '2', '3'], { env })
    expect(run.stdout).toBe('"as it was"\n'.repeat(3))
  })

  it('a job, and warns of what its tsconfig.json asks for in vain', async () => {
    const space = tempSpace()
    const job = space.write({
      'job.tsx': `function d(..._: unknown[]): any {}
        class K { @d m(): number { return 1 } }
        const element = () => <b />
        export default () => [K.name, typeof element]`,
      'tsconfig.json':
        '{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }',
    })
    const run = await runCli(['map', job, '-j', '2', '1', '2'], { cwd: space.dir })
    expect(run.exitCode).toBe(0)
    expect(occurrences(run.stderr, 'emitDecoratorMetadata of tsconfig.json has no effect on job.tsx')).toBe(1)
    expect(occurrences(run.stderr, 'job.tsx has JSX, and no tsconfig.json says what it means')).toBe(1)
  })

  it('a job that awaits at top level', async () => {
    expect(await result(fixture('top-level-await'), '4')).toBe(40)
  })

  it('a job whose own location is the file that the user wrote', async () => {
    const file = join(root, fixture('returns-its-location'))
    expect(await result(fixture('returns-its-location'), 'x')).toEqual([file, join(file, '..'), file])
  })

  it('a job with the names of its classes and functions', async () => {
    expect(await result(fixture('class-names'), 'x')).toEqual(['Shelf', 'arrow', 'task'])
  })

  it('a named export, by path relative or absolute', async () => {
    expect(await result(`${fixture('no-default-export')}#halve`, '4')).toBe(2)
    expect(await result(`${join(root, fixture('no-default-export'))}#double`, '4')).toBe(8)
  })
})
