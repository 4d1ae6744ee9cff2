// Takes good records of CSV and TSV apart: into objects in the worker, into lines of JSON where the parent needs the text
// of an item.
import { isAscii } from 'node:buffer'
import type { Table } from '../model.js'
import { BOUNDS, NONE, RecordScanner } from './record-scanner.js'

/** Captured before any job is loaded, because a job may replace it. */
const { parse, stringify } = JSON
const { apply } = Reflect
const { replaceAll } = String.prototype
/** `toString` without its checks. */
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, from: number, to: number): string
  utf8Slice(this: Uint8Array, from: number, to: number): string
}

const PIECE_CHARACTERS = 1024 * 1024

export class RecordReader {
  readonly #scanner: RecordScanner
  readonly #bytes: Buffer
  readonly #isAscii: boolean

  constructor(bytes: Buffer, delimiter: string) {
    this.#scanner = new RecordScanner(bytes, true, delimiter)
    this.#bytes = bytes
    this.#isAscii = isAscii(bytes)
  }

  /** Goes on to the next record. Its place is in `start`, `end` and `next`. */
  advance(): boolean {
    const scanner = this.#scanner
    do {
      if (scanner.next >= this.#bytes.length) return false
      scanner.scan(scanner.next)
    } while (scanner.end === scanner.start)
    return true
  }

  get start(): number {
    return this.#scanner.start
  }

  get end(): number {
    return this.#scanner.end
  }

  get next(): number {
    return this.#scanner.next
  }

  fields(): string[] {
    return Array.from({ length: this.#scanner.fields }, (_, i) => this.field(i))
  }

  field(i: number): string {
    const { bounds } = this.#scanner
    const at = BOUNDS * i
    const start = bounds[at]!
    const end = bounds[at + 1]!
    const closing = bounds[at + 2]!
    if (closing === NONE) return this.#text(start, end)
    const quoted = this.#text(start + 1, closing)
    const text = bounds[at + 3] === 1 ? apply(replaceAll, quoted, ['""', '"']) : quoted
    // Text after a closing quote is data: then so are the quotes.
    return closing + 1 === end ? text : `"${text}"${this.#text(closing + 1, end)}`
  }

  /**
   * Each is decoded by itself: a part of a longer string would keep all of that in memory. Not through a variable function,
   * which V8 would not inline.
   */
  #text(start: number, end: number): string {
    return this.#isAscii
      ? apply(latin1Slice, this.#bytes, [start, end])
      : apply(utf8Slice, this.#bytes, [start, end])
  }
}

/** Of a single record. */
export function fieldsOf(record: Buffer, delimiter: string): string[] {
  const reader = new RecordReader(record, delimiter)
  reader.advance()
  return reader.fields()
}

/** The objects of a `csv` payload. */
export function readRecords(bytes: Buffer, { names, delimiter }: Table): { next(): unknown } {
  const reader = new RecordReader(bytes, delimiter)
  // A copy of it has its hidden class. Parsed, because a name may be `__proto__`.
  const empty: Record<string, string> = parse(
    recordJson(
      keysOf(names),
      names.map(() => ''),
    ),
  )
  return {
    next() {
      if (!reader.advance()) return undefined
      const record = { ...empty }
      for (let i = 0; i < names.length; i++) record[names[i]!] = reader.field(i)
      return record
    },
  }
}

/** The object of a record as JSON, with the fields in the order of the header. `keys` is from `keysOf`. */
export function recordJson(keys: readonly string[], fields: readonly string[]): string {
  return `{${fields.map((text, i) => keys[i]! + stringify(text)).join(',')}}`
}

/** Each field's name as JSON, with its colon. */
export function keysOf(names: readonly string[]): string[] {
  return names.map((name) => `${stringify(name)}:`)
}

/** The records of a `csv` payload as lines of JSON. */
export function recordLines(bytes: Buffer, { names, delimiter }: Table): Buffer {
  const keys = keysOf(names)
  const reader = new RecordReader(bytes, delimiter)
  const pieces: Buffer[] = []
  let lines = ''
  while (reader.advance()) {
    lines += `${recordJson(keys, reader.fields())}\n`
    // With long names, all of them may be too long for a string.
    if (lines.length < PIECE_CHARACTERS) continue
    pieces.push(Buffer.from(lines))
    lines = ''
  }
  return Buffer.concat([...pieces, Buffer.from(lines)])
}
