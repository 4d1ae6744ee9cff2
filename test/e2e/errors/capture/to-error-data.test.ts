// Errors captured in a process of its own, as in a worker: with source maps enabled, and after a job broke the globals.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync, transformSync } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ErrorData } from '../../../../src/error-data.js'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolrun-envelope-'))
  buildSync({
    entryPoints: ['src/errors/capture/to-error-data.ts'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: join(folder, 'envelope.mjs'),
  })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What `toErrorData` makes of what `job` throws; `job` is a function body in TypeScript, compiled with a map. */
function describeInProcess(job: string): ErrorData {
  const source = `import { toErrorData } from './envelope.mjs'
process.setSourceMapsEnabled(true)
const { stringify } = JSON, write = process.stdout.write.bind(process.stdout)
type Padding = { so: 'that the compiled lines', are: 'not those of the source' }
function task(): never {
${job}
}
try { task() } catch (thrown) { const data = toErrorData(thrown); write(stringify(data)) }`
  const { code, map } = transformSync(source, { loader: 'ts', sourcemap: 'external', sourcefile: 'job.ts' })
  writeFileSync(join(folder, 'job.mjs'), `${code}\n//# sourceMappingURL=job.mjs.map`)
  writeFileSync(join(folder, 'job.mjs.map'), map)
  return JSON.parse(execFileSync(process.execPath, [join(folder, 'job.mjs')], { encoding: 'utf8' }))
}

test('frames are those of the compiled module although source maps are enabled', () => {
  expect(describeInProcess('throw new Error("m")')).toMatchObject({
    message: 'm',
    frames: expect.stringMatching(/^ {4}at task \(file:\/\/\/.*job\.mjs:5:9\)$/m),
  })
})

test('an error is captured although the job has replaced built-in functions', () => {
  const broken = `
    const error = Object.assign(new TypeError('arrives', { cause: new Error('why') }), { code: 'E' })
    const broken = () => { throw new Error('broken') }
    const owners: any[] = [JSON, Reflect, Object, Math, Array, ...[String, Array, Map, Set, RegExp].map((type) => type.prototype)]
    const methods = owners.map((owner) => Object.getOwnPropertyNames(owner).filter((key) => key !== 'constructor' && typeof Object.getOwnPropertyDescriptor(owner, key)?.value === 'function'))
    for (let i = 0; i < owners.length; i++)
      for (let j = 0; j < methods[i].length; j++) owners[i][methods[i][j]] = broken
    throw error`
  expect(describeInProcess(broken)).toMatchObject({
    name: 'TypeError',
    message: 'arrives',
    props: { code: 'E' },
    cause: { message: 'why' },
  })
})

test('an error is captured with its frames although the Error constructor is frozen', () => {
  expect(describeInProcess('Object.freeze(Error); throw Object.freeze(new Error("ice"))')).toMatchObject({
    message: 'ice',
    frames: expect.stringContaining('at task ('),
  })
})

test('an error is captured although the job has replaced the global Error', () => {
  expect(
    describeInProcess('(globalThis as any).Error = class { name = "Fake" }; throw new TypeError("m")'),
  ).toMatchObject({ name: 'TypeError', builtin: 'TypeError', message: 'm' })
})
