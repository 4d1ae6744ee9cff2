// The one clock and timer the executor uses; a test hands in one it moves by hand.
import type { Ms } from '../model.js'

export interface Clock {
  /** Monotonic. */
  now(): Ms
  /** Calls back once at or after `at`; gives a function that takes it back. */
  wakeAt(at: Ms, wake: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wakeAt(at, wake) {
    const timer = setTimeout(wake, Math.max(0, Math.ceil(at - performance.now())))
    return () => clearTimeout(timer)
  },
}
