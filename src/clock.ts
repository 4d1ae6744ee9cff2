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
  wakeAt: (at, wake) => wakeLater(at, wake, systemClock.now, globalThis),
}

/** The system's clock by the globals as they are now: a job that replaces them later does not change it. */
export function captureSystemClock(): Clock {
  const { setTimeout, clearTimeout } = globalThis
  const now = performance.now.bind(performance)
  return { now, wakeAt: (at, wake) => wakeLater(at, wake, now, { setTimeout, clearTimeout }) }
}

/** A timer of Node with a longer delay ends after 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1

function wakeLater(
  at: Ms,
  wake: () => void,
  now: () => Ms,
  { setTimeout, clearTimeout }: Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'>,
): () => void {
  let timer: NodeJS.Timeout
  const start = () => {
    const ms = Math.max(0, Math.ceil(at - now()))
    timer = ms > MAX_TIMER_MS ? setTimeout(start, MAX_TIMER_MS) : setTimeout(wake, ms)
  }
  start()
  return () => clearTimeout(timer)
}
