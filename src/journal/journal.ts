// The journal of a run: gives items their keys, appends what they settle with, and gives back what earlier runs have appended.
// All input and output is that of the disk that it is given.
import { asBuffer, indexOrEnd } from '../framing/bytes.js'
import { isJsonText, itemRange, itemRanges, rangeText } from '../framing/items.js'
import { locate, locationText } from '../framing/location.js'
import { type Chunk, type Failure, type ItemFailure, itemIndexAt, type SettledRange } from '../model.js'
import type { JournalDisk } from './disk.js'
import { ItemKeys, keyAt } from './item-keys.js'
import type { KeyTable } from './key-table.js'
import { LineCache } from './line-cache.js'
import { ByteBuilder, FORMAT_VERSION, LineBuilder, LineCursor, type Noted, type StoredItem } from './lines.js'
import { JournalReader, type RunEnd } from './reader.js'
import type { ShardEvents } from './shard-events.js'

const LF = 0x0a
const READ_BYTES = 1 << 20
/** A larger value gets a file of its own, so that reading a journal stays cheap. */
const MAX_VALUE_BYTES = 1 << 20
/** Of the text of an item that has succeeded, where it is kept for reports. */
const MAX_ITEM_BYTES = 400
const MAX_ERROR_CHARACTERS = 300

/** A chunk whose items have keys, and, until the next one, the latest event of each: negative for a failure, 0 without one. */
export interface Identified {
  readonly chunk: Chunk
  readonly events: Float64Array
}

export interface JournalOptions {
  /** Names the run: part of the names of its large values. */
  readonly run?: string | undefined
  /** The part of an item that identifies it, as tokens of a JSON pointer. */
  readonly pointer?: readonly string[] | undefined
  /** For `poolrun merge`: which item has which index. Notes it where that changes, and keeps the text of items. */
  readonly places?: Pick<ShardEvents, 'at'> | undefined
  /** Items that have failed are given back as well, and do not run again. */
  readonly keepsFailures?: boolean | undefined
  /** What the run wants to know of an item, as in a task. */
  readonly timed?: boolean | 'durations' | undefined
  /** Bytes of the input, where known: they tell how many items will come. */
  readonly inputSize?: number | undefined
}

/** Reads all of a journal. @throws UnreadableJournal */
export function readJournal(disk: JournalDisk, reader = new JournalReader()): JournalReader {
  // One more than there are: a block that is not filled is the last one.
  const block = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, disk.size + 1))
  for (let at = 0; ; ) {
    const length = disk.read(at, block)
    reader.push(block.subarray(0, length))
    if (at === 0 && disk.size > length) reader.expect(disk.size / length)
    at += length
    if (length < block.length) break
  }
  reader.finish()
  return reader
}

export class Journal {
  readonly #disk: JournalDisk
  readonly #options: JournalOptions
  readonly #table: KeyTable
  readonly #keys: ItemKeys
  readonly #lines = new LineBuilder()
  readonly #stored: StoredItems
  readonly #ranges: RangeBuilder
  readonly #firstValue: number
  #itemsRead = 0
  #bytesRead = 0

  /** Of what an earlier run has left, as `reader` has read it. Appends nothing yet. */
  constructor(disk: JournalDisk, reader: JournalReader, seed: number, options: JournalOptions = {}) {
    this.#disk = disk
    this.#options = options
    this.#table = reader.table
    this.#firstValue = reader.firstValue
    this.#keys = new ItemKeys(seed, options.pointer)
    this.#stored = new StoredItems(disk)
    this.#ranges = new RangeBuilder(options.timed ?? false)
  }

  get table(): KeyTable {
    return this.#table
  }

  get keys(): ItemKeys {
    return this.#keys
  }

  /** The first line. */
  begin(fields: Readonly<Record<string, unknown>>): void {
    this.#appendObject({ poolrun: 'journal', version: FORMAT_VERSION, ...fields })
  }

  /** Another run continues it; `fields` replace those of the first line. */
  resume(run: string, fields: Readonly<Record<string, unknown>>): void {
    this.#appendObject({ resumed: run, ...fields })
  }

  end(end: RunEnd): void {
    this.#appendObject({ end })
  }

  /** Gives the items their keys. To be called with all chunks, in the order of the input. */
  identify(chunk: Chunk): Identified {
    this.#expectItems(chunk)
    const { keys, events } = this.#keys.of(chunk, this.#table)
    return { chunk: { ...chunk, keys }, events }
  }

