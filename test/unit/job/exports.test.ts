// What is said when a job module lacks the task that was asked for.
import { expect, it } from 'vitest'
import type { JobExports } from '../../../src/ipc/protocol.js'
import { checkExport } from '../../../src/job/exports.js'

const check = (exports: JobExports, name: string) => checkExport(exports, name, 'jobs/a.ts')

it('A function export is fine, the initializer too when it is named', () => {
  expect(check({ default: 'function' }, 'default')).toBeUndefined()
  expect(check({ initializer: 'function' }, 'initializer')).toBeUndefined()
})

it.each<[string, JobExports, string, string]>([
  [
    'A misspelt export is suggested',
    { default: 'function', resize: 'function' },
    'reszie',
    "jobs/a.ts has no export 'reszie'; did you mean jobs/a.ts#resize? its functions are: default, #resize",
  ],
  [
    'Otherwise the functions are named, without those that poolrun calls',
    { default: 'function', resize: 'function', initializer: 'function', size: 'other' },
    'x',
    "jobs/a.ts has no export 'x'; its functions are: default, #resize",
  ],
  [
    'An export that is no function is told from none',
    { resize: 'function', size: 'other' },
    'size',
    "the export 'size' of jobs/a.ts is not a function; its functions are: #resize",
  ],
  [
    'A missing default export is called that',
    { crop: 'function' },
    'default',
    'jobs/a.ts has no default export; its functions are: #crop',
  ],
  [
    'Without any function it says what a job looks like',
    { default: 'other', initializer: 'function' },
    'default',
    'the default export of jobs/a.ts is not a function; a job module exports its task as a function: export default async function task(item) { … }',
  ],
  [
    'A name that every object inherits is no export',
    { crop: 'function' },
    'toString',
    "jobs/a.ts has no export 'toString'; its functions are: #crop",
  ],
])('%s', (_, exports, name, message) => {
  expect(check(exports, name)).toMatchObject({ name: 'JobError', message })
})
