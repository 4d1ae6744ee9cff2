// When the next attempt of a call may begin that has a rate. Pure.
import type { Ms } from '../../model.js'

/**
 * Short intervals are kept on a grid: a timer that is late by this much or less costs none of them. Of longer intervals,
 * each counts from the attempt before it: no second, however it is chosen, holds more attempts than the rate allows.
 */
const GRID_MS: Ms = 10

export class RateLimiter {
  readonly #intervalMs: Ms
  #nextAt: Ms = Number.NEGATIVE_INFINITY

  constructor(intervalMs: Ms) {
    this.#intervalMs = intervalMs
  }

  get nextAt(): Ms {
    return this.#nextAt
  }

  mayBegin(now: Ms): boolean {
    return now >= this.#nextAt
  }

  /** An attempt begins. Time in which none began is not saved up. */
  begin(now: Ms): void {
    const isOnGrid = this.#intervalMs < GRID_MS && now - this.#nextAt <= GRID_MS
    this.#nextAt = (isOnGrid ? this.#nextAt : now) + this.#intervalMs
  }
}
