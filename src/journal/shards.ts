// The journals of all shards of one run as one list of items, by their index in the input.
import type { Chunk, Origin, SettledRange } from '../model.js'
import type { JournalDisk } from './disk.js'
import { RangeBuilder, StoredItems } from './journal.js'
import type { StoredItem } from './lines.js'
import type { JournalReader } from './reader.js'
import { changedFiles, differences, type Settings } from './settings.js'
import { type ShardEvents, shardOf } from './shard-events.js'

const ITEMS_PER_CHUNK = 256
/** Of an item whose text is not in the journal. */
const LEFT_OUT = '…'

export interface ShardJournal {
  readonly path: string
  readonly disk: JournalDisk
  readonly reader: JournalReader
  readonly events: ShardEvents
}

/** Why these journals are not all shards of one run; `undefined` if they are. */
export function mismatch(journals: readonly ShardJournal[]): string | undefined {
  const byIndex = new Map<number, ShardJournal>()
  const empty = journals.find(({ reader }) => reader.header === undefined)
  if (empty !== undefined) return `the journal ${empty.path} is empty`
  const [first] = journals as readonly [ShardJournal]
  const { count } = shardOf(first.reader.header)
  for (const journal of journals) {
    const { path, reader } = journal
    const shard = shardOf(reader.header)
    if (shard.count !== count) return `${describe(journal)}, and ${describe(first)}`
    // Only the journal of a shard notes which items have moved and which are no longer in the input.
    if (!isShard(journal) && reader.runs > 1)
      return `${describe(journal)} that was resumed; only shards can be joined. Its own run writes its output with --resume`
    const twin = byIndex.get(shard.index)
    if (twin !== undefined)
      return count === 1
        ? `${twin.path} and ${path} are both journals of a whole run; only shards can be joined`
        : `${twin.path} and ${path} are both shard ${shard.index}/${count}`
    byIndex.set(shard.index, journal)
    const foreign = differencesOf(first, journal)
    if (foreign.length > 0)
      return `${path} is not a shard of the same run as ${first.path}: ${foreign.join('; ')}`
  }
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((index) => !byIndex.has(index))
  if (missing.length > 0)
    return `${missing.length === 1 ? 'a shard is' : 'shards are'} missing: ${missing.map((index) => `${index}/${count}`).join(', ')}`
  const open = journals.find((journal) => !isComplete(journal))
  return open && `the shard of ${open.path} is not complete: go on with it with --resume`
}

/** A failure that ended the run of a shard ends the whole run as well, except one of too many that were skipped. */
function isComplete({ reader: { header, end }, events }: ShardJournal): boolean {
  // A damaged line was removed, and its item has not run again.
  if (events.count < (end?.input?.settled ?? 0)) return false
  const isCollect = (header!.settings as Settings)['the command'] === 'collect'
  return end?.notRun === 0 || (end?.stopped === true && !isCollect)
}

function isShard({ reader }: ShardJournal): boolean {
  return (reader.header!.settings as Settings)['--shard'] !== undefined
}

function describe(journal: ShardJournal): string {
  const { path, reader } = journal
  const { index, count } = shardOf(reader.header)
  return isShard(journal) ? `${path} is shard ${index}/${count}` : `${path} is the journal of a whole run`
}

function differencesOf({ reader: first }: ShardJournal, { reader }: ShardJournal): string[] {
  const settings = ({ header }: JournalReader) => ({
    ...(header!.settings as Settings),
    '--shard': undefined,
  })
  const job = ({ header, resumed }: JournalReader) =>
    (resumed.job ?? header!.job) as Readonly<Record<string, string>>
  const [input, other] = [first.end?.input, reader.end?.input]
  const hasOtherInput =
    input !== undefined &&
    other !== undefined &&
    (input.items !== other.items || input.digest !== other.digest)
  return [
    ...differences(settings(first), settings(reader)),
    ...changedFiles(job(first), job(reader)).map((change) => `of the job, ${change}`),
    ...(hasOtherInput ? ['its input was another one'] : []),
  ]
}

/** Chunks of items that have settled, in the order of the input, with what they have settled with. */
export class MergedShards {
  readonly #journals: readonly { readonly events: ShardEvents; readonly items: StoredItems }[]
  readonly #items: number
  readonly #ranges: RangeBuilder
  #index = 0
  #seq = 0

  /** `journals` must be all shards of one run. `timed`: as in a task. */
  constructor(journals: readonly ShardJournal[], timed: boolean | 'durations') {
    const sorted = [...journals].sort(
      (a, b) => shardOf(a.reader.header).index - shardOf(b.reader.header).index,
    )
    this.#journals = sorted.map(({ disk, events }) => ({ events, items: new StoredItems(disk) }))
    const count = sorted.length
    const known = sorted.map(({ reader }) => reader.end?.input?.items).find((items) => items !== undefined)
    this.#items = known ?? Math.max(0, ...sorted.map(({ events }, i) => (events.length - 1) * count + i + 1))
    this.#ranges = new RangeBuilder(timed)
  }

  /** The next ones, `undefined` at the end. */
  next(): { readonly chunk: Chunk; readonly ranges: readonly SettledRange[] } | undefined {
    const found: { index: number; stored: StoredItem }[] = []
    const shards = this.#journals.length
    const places: { journal: number; event: number }[] = []
    let location: string | undefined
    for (; this.#index < this.#items && found.length < ITEMS_PER_CHUNK; this.#index++) {
      const journal = this.#index % shards
      const event = this.#journals[journal]!.events.at(this.#index)
      if (event === 0) continue
      const stored = this.#journals[journal]!.items.read(Math.abs(event))
      // An item with a location of its own is a chunk of its own.
      if (stored.location !== undefined && found.length > 0) break
      found.push({ index: this.#index, stored })
      places.push({ journal, event })
      location = stored.location
      if (location !== undefined) {
        this.#index++
        break
      }
    }
    if (found.length === 0) return undefined
    const origin = location === undefined ? undefined : originOf(location)
    const chunk: Chunk = {
      seq: this.#seq,
      count: found.length,
      indexes: found.map(({ index }) => index),
      payload: payloadOf(found.map(({ stored }) => stored.item)),
      ...(origin && { origin }),
    }
    this.#seq += found.length
    this.#ranges.begin(chunk)
    for (const [offset, { journal, event }] of places.entries()) {
      const { items } = this.#journals[journal]!
      this.#ranges.add(offset, items.read(Math.abs(event)), items)
    }
    return { chunk, ranges: this.#ranges.take() }
  }
}

function payloadOf(items: readonly StoredItem['item'][]): Chunk['payload'] {
  const isJson = items.find((item) => item !== undefined)?.isJson ?? true
  const texts = items.map((item) => {
    if (item === undefined) return isJson ? JSON.stringify(LEFT_OUT) : LEFT_OUT
    return isJson ? item.text.replace(/[\r\n]+/g, ' ') : item.text
  })
  const end = isJson ? '\n' : '\0'
  const bytes = Buffer.from(texts.map((text) => text + end).join(''))
  return { kind: 'bytes', bytes, framing: isJson ? 'ndjson' : 'nul' }
}

/** `file:line:column`. */
function originOf(location: string): Origin | undefined {
  const match = /^(.*):(\d+):(\d+)$/s.exec(location)
  return match === null
    ? undefined
    : { file: match[1]!, offset: 0, line: Number(match[2]), column: Number(match[3]) }
}
