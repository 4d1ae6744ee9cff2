// Frames CSV and TSV: finds the records' ends in bytes, has csv-parse take each apart, and hands on objects as lines of
// JSON, named by the header row. A bad record is one line too, which says what is wrong with it.
// csv-parse does not see more than one record's text behind a fault: left to go on by itself after one, it took the
// next good record for a bad one.
import { isUtf8 } from 'node:buffer'
import type { Options } from 'csv-parse/sync'
import { firstInvalidUtf8 } from '../framing/bytes.js'
import { badRecord } from '../framing/items.js'
import { advance } from '../framing/position.js'
import type { Chunk } from '../model.js'
import type { Want } from '../source.js'
import { Framer, type FramerOptions } from './framer.js'
import type { InputBuffer } from './input-buffer.js'
import { NEW_RECORD, RecordScanner } from './record-scanner.js'

/** csv-parse, loaded only for those who need it. */
export type ParseRecords = (text: string, options: Options) => string[][]

export interface Dialect {
  readonly delimiter: ',' | '\t'
  readonly parse: ParseRecords
}

interface RecordRange {
  readonly start: number
  readonly end: number
}

export class CsvFramer extends Framer {
  private readonly parse: (text: string) => string[][]
  private readonly delimiter: number
  /** Each field's name as JSON, with its colon. */
  private keys: readonly string[] | undefined
  /** How far the first unread record was looked through without finding its end. */
  private scanned = NEW_RECORD

  constructor(window: InputBuffer, options: FramerOptions, { delimiter, parse }: Dialect) {
    super('csv', window, options)
    this.delimiter = delimiter.charCodeAt(0)
    // A lone quote inside a field of a TSV is an inch mark more often than a mistake.
    // Line ends are not to be guessed: another chunk of the same file might be read by another rule.
    const ends = { record_delimiter: ['\r\n', '\n'] }
    const rules = { ...ends, delimiter, relax_column_count: true, relax_quotes: delimiter === '\t' } as const
    this.parse = (text) => parse(text, rules)
  }

  protected frame(want: Want): Chunk | undefined {
    if (this.keys === undefined) {
      const [header] = this.records({ items: 1, bytes: Number.POSITIVE_INFINITY })
      if (header === undefined || !this.readHeader(header)) return undefined
    }
    const records = this.records(want)
    if (records.length === 0) return undefined
    return this.convert(records)
  }

