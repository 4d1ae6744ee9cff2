// Frames CSV and TSV: finds the ends of records in bytes, lets csv-parse split each record into fields, and passes the
// items on as lines of JSON, objects with the names of the header row. A bad record is a line, too: an array that says
// what is wrong with it.
// csv-parse gets one record at a time once one was bad: after an error its state is off, and it rejects good records.
import { isUtf8 } from 'node:buffer'
import type { Options } from 'csv-parse/sync'
import { plural } from '../errors/messages.js'
import { firstInvalidUtf8 } from '../framing/bytes.js'
import { badRecord } from '../framing/items.js'
import { advance } from '../framing/location.js'
import type { Chunk } from '../model.js'
import type { Want } from '../source.js'
import { Framer, type FramerOptions } from './framer.js'
import type { InputBuffer } from './input-buffer.js'
import { NEW_RECORD, RecordScanner } from './record-scanner.js'

/** `parse` of csv-parse, passed in because only CSV inputs load that package. */
type ParseRecords = (text: string, options: Options) => string[][]

export interface Dialect {
  readonly delimiter: ',' | '\t'
  readonly parse: ParseRecords
}

interface RecordRange {
  readonly start: number
  readonly end: number
}

const LF = 0x0a
const CR = 0x0d

/** csv-parse's error codes in plain words. */
const PARSE_ERRORS: Readonly<Record<string, string>> = {
  INVALID_OPENING_QUOTE: 'a quote inside a field that does not begin with one',
  CSV_INVALID_CLOSING_QUOTE: 'text after a closing quote',
}

export class CsvFramer extends Framer {
  readonly #dialect: Dialect
  readonly #delimiter: number
  readonly #rules: Options
  /** Each field's name as JSON, with its colon. `undefined` before the header row was read. */
  #keys: readonly string[] | undefined
  /** How far the first unread record was scanned without finding its end. */
  #scanned = NEW_RECORD

