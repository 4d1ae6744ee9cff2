import { afterEach, describe, expect, test, vi } from 'vitest'
import { Interrupt, Interrupted } from '../../../src/run/interrupt.js'

const NEVER = new Promise<never>(() => {})

let interrupt: Interrupt | undefined

afterEach(() => {
  interrupt?.dispose()
  vi.useRealTimers()
})

function listen() {
  const again: string[] = []
  interrupt = new Interrupt({ onNextSignal: () => void again.push('again') })
  return { interrupt, again }
}

/** What Node does when the signal comes; a real one would reach the test runner, too. */
const receive = (signal: NodeJS.Signals) => process.emit(signal, signal)

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  test('once, aborts drain with a reason that names it', () => {
    const { interrupt, again } = listen()
    expect(interrupt.signal).toBeUndefined()
    expect(interrupt.drain.aborted).toBe(false)
    receive(signal)
    expect(interrupt.signal).toBe(signal)
    expect(interrupt.drain.reason).toBeInstanceOf(Interrupted)
    expect(interrupt.drain.reason.message).toBe(signal)
    expect(again).toEqual([])
  })

  test('after another one, is passed on, and the first stays the signal of the run', () => {
    const { interrupt, again } = listen()
    receive('SIGTERM')
    const { reason } = interrupt.drain
    receive(signal)
    receive(signal)
    expect(again).toEqual(['again', 'again'])
    expect(interrupt.signal).toBe('SIGTERM')
    expect(interrupt.drain.reason).toBe(reason)
  })

  test('has no listener after dispose, however often that is called', () => {
    const before = process.listenerCount(signal)
    const { interrupt } = listen()
    expect(process.listenerCount(signal)).toBe(before + 1)
    interrupt.dispose()
    interrupt.dispose()
    expect(process.listenerCount(signal)).toBe(before)
  })
})

describe('waits', () => {
  test('until stopped end at the first signal', async () => {
    const { interrupt } = listen()
    receive('SIGINT')
    await expect(interrupt.untilStopped(NEVER)).rejects.toBe(interrupt.drain.reason)
  })

  test('until overdue end at the second signal', async () => {
    const { interrupt } = listen()
    receive('SIGINT')
    receive('SIGTERM')
    await expect(interrupt.untilOverdue(NEVER)).rejects.toBeInstanceOf(Interrupted)
  })

  test('until overdue end five seconds after the first signal, not before', async () => {
    vi.useFakeTimers()
    const { interrupt } = listen()
    let ended = false
    interrupt.untilOverdue(NEVER).catch(() => {
      ended = true
    })
    receive('SIGINT')
    await vi.advanceTimersByTimeAsync(4_999)
    expect(ended).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(ended).toBe(true)
  })

  test('keep no timer after dispose', () => {
    vi.useFakeTimers()
    const { interrupt } = listen()
    receive('SIGINT')
    interrupt.dispose()
    expect(vi.getTimerCount()).toBe(0)
  })
})
