// What the items of each task cost, learnt from those that are timed: whether they are too cheap to be recorded.
// Measures the task alone: recording an outcome must not be what makes an item expensive.
import { meanCost } from '../mean-cost.js'
import type { Ms } from '../model.js'

/** Items cheaper than this are not recorded one by one: it would cost more than it saves. */
const CHEAP_BELOW_MS: Ms = 0.01
/** After an item that took longer, each one is timed again: results must not wait for slow items to add up. */
const SLOW_ABOVE_MS: Ms = 1
/** Timed items after which the mean is updated. */
const SAMPLES_PER_UPDATE = 16
/** Quick items block this process no longer than results may wait to be sent together (`FLUSH_AFTER_MS` of the outbox). */
export const QUICK_UP_TO_MS: Ms = 10
/** Timed items in a row that must have been quick before the next one is expected to be. */
const QUICK_ITEMS = 16
/** A non-integer zero: keeps V8 from compiling for integers and deoptimising on the first fraction. */
const NO_TIME: Ms = Number.MIN_VALUE

export class Cost {
  #mean: Ms | undefined
  #spent = NO_TIME
  #samples = 0
  #quickInARow = 0

  /** An item has returned what cannot be kept while it is watched. */
  refusesWatch = false

  /** False until an item was timed. */
  get isCheap(): boolean {
    return this.#mean !== undefined && this.#mean < CHEAP_BELOW_MS
  }

  /** The next item is expected to be: results may wait for it. False until some items have been timed. */
  get isQuick(): boolean {
    return this.#quickInARow >= QUICK_ITEMS
  }

  /** Adds a timed item. `blockedMs`: until it returned a promise, if it did. True if it was slow. */
  add(ms: Ms, blockedMs = ms): boolean {
    this.#samples++
    this.#spent += ms
    const isSlow = ms > SLOW_ABOVE_MS
    this.#quickInARow = blockedMs > QUICK_UP_TO_MS ? 0 : this.#quickInARow + 1
    if (isSlow || this.#samples === SAMPLES_PER_UPDATE) this.update()
    return isSlow
  }

  /** An item has blocked this process after it returned a promise. */
  blocked(): void {
    this.#quickInARow = 0
  }

  /** Includes what was timed since the last update, however few items that were. */
  update(): void {
    if (this.#samples === 0) return
    this.#mean = meanCost(this.#mean, this.#spent / this.#samples, this.#samples)
    this.#spent = NO_TIME
    this.#samples = 0
  }
}

/** The cost of each task, by its name. */
export class Costs {
  readonly #costs = new Map<string, Cost>()

  of(task: string): Cost {
    let cost = this.#costs.get(task)
    if (cost === undefined) {
      cost = new Cost()
      this.#costs.set(task, cost)
    }
    return cost
  }

  /** One of the tasks has blocked this process, it is not known which. */
  blocked(): void {
    for (const cost of this.#costs.values()) cost.blocked()
  }
}