  /** Whole records at the front of what is unread; sets the fault where the last one is torn. */
  private records(want: Want): RecordRange[] {
    this.skipBlankLines()
    const { unread, ended } = this.window
    const scanner = new RecordScanner(unread, this.delimiter)
    const records: RecordRange[] = []
    let start = 0
    while (records.length < want.items && start < unread.length) {
      const state = start === 0 ? this.scanned : NEW_RECORD
      const found = scanner.end(start, state)
      if (found.end === undefined && !ended) {
        this.scanned = start === 0 ? found.state : NEW_RECORD
        break
      }
      const end = found.end ?? unread.length
      if (records.length > 0 && end > want.bytes) break
      if (found.end === undefined && found.state.quoted) {
        const index = this.keys === undefined ? undefined : this.seq + records.length
        this.fault = this.faultAt(
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

  private skipBlankLines(): void {
    const { unread } = this.window
    let at = 0
    for (
      let lf = unread.indexOf(LF);
      lf !== -1 && isBlankLine(unread, at, lf + 1);
      lf = unread.indexOf(LF, at)
    )
      at = lf + 1
    if (at > 0) this.window.skip(at)
  }

  private readHeader({ start, end }: RecordRange): boolean {
    const { unread } = this.window
    const bytes = unread.subarray(start, end)
    const names = isUtf8(bytes) ? this.fieldsOf(bytes) : 'invalid UTF-8 in the header'
    const twice = Array.isArray(names) ? names.find((name, place) => names.indexOf(name) < place) : undefined
    if (!Array.isArray(names)) this.fault = this.faultAt(start, undefined, names)
    else if (twice !== undefined)
      this.fault = this.faultAt(start, undefined, `the header names ${JSON.stringify(twice)} twice`)
    else {
      this.keys = names.map((name) => `${JSON.stringify(name)}:`)
      this.passed(end)
    }
    return this.fault === undefined
  }

  private convert(records: readonly RecordRange[]): Chunk | undefined {
    const { unread } = this.window
    const { seq } = this
    const last = records.at(-1)!.end
    const bytes = unread.subarray(0, last)
    // To `collect` a record that is no UTF-8 is a bad one like any other.
    const invalid = this.options.tolerant ? -1 : firstInvalidUtf8(bytes)
    const good = invalid === -1 ? records : records.filter(({ end }) => end <= invalid)
    const rows = this.parseAll(unread, good)
    const lines: string[] = []
    for (const [place, row] of rows.entries()) {
      const line = typeof row === 'string' ? row : this.lineOf(row)
      if (line.startsWith('{')) lines.push(line)
      else {
        const record = good[place]!
        if (this.options.tolerant)
          lines.push(
            badRecord(this.placeOf(record.start), line, unread.toString('utf8', record.start, record.end)),
          )
        else {
          this.fault = this.faultAt(record.start, seq + place, line)
          break
        }
      }
    }
    if (this.fault === undefined && invalid !== -1)
      this.fault = this.faultAt(invalid, seq + good.length, 'invalid UTF-8')
    this.seq += lines.length
    this.passed(last)
    if (lines.length === 0) return undefined
    const text = Buffer.from(`${lines.join('\n')}\n`)
    return { seq, count: lines.length, payload: { kind: 'bytes', bytes: text, framing: 'csv' } }
  }

  /** All at once, which is much faster; one by one where any of them is bad. */
  private parseAll(unread: Buffer, records: readonly RecordRange[]): (string[] | string)[] {
    if (records.length === 0) return []
    const bytesOf = ({ start, end }: RecordRange) => unread.subarray(start, end)
    try {
      if (isUtf8(unread.subarray(0, records.at(-1)!.end))) {
        const rows = this.parse(records.map((record) => bytesOf(record).toString()).join(''))
        if (rows.length === records.length) return rows
      }
    } catch {
      // Found below, in the record that it belongs to.
    }
    return records.map((record) => this.fieldsOf(bytesOf(record)))
  }

  /** The fields of one record, or what is wrong with it. */
  private fieldsOf(bytes: Buffer): string[] | string {
    if (!isUtf8(bytes)) return 'invalid UTF-8'
    try {
      return this.parse(bytes.toString())[0] ?? []
    } catch (error) {
      return FAULTS[(error as { code?: string }).code ?? ''] ?? (error as Error).message
    }
  }

  private lineOf(fields: readonly string[]): string {
    const keys = this.keys!
    if (fields.length !== keys.length)
      return `expected ${count(keys.length)} as in the header, found ${fields.length}`
    return `{${fields.map((value, place) => keys[place]! + JSON.stringify(value)).join(',')}}`
  }

  private placeOf(at: number): string {
    const { position, unread } = this.window
    const { line, column } = advance(position, unread, 0, at)
    return `${this.options.file}:${line}:${column}`
  }

  private passed(end: number): void {
    this.window.skip(end)
    this.scanned = NEW_RECORD
  }
}

const LF = 0x0a
const CR = 0x0d

const FAULTS: Readonly<Record<string, string>> = {
  INVALID_OPENING_QUOTE: 'a quote stands inside a field that does not begin with one',
  CSV_INVALID_CLOSING_QUOTE: 'text stands behind a closing quote',
}

function count(fields: number): string {
  return fields === 1 ? '1 field' : `${fields} fields`
}

/** `end` is after its line feed, where it has one. */
function isBlankLine(bytes: Buffer, start: number, end: number): boolean {
  const size = end - start
  if (size === 1) return bytes[start] === LF || bytes[start] === CR
  return size === 2 && bytes[start] === CR && bytes[start + 1] === LF
}
