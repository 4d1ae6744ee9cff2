// Job modules of every kind are loaded with the semantics that Node and TypeScript give them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { occurrences } from '../helpers/normalise.js'
import { fixture, root, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const result = async (job: string, item: string, { cwd = root, processes = 1 } = {}) => {
  const run = await runCli(['apply', job, '-j', `${processes}`, item], { cwd })
  expect(run.stderr).not.toMatch(/Error/)
  return JSON.parse(run.stdout)
}

// job/compile.test.ts has more of them, in each of these packages.
describe.each([
  ['commonjs', 'cjs ada', ['job.mts', 'HELLO ADA'], ['job.mjs', 'esm ada']],
  ['module', 'esm ada', ['job.cts', 'job.cts in module: ada'], ['job.cjs', 'cjs ada']],
  ['none', 'cjs ada'],
] as const)('in a package of type %s', (type, js, ...others) => {
  it.each([['job.ts', 'HELLO ADA'], ['job.js', js], ...others])('%s', async (name, expected) => {
    // The same code loads a job where there are no workers.
    const processes = type === 'module' ? 1 : 0
    expect(await result(`test/fixtures/projects/${type}/${name}`, 'ada', { processes })).toBe(expected)
  })
})

// Whether legacy or standard decorators are compiled is in job/compile.test.ts.
const shouts = (parameters: string, body: string) => `function loud${parameters} { ${body} }
  class Greeter { @loud greet() { return 'hello' } }`

describe('loads', () => {
  it('a job that uses what TypeScript, Node and packages offer', async () => {
    const space = tempSpace()
    const job = space.write({
      'my jobs/é 日本.ts': `import { fileURLToPath } from 'node:url'
        import { a } from './a'
        import { b } from './b.ts'
        import { c } from './c.js'
        import { shelf } from '@lib/shelf'
        import cjs from 'old-school'
        import { esm } from 'new-school'
        enum Size { Small = 'S', Large = 'L' }
        const enum Count { One = 1 }
        ${shouts('(method: () => string, _context: ClassMethodDecoratorContext)', 'return () => method().toUpperCase()')}
        class Shelf {}
        const arrow = () => {}
        const factor = await Promise.resolve(10)
        export default async function task() {
          const { late } = await import('./late.js')
          return {
            results: [a + b + c, shelf, Size.Large, Count.One, cjs.cjs, esm, late],
            decorated: new Greeter().greet(),
            awaited: factor,
            location: [fileURLToPath(import.meta.url), import.meta.dirname, import.meta.filename],
            names: [new Shelf().constructor.name, arrow.name, task.name],
          }
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
    expect(await result(job, 'x', { cwd: space.dir })).toEqual({
      results: [111, 'top', 'L', 1, 'old-school', 'new-school', 'better than never'],
      decorated: 'HELLO',
      awaited: 10,
      location: [job, space.path('my jobs'), job],
      names: ['Shelf', 'arrow', 'task'],
    })
  })

  it('a job anew when a file that it imports has changed, and leaves no files in its directory', async () => {
    const space = tempSpace()
    const job = space.write({
      'job.ts': `import { n } from './n.js'\nexport default () => n`,
      'n.ts': 'export const n = 1',
    })
    expect(await result(job, 'x')).toBe(1)
    space.write({ 'n.ts': 'export const n = 2' })
    expect(await result(job, 'x')).toBe(2)
    expect(readdirSync(space.dir)).toEqual(['job.ts', 'n.ts'])
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

  it('a job with experimentalDecorators, and warns of options of its tsconfig.json that have no effect', async () => {
    const space = tempSpace()
    const job = space.write({
      'job.tsx': `${shouts(
        '(_target: object, _key: string, descriptor: PropertyDescriptor)',
        'const method = descriptor.value; descriptor.value = () => method().toUpperCase()',
      )}
        const element = () => <b />
        export default () => [new Greeter().greet(), typeof element]`,
      'tsconfig.json':
        '{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }',
    })
    const run = await runCli(['map', job, '-j', '2', '1', '2'], { cwd: space.dir })
    expect(run).toMatchObject({ stdout: '["HELLO","function"]\n'.repeat(2), exitCode: 0 })
    expect(occurrences(run.stderr, 'emitDecoratorMetadata of tsconfig.json has no effect on job.tsx')).toBe(1)
    expect(occurrences(run.stderr, 'job.tsx has JSX, and no tsconfig.json says what it means')).toBe(1)
  })

  it('a named export, by absolute path', async () => {
    expect(await result(`${join(root, fixture('no-default-export'))}#double`, '4', { processes: 0 })).toBe(8)
  })
})
