// The books of one call: each item that was taken must settle once or be cancelled once, and each that has settled must be
// delivered. Checked at the end, so that a fault anywhere on the way can never look like success.
import { PoolBrokenError } from '../errors/classes.js'
import type { CancelledRange, SettledRange } from '../model.js'

const NAMED_RANGES = 10

export class Accounting {
  #taken = 0
  /** All items before this place have settled or were cancelled. */
  #settledUpTo = 0
  /** Such ranges behind it, merged where they touch: from their first place to their end, and back. */
  readonly #ends = new Map<number, number>()
  readonly #starts = new Map<number, number>()
  /** The first items that settled twice, or that nobody took. */
  #surplus: string | undefined
  #settled = 0
  #delivered = 0

  take(items: number): void {
    this.#taken += items
  }

  settle(settled: SettledRange): void {
    this.#settled += settled.count
    this.#end(settled)
  }

  /** The items had begun and will not settle. */
  cancel(cancelled: CancelledRange): void {
    this.#end(cancelled)
  }

  #end({ chunk, from, count }: Pick<SettledRange, 'chunk' | 'from' | 'count'>): void {
    const start = chunk.seq + from
    if (start < this.#settledUpTo || start + count > this.#taken || this.#ends.has(start))
      this.#surplus ??= rangeText(start, start + count)
    else if (start === this.#settledUpTo) this.#advanceTo(start + count)
    else this.#merge(start, start + count)
  }

  deliver({ count }: SettledRange): void {
    this.#delivered += count
  }

  /** To be called when nothing of the call runs any more, however it ended. */
  surplusError(): Error | undefined {
    return this.#surplus === undefined ? undefined : mismatch(`${this.#surplus} settled more than once`)
  }

  /** The same where nothing has ended it early. */
  settlingError(): Error | undefined {
    const surplus = this.surplusError()
    if (surplus !== undefined) return surplus
    if (this.#settledUpTo === this.#taken) return undefined
    const missing: string[] = []
    let at = this.#settledUpTo
    for (const [start, end] of [...this.#ends].sort(([a], [b]) => a - b)) {
      missing.push(rangeText(at, start))
      at = end
    }
    if (at < this.#taken) missing.push(rangeText(at, this.#taken))
    const more = missing.length > NAMED_RANGES ? ' and more' : ''
    return mismatch(`${missing.slice(0, NAMED_RANGES).join(', ')}${more} never settled`)
  }

  /** To be called when the consumer is told that there is nothing more. */
  deliveryError(): Error | undefined {
    if (this.#delivered === this.#settled) return undefined
    return mismatch(`${this.#settled} items settled and ${this.#delivered} were delivered`)
  }

  #advanceTo(end: number): void {
    const next = this.#ends.get(end)
    this.#settledUpTo = next ?? end
    if (next === undefined) return
    this.#ends.delete(end)
    this.#starts.delete(next)
  }

  #merge(start: number, end: number): void {
    const first = this.#starts.get(start) ?? start
    const last = this.#ends.get(end) ?? end
    this.#starts.delete(start)
    this.#ends.delete(end)
    this.#ends.set(first, last)
    this.#starts.set(last, first)
  }
}

function mismatch(what: string): Error {
  return new PoolBrokenError(`the items do not add up: ${what}; this is a bug in poolrun`)
}

function rangeText(start: number, end: number): string {
  return end - start === 1 ? `item ${start}` : `items ${start}–${end - 1}`
}
