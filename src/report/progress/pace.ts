// How fast a run goes and how long it will take, from how much was done when. Reads no clock; knows no items.
import type { Ms } from '../../model.js'

/** Speed is that of the last while: items differ, and so do the minutes of a run. */
const WINDOW_MS: Ms = 30_000
/** Unless so little was done in it that it would be a guess: then back to where so many are. */
const WINDOW_ITEMS = 10
/** Between two samples that are kept. */
const STEP_MS: Ms = 500

interface Sample {
  readonly at: Ms
  readonly done: number
}

export class Pace {
  #samples: Sample[]

  constructor(now: Ms) {
    this.#samples = [{ at: now, done: 0 }]
  }

  /** `done` so far; never less than before. */
  sample(now: Ms, done: number): void {
    const last = this.#samples.at(-1)!
    if (done > last.done && now - last.at >= STEP_MS) this.#samples.push({ at: now, done })
    // The first one stays as long as the second does not reach back far enough.
    while (this.#samples.length > 2) {
      const { at, done: before } = this.#samples[1]!
      if (now - at < WINDOW_MS || done - before < WINDOW_ITEMS) return
      this.#samples.shift()
    }
  }

  /** Items a second; `undefined` while nothing is done. */
  rate(now: Ms, done: number): number | undefined {
    const { at, done: before } = this.#samples[0]!
    return done > before && now > at ? ((done - before) * 1000) / (now - at) : undefined
  }
}

/** Until all is done, at this rate. */
export function timeLeft(rest: number, rate: number | undefined): Ms | undefined {
  return rate === undefined ? undefined : (rest * 1000) / rate
}
