// What a change of a job is, and what is none.
import { expect, test } from 'vitest'
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
  const of = async (file: string) => fingerprintJob(await compileJob(path(file), options))
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
  const of = async (text: string) => fingerprintJob(await compileExpression(text, '--eval', options))
  expect(Object.keys(await of('(n) => n'))).toEqual(['--eval'])
  expect(await of('(n) => n')).not.toEqual(await of('(n) => n + 1'))
})
