// Frames CSV and TSV: finds records and what is wrong with them in bytes. Good records are passed on as they are, with the
// names of the header row; workers take them apart. A chunk that has a bad one is passed on as lines of JSON instead, with
// a line for the bad record, too: an array that says what is wrong with it.
import { isUtf8 } from 'node:buffer'
import { plural } from '../errors/messages.js'
import { firstInvalidUtf8, MAX_TEXT, shownText, TOO_LONG } from '../framing/bytes.js'
import { badRecord } from '../framing/items.js'
import { advance, type Location } from '../framing/location.js'
import { NEW_RECORD, RecordScanner, type ScanState } from '../framing/record-scanner.js'
import { fieldsOf, keysOf, recordJson } from '../framing/records.js'
import type { Chunk, Table } from '../model.js'
import type { Want } from '../source.js'
import { Framer, type FramerOptions, type LongItem } from './framer.js'
import type { InputBuffer } from './input-buffer.js'

export interface Dialect {
  /** One character. */
  readonly delimiter: string
  /** Nobody has given the delimiter: a header that seems to have another one is warned of. */
  readonly isGuessed?: boolean
}

type ScannedRecord = Pick<RecordScanner, 'start' | 'end' | 'next' | 'fault'>

/** What is wrong with a record. */
class Fault {
  constructor(readonly message: string) {}
}

/** Of one that is passed on as it is. As JSON it may be six times as long, and has to fit in a string even then. */
const MAX_GOOD_BYTES = 64 * 1024 * 1024
const LF = 0x0a
const CR = 0x0d
const TORN = 'the last line is torn: it has no line end and is not complete'

function lineOf(keys: readonly string[], fields: readonly string[]): string | Fault {
  try {
    return recordJson(keys, fields)
  } catch {
    return new Fault(TOO_LONG)
  }
}

export class CsvFramer extends Framer {
  readonly #dialect: Dialect
  /** `undefined` before the header row was read. */
  #table: Table | undefined
  /** How far the first unread record was scanned without finding its end. */
  #scanned = NEW_RECORD

  constructor(input: InputBuffer, options: FramerOptions, dialect: Dialect) {
    super('csv', input, options)
    this.#dialect = dialect
  }

  protected override fork(): CsvFramer {
    const copy = new CsvFramer(this.input.fork(), { ...this.options, warn: undefined }, this.#dialect)
    copy.#table = this.#table
    copy.#scanned = this.#scanned
    return this.copyTo(copy)
  }

  protected override frame(want: Want): Chunk | undefined {
    if (this.#table === undefined) {
      this.#skipBlankLines()
      const [header] = this.#records({ items: 1, bytes: Number.POSITIVE_INFINITY })
      if (header === undefined || !this.#readHeader(header)) return undefined
    }
    this.#skipBlankLines()
    const chunk = this.#goodChunk(want, this.#table!)
    if (chunk !== undefined) return chunk
    const records = this.#records(want)
    if (records.length === 0) return undefined
    return this.#convert(records)
  }

  /** Records as they are in the input. `undefined` if something is wrong with one of them, or if there are none. */
  #goodChunk(want: Want, table: Table): Chunk | undefined {
    const { unread } = this.input
    const scanner = this.#scanner()
    const { length } = table.names
    let state: ScanState | undefined = this.#scanned
    let count = 0
    let end = 0
    for (let start = 0; count < want.items && start < unread.length; start = scanner.next) {
      const isWhole = scanner.scan(start, state)
      state = undefined
      if (!isWhole) {
        if (scanner.fault !== undefined) return undefined
        if (start === 0) this.#scanned = scanner.state()
        break
      }
      if (count > 0 && scanner.next > want.bytes) break
      if (scanner.end === start) continue
      if (scanner.fault !== undefined || scanner.fields !== length) return undefined
      count++
      end = scanner.next
    }
    const bytes = unread.subarray(0, end)
    if (count === 0 || end > MAX_GOOD_BYTES || !isUtf8(bytes)) return undefined
    const { seq } = this
    this.seq += count
    this.#skipTo(end)
    return { seq, count, payload: { kind: 'bytes', bytes, framing: 'csv', table } }
  }

  #scanner(): RecordScanner {
    return new RecordScanner(this.input.unread, this.input.ended, this.#dialect.delimiter)
  }

  /** Whole records at the front of the unread bytes. Sets `error` if the last one is torn. */
  #records(want: Want): ScannedRecord[] {
    const { unread, ended } = this.input
    const scanner = this.#scanner()
    const records: ScannedRecord[] = []
    let start = 0
    while (records.length < want.items && start < unread.length) {
      if (!scanner.scan(start, start === 0 ? this.#scanned : NEW_RECORD)) {
        if (start === 0) this.#scanned = scanner.state()
        const { fault } = scanner
        // Not only at the end: a file whose lines end with CR is one endless record.
        if (fault !== undefined && (ended || this.#table === undefined || !this.options.tolerant)) {
          const index = this.#table === undefined ? undefined : this.seq + records.length
          const hint = this.#table === undefined ? this.#hintForHeader() : ''
          this.error = this.errorAt(start, index, fault + hint)
        }
        break
      }
      const { end, next, fault } = scanner
      if (records.length > 0 && next > want.bytes) break
      if (end > start) records.push({ start, end, next, fault })
      start = next
    }
    return records
  }

  protected override drop({ text, location }: LongItem): Chunk | undefined {
    const { input } = this
    const { tolerant } = this.options
    const isHeader = this.#table === undefined
    const scanner = this.#scanner()
    const isFound = scanner.scan(0, this.#scanned)
    const { end, next, fault } = scanner
    if (isFound) this.#skipTo(next)
    else {
      const state = scanner.state()
      input.skip(state.seen)
      this.#scanned = { ...state, seen: 0 }
      if (!input.ended) return undefined
    }
    const message = fault ?? (isHeader ? `${TOO_LONG} in the header` : TOO_LONG)
    const isWhole = isFound && next > end
    if (tolerant && isWhole && !isHeader) return this.#chunkOf([this.#badLine(location, message, text)])
    this.error = this.errorFor(location, isHeader ? undefined : this.seq, message)
    return undefined
  }

  #skipBlankLines(): void {
    const { unread } = this.input
    let at = 0
    for (;;) {
      const lf = unread[at] === CR ? at + 1 : at
      if (unread[lf] !== LF) break
      at = lf + 1
    }
    if (at > 0) this.#skipTo(at)
  }

  #readHeader(record: ScannedRecord): boolean {
    const { start, next, fault } = record
    const names = fault === undefined ? this.#fieldsOf(record) : new Fault(fault)
    const twice = names instanceof Fault ? undefined : names.find((name, i) => names.indexOf(name) < i)
    if (names instanceof Fault)
      this.error = this.errorAt(
        start,
        undefined,
        `${fault ?? `${names.message} in the header`}${this.#hintForHeader()}`,
      )
    else if (twice !== undefined)
      this.error = this.errorAt(start, undefined, `the header names ${JSON.stringify(twice)} twice`)
    else {
      this.#warnOfSemicolons(names)
      this.#table = { names, delimiter: this.#dialect.delimiter }
      this.#skipTo(next)
    }
    return this.error === undefined
  }

  /** Where the names are quoted, a semicolon after one is an error. */
  #hintForHeader(): string {
    const { unread } = this.input
    const lf = unread.indexOf(LF)
    const header = unread.subarray(0, lf === -1 ? unread.length : lf)
    const hasSemicolons = this.#dialect.isGuessed === true && header.includes('";') && !header.includes(',')
    return hasSemicolons ? "; for fields that are separated by semicolons, use --delimiter ';'" : ''
  }

