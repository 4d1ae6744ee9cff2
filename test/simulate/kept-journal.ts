// The journal of one call on the virtual disk, through all parents that go on from it: reads every line when it is appended, and
// checks what each new parent reads against the lines that have survived.

import type { JournalDisk } from '../../src/journal/disk.js'
import { Journal, readJournal } from '../../src/journal/journal.js'
import { ByteBuilder, isIntact, LineCursor } from '../../src/journal/lines.js'
import { JournalReader, UnreadableJournal } from '../../src/journal/reader.js'
import type { SettledRange } from '../../src/model.js'
import type { Random } from '../helpers/random.js'
import { violated } from './call-witness.js'
import type { DiskFile } from './disk.js'
import type { CallPlan } from './plan.js'
import type { VirtualTime } from './virtual-time.js'

const LF = 0x0a
/** As an item has it. */
const ITEM_LINE = Buffer.from('{"ok":12,"key":"9f86d081884c7d65","value":144,"crc":"0a1b')
const SYNC_EVERY_MS = 1_000

export const OK = 1
export const FAILED = 2

/** An event of an item. */
interface Line {
  readonly index: number
  readonly outcome: typeof OK | typeof FAILED
  /** Where it ends in the file. */
  readonly end: number
  /** The run has gone on with it. */
  readonly isAccepted: boolean
}

export class KeptJournal {
  /** What this parent has appended or restored, in items. */
  items = 0
  readonly #id: number
  readonly #plan: CallPlan
  readonly #file: DiskFile
  readonly #disk: JournalDisk
  readonly #random: Random
  readonly #cursor = new LineCursor()
  readonly #value = new ByteBuilder()
  /** Of all that is in the file, in its order. */
  #lines: Line[] = []
  /** By index: the outcome of the latest line. */
  readonly #latest: Uint8Array
  /** The same when the present parent began. */
  #before: Uint8Array
  #journal: Journal | undefined
  #time: VirtualTime | undefined
  #isSyncPlanned = false
  #hasFailed = false