  /** As many as there will be if the rest of the input is like what was read so far. */
  #expectItems({ payload, count }: Chunk): void {
    const { inputSize } = this.#options
    if (inputSize === undefined || payload.kind !== 'bytes') return
    this.#itemsRead += count
    this.#bytesRead += payload.bytes.length
    this.#table.expect((this.#itemsRead * inputSize) / Math.max(1, this.#bytesRead))
  }

  /** Whether an item with this event has its result here and does not run. */
  isSettled(event: number): boolean {
    return event > 0 || (event < 0 && this.keepsFailures)
  }

  get keepsFailures(): boolean {
    return this.#options.keepsFailures === true
  }

  /** Of an item that has failed: `Error: message`. */
  errorOf(event: number): string {
    return errorText(this.#stored.read(-event).failure?.failure)
  }

  /** The first value that was ever appended, as a line; `undefined` without one. */
  firstValue(): Uint8Array | undefined {
    if (this.#firstValue === 0) return undefined
    const value = new ByteBuilder()
    this.#stored.read(this.#firstValue)
    this.#stored.addValue(value)
    return value.take()
  }

  /** Items `from` up to, not including, `to`, which all are settled here, in ranges. */
  restore({ chunk, events }: Identified, from: number, to: number): SettledRange[] {
    const ranges = this.#ranges
    ranges.begin(chunk)
    for (let offset = from; offset < to; offset++) {
      const stored = this.#stored.read(Math.abs(events[offset]!))
      this.#noteMoved(chunk, offset, events[offset]!)
      ranges.add(offset, stored, this.#stored)
    }
    this.#flush()
    return ranges.take()
  }

  /** Appends what the items of a range have settled with. They must have keys. @throws what the disk throws */
  write(settled: SettledRange): void {
    const { chunk, from, count, failures, results } = settled
    if (results.kind !== 'json' || chunk.keys === undefined)
      throw new TypeError('only lines of JSON can be kept')
    const bytes = asBuffer(results.bytes)
    const base = this.#notedOf(settled)
    const texts = this.#options.places === undefined ? undefined : itemTexts(chunk)
    let next = 0
    let start = 0
    for (let offset = from; offset < from + count; offset++) {
      const failure = failures[next]
      if (failure?.offset === offset) {
        next++
        this.#writeFailure(chunk, failure)
        continue
      }
      const end = indexOrEnd(bytes, LF, start)
      const noted = this.#noted(base, settled, offset, texts)
      this.#writeValue(chunk, offset, noted, bytes, start, end)
      start = end + 1
    }
    this.#flush()
  }

  #writeValue(
    chunk: Chunk,
    offset: number,
    noted: Noted | undefined,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const index = itemIndexAt(chunk, offset)
    const key = keyAt(chunk, offset)
    if (end - start <= MAX_VALUE_BYTES) return this.#lines.ok(index, key, noted, bytes, start, end)
    const file = `${this.#options.run ?? ''}-${index}`
    this.#disk.writeValue(file, bytes.subarray(start, end + 1))
    this.#lines.okIn(file, index, key, noted)
  }

  #writeFailure(chunk: Chunk, failed: ItemFailure): void {
    const { offset, attempts, workerId, pid, startedAt, ms, failure } = failed
    const noted: Noted = {
      attempts,
      workerId,
      pid,
      startedAt,
      ms,
      item: itemTextAt(chunk, offset),
      location: failure.kind === 'input' ? locationText(locate(chunk, offset, failure.at)) : undefined,
    }
    this.#lines.failed(itemIndexAt(chunk, offset), keyAt(chunk, offset), noted, failed, errorText(failure))
  }

  /** What is the same for all items of the range; `undefined` for what needs no note. */
  #notedOf({ attempts, workerId, pid, flaky, timings }: SettledRange): Noted | undefined {
    const isPlain = attempts === 1 && flaky === undefined && timings === undefined
    if (isPlain) return undefined
    const where = timings !== undefined && timings.startedAt.length > 0 ? { workerId, pid } : undefined
    return { attempts, ...where, earlier: flaky }
  }

  #noted(
    base: Noted | undefined,
    { timings, from }: SettledRange,
    offset: number,
    texts: readonly Noted['item'][] | undefined,
  ): Noted | undefined {
    const item = texts?.[offset]
    if (base === undefined && item === undefined) return undefined
    const i = offset - from
    return { attempts: 1, ...base, ms: timings?.ms[i], startedAt: timings?.startedAt[i], item }
  }

  #noteMoved(chunk: Chunk, offset: number, event: number): void {
    const index = itemIndexAt(chunk, offset)
    const { places } = this.#options
    if (places !== undefined && places.at(index) !== event) this.#lines.moved(index, keyAt(chunk, offset))
  }

  #appendObject(fields: Readonly<Record<string, unknown>>): void {
    this.#lines.object(fields)
    this.#flush()
  }

  #flush(): void {
    if (this.#lines.length > 0) this.#disk.append(this.#lines.take())
  }
}

/** Reads items from the places of their lines. */
export class StoredItems {
  readonly cursor = new LineCursor()
  readonly #disk: JournalDisk
  readonly #cache: LineCache
  #file: string | undefined

  constructor(disk: JournalDisk) {
    this.#disk = disk
    this.#cache = new LineCache(disk)
  }

  /** All but the value. */
  read(at: number): StoredItem {
    this.#cache.find(at)
    const { bytes, from, to } = this.#cache
    this.cursor.read(bytes, from, to)
    const stored = this.cursor.readNotes()
    this.#file = stored.file
    return stored
  }

