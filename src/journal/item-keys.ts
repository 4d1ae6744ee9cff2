// What identifies an item in a journal: the hash of its value, or of a part of it, and how many equal ones were before it.
import { asBuffer, indexOrEnd } from '../framing/bytes.js'
import { FRAMINGS } from '../framing/framings.js'
import {
  type BytesPayload,
  isJsonText,
  itemRanges,
  memberRanges,
  rangeText,
  withLines,
  withoutCr,
} from '../framing/items.js'
import type { Chunk } from '../model.js'
import type { KeyTable } from './key-table.js'
import type { Key } from './lines.js'
import { avalanche, ValueHash } from './value-hash.js'

const CR = 0x0d

export class ItemKeys {
  readonly #hash: ValueHash
  readonly #pointer: readonly string[] | undefined
  #events = new Float64Array(0)
  #occurrences = new Uint32Array(0)

  /** `pointer`: the part of an item that identifies it. An item that lacks it is identified by all of it. */
  constructor(seed: number, pointer: readonly string[] | undefined) {
    this.#hash = new ValueHash(seed)
    this.#pointer = pointer
  }

  /**
   * The two halves of the hash of each item and, where any has an equal one before it, the occurrence of each. `events` is the
   * latest event of each, until the next call. Counts the occurrences in `table`: call it in the order of the input.
   */
  of(chunk: Chunk, table: KeyTable): { readonly keys: Uint32Array; readonly events: Float64Array } {
    const { count } = chunk
    const hashes = new Uint32Array(2 * count)
    const hash = this.#hash
    let at = 0
    this.each(chunk, () => {
      hashes[at++] = hash.low
      hashes[at++] = hash.high
    })
    if (this.#events.length < count) {
      this.#events = new Float64Array(2 * count)
      this.#occurrences = new Uint32Array(2 * count)
    }
    const events = this.#events.subarray(0, count)
    const hasRepeats = table.count(hashes, this.#occurrences, events)
    return { keys: hasRepeats ? withOccurrences(hashes, this.#occurrences) : hashes, events }
  }

  /** Continues the digest of an input with the items of a chunk. Chunks of any size lead to the same one. */
  digest(chunk: Chunk, digest: number): number {
    let result = digest
    this.each(chunk, () => {
      result = avalanche(Math.imul(result, 31) + this.#hash.low)
    })
    return result
  }

  each({ payload: given, count }: Chunk, found: () => void): void {
    if (given.kind !== 'bytes') throw new TypeError('only items that were read as bytes have keys')
    const payload = withLines(given)
    const bytes = asBuffer(payload.bytes)
    if (payload.isTooLong === true) {
      this.#hash.text(bytes, 0, bytes.length)
      return found()
    }
    const { delimiter, skips } = FRAMINGS[payload.framing]
    if (typeof delimiter === 'number' && payload.batch === undefined && this.#pointer === undefined) {
      // As `itemRanges`, without an object per item.
      for (let start = 0; start < bytes.length; ) {
        const end = indexOrEnd(bytes, delimiter, start)
        if (!skips(bytes, start, end)) {
          this.#hashText(payload, bytes, start, end)
          found()
        }
        start = end + 1
      }
      return
    }
    let left = count
    for (const { start, end } of itemRanges(payload)) {
      if (left-- === 0) break
      this.#hashItem(payload, bytes, start, end)
      found()
    }
  }

  #hashItem(payload: BytesPayload, bytes: Buffer, start: number, end: number): void {
    if (this.#pointer !== undefined && isJsonText(payload)) {
      const part = partOf(rangeText(payload, { start, end }), this.#pointer)
      if (part !== undefined) return this.#hash.json(part, 0, part.length)
    }
    if (payload.batch === undefined) this.#hashText(payload, bytes, start, end)
    else this.#hashBatch(payload, bytes, start, end)
  }

  #hashBatch({ kind, framing }: BytesPayload, bytes: Buffer, start: number, end: number): void {
    const members = { kind, framing, bytes: bytes.subarray(start, end) }
    this.#hash.array((added) => {
      for (const range of memberRanges(members)) {
        this.#hashText(members, members.bytes, range.start, range.end)
        added()
      }
    })
  }

  #hashText({ framing }: BytesPayload, bytes: Buffer, start: number, end: number): void {
    if (FRAMINGS[framing].items === 'json') return this.#hash.json(bytes, start, end)
    const hasCr = end > start && bytes[end - 1] === CR && withoutCr('\r', framing) === ''
    this.#hash.text(bytes, start, hasCr ? end - 1 : end)
  }
}

function withOccurrences(hashes: Uint32Array, occurrences: Uint32Array): Uint32Array {
  const keys = new Uint32Array((hashes.length / 2) * 3)
  for (let i = 0; 2 * i < hashes.length; i++) {
    keys[3 * i] = hashes[2 * i]!
    keys[3 * i + 1] = hashes[2 * i + 1]!
    keys[3 * i + 2] = occurrences[i]!
  }
  return keys
}

const KEY = { low: 0, high: 0, occurrence: 0 }

/** Of an item of a chunk that has keys. In signed numbers, for which V8 allocates nothing. Valid until the next call. */
export function keyAt({ keys, count }: Chunk, offset: number): Key {
  const each = keys!.length / count
  KEY.low = keys![each * offset]! | 0
  KEY.high = keys![each * offset + 1]! | 0
  KEY.occurrence = each === 3 ? keys![each * offset + 2]! : 0
  return KEY
}

/** The JSON text of the part, `undefined` if there is none. */
function partOf(text: string, pointer: readonly string[]): Buffer | undefined {
  try {
    let value: unknown = JSON.parse(text)
    for (const token of pointer) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return undefined
      value = (value as Record<string, unknown>)[token]
    }
    return Buffer.from(JSON.stringify(value))
  } catch {
    return undefined
  }
}
