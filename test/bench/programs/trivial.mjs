// Tasks for the library rows. Plain JavaScript, so that no compiler is in the measurement.
import { spin } from './spin.mjs'

export const increment = (n) => n + 1

/** So many turns of the calibrated loop: CPU time that a busy machine stretches for everyone alike. */
export const turns = (n) => spin(n)

/** Busy until so much time has passed, whoever else wants the processor. */
export function busyFor(ms) {
  const until = performance.now() + ms
  while (performance.now() < until);
  return ms
}
