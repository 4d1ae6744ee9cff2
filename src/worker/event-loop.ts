// When the event loop could last deliver messages. Awaiting a sent message does not yield to the event loop, so a
// worker that is busy needs an explicit turn of it to receive a cancel.
import type { Clock } from '../clock.js'
import type { Ms } from '../model.js'

/** While items run, messages are received at least this often, except between unrecorded items. */
const YIELD_AFTER_MS: Ms = 2
/** Taken before the job is loaded: it may replace it. */
const { setImmediate } = globalThis

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

  async yieldToEventLoop(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#lastYieldAt = this.#clock.now()
  }
}
