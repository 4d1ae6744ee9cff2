// Which item of a shard has which index. Pure.
import type { LineCursor } from './lines.js'
import type { JournalReader } from './reader.js'
import type { Settings } from './settings.js'

/** `2/4` as in a header; a journal without shards is the only one. */
export function shardOf(header: Readonly<Record<string, unknown>> | undefined): {
  index: number
  count: number
} {
  const text = (header?.settings as Settings | undefined)?.['--shard']
  if (typeof text !== 'string') return { index: 1, count: 1 }
  const [index, count] = text.split('/').map(Number)
  return { index: index!, count: count! }
}

/** Where the event of each item of a shard begins, by its place in the shard. Later events replace earlier ones. */
export class ShardEvents {
  #events = new Float64Array(1024)
  readonly #shards: number

  constructor(shards: number) {
    this.#shards = shards
  }

  /** `reader` has the event of an item that has moved. */
  add({ kind, index, low, high, occurrence }: LineCursor, at: number, reader: JournalReader): void {
    const place = Math.floor(index / this.#shards)
    if (place >= this.#events.length) {
      const larger = new Float64Array(Math.max(place + 1, 2 * this.#events.length))
      larger.set(this.#events)
      this.#events = larger
    }
    this.#events[place] =
      kind === 'ok' ? at : kind === 'failed' ? -at : reader.table.event(low, high, occurrence)
  }

  /** Of the item with this index in the input. */
  at(index: number): number {
    return this.#events[Math.floor(index / this.#shards)] ?? 0
  }

  get count(): number {
    let count = 0
    for (const event of this.#events) if (event !== 0) count++
    return count
  }

  /** How many places there are, up to the last one with an event. */
  get length(): number {
    let length = this.#events.length
    while (length > 0 && this.#events[length - 1] === 0) length--
    return length
  }
}
