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

/** Runs `code` with the loaded fixture as `job`, or what loading it threw as `thrown`; returns its result. */
function withJob(fixture: string, code: string): unknown {
  const url = new URL(fixture, FIXTURES).href
  const script = `import { loadJob } from './load-job.mjs'
    import { inspect } from 'node:util'
    let job, thrown = 'nothing was thrown'
    try { job = await loadJob({ url: ${JSON.stringify(url)}, isCompiled: false }) } catch (error) { thrown = [error] }
    const result = await (async () => { ${code} })()
    console.log(JSON.stringify(result))`
  const args = ['--input-type=module', '-e', script]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: directory }).toString())
}

describe('exports', () => {
  it.each([
    ['esm.mjs', { default: 'function', size: 'other', late: 'other', change: 'function' }],
    ['object-default.mjs', { default: 'other' }],
    ['function.cjs', { default: 'function' }],
    ['transpiled.cjs', { default: 'function', other: 'other' }],
    ['hidden-names.cjs', { default: 'other', a: 'function', b: 'function' }],
    ['number.cjs', { default: 'other' }],
  ])('of %s', (fixture, exports) => {
    expect(withJob(fixture, 'return job.exports')).toEqual(exports)
  })

  it('may have names that are special in objects', () => {
    expect(withJob('odd-names.mjs', 'return Object.entries(job.exports)')).toEqual([
      ['__proto__', 'function'],
      ['two words', 'function'],
    ])
  })
})

it('of CommonJS are complete if the module is reached by a symbolic link, too', () => {
  const job = path.join(directory, 'job.cjs')
  writeFileSync(job, 'for (const name of ["a", "b"]) module.exports[name] = () => name')
  symlinkSync(job, path.join(directory, 'link.cjs'))
  for (const name of ['job.cjs', 'link.cjs'])
    expect(withJob(pathToFileURL(path.join(directory, name)).href, 'return job.exports'), name).toEqual({
      default: 'other',
      a: 'function',
      b: 'function',
    })
})

describe('get', () => {
  it.each([
    ['function.cjs', 'default', 5],
    ['hidden-names.cjs', 'b', 'b'],
  ])('of %s gives the function of %s', (fixture, name, result) => {
    expect(withJob(fixture, `return job.get(${JSON.stringify(name)})(5)`)).toBe(result)
  })

  it('gives undefined for what is not exported, inherited names too', () => {
    for (const fixture of ['esm.mjs', 'function.cjs', 'hidden-names.cjs', 'number.cjs']) {
      expect(withJob(fixture, 'return [job.get("none") ?? "-", job.get("toString") ?? "-"]')).toEqual([
        '-',
        '-',
      ])
    }
  })

  it('gives the current value of an export', () => {
    expect(withJob('esm.mjs', 'job.get("change")(); return typeof job.get("late")')).toBe('function')
  })

  it('gives a function that its frames show without an object', () => {
    const code =
      'const task = job.get("default"); try { task() } catch (error) { return error.stack.split("\\n")[1] }'
    expect(withJob('esm.mjs', code)).toMatch(/^ {4}at task \(/)
  })
})

describe('a module that throws while loading', () => {
  it.each([
    ['throws-undefined.mjs', '[ undefined ]'],
    ['throws-string.cjs', "[ 'a string' ]"],
  ])('rejects with the thrown value: %s', (fixture, thrown) => {
    expect(withJob(fixture, 'return inspect(thrown)')).toBe(thrown)
  })

  it('rejects if there is no module', () => {
    expect(withJob('none.mjs', 'return thrown[0].code')).toBe('ERR_MODULE_NOT_FOUND')
  })
})
