// `--format csv` and `tsv`: results as rows of a table whose header has the keys of the first result. Checks lines of JSON
// before they settle, and turns them into rows when they are written. Both only walk over their bytes; csv-stringify gets
// the rows that have something to quote.
import { asBuffer } from '../framing/bytes.js'
import { hasAnyNumber } from '../framing/result-lines.js'
import type { Failure, WrongLine } from '../model.js'
import type { TableFormat } from '../plan.js'

interface StringifyOptions {
  readonly delimiter: string
  readonly record_delimiter: string
  readonly quoted_match: RegExp
  readonly quoted_empty: boolean
}

/** `stringify` of csv-stringify, passed in because only these formats load that package. */
export type Stringify = (rows: string[][], options: StringifyOptions) => string

const LF = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const SMALL_N = 0x6e
const OPEN = 0x7b
const CLOSE = 0x7d
const NO_BYTES = Buffer.alloc(0)
const PREVIEW_CHARACTERS = 100
/** Of a column that the row does not have. */
const NO_CELL = -1

export class Table {
  readonly #stringify: (rows: string[][]) => string
  readonly #delimiter: Buffer
  /** Names of the columns; `undefined` before the first result is known. */
  #names: readonly string[] | undefined
  /** Each as it begins a property in JSON, with its colon. */
  #keys: readonly Buffer[] = []
  #isHeaderWritten = false
  /** Of the row that was walked over last: where the JSON of each cell begins and ends. */
  #starts: number[] = []
  #ends: number[] = []
  /** Where the key begins that has no column. */
  #unknownKeyAt = 0

  constructor(format: TableFormat, delimiter: string, stringify: Stringify) {
    const separator = format === 'tsv' ? '\t' : delimiter
    this.#delimiter = Buffer.from(separator)
    this.#stringify = (rows) =>
      stringify(rows, {
        delimiter: separator,
        record_delimiter: '\n',
        // Readers take a carriage return for a line end, too.
        quoted_match: /\r/,
        // A line without anything would be no row.
        quoted_empty: this.#keys.length === 1,
      })
  }

  get isReady(): boolean {
    return this.#names !== undefined
  }

  /** Takes the header from the first of these results that has keys. Returns whether there is a header now. */
  begin(lines: Uint8Array): boolean {
    const bytes = asBuffer(lines)
    for (let at = 0; at < bytes.length && this.#names === undefined; at++) {
      const end = endOfResult(bytes, at)
      if (bytes[at] === OPEN && bytes[at + 1] !== CLOSE)
        this.#setNames(Object.keys(JSON.parse(bytes.toString('utf8', at, end))))
      at = end
    }
    return this.isReady
  }

  check(lines: Uint8Array): readonly WrongLine[] {
    const bytes = asBuffer(lines)
    const wrong: WrongLine[] = []
    let line = 0
    for (let at = 0; at < bytes.length; at++) {
      const failure = this.#checkLine(bytes, at)
      if (failure !== undefined) wrong.push({ line, failure })
      at = bytes.indexOf(LF, at)
      line++
    }
    return wrong
  }

