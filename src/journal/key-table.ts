// From the hash of an item to its latest event in a journal, and to how often it was in the input. One typed array with open
// addressing: 20 bytes per slot, where a Map takes 100 and more, and one cache line per look-up.
import { avalanche } from './value-hash.js'

/** Low and high half of the hash, and the occurrence. */
export const NUMBERS_PER_KEY = 3

const MIN_SLOTS = 1024
const MAX_LOAD = 0.7
/** A large table is two thirds larger at a time: with the old one beside it, twice would be most of the memory for a moment. */
const LARGE_SLOTS = 1 << 20
const SMALL_SLOTS = 1 << 18
const RANGE = 2 ** 32

/** The cells of a slot. The high half of the hash is 0 in a free one. */
const LOW = 0
const HIGH = 1
const SEEN = 2
/** Where the event begins, in two halves; the high one is negative for a failure. */
const EVENT_LOW = 3
const EVENT_HIGH = 4
const CELLS = 5

export class KeyTable {
  /** Of the item that was counted last: how many equal ones were before it. */
  occurrence = 0
  #slots = 0
  #used = 0
  #cells!: Int32Array
  #done = 0
  #failed = 0

  constructor() {
    this.#allocate(MIN_SLOTS)
  }

  /** Items whose latest event is a value. */
  get done(): number {
    return this.#done
  }

  /** Items whose latest event is a failure. */
  get failed(): number {
    return this.#failed
  }

  /** Where the latest event of the item begins: negative for a failure, 0 without one. */
  event(low: number, high: number, occurrence: number): number {
    return this.#eventAt(this.#find(lowOf(low, occurrence), highOf(high, occurrence)))
  }

  setEvent(low: number, high: number, occurrence: number, event: number): void {
    const at = this.#findOrInsert(lowOf(low, occurrence), highOf(high, occurrence))
    this.#tally(this.#eventAt(at), -1)
    this.#tally(event, 1)
    const place = Math.abs(event)
    const half = Math.floor(place / RANGE)
    this.#cells[at + EVENT_LOW] = place | 0
    this.#cells[at + EVENT_HIGH] = event < 0 ? ~half : half
  }

  /** Counts an item of the input. Returns its latest event. */
  count(low: number, high: number): number {
    const at = this.#findOrInsert(low | 0, highOf(high, 0))
    this.occurrence = this.#cells[at + SEEN]!++
    return this.occurrence === 0 ? this.#eventAt(at) : this.event(low, high, this.occurrence)
  }

  /** Forgets what the input had. */
  resetCounts(): void {
    for (let at = SEEN; at < this.#cells.length; at += CELLS) this.#cells[at] = 0
  }

  /** Makes room for so many items. */
  reserve(items: number): void {
    const slots = Math.ceil(items / MAX_LOAD)
    if (slots > this.#slots) this.#resize(slots)
  }

  #eventAt(at: number): number {
    const half = this.#cells[at + EVENT_HIGH]!
    const low = this.#cells[at + EVENT_LOW]! >>> 0
    return half < 0 ? -(~half * RANGE + low) : half * RANGE + low
  }

  #tally(event: number, sign: 1 | -1): void {
    if (event > 0) this.#done += sign
    else if (event < 0) this.#failed += sign
  }

  #findOrInsert(low: number, high: number): number {
    let at = this.#find(low, high)
    if (this.#cells[at + HIGH] !== 0) return at
    if (this.#used >= this.#slots * MAX_LOAD) {
      this.#resize(grown(this.#slots))
      at = this.#find(low, high)
    }
    this.#cells[at + LOW] = low
    this.#cells[at + HIGH] = high
    this.#used++
    return at
  }

  /** The first cell of the key's slot, or of the free one where it belongs. */
  #find(low: number, high: number): number {
    const cells = this.#cells
    const end = cells.length
    for (let at = CELLS * Math.floor(((low >>> 0) / RANGE) * this.#slots); ; at += CELLS) {
      if (at === end) at = 0
      const found = cells[at + HIGH]
      if (found === 0 || (found === high && cells[at] === low)) return at
    }
  }

  #resize(slots: number): void {
    const before = this.#cells
    this.#allocate(slots)
    const cells = this.#cells
    for (let from = 0; from < before.length; from += CELLS) {
      if (before[from + HIGH] === 0) continue
      const at = this.#find(before[from]!, before[from + HIGH]!)
      for (let cell = 0; cell < CELLS; cell++) cells[at + cell] = before[from + cell]!
    }
  }

  #allocate(slots: number): void {
    this.#slots = slots
    this.#cells = new Int32Array(slots * CELLS)
  }
}

function grown(slots: number): number {
  return slots < SMALL_SLOTS ? 4 * slots : Math.ceil(slots * (slots < LARGE_SLOTS ? 2 : 1.6))
}

function lowOf(low: number, occurrence: number): number {
  return occurrence === 0 ? low | 0 : avalanche(low + Math.imul(occurrence, 0x9e3779b1))
}

/** Never 0, which marks a free slot. */
function highOf(high: number, occurrence: number): number {
  return (occurrence === 0 ? high | 0 : avalanche(high ^ Math.imul(occurrence, 0x85ebca6b))) || 1
}
