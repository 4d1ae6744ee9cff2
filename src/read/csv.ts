// Frames CSV and TSV: finds records and what is wrong with them in bytes, lets csv-parse split the good ones into fields,
// and passes the items on as lines of JSON, objects with the names of the header row. A bad record is a line, too: an
// array that says what is wrong with it.
import { isUtf8 } from 'node:buffer'
import type { Options } from 'csv-parse/sync'
import { plural } from '../errors/messages.js'
import { firstInvalidUtf8, MAX_TEXT, shownText, TOO_LONG } from '../framing/bytes.js'
import { badRecord } from '../framing/items.js'
import { advance, type Location } from '../framing/location.js'
import type { Chunk } from '../model.js'
import type { Want } from '../source.js'
import { Framer, type FramerOptions, type LongItem } from './framer.js'
import type { InputBuffer } from './input-buffer.js'
import { NEW_RECORD, RecordScanner, type ScannedRecord, type ScanRules } from './record-scanner.js'

/** `parse` of csv-parse, passed in because only CSV inputs load that package. */
type ParseRecords = (text: string, options: Options) => string[][]

export interface Dialect {
  /** One character. */
  readonly delimiter: string
  /** Nobody has given the delimiter: a header that seems to have another one is warned of. */
  readonly isGuessed?: boolean
  readonly parse: ParseRecords
}

/** What is wrong with a record. */
class Fault {
  constructor(readonly message: string) {}
}

const LF = 0x0a
const CR = 0x0d
const NO_BYTES = new Uint8Array(0)
const TORN = 'the last line is torn: it has no line end and is not complete'

export class CsvFramer extends Framer {
  readonly #dialect: Dialect
  readonly #scanRules: ScanRules
  readonly #parseRules: Options
  /** Each field's name as JSON, with its colon. `undefined` before the header row was read. */
  #keys: readonly string[] | undefined
  /** How far the first unread record was scanned without finding its end. */
  #scanned = NEW_RECORD

  constructor(input: InputBuffer, options: FramerOptions, dialect: Dialect) {
    super('csv', input, options)
    const { delimiter } = dialect
    this.#dialect = dialect
    // A single quote character inside a TSV field is more often an inch mark than a mistake.
    const relaxQuotes = delimiter === '\t'
    this.#scanRules = { delimiter: Buffer.from(delimiter), relaxQuotes }
    this.#parseRules = {
      delimiter,
      // Without it csv-parse guesses the line end from the first record, and differently for another chunk of the file.
      record_delimiter: '\n',
      relax_column_count: true,
      relax_quotes: relaxQuotes,
    }
  }

  protected override fork(): CsvFramer {
    const copy = new CsvFramer(this.input.fork(), { ...this.options, warn: undefined }, this.#dialect)
    copy.#keys = this.#keys
    copy.#scanned = this.#scanned
    return this.copyTo(copy)
  }

  protected override frame(want: Want): Chunk | undefined {
    if (this.#keys === undefined) {
      const [header] = this.#records({ items: 1, bytes: Number.POSITIVE_INFINITY })
      if (header === undefined || !this.#readHeader(header)) return undefined
    }
    const records = this.#records(want)
    if (records.length === 0) return undefined
    return this.#convert(records)
  }

  /** Whole records at the front of the unread bytes. Sets `error` if the last one is torn. */
  #records(want: Want): ScannedRecord[] {
    this.#skipBlankLines()
    const { unread, ended } = this.input
    const scanner = new RecordScanner(unread, ended, this.#scanRules)
    const records: ScannedRecord[] = []
    let start = 0
    while (records.length < want.items && start < unread.length) {
      const found = scanner.scan(start, start === 0 ? this.#scanned : NEW_RECORD)
      if (!('next' in found)) {
        if (start === 0) this.#scanned = found
        const { fault } = found
        // Not only at the end: a file whose lines end with CR is one endless record.
        if (fault !== undefined && (ended || this.#keys === undefined || !this.options.tolerant)) {
          const index = this.#keys === undefined ? undefined : this.seq + records.length
          const hint = this.#keys === undefined ? this.#hintForHeader() : ''
          this.error = this.errorAt(start, index, fault + hint)
        }
        break
      }
      if (records.length > 0 && found.next > want.bytes) break
      if (found.end > start) records.push(found)
      start = found.next
    }
    return records
  }

  protected override drop({ text, location }: LongItem): Chunk | undefined {
    const { input } = this
    const { tolerant } = this.options
    const isHeader = this.#keys === undefined
    const found = new RecordScanner(input.unread, input.ended, this.#scanRules).scan(0, this.#scanned)
    if ('next' in found) this.#skipTo(found.next)
    else {
      input.skip(found.seen)
      this.#scanned = { ...found, seen: 0 }
      if (!input.ended) return undefined
    }
    const message = found.fault ?? (isHeader ? `${TOO_LONG} in the header` : TOO_LONG)
    const isWhole = 'next' in found && found.next > found.end
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
      this.#keys = names.map((name) => `${JSON.stringify(name)}:`)
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
    for (const [i, line] of this.#linesOf(valid).entries()) {
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
    return { seq, count: lines.length, payload: { kind: 'bytes', bytes, framing: 'csv' } }
  }

  /** Each record as a line of JSON. */
  #linesOf(records: readonly ScannedRecord[]): (string | Fault)[] {
    const rows = this.#parseAll(records.filter(({ fault }) => fault === undefined))
    let parsed = 0
    return records.map((record) => {
      const torn = record.next === record.end
      if (record.fault !== undefined) return new Fault(record.fault)
      const fields = rows === undefined ? this.#fieldsOf(record) : rows[parsed++]!
      return fields instanceof Fault ? fields : this.#lineOf(fields, torn)
    })
  }

  /** The fields of each record; `undefined` if they have to be parsed one by one, which is much slower. */
  #parseAll(records: readonly ScannedRecord[]): string[][] | undefined {
    const { unread } = this.input
    const bytes = records.length === 0 ? NO_BYTES : unread.subarray(records[0]!.start, records.at(-1)!.next)
    if (bytes.length >= MAX_TEXT || !isUtf8(bytes)) return undefined
    return this.#parse(records.map(({ start, end }) => `${unread.toString('utf8', start, end)}\n`).join(''))
  }

  /** The fields of one record, or what is wrong with it. */
  #fieldsOf({ start, end }: ScannedRecord): string[] | Fault {
    const bytes = this.input.unread.subarray(start, end)
    if (bytes.length >= MAX_TEXT) return new Fault(TOO_LONG)
    return isUtf8(bytes) ? this.#parse(`${bytes.toString()}\n`)[0]! : new Fault('invalid UTF-8')
  }

  #parse(text: string): string[][] {
    return this.#dialect.parse(text, this.#parseRules)
  }

  #lineOf(fields: readonly string[], torn: boolean): string | Fault {
    const keys = this.#keys!
    if (fields.length !== keys.length) {
      const message = `expected ${plural(keys.length, 'field')} as in the header, found ${fields.length}`
      return new Fault(torn ? `${message}; ${TORN}` : message)
    }
    return `{${fields.map((value, i) => keys[i]! + JSON.stringify(value)).join(',')}}`
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
