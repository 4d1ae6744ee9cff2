// Errors as plain JSON data: what is not an Error stays what it is.
import { expect, test } from 'vitest'
import { toErrorData } from '../../../../src/errors/capture/to-error-data.js'
import { plainError } from '../../../../src/errors/render/plain-error.js'

function plain(thrown: unknown) {
  const failure = { kind: 'error', error: toErrorData(thrown) } as const
  return plainError({ index: 2 }, { offset: 0, workerId: 0, pid: 1, attempts: 1, failure }, {})
}

test('a cause that is a plain object is that object', () => {
  expect(plain(new Error('no photo', { cause: { status: 404 } })).cause).toEqual({ status: 404 })
})

test('an inner error that is a plain object is that object', () => {
  expect(plain(new AggregateError([{ status: 404 }], 'none')).errors).toEqual([{ status: 404 }])
})

test('a plain object that was thrown is described', () => {
  expect(plain({ status: 404 })).toEqual({
    name: 'NonErrorThrown',
    message: 'job threw an object: { status: 404 }',
    value: { status: 404 },
  })
})
