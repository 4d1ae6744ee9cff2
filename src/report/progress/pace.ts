// How fast a run is and how long it will take, from samples of how much was done when.
import type { Ms } from '../../model.js'

/** The rate is that of the last half minute, because it changes during a run … */
const WINDOW_MS: Ms = 30_000
/** … or of a longer time, if fewer items than this were done in it: one slow item must not make the rate jump. */
const MIN_WINDOW_ITEMS = 10
/** Between two samples that are kept. */
const SAMPLE_EVERY_MS: Ms = 500

interface Sample {
  readonly at: Ms
  readonly done: number
}

export class Pace {
  #samples: Sample[]

  constructor(now: Ms) {
    this.#samples = [{ at: now, done: 0 }]
  }

  /** `done` is the total so far; it never decreases. */
  sample(now: Ms, done: number): void {
    const last = this.#samples.at(-1)!
    if (done > last.done && now - last.at >= SAMPLE_EVERY_MS) this.#samples.push({ at: now, done })
    // The first sample is dropped when the window that starts at the second one is large enough.
    while (this.#samples.length > 2) {
      const { at, done: before } = this.#samples[1]!
      if (now - at < WINDOW_MS || done - before < MIN_WINDOW_ITEMS) return
      this.#samples.shift()
    }
  }

  /** Items per second; `undefined` while nothing is done. */
  rate(now: Ms, done: number): number | undefined {
    const { at, done: before } = this.#samples[0]!
    return done > before && now > at ? ((done - before) * 1000) / (now - at) : undefined
  }
}

/** Until the `rest` of the items are done at this rate. */
export function timeLeft(rest: number, rate: number | undefined): Ms | undefined {
  return rate === undefined ? undefined : (rest * 1000) / rate
}
