// The stable names and codes of the error classes.
import { expect, test } from 'vitest'
import * as classes from '../../../src/errors/classes.js'

test('each error class has a code and a name of its own', () => {
  const { PoolError, ...rest } = classes
  const own = {
    index: 0,
    attempts: 1,
    path: '',
    issues: [],
    kind: 'crash',
    exitCode: 0,
    signal: null,
    pid: 1,
    workerId: 0,
  }
  const made = Object.entries(rest).map(([name, Class]) => {
    const error: unknown = Reflect.construct(Class, ['m', own, () => 'text'])
    if (!(error instanceof PoolError)) throw new TypeError(`${name} is not a PoolError`)
    expect(error.name).toBe(name)
    return error.code
  })
  expect(new Set(made).size).toBe(17)
  for (const code of made) expect(code).toMatch(/^ERR_POOL_[A-Z_]+$/)
})
