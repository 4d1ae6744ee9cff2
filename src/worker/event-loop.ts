// When the event loop could last deliver messages. Awaiting a sent message does not yield to the event loop, so a
// worker that is busy needs an explicit turn of it to receive a cancel.
import { type Clock, setImmediate } from '../clock.js'
import type { Ms } from '../model.js'

/** While items run, messages are received at least this often, except between unrecorded items. */
const YIELD_AFTER_MS: Ms = 2

export class EventLoop {
  readonly #clock: Clock
  #lastYieldAt: Ms

  constructor(clock: Clock) {
    this.#clock = clock
    this.#lastYieldAt = clock.now()
  }

  get isYieldDue(): boolean {
    return this.isYieldDueAt(this.#clock.now())
  }

  isYieldDueAt(now: Ms): boolean {
    return now - this.#lastYieldAt > YIELD_AFTER_MS
  }

  /**
   * All that has arrived is received before this resolves. Immediates run right after the messages that were there when this
   * turn began, and work mostly begins in the handler of one of those: only the next turn looks for more.
   */
  async yieldToEventLoop(): Promise<void> {
    await this.endOfTurn()
    await this.endOfTurn()
    this.#lastYieldAt = this.#clock.now()
  }

  async endOfTurn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
  }
}
