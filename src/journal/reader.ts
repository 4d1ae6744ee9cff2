// From the bytes of a journal to what it holds: its header, and for each item where its latest event begins. Pure: the bytes
// come in blocks of any size, and values stay where they are.
import { asBuffer } from '../framing/bytes.js'
import { KeyTable } from './key-table.js'
import { FORMAT_VERSION, isIntact, LineCursor, MAGIC, parseObject } from './lines.js'

const LF = 0x0a
const CR = 0x0d

/** Why a journal cannot be used. */
export type Unreadable =
  /** It is another kind of file. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'newer'; readonly version: number }
  /** An editor has written its line ends. */
  | { readonly kind: 'crlf' }
  /** A line that is not the last one is damaged. */
  | { readonly kind: 'damaged'; readonly line: number }

export class UnreadableJournal extends Error {
  readonly reason: Unreadable

  constructor(reason: Unreadable) {
    super(reason.kind)
    this.reason = reason
  }
}

/** What a run has written when it ended. */
export interface RunEnd {
  /** Items of the input that did not settle; `null` where the input was not read to its end. */
  readonly notRun: number | null
  /** A failed item has ended it. */
  readonly stopped?: true
  /** Of a shard: all items of the input, their digest, and how many of them are settled here. */
  readonly input?: { readonly items: number; readonly digest: number; readonly settled?: number }
}

interface ReaderOptions {
  /** Called with each event of an item, and where its line begins. */
  readonly onItem?: (cursor: LineCursor, at: number) => void
}

export class JournalReader {
  readonly table = new KeyTable()
  /** The first line. Without one, nothing has been written. */
  header: Readonly<Record<string, unknown>> | undefined
  /** Fields of the header that later runs have replaced. */
  readonly resumed: Record<string, unknown> = {}
  /** Runs so far. */
  runs = 0
  /** How the latest run ended; `undefined` if it was killed, or has not ended. */
  end: RunEnd | undefined
  /** Where the first event of a value begins in the file. */
  firstValue = 0
  /** Up to here, all lines are whole. */
  validBytes = 0
  /** There is something behind it: half a line, or one whose checksum is wrong. */
  isTorn = false
  readonly #cursor = new LineCursor()
  readonly #onItem: ReaderOptions['onItem']
  #line = 0
  #isDamaged = false
  /** The beginning of a line whose end has not come yet. */
  #carry = Buffer.alloc(0)
  #carried = 0

  constructor({ onItem }: ReaderOptions = {}) {
    this.#onItem = onItem
  }

  /** The next bytes of the file. @throws UnreadableJournal */
  push(block: Uint8Array): void {
    let bytes = asBuffer(block)
    let searchFrom = 0
    if (this.#carried > 0) {
      searchFrom = this.#carried
      this.#addToCarry(bytes)
      bytes = this.#carry.subarray(0, this.#carried)
    }
    let start = 0
    for (let lf = bytes.indexOf(LF, searchFrom); lf !== -1; lf = bytes.indexOf(LF, start)) {
      this.#readLine(bytes, start, lf)
      start = lf + 1
    }
    if (this.#carried > 0) {
      this.#carry.copyWithin(0, start, this.#carried)
      this.#carried -= start
    } else if (start < bytes.length) this.#addToCarry(bytes.subarray(start))
  }

  /** The file is so many times as long as what was read. */
  expect(times: number): void {
    this.table.reserve(Math.ceil((this.table.done + this.table.failed) * times))
  }

  /** There are no more bytes. @throws UnreadableJournal */
  finish(): void {
    this.isTorn = this.#isDamaged || this.#carried > 0
    if (this.header !== undefined || this.#carried === 0) {
      if (this.#isDamaged && this.#carried > 0)
        throw new UnreadableJournal({ kind: 'damaged', line: this.#line })
      return
    }
    if (this.#isDamaged) throw new UnreadableJournal({ kind: 'damaged', line: this.#line })
    this.#refuseForeign(this.#carry, 0, this.#carried)
  }

  #readLine(bytes: Buffer, from: number, to: number): void {
    if (this.#isDamaged) throw new UnreadableJournal({ kind: 'damaged', line: this.#line })
    this.#line++
    // With its line end: a whole line that is shorter than the beginning of a header is none.
    if (this.#line === 1) this.#refuseForeign(bytes, from, to + 1)
    if (!isIntact(bytes, from, to)) {
      if (bytes[to - 1] === CR && isIntact(bytes, from, to - 1)) throw new UnreadableJournal({ kind: 'crlf' })
      this.#isDamaged = true
      return
    }
    const at = this.validBytes
    this.validBytes += to + 1 - from
    if (this.header === undefined) return this.#readHeader(bytes, from, to)
    const cursor = this.#cursor
    cursor.read(bytes, from, to)
    switch (cursor.kind) {
      case 'ok':
        if (this.firstValue === 0) this.firstValue = at
        this.table.setEvent(cursor.low, cursor.high, cursor.occurrence, at)
        break
      case 'failed':
        this.table.setEvent(cursor.low, cursor.high, cursor.occurrence, -at)
        break
      case 'moved':
        break
      case 'other':
        return this.#readObject(parseObject(bytes, from, to))
      default:
        return cursor.kind satisfies never
    }
    this.#onItem?.(cursor, at)
  }

  #refuseForeign(bytes: Buffer, from: number, to: number): void {
    const length = Math.min(MAGIC.length, to - from)
    if (MAGIC.compare(bytes, from, from + length, 0, length) !== 0)
      throw new UnreadableJournal({ kind: 'foreign' })
  }

  #readHeader(bytes: Buffer, from: number, to: number): void {
    const header = parseObject(bytes, from, to)
    const version = Number(header.version)
    if (!(version <= FORMAT_VERSION)) throw new UnreadableJournal({ kind: 'newer', version })
    this.header = header
    this.runs = 1
  }

  #readObject(fields: Record<string, unknown>): void {
    if ('end' in fields) this.end = fields.end as RunEnd
    else if ('resumed' in fields) {
      Object.assign(this.resumed, fields)
      this.runs++
      this.end = undefined
    }
  }

  #addToCarry(bytes: Buffer): void {
    const length = this.#carried + bytes.length
    if (length > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#carry.length))
      this.#carry.copy(larger, 0, 0, this.#carried)
      this.#carry = larger
    }
    bytes.copy(this.#carry, this.#carried)
    this.#carried = length
  }
}