  constructor(input: InputBuffer, options: FramerOptions, dialect: Dialect) {
    super('csv', input, options)
    const { delimiter } = dialect
    this.#dialect = dialect
    this.#delimiter = delimiter.charCodeAt(0)
    this.#rules = {
      delimiter,
      // Without it csv-parse guesses the line end from the first record, and differently for another chunk of the file.
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      // A single quote character inside a TSV field is more often an inch mark than a mistake.
      relax_quotes: delimiter === '\t',
    }
  }

  protected override fork(): CsvFramer {
    const copy = new CsvFramer(this.input.fork(), this.options, this.#dialect)
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
  #records(want: Want): RecordRange[] {
    this.#skipBlankLines()
    const { unread, ended } = this.input
    const scanner = new RecordScanner(unread, this.#delimiter)
    const records: RecordRange[] = []
    let start = 0
    while (records.length < want.items && start < unread.length) {
      const state = start === 0 ? this.#scanned : NEW_RECORD
      const found = scanner.end(start, state)
      if (found.end === undefined && !ended) {
        this.#scanned = start === 0 ? found.state : NEW_RECORD
        break
      }
      const end = found.end ?? unread.length
      if (records.length > 0 && end > want.bytes) break
      if (found.end === undefined && found.state.quoted) {
        const index = this.#keys === undefined ? undefined : this.seq + records.length
        this.error = this.errorAt(
          start,
          index,
          'a quote that is opened here is never closed: the input is torn',
        )
        break
      }
      if (!isBlankLine(unread, start, end)) records.push({ start, end })
      start = end
    }
    return records
  }

  #skipBlankLines(): void {
    const { unread } = this.input
    let at = 0
    for (
      let lf = unread.indexOf(LF);
      lf !== -1 && isBlankLine(unread, at, lf + 1);
      lf = unread.indexOf(LF, at)
    )
      at = lf + 1
    if (at > 0) this.input.skip(at)
  }

  #readHeader({ start, end }: RecordRange): boolean {
    const bytes = this.input.unread.subarray(start, end)
    const names = isUtf8(bytes) ? this.#fieldsOf(bytes) : 'invalid UTF-8 in the header'
    const twice = Array.isArray(names) ? names.find((name, i) => names.indexOf(name) < i) : undefined
    if (!Array.isArray(names)) this.error = this.errorAt(start, undefined, names)
    else if (twice !== undefined)
      this.error = this.errorAt(start, undefined, `the header names ${JSON.stringify(twice)} twice`)
    else {
      this.#keys = names.map((name) => `${JSON.stringify(name)}:`)
      this.#skipTo(end)
    }
    return this.error === undefined
  }

  #convert(records: readonly RecordRange[]): Chunk | undefined {
    const { unread } = this.input
    const { tolerant } = this.options
    const { seq } = this
    const end = records.at(-1)!.end
    // For `collect` a record that is not UTF-8 is a bad record like any other.
    const invalid = tolerant ? -1 : firstInvalidUtf8(unread.subarray(0, end))
    const valid = invalid === -1 ? records : records.filter((record) => record.end <= invalid)
    const rows = this.#parseAll(unread, valid)
    const lines: string[] = []
    for (const [i, row] of rows.entries()) {
      const line = typeof row === 'string' ? row : this.#lineOf(row)
      if (line.startsWith('{')) lines.push(line)
      else if (tolerant) lines.push(this.#badLine(valid[i]!, line))
      else {
        this.error = this.errorAt(valid[i]!.start, seq + i, line)
        break
      }
    }
    if (this.error === undefined && invalid !== -1)
      this.error = this.errorAt(invalid, seq + valid.length, 'invalid UTF-8')
    this.seq += lines.length
    this.#skipTo(end)
    if (lines.length === 0) return undefined
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    return { seq, count: lines.length, payload: { kind: 'bytes', bytes, framing: 'csv' } }
  }

  /** The fields of each record, or what is wrong with it. Parsing all together is much faster than one by one. */
  #parseAll(unread: Buffer, records: readonly RecordRange[]): (string[] | string)[] {
    if (records.length === 0) return []
    const bytesOf = ({ start, end }: RecordRange) => unread.subarray(start, end)
    try {
      if (isUtf8(unread.subarray(0, records.at(-1)!.end))) {
        const rows = this.#parse(records.map((record) => bytesOf(record).toString()).join(''))
        if (rows.length === records.length) return rows
      }
    } catch {
      // Parsing one by one finds the bad record.
    }
    return records.map((record) => this.#fieldsOf(bytesOf(record)))
  }

  /** The fields of one record, or what is wrong with it. */
  #fieldsOf(bytes: Buffer): string[] | string {
    if (!isUtf8(bytes)) return 'invalid UTF-8'
    try {
      return this.#parse(bytes.toString())[0] ?? []
    } catch (error) {
      return PARSE_ERRORS[(error as { code?: string }).code ?? ''] ?? (error as Error).message
    }
  }

  #parse(text: string): string[][] {
    return this.#dialect.parse(text, this.#rules)
  }

  /** A record as a line of JSON, or what is wrong with it. */
  #lineOf(fields: readonly string[]): string {
    const keys = this.#keys!
    if (fields.length !== keys.length)
      return `expected ${plural(keys.length, 'field')} as in the header, found ${fields.length}`
    return `{${fields.map((value, i) => keys[i]! + JSON.stringify(value)).join(',')}}`
  }

  #badLine({ start, end }: RecordRange, message: string): string {
    const { position, unread } = this.input
    const { line, column } = advance(position, unread, 0, start)
    const text = unread.toString('utf8', start, end)
    return badRecord(`${this.options.file}:${line}:${column}`, message, text)
  }

  #skipTo(end: number): void {
    this.input.skip(end)
    this.#scanned = NEW_RECORD
  }
}

/** `end` is after the line feed, if there is one. */
function isBlankLine(bytes: Buffer, start: number, end: number): boolean {
  const size = end - start
  if (size === 1) return bytes[start] === LF || bytes[start] === CR
  return size === 2 && bytes[start] === CR && bytes[start + 1] === LF
}