  /** Lines of results that were checked, as rows. */
  rows(bytes: Buffer): Uint8Array {
    if (!this.begin(bytes)) return NO_BYTES
    const parts: Uint8Array[] = []
    /** Rows that something has to be quoted in. */
    let quoted: string[][] = this.#isHeaderWritten ? [] : [[...this.#names!]]
    this.#isHeaderWritten = true
    const plain = Buffer.allocUnsafe(bytes.length + this.#bytesOfDelimiters(bytes))
    let from = 0
    let end = 0
    for (let at = 0; at < bytes.length; at++) {
      at = this.#walk(bytes, at)
      if (at < 0) throw new TypeError('a result was written that does not fit the header')
      const next = this.#addPlainRow(bytes, plain, end)
      if (next < 0) {
        if (end > from) parts.push(plain.subarray(from, end))
        from = end
        quoted.push(this.#cellsOf(bytes))
      } else {
        if (quoted.length > 0) parts.push(Buffer.from(this.#stringify(quoted)))
        quoted = []
        end = next
      }
    }
    if (quoted.length > 0) parts.push(Buffer.from(this.#stringify(quoted)))
    if (end > from) parts.push(plain.subarray(from, end))
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  #setNames(names: readonly string[]): void {
    this.#names = names
    this.#keys = names.map((name) => Buffer.from(`${JSON.stringify(name)}:`))
    this.#starts = names.map(() => NO_CELL)
    this.#ends = names.map(() => NO_CELL)
  }

  /** What is wrong with the results of an item. */
  #checkLine(bytes: Buffer, start: number): Failure | undefined {
    const isAnyNumber = hasAnyNumber(bytes, start)
    let at = isAnyNumber ? start + 1 : start
    for (let i = 0; bytes[at] !== LF; i++) {
      if (bytes[at] !== OPEN)
        return wrongResult(isAnyNumber ? `[${i}]` : '', 'a row is made from an object', '')
      if (!this.isReady)
        return wrongResult('', 'there is no header yet, and it has no keys to make one from', '{}')
      const end = this.#walk(bytes, at)
      if (end < 0) return this.#unknownKey(bytes, isAnyNumber ? `[${i}].` : '')
      at = hasAnyNumber(bytes, end) ? end + 1 : end
    }
    return undefined
  }

  #unknownKey(bytes: Buffer, prefix: string): Failure {
    const at = this.#unknownKeyAt
    const keyEnd = endOfString(bytes, at)
    const name: string = JSON.parse(bytes.toString('utf8', at, keyEnd))
    const text = bytes.toString('utf8', keyEnd + 1, endOfValue(bytes, keyEnd + 1))
    const preview = text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS)}…` : text
    return wrongResult(
      `${prefix}${name}`,
      'the header lacks this key: it has those of the first result',
      preview,
    )
  }

  /** Finds the cells of the object at `start`. Returns the index after it; -1 if it has a key without a column. */
  #walk(bytes: Buffer, start: number): number {
    const starts = this.#starts
    const ends = this.#ends
    starts.fill(NO_CELL)
    let at = start + 1
    if (bytes[at] === CLOSE) return at + 1
    for (let expected = 0; ; expected++) {
      const column = this.#columnAt(bytes, at, expected)
      if (column === undefined) {
        this.#unknownKeyAt = at
        return -1
      }
      const valueAt = at + this.#keys[column]!.length
      at = endOfValue(bytes, valueAt)
      starts[column] = valueAt
      ends[column] = at
      expected = column
      if (bytes[at++] === CLOSE) return at
    }
  }

  /** The column of the key that begins here: mostly the one that is expected. */
  #columnAt(bytes: Buffer, at: number, expected: number): number | undefined {
    const keys = this.#keys
    for (let i = expected; i < keys.length; i++) if (isAt(bytes, at, keys[i]!)) return i
    for (let i = 0; i < expected && i < keys.length; i++) if (isAt(bytes, at, keys[i]!)) return i
    return undefined
  }

  /** Copies the cells to `row` if nothing in them has to be quoted. Returns where they end there, else -1. */
  #addPlainRow(bytes: Buffer, row: Buffer, start: number): number {
    const starts = this.#starts
    const ends = this.#ends
    const delimiter = this.#delimiter
    const first = delimiter[0]!
    const columns = starts.length
    let end = start
    for (let column = 0; column < columns; column++) {
      if (column > 0) for (let i = 0; i < delimiter.length; i++) row[end++] = delimiter[i]!
      let from = starts[column]!
      if (from === NO_CELL || bytes[from] === SMALL_N) continue
      let to = ends[column]!
      const byte = bytes[from]!
      if (byte === OPEN || byte === OPEN_BRACKET) return -1
      if (byte === QUOTE) {
        from++
        to--
      }
      for (let i = from; i < to; i++) {
        const copied = bytes[i]!
        // Line ends and quotes are escaped.
        if (copied === BACKSLASH || copied === first) return -1
        row[end++] = copied
      }
    }
    if (columns === 1 && end === start) return -1
    row[end++] = LF
    return end
  }

  #cellsOf(bytes: Buffer): string[] {
    return this.#starts.map((start, column) => {
      if (start === NO_CELL) return ''
      const text = bytes.toString('utf8', start, this.#ends[column])
      if (text === 'null') return ''
      return text.startsWith('"') ? JSON.parse(text) : text
    })
  }

  /** A row that lacks keys may be longer than its JSON. */
  #bytesOfDelimiters(bytes: Buffer): number {
    let rows = 0
    for (let lf = bytes.indexOf(LF); lf !== -1; lf = bytes.indexOf(LF, lf + 1)) rows++
    return rows * this.#keys.length * this.#delimiter.length
  }
}

function wrongResult(path: string, message: string, preview: string): Failure {
  return { kind: 'encoding', side: 'result', path, message, preview }
}

function isAt(bytes: Buffer, at: number, key: Buffer): boolean {
  for (let i = 0; i < key.length; i++) if (bytes[at + i] !== key[i]) return false
  return true
}

/** Where the line end, or the separator before the next result of the item, is. */
function endOfResult(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && bytes[at] !== LF && !hasAnyNumber(bytes, at)) at++
  return at
}

/** After the value that begins here. JSON of workers has no white space. */
function endOfValue(bytes: Buffer, start: number): number {
  const byte = bytes[start]
  if (byte === QUOTE) return endOfString(bytes, start)
  let at = start
  if (byte !== OPEN && byte !== OPEN_BRACKET) {
    while (bytes[at] !== COMMA && bytes[at] !== CLOSE) at++
    return at
  }
  for (let depth = 0; ; ) {
    const inner = bytes[at]!
    if (inner === QUOTE) {
      at = endOfString(bytes, at)
      continue
    }
    if (inner === OPEN || inner === OPEN_BRACKET) depth++
    at++
    if ((inner === CLOSE || inner === CLOSE_BRACKET) && --depth === 0) return at
  }
}

/** After the closing quote of the string that begins here. */
function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1
  for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[at]) at += byte === BACKSLASH ? 2 : 1
  return at + 1
}
