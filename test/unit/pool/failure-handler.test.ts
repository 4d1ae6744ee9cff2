// What happens to the failures that `collect` skips.
import { afterEach, expect, test, vi } from 'vitest'
import { failureHandler } from '../../../src/pool/failure-handler.js'

const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
afterEach(() => emitWarning.mockClear())

test('with onFailure, each failure is passed to it and its result is returned', () => {
  const calls: unknown[] = []
  const handle = failureHandler<string>((...args) => calls.push(args))
  const error = new Error('bad')
  expect(handle(error, 3, 'item')).toBe(1)
  expect(calls).toEqual([[error, 3, 'item']])
  expect(emitWarning).not.toHaveBeenCalled()
})

test('without onFailure, only the first failure of a call is a warning', () => {
  for (const call of [1, 2]) {
    const handle = failureHandler()
    handle(new RangeError('bad'), 3, 'item')
    handle(new RangeError('bad'), 4, 'item')
    expect(emitWarning).toHaveBeenCalledTimes(call)
  }
  expect(emitWarning).toHaveBeenLastCalledWith(
    'collect skips failed items, first item 3: RangeError: bad; pass onFailure to receive each failure',
    'PoolWarning',
  )
})
