// Which error ends a run with which exit code.
import { expect, test } from 'vitest'
import * as classes from '../../../src/errors/classes.js'
import { EXIT, exitCodeOf } from '../../../src/errors/exit-codes.js'

test.each([
  [new classes.UsageError('m'), EXIT.usage],
  [new classes.InputError('a:1:1: m', { index: 0 }), EXIT.input],
  [new classes.JobError('m'), EXIT.job],
  [new classes.InitializerError('m'), EXIT.initializer],
  [new classes.PoolBrokenError('m'), EXIT.trouble],
  [new classes.OutputError('m'), EXIT.trouble],
  [new classes.CallbackError('m', {}, { cause: 0 }), EXIT.itemFailed],
  [new Error('a bug'), EXIT.trouble],
  [undefined, EXIT.trouble],
])('%s has the exit code %i', (error, code) => {
  expect(exitCodeOf(error)).toBe(code)
})
