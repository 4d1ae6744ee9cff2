// The clock and timer of the executor and of the worker; a test passes in one it moves by hand.
import type { Ms } from './model.js'

export interface Clock {
  /** Monotonic. */
  now(): Ms
  /** Calls back once at or after `at`; returns a function that cancels it. */
  wakeAt(at: Ms, wake: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wakeAt(at, wake) {
    const timer = setTimeout(wake, Math.max(0, Math.ceil(at - performance.now())))
    return () => clearTimeout(timer)
  },
}

/** The system's clock by the globals as they are now: a job that replaces them later does not change it. */
export function captureSystemClock(): Clock {
  const { setTimeout, clearTimeout } = globalThis
  const now = performance.now.bind(performance)
  return {
    now,
    wakeAt(at, wake) {
      const timer = setTimeout(wake, Math.max(0, Math.ceil(at - now())))
      return () => clearTimeout(timer)
    },
  }
}