  /** The line that was read last, with its line end. */
  get line(): Buffer {
    return this.#cache.bytes.subarray(this.#cache.from, this.#cache.to + 1)
  }

  /** The value of the item that was read last, as a line of results. */
  addValue(results: ByteBuilder): void {
    if (this.#file === undefined) return this.cursor.addValue(results)
    const value = this.#disk.readValue(this.#file)
    results.add(value, 0, value.length)
  }
}

const NO_FAILURES: readonly ItemFailure[] = []
const NO_BYTES = new Uint8Array(0)

/** Makes ranges of items that are given one by one: consecutive ones with the same notes are one range. */
export class RangeBuilder {
  readonly #timed: boolean | 'durations'
  readonly #ranges: SettledRange[] = []
  readonly #results = new ByteBuilder()
  #chunk!: Chunk
  #notes: StoredItem | undefined
  #from = 0
  #count = 0
  #ms: number[] = []
  #startedAt: number[] = []

  constructor(timed: boolean | 'durations') {
    this.#timed = timed
  }

  begin(chunk: Chunk): void {
    this.#chunk = chunk
  }

  /** The item that `items` has read last. */
  add(offset: number, stored: StoredItem, items: StoredItems): void {
    const { failure, earlier } = stored
    if (this.#notes !== undefined && !areAlike(this.#notes, stored)) this.#endRange()
    if (this.#notes === undefined) {
      this.#notes = stored
      this.#from = offset
    }
    this.#count++
    if (this.#timed !== false) {
      this.#ms.push(stored.ms ?? Number.NaN)
      this.#startedAt.push(stored.startedAt ?? Number.NaN)
    }
    if (failure === undefined) items.addValue(this.#results)
    if (failure !== undefined || earlier !== undefined) this.#endRange()
  }

  take(): SettledRange[] {
    if (this.#notes !== undefined) this.#endRange()
    return this.#ranges.splice(0)
  }

  #endRange(): void {
    const { attempts, workerId = 0, pid = 0, failure, earlier, ms } = this.#notes!
    const startedAt = this.#timed === true ? this.#startedAt.filter((at) => !Number.isNaN(at)) : []
    this.#ranges.push({
      chunk: this.#chunk,
      from: this.#from,
      count: this.#count,
      results: { kind: 'json', bytes: failure === undefined ? this.#results.take() : NO_BYTES },
      failures: failure === undefined ? NO_FAILURES : [{ ...failure, offset: this.#from }],
      workerId,
      pid,
      attempts,
      ...(earlier !== undefined && { flaky: earlier }),
      ...(this.#timed !== false &&
        ms !== undefined && {
          timings: { ms: Float64Array.from(this.#ms), startedAt: Float64Array.from(startedAt) },
        }),
      restored: true,
    })
    this.#notes = undefined
    this.#count = 0
    this.#ms = []
    this.#startedAt = []
  }
}

/** They fit into one range. */
function areAlike(a: StoredItem, b: StoredItem): boolean {
  return (
    a.attempts === b.attempts &&
    a.workerId === b.workerId &&
    a.pid === b.pid &&
    (a.ms === undefined) === (b.ms === undefined) &&
    (a.startedAt === undefined) === (b.startedAt === undefined) &&
    b.failure === undefined &&
    b.earlier === undefined
  )
}

function itemTextAt({ payload }: Chunk, offset: number): Noted['item'] {
  if (payload.kind !== 'bytes') return undefined
  const range = itemRange(payload, offset)
  if (range === undefined) return undefined
  try {
    return { text: rangeText(payload, range), isJson: isJsonText(payload) }
  } catch {
    // Too long for a string.
    return undefined
  }
}

/** By offset; none for a long item. */
function itemTexts({ payload }: Chunk): Noted['item'][] {
  if (payload.kind !== 'bytes') return []
  return Array.from(itemRanges(payload), (range) =>
    range.end - range.start > MAX_ITEM_BYTES
      ? undefined
      : { text: rangeText(payload, range), isJson: isJsonText(payload) },
  )
}

/** One line, for people. */
function errorText(failure: Failure | undefined): string {
  if (failure === undefined) return ''
  const text = describe(failure)
  return text.length > MAX_ERROR_CHARACTERS ? `${text.slice(0, MAX_ERROR_CHARACTERS - 1)}…` : text
}

function describe(failure: Failure): string {
  switch (failure.kind) {
    case 'error':
      return failure.error.type === 'error'
        ? `${failure.error.name}: ${failure.error.message}`
        : `thrown: ${failure.error.preview}`
    case 'input':
    case 'encoding':
      return failure.message
    case 'validation':
      return failure.issues
        .map(({ message, path }) => (path === '' ? message : `${path}: ${message}`))
        .join('; ')
    case 'timeout':
      return `exceeded ${failure.timeoutMs} ms`
    case 'crash':
    case 'oom':
      return failure.signal === null ? `exited with code ${failure.exitCode}` : `killed by ${failure.signal}`
    default:
      return failure satisfies never
  }
}
