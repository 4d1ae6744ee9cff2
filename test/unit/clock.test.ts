// Timers of the system's clock.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const DAY_MS = 86_400_000

/** Test files share their modules. */
beforeEach(() => void vi.resetModules())
afterEach(() => {
  vi.doUnmock('node:timers')
  vi.resetModules()
  vi.useRealTimers()
})

describe('a timer', () => {
  it('may be longer than the longest timer of Node', async () => {
    vi.useFakeTimers()
    vi.doMock('node:timers', () => ({ default: globalThis }))
    const { systemClock } = await import('../../src/clock.js')
    const wake = vi.fn()
    systemClock.wakeAt(systemClock.now() + 100 * DAY_MS, wake)
    systemClock.wakeAt(Number.MAX_VALUE, wake)
    const cancel = systemClock.wakeAt(systemClock.now() + 50 * DAY_MS, wake)
    vi.advanceTimersByTime(40 * DAY_MS)
    cancel()
    vi.advanceTimersByTime(60 * DAY_MS - 1)
    expect(wake).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(wake).toHaveBeenCalledOnce()
  })

  it('is Node’s own, whatever replaces the globals once this is loaded', async () => {
    const { systemClock, setImmediate } = await import('../../src/clock.js')
    vi.useFakeTimers()
    const before = systemClock.now()
    await new Promise<void>((resolve) => systemClock.wakeAt(before + 5, resolve))
    expect(systemClock.now()).toBeGreaterThanOrEqual(before + 5)
    await new Promise((resolve) => setImmediate(resolve))
  })
})
