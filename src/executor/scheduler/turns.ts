// Which call is served next: each has its turn, for one chunk at a time, and small calls have turns of their own.
import type { Ms } from '../../model.js'
import type { Call, ScheduledCall } from './call.js'
import { Fifo } from './queues.js'
import { earlierOf } from './timeouts.js'

export class Turns {
  // Calls that can have something to dispatch. The one that was served last is at the end.
  readonly #small = new Fifo<Call>()
  readonly #others = new Fifo<Call>()
  /** Calls with a rate that had something to dispatch and may not begin it, or had no worker to begin it. */
  #awaitingRate: Call[] = []

  enqueue(call: Call): void {
    if (call.isQueued) return
    call.isQueued = true
    this.#queueOf(call.isSmall).push(call)
  }

  /** Calls that wait for their rate have their turn again. */
  enqueueAwaitingRate(): void {
    const waiting = this.#awaitingRate
    if (waiting.length === 0) return
    this.#awaitingRate = []
    for (const call of waiting) if (!call.hasEnded) this.enqueue(call)
  }

  /** Whether `next` may find one. */
  mayHaveNext(isSmall: boolean): boolean {
    return this.#queueOf(isSmall).length > 0
  }

  /**
   * The call whose turn it is, among the small or the other ones. It has a chunk ready, or its source can be pulled.
   * `canBegin`: the worker that it is for would begin an item without waiting.
   */
  next(isSmall: boolean, canBegin: boolean, now: Ms): ScheduledCall | undefined {
    const queue = this.#queueOf(isSmall)
    for (let call = queue.shift(); call !== undefined; call = queue.shift()) {
      call.isQueued = false
      if (call.ready.length === 0 && (call.isPulling || call.sourceEnded)) continue
      if (call.limiter !== undefined && !(canBegin && call.limiter.mayBegin(now))) {
        this.#awaitingRate.push(call)
        continue
      }
      if (!isSmall && hasTurnedOutSmall(call)) call.isSmall = true
      this.enqueue(call)
      if (call.isSmall === isSmall) return call
    }
    return undefined
  }

  /** When a call that waits for its rate may begin an item. */
  nextBeginAt(now: Ms): Ms | undefined {
    let earliest: Ms | undefined
    for (const { limiter } of this.#awaitingRate)
      if (!limiter!.mayBegin(now)) earliest = earlierOf(earliest, limiter!.nextAt)
    return earliest
  }

  #queueOf(isSmall: boolean): Fifo<Call> {
    return isSmall ? this.#small : this.#others
  }
}

/** Other calls of its task have been measured since it was opened, and nothing of it is ready or in flight. */
function hasTurnedOutSmall({ limiter, sizer, ready, inFlight }: ScheduledCall): boolean {
  return limiter === undefined && sizer.isSmall && ready.length === 0 && inFlight === 0
}
