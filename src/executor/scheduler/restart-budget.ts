// How many more crashed workers may be replaced. Items that settle without a crash refill it. Pure.

/** Items that settle without a crash until one more restart is allowed again. */
const REFILL_ITEMS = 100

export class RestartBudget {
  readonly #limit: number
  /** Restarts that were used and have not been refilled. */
  #used = 0
  #itemsUntilRefill = REFILL_ITEMS

  constructor(limit: number) {
    this.#limit = limit
  }

  /** A worker has crashed. Returns whether it may be replaced. */
  use(): boolean {
    return ++this.#used <= this.#limit
  }

  itemsSettled(items: number): void {
    if (this.#used === 0) return
    this.#itemsUntilRefill -= items
    for (; this.#itemsUntilRefill <= 0; this.#itemsUntilRefill += REFILL_ITEMS) this.#used--
    if (this.#used > 0) return
    this.#used = 0
    this.#itemsUntilRefill = REFILL_ITEMS
  }
}
