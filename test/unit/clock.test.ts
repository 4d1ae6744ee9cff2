// Timers of the system's clock.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { captureSystemClock, systemClock } from '../../src/clock.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const DAY_MS = 86_400_000

describe('a timer', () => {
  it.each([
    ['the system', () => systemClock],
    ['a worker', captureSystemClock],
  ])('of the clock of %s may be longer than the longest timer of Node', (_name, get) => {
    const clock = get()
    const wake = vi.fn()
    clock.wakeAt(clock.now() + 100 * DAY_MS, wake)
    clock.wakeAt(Number.MAX_VALUE, wake)
    const cancel = clock.wakeAt(clock.now() + 50 * DAY_MS, wake)
    vi.advanceTimersByTime(40 * DAY_MS)
    cancel()
    vi.advanceTimersByTime(60 * DAY_MS - 1)
    expect(wake).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(wake).toHaveBeenCalledOnce()
  })
})
