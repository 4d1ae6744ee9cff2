// The warning of pools that were never closed. Garbage collection is tested with real processes, in life.test.ts.
import { expect, test, vi } from 'vitest'
import { stopWatching, watchForLeak } from '../../../src/pool/leak-warning.js'

const listeners = () => process.listenerCount('beforeExit')
const poolOf = (title: string) => ({ title, abandon() {} })

test('many open pools have one listener, and closed pools have none', () => {
  const before = listeners()
  const [first, second] = [poolOf('first'), poolOf('second')]
  for (const pool of [first, second]) watchForLeak({}, pool)
  expect(listeners()).toBe(before + 1)
  expect(stopWatching(first)).toBe(true)
  expect(stopWatching(first)).toBe(false)
  expect(listeners()).toBe(before + 1)
  stopWatching(second)
  expect(listeners()).toBe(before)
})

test('each pool that is open when the process is about to exit causes one warning', () => {
  const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const [open, closed] = [poolOf('the pool for a.ts'), poolOf('the pool for b.ts')]
  for (const pool of [open, closed]) watchForLeak({}, pool)
  stopWatching(closed)
  const onBeforeExit = process.listeners('beforeExit').at(-1)!
  onBeforeExit(0)
  onBeforeExit(0)
  expect(emitWarning.mock.calls).toEqual([
    [
      'the pool for a.ts was never closed: call close() or terminate(), or declare it with "await using"',
      'PoolUnclosedWarning',
    ],
  ])
  expect(stopWatching(open)).toBe(false)
})
