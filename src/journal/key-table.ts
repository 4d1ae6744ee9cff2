// From the hash of an item to its latest event in a journal, and to how often it was in the input. Typed arrays with open
// addressing: 8 bytes per slot, 17 once there are events, where a Map takes 100 and more.
import { avalanche } from './value-hash.js'

const MIN_SLOTS = 1024
const MAX_LOAD = 0.7
/** From this size on, a table grows to the size that the input is expected to need, if that is known, in one step. */
const PREDICTED_SLOTS = 1 << 16
const MAX_PREDICTED_GROWTH = 32
/** Factor for a prediction: items later in the input may be a little smaller. */
const MARGIN = 1.05
/** A large table is two thirds larger at a time: with the old one beside it, twice would be most of the memory for a moment. */
const LARGE_SLOTS = 1 << 20
const RANGE = 2 ** 32
/** Their slots are read before the first of them is looked up: without anything in between, many reads are under way at a time. */
const TOUCHED_ITEMS = 512

/** What a table knows besides hashes, once it has had an event. */
interface Events {
  /** Where the latest event begins in the journal: negative for a failure, 0 without one. */
  readonly places: Float64Array
  /** 1 where the input had the item. */
  readonly seen: Uint8Array
}

export class KeyTable {
  #slots = 0
  #used = 0
  /** Low and high half of the hash in each slot; the high half is 0 in a free one. */
  #hashes!: Int32Array
  #events: Events | undefined
  /** How often the input had the items that it had more than once. */
  readonly #repeats = new Map<number, number>()
  #done = 0
  #failed = 0
  #expectedItems = 0

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
    return this.#events?.places[this.#find(lowOf(low, occurrence), highOf(high, occurrence))] ?? 0
  }

  setEvent(low: number, high: number, occurrence: number, event: number): void {
    this.#events ??= newEvents(this.#slots)
    const slot = this.#findOrInsert(lowOf(low, occurrence), highOf(high, occurrence))
    const { places } = this.#events
    this.#tally(places[slot]!, -1)
    this.#tally(event, 1)
    places[slot] = event
  }

  /**
   * Counts items of the input, whose hashes these are, low and high half in turn. `events` gets the latest event of each, and
   * `occurrences` how many equal items were before it. Returns whether there were any.
   */
  count(hashes: Uint32Array, occurrences: Uint32Array, events: Float64Array): boolean {
    this.#makeRoom(hashes.length / 2)
    let hasRepeats = false
    for (let i = 0; 2 * i < hashes.length; i++) {
      // What is overwritten next keeps V8 from leaving the reads out.
      if (i % TOUCHED_ITEMS === 0) occurrences[i] = this.#touch(hashes, i)
      const low = hashes[2 * i]! | 0
      const high = highOf(hashes[2 * i + 1]!, 0)
      const slot = this.#find(low, high)
      const isNew = this.#hashes[2 * slot + 1] === 0
      const known = this.#events
      occurrences[i] = 0
      events[i] = 0
      if (isNew) {
        this.#hashes[2 * slot] = low
        this.#hashes[2 * slot + 1] = high
        this.#used++
        if (known !== undefined) known.seen[slot] = 1
      } else if (known !== undefined && known.seen[slot] === 0) {
        known.seen[slot] = 1
        events[i] = known.places[slot]!
      } else {
        hasRepeats = true
        occurrences[i] = this.#repeat(low, high)
        events[i] = this.event(low, high, occurrences[i]!)
      }
    }
    return hasRepeats
  }

  /** Reads the slots of the next items, from this one on. */
  #touch(hashes: Uint32Array, from: number): number {
    const table = this.#hashes
    const slots = this.#slots
    const end = Math.min(2 * (from + TOUCHED_ITEMS), hashes.length)
    let read = 0
    for (let i = 2 * from; i < end; i += 2) read ^= table[2 * firstSlot(hashes[i]!, slots) + 1]!
    return read
  }

  /** Forgets what the input had. */
  resetCounts(): void {
    this.#events ??= newEvents(this.#slots)
    this.#events.seen.fill(0)
    this.#repeats.clear()
  }

  /** About as many items will come in all. Takes no memory before it is needed. */
  expect(items: number): void {
    this.#expectedItems = items
  }

  /** Makes room for so many items. */
  reserve(items: number): void {
    const slots = Math.ceil(items / MAX_LOAD)
    if (slots > this.#slots) this.#resize(slots)
  }

  #repeat(low: number, high: number): number {
    const key = (low >>> 0) * 2 ** 21 + (high >>> 11)
    const before = this.#repeats.get(key) ?? 1
    this.#repeats.set(key, before + 1)
    return before
  }

  #makeRoom(items: number): void {
    let slots = this.#slots
    while (this.#used + items > slots * MAX_LOAD) slots = grown(slots, this.#expectedItems)
    if (slots > this.#slots) this.#resize(slots)
  }

  #tally(event: number, sign: 1 | -1): void {
    if (event > 0) this.#done += sign
    else if (event < 0) this.#failed += sign
  }

  #findOrInsert(low: number, high: number): number {
    this.#makeRoom(1)
    const slot = this.#find(low, high)
    if (this.#hashes[2 * slot + 1] !== 0) return slot
    this.#hashes[2 * slot] = low
    this.#hashes[2 * slot + 1] = high
    this.#used++
    return slot
  }

  /** The slot of the key, or the free one where it belongs. */
  #find(low: number, high: number): number {
    const hashes = this.#hashes
    const slots = this.#slots
    for (let slot = firstSlot(low, slots); ; slot++) {
      if (slot === slots) slot = 0
      const found = hashes[2 * slot + 1]
      if (found === 0 || (found === high && hashes[2 * slot] === low)) return slot
    }
  }

  #resize(slots: number): void {
    const before = this.#hashes
    const events = this.#events
    this.#allocate(slots)
    for (let from = 0; 2 * from < before.length; from++) {
      const high = before[2 * from + 1]!
      if (high === 0) continue
      const slot = this.#find(before[2 * from]!, high)
      this.#hashes[2 * slot] = before[2 * from]!
      this.#hashes[2 * slot + 1] = high
      if (events === undefined) continue
      this.#events!.places[slot] = events.places[from]!
      this.#events!.seen[slot] = events.seen[from]!
    }
  }

  #allocate(slots: number): void {
    this.#slots = slots
    this.#hashes = new Int32Array(2 * slots)
    if (this.#events !== undefined) this.#events = newEvents(slots)
  }
}

function newEvents(slots: number): Events {
  return { places: new Float64Array(slots), seen: new Uint8Array(slots) }
}

/** Where the search for a hash begins. */
function firstSlot(low: number, slots: number): number {
  return Math.floor(((low >>> 0) / RANGE) * slots)
}

function grown(slots: number, expectedItems: number): number {
  const usual = slots < LARGE_SLOTS ? 4 * slots : Math.ceil(1.6 * slots)
  if (slots < PREDICTED_SLOTS) return usual
  const expected = Math.ceil((MARGIN * expectedItems) / MAX_LOAD)
  return Math.max(usual, Math.min(expected, MAX_PREDICTED_GROWTH * slots))
}

function lowOf(low: number, occurrence: number): number {
  return occurrence === 0 ? low | 0 : avalanche(low + Math.imul(occurrence, 0x9e3779b1))
}

/** Never 0, which marks a free slot. */
function highOf(high: number, occurrence: number): number {
  return (occurrence === 0 ? high | 0 : avalanche(high ^ Math.imul(occurrence, 0x85ebca6b))) || 1
}
