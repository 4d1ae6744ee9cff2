// The clock and timer of the executor and of the worker; a test passes in one it moves by hand. And Node's timers, taken when
// this is loaded: a job, or a test of a program that uses a pool, may replace the global ones by fakes that stand still, while
// the workers run in real time.
import timers from 'node:timers'
import type { Ms } from './model.js'

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = timers
const now = performance.now.bind(performance)

export interface Clock {
  /** Monotonic. */
  now(): Ms
  /** Calls back once at or after `at`; returns a function that cancels it. */
  wakeAt(at: Ms, wake: () => void): () => void
}

export const systemClock: Clock = { now, wakeAt: wakeLater }

/** A timer of Node with a longer delay ends after 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1

function wakeLater(at: Ms, wake: () => void): () => void {
  let timer: NodeJS.Timeout
  const start = () => {
    const ms = Math.max(0, Math.ceil(at - now()))
    timer = ms > MAX_TIMER_MS ? setTimeout(start, MAX_TIMER_MS) : setTimeout(wake, ms)
  }
  start()
  return () => clearTimeout(timer)
}