  /** Spreadsheets write them where numbers have a decimal comma. */
  #warnOfSemicolons(names: readonly string[]): void {
    const { file, warn } = this.options
    if (!this.#dialect.isGuessed || names.length > 1 || !/^[^,]*;[^,]*$/s.test(names[0]!)) return
    warn?.(`${file}: the header has semicolons and no comma, so it is one column; --delimiter ';' splits it`)
  }

  #convert(records: readonly ScannedRecord[]): Chunk | undefined {
    const { unread } = this.input
    const { tolerant } = this.options
    const { seq } = this
    const last = records.at(-1)!
    // For `collect` a record that is not UTF-8 is a bad record like any other.
    const invalid = tolerant ? -1 : firstInvalidUtf8(unread.subarray(0, last.next))
    const valid = invalid === -1 ? records : records.filter((record) => record.next <= invalid)
    const lines: string[] = []
    let failed = false
    for (const [i, line] of this.#linesOf(valid, this.#table!).entries()) {
      const record = valid[i]!
      const torn = record.next === record.end
      if (typeof line === 'string') lines.push(line)
      else if (tolerant && !torn) lines.push(this.#badRecord(record, line.message))
      else {
        this.error = this.errorAt(record.start, seq + i, line.message)
        failed = true
        break
      }
    }
    // `error` may be set already, about a record behind these.
    if (!failed && invalid !== -1) this.error = this.errorAt(invalid, seq + valid.length, 'invalid UTF-8')
    this.#skipTo(last.next)
    return lines.length === 0 ? undefined : this.#chunkOf(lines)
  }

  #chunkOf(lines: readonly string[]): Chunk {
    const { seq } = this
    this.seq += lines.length
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    return { seq, count: lines.length, payload: { kind: 'bytes', bytes, framing: 'records' } }
  }

  /** Each record as a line of JSON. */
  #linesOf(records: readonly ScannedRecord[], { names }: Table): (string | Fault)[] {
    const keys = keysOf(names)
    return records.map((record) => {
      const fields = record.fault === undefined ? this.#fieldsOf(record) : new Fault(record.fault)
      if (fields instanceof Fault) return fields
      if (fields.length === keys.length) return lineOf(keys, fields)
      const message = `expected ${plural(keys.length, 'field')} as in the header, found ${fields.length}`
      return new Fault(record.next === record.end ? `${message}; ${TORN}` : message)
    })
  }

  /** The fields of a record, or what is wrong with it. */
  #fieldsOf({ start, end }: ScannedRecord): string[] | Fault {
    const bytes = this.input.unread.subarray(start, end)
    if (bytes.length >= MAX_TEXT) return new Fault(TOO_LONG)
    if (!isUtf8(bytes)) return new Fault('invalid UTF-8')
    return fieldsOf(bytes, this.#dialect.delimiter)
  }

  #badRecord({ start, end }: ScannedRecord, message: string): string {
    const { position, unread } = this.input
    const isLong = end - start >= MAX_TEXT
    const text = isLong ? shownText(unread, start, end) : unread.toString('utf8', start, end)
    return this.#badLine(advance(position, unread, 0, start), message, text)
  }

  #badLine({ line, column }: Location, message: string, text: string): string {
    return badRecord(`${this.options.file}:${line}:${column}`, message, text)
  }

  #skipTo(end: number): void {
    this.input.skip(end)
    this.#scanned = NEW_RECORD
  }
}
