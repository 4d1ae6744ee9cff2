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
  interrupt = new Interrupt({ graceMs: 5_000, onNextSignal: () => void again.push('again') })
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

test('SIGHUP is not handled where it was ignored at the start, and the others are', () => {
  const before = process.listenerCount('SIGHUP')
  interrupt = new Interrupt({ graceMs: 5_000, ignoresHangup: true, onNextSignal() {} })
  expect(process.listenerCount('SIGHUP')).toBe(before)
  receive('SIGTERM')
  expect(interrupt.signal).toBe('SIGTERM')
})

describe('waits', () => {
  test('until stopped end at the first signal', async () => {
    const { interrupt } = listen()
    receive('SIGINT')
    await expect(interrupt.untilStopped(NEVER)).rejects.toBe(interrupt.drain.reason)
  })

  const STOPPED = () => 0

  async function whenRejected(wait: Promise<never>): Promise<{ at: number | undefined }> {
    const rejected: { at: number | undefined } = { at: undefined }
    const since = performance.now()
    wait.catch(() => {
      rejected.at = performance.now() - since
    })
    return rejected
  }

  test('for output go on after the second signal while it moves, and end two seconds after that', async () => {
    vi.useFakeTimers()
    const { interrupt } = listen()
    let written = 0
    const rejected = await whenRejected(interrupt.untilStalled(NEVER, () => written))
    receive('SIGINT')
    receive('SIGTERM')
    for (; written < 5; written++) await vi.advanceTimersByTimeAsync(1_000)
    expect(rejected.at).toBeUndefined()
    await vi.advanceTimersByTimeAsync(2_500)
    expect(rejected.at).toBeGreaterThan(6_000)
  })

  test('for output end ten seconds after the deadline, however slow the reader is', async () => {
    vi.useFakeTimers()
    interrupt = new Interrupt({ graceMs: 5_000, deadlineMs: 1_000, onNextSignal() {} })
    const rejected = await whenRejected(interrupt.untilStalled(NEVER, () => performance.now()))
    await vi.advanceTimersByTimeAsync(10_900)
    expect(rejected.at).toBeUndefined()
    await vi.advanceTimersByTimeAsync(300)
    expect(rejected.at).toBeDefined()
  })

  test('for output end at once at the signal after the second one', async () => {
    const { interrupt } = listen()
    const wait = interrupt.untilStalled(NEVER, STOPPED)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGTERM'] as const) receive(signal)
    await expect(wait).rejects.toBeInstanceOf(Interrupted)
  })

  test('for output that does not move end seven seconds after the first signal, not before', async () => {
    vi.useFakeTimers()
    const { interrupt } = listen()
    const rejected = await whenRejected(interrupt.untilStalled(NEVER, STOPPED))
    receive('SIGINT')
    await vi.advanceTimersByTimeAsync(6_900)
    expect(rejected.at).toBeUndefined()
    await vi.advanceTimersByTimeAsync(200)
    expect(rejected.at).toBeDefined()
  })

  test('keep no timer after dispose', () => {
    vi.useFakeTimers()
    const { interrupt } = listen()
    receive('SIGINT')
    interrupt.dispose()
    expect(vi.getTimerCount()).toBe(0)
  })
})
