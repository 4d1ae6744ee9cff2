// What a change of a job is, and what is none.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sha256 } from '../../../src/job/cache.js'
import { compileExpression, compileJob } from '../../../src/job/compile.js'
import { fingerprintJob } from '../../../src/job/fingerprint.js'
import { tempSpace } from '../../helpers/temp-space.js'

const PLAIN: Readonly<Record<string, string>> = {
  'package.json': '{}',
  'job.ts': "import { k } from './lib/k.ts'\nexport default (n: number) => n * k\n",
  'lib/k.ts': 'export const k = 2\n',
  'script.mjs':
    "import { k } from './k.mjs'\nimport data from './data.json' with { type: 'json' }\nexport default (n) => n * k + data.a\n",
  'k.mjs': 'export const k = 2\n',
  'data.json': '{"a":1}',
}

async function fingerprints(changes: Readonly<Record<string, string>>) {
  const { write, path } = tempSpace()
  write({ ...PLAIN, ...changes })
  const options = { env: { XDG_CACHE_HOME: path('cache') }, cwd: path('.') }
  const of = async (file: string) => fingerprintJob(await compileJob(path(file), options), options.env)
  return { ts: await of('job.ts'), js: await of('script.mjs') }
}

test('a fingerprint names each file of the job, wherever the project is', async () => {
  const first = await fingerprints({})
  expect(Object.keys(first.ts)).toEqual(['job.ts', 'lib/k.ts'])
  expect(Object.keys(first.js)).toEqual(['data.json', 'k.mjs', 'script.mjs'])
  expect(await fingerprints({})).toEqual(first)
})

test('comments and white space do not change it', async () => {
  const formatted = {
    'job.ts':
      '// a\nimport { k }\n  from "./lib/k.ts"\n/*! b */\nexport default ( n : number ) =>\n  n*k /* c */;\n',
    'lib/k.ts': '\n\nexport   const k = 2 // two\n',
    'script.mjs':
      "/* a */ import { k } from './k.mjs'\nimport data from './data.json' with { type: 'json' }\n\nexport default (n) =>\n  // b\n  n * k +\n  data.a\n",
    'data.json': '{ "a": 1 }\n',
  }
  expect(await fingerprints(formatted)).toEqual(await fingerprints({}))
})

test.each([
  [
    'the job',
    'job.ts',
    "import { k } from './lib/k.ts'\nexport default (n: number) => n + k\n",
    ['job.ts'],
    [],
  ],
  ['what it imports', 'lib/k.ts', 'export const k = 3\n', ['lib/k.ts'], []],
  [
    'a script',
    'script.mjs',
    "import { k } from './k.mjs'\nexport default (n) => n * k\n",
    [],
    ['data.json', 'script.mjs'],
  ],
  ['what that imports', 'k.mjs', 'export const k = 2.5\n', [], ['k.mjs']],
  ['data', 'data.json', '{"a":2}', [], ['data.json']],
])('a change of %s changes that file', async (_, name, text, ts, js) => {
  const before = await fingerprints({})
  const after = await fingerprints({ [name]: text })
  const changed = (kind: 'ts' | 'js') =>
    Object.keys(before[kind]).filter((file) => before[kind][file] !== after[kind][file])
  expect([changed('ts'), changed('js')]).toEqual([ts, js])
})

test('an expression has one, too', async () => {
  const { path } = tempSpace()
  const options = { env: { XDG_CACHE_HOME: path('cache') }, cwd: path('.') }
  const of = async (text: string) =>
    fingerprintJob(await compileExpression(text, '--eval', options), options.env)
  expect(Object.keys(await of('(n) => n'))).toEqual(['--eval'])
  expect(await of('(n) => n')).not.toEqual(await of('(n) => n + 1'))
})

test('it is cached, and computed again where the cached one is damaged', async () => {
  const { write, path, dir } = tempSpace()
  write(PLAIN)
  const env = { XDG_CACHE_HOME: path('cache') }
  const job = await compileJob(path('script.mjs'), { env, cwd: dir })
  const computed = await fingerprintJob(job, env)
  const names = readdirSync(dir, { recursive: true }).filter((name) => String(name).endsWith('.fingerprint'))
  expect(names).toHaveLength(1)
  const cached = path(String(names[0]))
  const whole = readFileSync(cached, 'utf8')
  const planted = JSON.stringify({ 'data.json': '1', 'k.mjs': '2', 'script.mjs': '3' })
  const otherDigit = whole.replace(/[0-9a-f](?="}$)/, (digit) => (digit === '0' ? '1' : '0'))
  const ofOtherFiles = whole.replace('k.mjs', 'j.mjs')
  for (const content of [
    '',
    'null',
    '"abc"',
    '[1,2,3]',
    planted,
    whole.slice(0, -1),
    otherDigit,
    ofOtherFiles,
  ]) {
    writeFileSync(cached, content)
    expect(await fingerprintJob(job, env), content).toEqual(computed)
    expect(readFileSync(cached, 'utf8')).toBe(whole)
  }
  writeFileSync(cached, `${sha256(planted)} ${planted}`)
  expect(await fingerprintJob(job, env)).toEqual(JSON.parse(planted))
})

test('without a folder that can be trusted, it is computed each time', async () => {
  const { write, path, dir } = tempSpace()
  write({ ...PLAIN, file: '' })
  const job = await compileJob(path('script.mjs'), { cwd: dir })
  const env = { POOLRUN_CACHE_DIR: path('file/none'), HOME: path('file'), XDG_CACHE_HOME: path('file') }
  expect(Object.keys(await fingerprintJob(job, env))).toEqual(['data.json', 'k.mjs', 'script.mjs'])
})
