// What the items of each task cost, learnt from those that are timed: whether they are too cheap to be written down.
// Knows the task alone counts: writing an outcome down must not be what makes an item dear.
import { meanCost } from '../mean-cost.js'
import type { Ms } from '../model.js'

/** Items cheaper than this are not written down one by one: it would cost more than it saves. */
const CHEAP_MS: Ms = 0.01
/** After one that took so long all are timed again: results must not wait for slow items to add up. */
const SLOW_MS: Ms = 1
/** So many say what the next will cost. */
const ENOUGH = 16
/** Nothing, but no whole number: what the compiler makes of those would have to be made again for fractions. */
const NO_TIME: Ms = Number.MIN_VALUE

export class Cost {
  #mean: Ms | undefined
  #spent = NO_TIME
  #measured = 0

  /** False until it has been seen. */
  get isCheap(): boolean {
    return this.#mean !== undefined && this.#mean < CHEAP_MS
  }

  /** One took so long. True if that was slow. */
  took(ms: Ms): boolean {
    this.#measured++
    this.#spent += ms
    const slow = ms > SLOW_MS
    if (slow || this.#measured === ENOUGH) this.learn()
    return slow
  }

  /** Makes what was measured count, however few they were. */
  learn(): void {
    if (this.#measured === 0) return
    this.#mean = meanCost(this.#mean, this.#spent / this.#measured, this.#measured)
    this.#spent = NO_TIME
    this.#measured = 0
  }
}

/** Gives each task's by its name. */
export function createCosts(): (task: string) => Cost {
  const costs = new Map<string, Cost>()
  return (task) => {
    let cost = costs.get(task)
    if (cost === undefined) {
      cost = new Cost()
      costs.set(task, cost)
    }
    return cost
  }
}
