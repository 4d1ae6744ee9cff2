// Values that are not Errors, rebuilt from what crossed from a worker. Errors are in item-error.test.ts.
import { deserialize, serialize } from 'node:v8'
import { expect, test } from 'vitest'
import type { ErrorData } from '../../../../src/error-data.js'
import { toErrorData } from '../../../../src/errors/capture/to-error-data.js'
import { fromErrorData } from '../../../../src/errors/rebuild/rebuild-error.js'

const cross = (thrown: unknown): ErrorData => deserialize(serialize(toErrorData(thrown)))

test('a thrown value comes back as itself, or as a preview if it cannot be cloned', () => {
  expect(fromErrorData(cross(new Date(5)))).toEqual(new Date(5))
  expect(fromErrorData(cross(Symbol('s')))).toBe('Symbol(s)')
})
