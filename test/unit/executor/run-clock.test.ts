import { describe, expect, it } from 'vitest'
import { RunClock } from '../../../src/executor/run-clock.js'
import { ManualClock } from './fakes.js'

/** A run clock over one that is moved by hand, which the workers share. */
function setUp() {
  const manual = new ManualClock()
  const clock = new RunClock(manual, () => manual.now())
  return { clock, at: (ms: number) => manual.advance(ms - manual.now()) }
}

describe('a paused run', () => {
  it('does not age', () => {
    const { clock, at } = setUp()
    at(10)
    clock.pause()
    at(30)
    expect(clock.now()).toBe(10)
    clock.resume()
    at(50)
    expect(clock.now()).toBe(30)
    expect(clock.pausedMs).toBe(20)
    expect(clock.elapsed(0)).toBe(30)
    expect(clock.elapsed(20)).toBe(20)
    expect(clock.elapsed(40)).toBe(10)
  })

  it('adds up its pauses', () => {
    const { clock, at } = setUp()
    for (const start of [10, 100]) {
      at(start)
      clock.pause()
      at(start + 5)
      clock.resume()
    }
    expect(clock.pausedMs).toBe(10)
    expect(clock.elapsed(0)).toBe(95)
    expect(clock.elapsed(50)).toBe(50)
  })

  it('counts a pause that begins twice as one, and an end without a beginning as none', () => {
    const { clock, at } = setUp()
    clock.resume()
    expect(clock.pausedMs).toBe(0)
    clock.pause()
    at(5)
    clock.pause()
    at(8)
    clock.resume()
    clock.resume()
    expect(clock.pausedMs).toBe(8)
  })

  it('measures up to a moment before now', () => {
    const { clock, at } = setUp()
    at(100)
    expect(clock.elapsed(20, 70)).toBe(50)
  })
})

describe('setTimer', () => {
  function withTimer(wakeAt: number) {
    const world = setUp()
    const woken: number[] = []
    const wake = () => woken.push(world.clock.now())
    world.clock.setTimer(wakeAt, wake)
    return { ...world, woken, wake }
  }

  it('calls back once, when it is time', () => {
    const { at, woken } = withTimer(100)
    at(99)
    expect(woken).toEqual([])
    at(100)
    at(300)
    expect(woken).toEqual([100])
  })

  it('replaces the timer that was set before', () => {
    const { clock, at, woken, wake } = withTimer(100)
    clock.setTimer(150, wake)
    at(100)
    expect(woken).toEqual([])
    at(150)
    expect(woken).toEqual([150])
  })

  it('clears the timer without a time', () => {
    const { clock, at, woken, wake } = withTimer(100)
    clock.setTimer(undefined, wake)
    at(1_000)
    expect(woken).toEqual([])
  })

  it('can set the same time again once it has called back', () => {
    const { clock, at, woken, wake } = withTimer(100)
    at(100)
    clock.setTimer(100, wake)
    at(101)
    expect(woken).toHaveLength(2)
  })

  it('adds the pauses so far', () => {
    const { clock, at, woken, wake } = withTimer(100)
    clock.pause()
    at(40)
    clock.resume()
    clock.setTimer(100, wake)
    at(139)
    expect(woken).toEqual([])
    at(140)
    expect(woken).toEqual([100])
  })
})
