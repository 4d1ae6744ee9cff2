// The exports of a job module, in a real Node process: the module loader of the test runner would behave differently.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'

const FIXTURES = new URL('../../fixtures/modules/', import.meta.url)

let directory: string

beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'poolrun-test-'))
  buildSync({
    entryPoints: [fileURLToPath(new URL('../../../src/job/load-job.ts', import.meta.url))],
    outfile: path.join(directory, 'load-job.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    keepNames: true,
  })
  copyFileSync(
    fileURLToPath(new URL('../../../dist/import.cjs', import.meta.url)),
    path.join(directory, 'import.cjs'),
  )
  return () => rmSync(directory, { recursive: true })
})

/** What a test asks of a fixture: `code` runs with its `job`, or with what loading it threw as `thrown`. */
interface Question {
  readonly fixture: string
  readonly code: string
}

/** The results of `code`, all from one process. */
function answers(questions: readonly Question[]): unknown[] {
  const asked = questions.map(
    ({ fixture, code }) => `await (async () => {
      let job, thrown = 'nothing was thrown'
      try { job = await loadJob({ url: ${JSON.stringify(new URL(fixture, FIXTURES).href)}, isCompiled: false }) } catch (error) { thrown = [error] }
      ${code}
    })()`,
  )
  const script = `import { loadJob } from './load-job.mjs'
    import { inspect } from 'node:util'
    console.log(JSON.stringify([${asked.join(',\n')}]))`
  const args = ['--input-type=module', '-e', script]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: directory }).toString())
}

const answer = (fixture: string, code: string) => answers([{ fixture, code }])[0]

it('exports are named and classified, those with names that are special in objects, too', () => {
  const expected = {
    'esm.mjs': { default: 'function', size: 'other', late: 'other', change: 'function' },
    'object-default.mjs': { default: 'other' },
    'function.cjs': { default: 'function' },
    'transpiled.cjs': { default: 'function', other: 'other' },
    'hidden-names.cjs': { default: 'other', a: 'function', b: 'function' },
    'number.cjs': { default: 'other' },
    'odd-names.mjs': [
      ['__proto__', 'function'],
      ['two words', 'function'],
    ],
  }
  const found = answers(
    Object.entries(expected).map(([fixture, exports]) => ({
      fixture,
      code: Array.isArray(exports) ? 'return Object.entries(job.exports)' : 'return job.exports',
    })),
  )
  expect(found).toEqual(Object.values(expected))
})

it('exports of CommonJS are complete if the module is reached by a symbolic link, too', () => {
  const job = path.join(directory, 'job.cjs')
  writeFileSync(job, 'for (const name of ["a", "b"]) module.exports[name] = () => name')
  symlinkSync(job, path.join(directory, 'link.cjs'))
  const all = { default: 'other', a: 'function', b: 'function' }
  const questions = ['job.cjs', 'link.cjs'].map((name) => ({
    fixture: pathToFileURL(path.join(directory, name)).href,
    code: 'return job.exports',
  }))
  expect(answers(questions)).toEqual([all, all])
})

describe('get', () => {
  it('gives the function of a name, whose frames show no object, and undefined for what is not exported, inherited names too', () => {
    const none = 'return [job.get("none") ?? "-", job.get("toString") ?? "-"]'
    const [byDefault, byName, frame, ...inherited] = answers([
      { fixture: 'function.cjs', code: 'return job.get("default")(5)' },
      { fixture: 'hidden-names.cjs', code: 'return job.get("b")(5)' },
      {
        fixture: 'esm.mjs',
        code: 'const task = job.get("default"); try { task() } catch (error) { return error.stack.split("\\n")[1] }',
      },
      ...['esm.mjs', 'function.cjs', 'hidden-names.cjs', 'number.cjs'].map((fixture) => ({
        fixture,
        code: none,
      })),
    ])
    expect([byDefault, byName]).toEqual([5, 'b'])
    expect(frame).toMatch(/^ {4}at task \(/)
    expect(inherited).toEqual(Array(4).fill(['-', '-']))
  })

  it('gives the current value of an export', () => {
    expect(answer('esm.mjs', 'job.get("change")(); return typeof job.get("late")')).toBe('function')
  })
})

it('a module that throws while loading rejects with what it throws, and one that is missing with its code', () => {
  expect(
    answers([
      { fixture: 'throws-undefined.mjs', code: 'return inspect(thrown)' },
      { fixture: 'throws-string.cjs', code: 'return inspect(thrown)' },
      { fixture: 'none.mjs', code: 'return thrown[0].code' },
    ]),
  ).toEqual(['[ undefined ]', "[ 'a string' ]", 'ERR_MODULE_NOT_FOUND'])
})
