// Waiting for something to happen instead of for a time.
import { setTimeout as pause } from 'node:timers/promises'

/** The first answer that is not `undefined`; the limit is for tests that would otherwise never end. */
export async function eventually<T>(what: string, probe: () => T | undefined, withinMs = 20_000): Promise<T> {
  const limit = performance.now() + withinMs
  for (;;) {
    const answer = probe()
    if (answer !== undefined) return answer
    if (performance.now() > limit) throw new Error(`waited ${withinMs} ms for ${what}`)
    await pause(5)
  }
}
