// What is reported when a job module lacks a function that the run needs.
import { describe, expect, test } from 'vitest'
import type { JobExports } from '../../../src/ipc/protocol.js'
import { checkExport, checkInitializer } from '../../../src/job/exports.js'

describe('checkExport', () => {
  const check = (exports: JobExports, name: string) => checkExport(exports, name, 'jobs/a.ts')

  test('accepts a function, an initializer too if it is named as the task', () => {
    expect(check({ default: 'function' }, 'default')).toBeUndefined()
    expect(check({ initializer: 'function' }, 'initializer')).toBeUndefined()
  })

  test.each<[string, JobExports, string, string]>([
    [
      'suggests the nearest name for a misspelt export',
      { default: 'function', resize: 'function' },
      'reszie',
      "jobs/a.ts has no export 'reszie'; did you mean jobs/a.ts#resize? its functions are: default, #resize",
    ],
    [
      'lists the functions that exist, without those that poolrun calls',
      { default: 'function', resize: 'function', initializer: 'function', size: 'other' },
      'x',
      "jobs/a.ts has no export 'x'; its functions are: default, #resize",
    ],
    [
      'distinguishes an export that is not a function from a missing one',
      { resize: 'function', size: 'other' },
      'size',
      "the export 'size' of jobs/a.ts is not a function; its functions are: #resize",
    ],
    [
      'names a missing default export',
      { crop: 'function' },
      'default',
      'jobs/a.ts has no default export; its functions are: #crop',
    ],
    [
      'shows what a job looks like if the module exports no function',
      { default: 'other', initializer: 'function' },
      'default',
      'the default export of jobs/a.ts is not a function; a job module exports its task as a function: export default async function task(item) { … }',
    ],
    [
      'does not accept a name that every object inherits',
      { crop: 'function' },
      'toString',
      "jobs/a.ts has no export 'toString'; its functions are: #crop",
    ],
  ])('%s', (_, exports, name, message) => {
    expect(check(exports, name)).toMatchObject({ name: 'JobError', message })
  })
})

describe('checkInitializer', () => {
  test('accepts a function', () => {
    expect(checkInitializer({ connect: 'function' }, 'connect')).toBeUndefined()
  })

  test.each<[string, JobExports, string]>([
    ['a missing export', { connect: 'function' }, 'conect'],
    ['an export that is not a function', { connect: 'other' }, 'connect'],
    ['a name that every object inherits', {}, 'toString'],
  ])('reports %s', (_, exports, name) => {
    const error = checkInitializer(exports, name)
    expect(error).toBeInstanceOf(TypeError)
    expect(error?.message).toBe(`the job module exports no function named '${name}'`)
  })
})
