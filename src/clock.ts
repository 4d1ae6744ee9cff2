// The clock and timer the executor uses; a test passes in one it moves by hand.
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