  constructor(id: number, plan: CallPlan, file: DiskFile, random: Random) {
    this.#id = id
    this.#plan = plan
    this.#file = file
    this.#random = random
    this.#disk = new SimulatedJournalDisk(file, random, (lines, at, isComplete) =>
      this.#appended(lines, at, isComplete),
    )
    this.#latest = new Uint8Array(plan.items)
    this.#before = this.#latest
  }

  /** A new parent reads it, and goes on from it. */
  open(time: VirtualTime): { readonly journal: Journal; readonly isResumed: boolean } {
    this.#time = time
    this.#isSyncPlanned = false
    this.#hasFailed = false
    this.items = 0
    const disk = this.#disk
    this.#refusesDamage(disk)
    this.#forgetLostLines()
    const reader = this.#replay(disk)
    if (reader.isTorn) disk.truncate(reader.validBytes)
    else if (reader.validBytes < disk.size)
      violated(`half a line of the journal of call ${this.#id} counts as a whole one`)
    const { header } = reader
    const seed = Number(header?.seed ?? this.#random.int(0, 2 ** 31))
    const journal = new Journal(disk, reader, seed, { keepsFailures: this.#plan.journal!.keepsFailures })
    this.#before = this.#latest.slice()
    this.#journal = journal
    this.#write(() => (header === undefined ? journal.begin({ seed }) : journal.resume('run', {})))
    return { journal, isResumed: header !== undefined }
  }

  /** What the item had settled with in the journal when this parent began; 0 without that. */
  before(index: number): number {
    return this.#before[index]!
  }

  /** What it has settled with in the journal. */
  outcome(index: number): number {
    return this.#latest[index]!
  }

  /** It has a result from an earlier parent, which is not to run again. */
  isSettled(index: number): boolean {
    const before = this.#before[index]
    return before === OK || (before === FAILED && this.#plan.journal!.keepsFailures)
  }

  write(settled: SettledRange): void {
    this.#write(() => this.#journal!.write(settled))
  }

  /** Its parent does not go on. `isAlone`: the machine does; a line that was being written may be there in part. */
  crash(isAlone: boolean): void {
    if (this.#journal === undefined) return
    this.#journal = undefined
    if (isAlone && !this.#hasFailed && this.#random.chance(0.5)) this.#file.tear(ITEM_LINE, this.#random)
  }

  /** The run has ended. */
  close(): void {
    const journal = this.#journal
    this.#journal = undefined
    if (journal === undefined || this.#hasFailed) return
    try {
      this.#write(() => journal.end({ notRun: null }))
    } catch {
      // Is not needed to go on from it.
      return
    }
    if (this.#plan.journal!.fsync === '1s') this.#file.sync()
    this.#replay(this.#disk)
  }

  #write(append: () => void): void {
    if (this.#hasFailed) violated(`a result of call ${this.#id} is appended behind one that could not be`)
    try {
      append()
    } catch (error) {
      this.#hasFailed = true
      throw (error as NodeJS.ErrnoException).code === 'ENOSPC'
        ? new Error('the journal cannot be written', { cause: error })
        : error
    }
    const { fsync } = this.#plan.journal!
    if (fsync === 'each') this.#file.sync()
    if (fsync !== '1s' || this.#isSyncPlanned) return
    this.#isSyncPlanned = true
    this.#time!.after(SYNC_EVERY_MS, 'the journal is synced', () => {
      this.#isSyncPlanned = false
      this.#file.sync()
    })
  }

  /** Whole lines have been appended, behind everything else. */
  #appended(bytes: Buffer, at: number, isComplete: boolean): void {
    for (let from = 0; from < bytes.length; ) {
      const to = bytes.indexOf(LF, from)
      if (to === -1 || !isIntact(bytes, from, to))
        violated(`the journal of call ${this.#id} is given half a line`)
      this.#cursor.read(bytes, from, to)
      const line = this.#readItem(this.#cursor)
      if (line !== undefined) {
        if (this.isSettled(line.index))
          violated(`item ${line.index} of call ${this.#id} gets another result in the journal`)
        if (isComplete) this.items++
        this.#lines.push({ ...line, end: at + to + 1, isAccepted: isComplete })
        this.#latest[line.index] = line.outcome
      }
      from = to + 1
    }
  }

  /** The value of an item is the one that an oracle gives. */
  #readItem(cursor: LineCursor): Pick<Line, 'index' | 'outcome'> | undefined {
    const { kind, index } = cursor
    if (kind !== 'ok' && kind !== 'failed') return undefined
    if (index >= this.#plan.items)
      violated(`the journal of call ${this.#id} has item ${index}, which there is not`)
    const { failure } = cursor.readNotes()
    if (kind === 'failed') {
      if (failure === undefined)
        violated(`the journal of call ${this.#id} does not say how item ${index} has failed`)
      return { index, outcome: FAILED }
    }
    cursor.addValue(this.#value)
    const value = this.#value.take().toString('latin1')
    if (value !== `${resultOf(this.#id, index)}\n`)
      violated(`the journal of call ${this.#id} has ${value} for item ${index}`)
    return { index, outcome: OK }
  }

  /** Reads all of it, and checks that it has the lines that are there, and the latest event of each item. */
  #replay(disk: JournalDisk): JournalReader {
    let count = 0
    let validBytes = 0
    const reader: JournalReader = new JournalReader({
      onItem: (cursor) => {
        const line = this.#lines[count++]
        const found = this.#readItem(cursor)
        if (found?.index !== line?.index || found?.outcome !== line?.outcome)
          violated(
            `event ${count} in the journal of call ${this.#id} is that of item ${found?.index}, not of ${line?.index}`,
          )
        validBytes = line!.end
      },
    })
    try {
      readJournal(disk, reader)
    } catch (error) {
      if (!(error instanceof UnreadableJournal)) throw error
      violated(`the journal of call ${this.#id} cannot be read: ${JSON.stringify(error.reason)}`)
    }
    if (count !== this.#lines.length || reader.validBytes < validBytes)
      violated(`the journal of call ${this.#id} gives back ${count} events of ${this.#lines.length}`)
    let done = 0
    let failed = 0
    for (const outcome of this.#latest) {
      if (outcome === OK) done++
      else if (outcome === FAILED) failed++
    }
    const { table } = reader
    if (table.done !== done || table.failed !== failed)
      violated(
        `the journal of call ${this.#id} has ${table.done} values and ${table.failed} failures of ${done} and ${failed}`,
      )
    return reader
  }

  /** After a crash, only a part of what was not synced is there. */
  #forgetLostLines(): void {
    const { intact } = this.#file
    const kept = this.#lines.filter(({ end }) => end <= intact)
    const isLost = this.#lines.some(({ end, isAccepted }) => isAccepted && end > intact)
    if (isLost && this.#plan.journal!.fsync === 'each')
      violated(`a result of call ${this.#id} was synced, and is lost`)
    this.#lines = kept
    this.#latest.fill(0)
    for (const { index, outcome } of kept) this.#latest[index] = outcome
  }

  /** One byte in front of its last two lines is another one. */
  #refusesDamage(disk: JournalDisk): void {
    if (!this.#random.chance(0.3)) return
    const { bytes } = this.#file
    const lastTwo = bytes.lastIndexOf(LF, bytes.lastIndexOf(LF, this.#file.intact - 1) - 1)
    if (lastTwo <= 0) return
    const at = this.#random.int(0, lastTwo - 1)
    const byte = bytes[at]!
    bytes[at] = byte ^ this.#random.int(1, 255)
    try {
      readJournal(disk)
      violated(`byte ${at} of the journal of call ${this.#id} is wrong, and it can be read`)
    } catch (error) {
      if (!(error instanceof UnreadableJournal)) throw error
    } finally {
      bytes[at] = byte
    }
  }
}

/** What a task returns for an item. */
export function resultOf(call: number, index: number): number {
  return call * 1_000_000 + index
}

type OnAppend = (lines: Buffer, at: number, isComplete: boolean) => void

class SimulatedJournalDisk implements JournalDisk {
  readonly #file: DiskFile
  readonly #random: Random
  readonly #onAppend: OnAppend

  constructor(file: DiskFile, random: Random, onAppend: OnAppend) {
    this.#file = file
    this.#random = random
    this.#onAppend = onAppend
  }

  get size(): number {
    return this.#file.bytes.length
  }

  read(position: number, into: Uint8Array): number {
    const bytes = this.#file.bytes.subarray(position, position + into.length)
    into.set(bytes)
    return bytes.length
  }

  append(bytes: Buffer): void {
    const { size } = this
    let written = 0
    try {
      while (written < bytes.length) written += this.#file.append(bytes.subarray(written))
    } catch (error) {
      if (this.#random.chance(0.7)) this.#file.truncate(size)
      // It cannot be removed: some whole lines may be there, although their items do not settle.
      else this.#onAppend(bytes.subarray(0, bytes.subarray(0, written).lastIndexOf(LF) + 1), size, false)
      throw error
    }
    this.#onAppend(bytes, size, true)
  }

  truncate(size: number): void {
    this.#file.truncate(size)
  }

  async sync(): Promise<void> {
    this.syncNow()
  }

  syncNow(): void {
    this.#file.sync()
  }

  writeValue(): void {
    violated('a value of a few digits gets a file of its own')
  }

  readValue(): Buffer {
    return violated('a value of a few digits has a file of its own')
  }

  close(): void {}
}
