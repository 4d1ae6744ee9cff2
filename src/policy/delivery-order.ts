// Puts settled ranges into delivery order: input order, or the order in which they settled. Holds whole ranges and finds
// each in constant time, however many wait.
import type { SettledRange } from '../model.js'

export interface DeliveryOrder {
  push(settled: SettledRange): void
  /** The next range to deliver, if it is here. */
  shift(): SettledRange | undefined
  /** `shift` would return a range. */
  readonly hasNext: boolean
  /** Once nothing more settles: the ranges behind items that never ran, in order. */
  releaseRest(): SettledRange[]
}

/**
 * A box that is emptied when its range is taken. V8 replaces a map's table when the map grows or shrinks; the old table
 * keeps its entries and a link to the new one, and once one of these tables is in old space, all that they hold stays
 * until a full garbage collection.
 */
interface Box {
  settled: SettledRange | undefined
}

export class InputOrder implements DeliveryOrder {
  /** By the sequence number of the first item. */
  readonly #boxes = new Map<number, Box>()
  #nextSeq = 0

  push(settled: SettledRange): void {
    this.#boxes.set(firstSeq(settled), { settled })
  }

  shift(): SettledRange | undefined {
    const box = this.#boxes.get(this.#nextSeq)
    if (box?.settled === undefined) return undefined
    const { settled } = box
    box.settled = undefined
    this.#boxes.delete(this.#nextSeq)
    this.#nextSeq += settled.count
    return settled
  }

  get hasNext(): boolean {
    return this.#boxes.has(this.#nextSeq)
  }

  releaseRest(): SettledRange[] {
    const rest = [...this.#boxes.values()].flatMap(({ settled }) => settled ?? [])
    this.#boxes.clear()
    return rest.sort((a, b) => firstSeq(a) - firstSeq(b))
  }
}

function firstSeq({ chunk, from }: SettledRange): number {
  return chunk.seq + from
}

/** A queue of two stacks: `incoming` is turned over when `outgoing` has run out. */
export class CompletionOrder implements DeliveryOrder {
  #incoming: SettledRange[] = []
  #outgoing: SettledRange[] = []

  push(settled: SettledRange): void {
    this.#incoming.push(settled)
  }

  shift(): SettledRange | undefined {
    if (this.#outgoing.length === 0) {
      this.#outgoing = this.#incoming.reverse()
      this.#incoming = []
    }
    return this.#outgoing.pop()
  }

  get hasNext(): boolean {
    return this.#outgoing.length > 0 || this.#incoming.length > 0
  }

  releaseRest(): SettledRange[] {
    const rest = [...this.#outgoing.reverse(), ...this.#incoming]
    this.#outgoing = []
    this.#incoming = []
    return rest
  }
}
