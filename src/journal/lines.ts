// The lines of a journal. Each is a JSON object whose last field is a checksum of the bytes before it:
//   {"poolrun":"journal","version":1,…}                        the header: what is run
//   {"ok":12,"key":"9f86d081884c7d65","value":144}             item 12 succeeded
//   {"failed":13,"key":"…","kind":"error","error":"Error: …"}  item 13 failed
//   {"moved":14,"key":"…"}                                     an item that had settled before has another index now
//   {"resumed":"<run>", …}  {"end":{…}}                        another run begins; a run has ended
// An item's key is the hash of its value, with `.n` where n equal items come before it. Pure.
import { deserialize, serialize } from 'node:v8'
import { ElementScanner } from '../framing/element-scanner.js'
import { hasAnyNumber } from '../framing/result-lines.js'
import type { ItemFailure, Ms } from '../model.js'
import { append, appendBytes, appendHex, appendInteger, type Part, part } from './append.js'
import { checksum } from './checksum.js'

export const FORMAT_VERSION = 1
/** How every journal begins. */
export const MAGIC = Buffer.from('{"poolrun":"journal"')

const LF = 0x0a
const COMMA = 0x2c
const QUOTE = 0x22
const ZERO = 0x30
const DOT = 0x2e
const BACKSLASH = 0x5c
const OPEN = 0x5b
const CLOSE = 0x5d
const RS = 0x1e
const HEX = Buffer.from('0123456789abcdef')
const HEX_VALUES = new Int8Array(256).fill(-1)
for (const [i, byte] of HEX.entries()) HEX_VALUES[byte] = i

const OK = part('{"ok":')
const FAILED = part('{"failed":')
const MOVED = part('{"moved":')
const KEY = part(',"key":"')
const VALUE = part(',"value":')
const VALUES = part(',"values":[')
const CRC = part(',"crc":"')
const END = part('"}\n')
const CRC_DIGITS = 8
/** `,"crc":"0a1b2c3d"}` and the line end. */
const TAIL_BYTES = CRC.length + CRC_DIGITS + END.length
const MIN_BUFFER_BYTES = 64 * 1024

/** The key of an item: the halves of its hash and its occurrence. */
export interface Key {
  readonly low: number
  readonly high: number
  readonly occurrence: number
}

/** What is noted of an item besides its value. */
export interface Noted {
  readonly attempts: number
  readonly workerId?: number | undefined
  readonly pid?: number | undefined
  readonly startedAt?: Ms | undefined
  readonly ms?: Ms | undefined
  /** Failures of the earlier attempts. */
  readonly earlier?: readonly ItemFailure[] | undefined
  /** The text of the item, where it is kept: JSON, or text as it is. */
  readonly item?: { readonly text: string; readonly isJson: boolean } | undefined
  /** Where the item was in its input. */
  readonly location?: string | undefined
}

/** Builds lines in one buffer, without an allocation per item. */
export class LineBuilder {
  #bytes = Buffer.allocUnsafe(MIN_BUFFER_BYTES)
  #view = viewOf(this.#bytes)
  #length = 0
  #lineStart = 0

  /** The lines so far; valid until the next call of a method. */
  take(): Buffer {
    const lines = this.#bytes.subarray(0, this.#length)
    this.#length = 0
    return lines
  }

  get length(): number {
    return this.#length
  }

  /** `line` is the result as a line of results: JSON, or any number of results with their separators. Without its line end. */
  ok(index: number, key: Key, noted: Noted | undefined, lines: Uint8Array, from: number, to: number): void {
    this.#begin(OK, index, key, to - from)
    if (noted !== undefined) this.#note(noted, to - from)
    const bytes = this.#bytes
    const view = this.#view
    let at = this.#length
    if (hasAnyNumber(lines, from)) {
      at = append(view, at, VALUES)
      for (let i = from + 1; i < to; i++) bytes[at++] = lines[i] === RS ? COMMA : lines[i]!
      bytes[at++] = CLOSE
    } else {
      at = append(view, at, VALUE)
      at = appendBytes(bytes, at, lines, from, to)
    }
    this.#length = at
    this.#end()
  }

  /** The value is in a file of its own. */
  okIn(file: string, index: number, key: Key, noted: Noted | undefined): void {
    this.#begin(OK, index, key, file.length)
    if (noted !== undefined) this.#note(noted, file.length)
    this.#text(`,"file":${JSON.stringify(file)}`)
    this.#end()
  }

  failed(index: number, key: Key, noted: Noted, failure: ItemFailure, error: string): void {
    const data = serialize(failure).toString('base64')
    this.#begin(FAILED, index, key, data.length + error.length)
    this.#text(`,"kind":"${failure.failure.kind}","error":${JSON.stringify(error)}`)
    this.#note(noted, data.length)
    this.#text(`,"data":"${data}"`)
    this.#end()
  }

  /** A whole line as it is. */
  copy(line: Uint8Array): void {
    this.#reserve(line.length)
    this.#bytes.set(line, this.#length)
    this.#length += line.length
  }

  moved(index: number, key: Key): void {
    this.#begin(MOVED, index, key, 0)
    this.#end()
  }

  /** A line that is not about an item. */
  object(fields: Readonly<Record<string, unknown>>): void {
    this.#lineStart = this.#length
    this.#text(JSON.stringify(fields).slice(0, -1))
    this.#end()
  }

  #begin(kind: Part, index: number, { low, high, occurrence }: Key, size: number): void {
    this.#lineStart = this.#length
    this.#reserve(size)
    const bytes = this.#bytes
    const view = this.#view
    let at = append(view, this.#length, kind)
    at = appendInteger(bytes, at, index)
    at = append(view, at, KEY)
    at = appendHex(view, at, high)
    at = appendHex(view, at, low)
    if (occurrence > 0) {
      bytes[at++] = DOT
      at = appendInteger(bytes, at, occurrence)
    }
    bytes[at++] = QUOTE
    this.#length = at
  }

  #note(noted: Noted, size: number): void {
    const { attempts, workerId, pid, startedAt, ms, earlier, item, location } = noted
    let text = ''
    if (attempts !== 1) text += `,"attempts":${attempts}`
    if (ms !== undefined) text += `,"ms":${rounded(ms)}`
    if (startedAt !== undefined) text += `,"at":${rounded(startedAt)}`
    if (workerId !== undefined) text += `,"worker":${workerId},"pid":${pid ?? 0}`
    if (earlier !== undefined) text += `,"earlier":"${serialize(earlier).toString('base64')}"`
    if (location !== undefined) text += `,"location":${JSON.stringify(location)}`
    if (item !== undefined) text += `,"${item.isJson ? 'json' : 'text'}":${JSON.stringify(item.text)}`
    if (text === '') return
    this.#text(text)
    this.#reserve(size)
  }

  #end(): void {
    this.#reserve(0)
    const bytes = this.#bytes
    const view = this.#view
    let at = this.#length
    const crc = checksum(bytes, this.#lineStart, at)
    at = append(view, at, CRC)
    at = appendHex(view, at, crc)
    this.#length = append(view, at, END)
  }

  #text(text: string): void {
    this.#reserve(3 * text.length)
    this.#length += this.#bytes.write(text, this.#length)
  }

  /** Room for `size` bytes and the small parts of a line. */
  #reserve(size: number): void {
    const needed = this.#length + size + 128
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
    this.#view = viewOf(larger)
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

function rounded(ms: Ms): number {
  return Math.round(ms * 1000) / 1000
}

// ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether the line `bytes[from, to)`, without its line end, has the checksum that it says. */
export function isIntact(bytes: Buffer, from: number, to: number): boolean {
  const crcAt = to + 1 - TAIL_BYTES
  if (crcAt <= from || bytes[to - 1] !== 0x7d || bytes[to - 2] !== QUOTE) return false
  if (!startsWith(bytes, crcAt, CRC)) return false
  return hexAt(bytes, crcAt + CRC.length) === checksum(bytes, from, crcAt) >>> 0
}

/** Eight digits; -1 if there is anything else. */
function hexAt(bytes: Buffer, at: number): number {
  let value = 0
  for (let i = at; i < at + 8; i++) {
    const digit = HEX_VALUES[bytes[i]!]!
    if (digit < 0) return -1
    value = (value << 4) | digit
  }
  return value >>> 0
}

/** Walks over the line of an item. One object for all lines. */
export class LineCursor implements Key {
  kind: 'ok' | 'failed' | 'moved' | 'other' = 'other'
  index = 0
  low = 0
  high = 0
  occurrence = 0
  #bytes: Buffer = OK.bytes
  #at = 0
  #end = 0
  #isAnyNumber = false

  /** Reads kind, index and key of an intact line `bytes[from, to)`. */
  read(bytes: Buffer, from: number, to: number): void {
    this.#bytes = bytes
    this.#end = to + 1 - TAIL_BYTES
    this.kind = startsWith(bytes, from, OK)
      ? 'ok'
      : startsWith(bytes, from, FAILED)
        ? 'failed'
        : startsWith(bytes, from, MOVED)
          ? 'moved'
          : 'other'
    if (this.kind === 'other') return
    this.#at = from + (this.kind === 'ok' ? OK : this.kind === 'failed' ? FAILED : MOVED).length
    this.index = this.#readInteger()
    this.#at += KEY.length
    this.high = hexAt(bytes, this.#at) | 0
    this.low = hexAt(bytes, this.#at + 8) | 0
    this.#at += 16
    this.occurrence = 0
    if (bytes[this.#at] === DOT) {
      this.#at++
      this.occurrence = this.#readInteger()
    }
    this.#at++
  }

  /** Reads the rest of the line up to its value, for `addValue`. */
  readNotes(): StoredItem {
    const stored: StoredItem = { attempts: 1 }
    const bytes = this.#bytes
    while (this.#at < this.#end) {
      // Most lines have nothing else.
      if (startsWith(bytes, this.#at, VALUE)) {
        this.#at += VALUE.length
        this.#isAnyNumber = false
        return stored
      }
      // The comma and the name.
      const nameEnd = bytes.indexOf(QUOTE, this.#at + 2)
      const name = bytes.toString('latin1', this.#at + 2, nameEnd)
      this.#at = nameEnd + 2
      switch (name) {
        case 'values':
          this.#isAnyNumber = true
          return stored
        case 'attempts':
          stored.attempts = this.#readNumber()
          break
        case 'ms':
          stored.ms = this.#readNumber()
          break
        case 'at':
          stored.startedAt = this.#readNumber()
          break
        case 'worker':
          stored.workerId = this.#readNumber()
          break
        case 'pid':
          stored.pid = this.#readNumber()
          break
        case 'file':
          stored.file = this.#readString()
          break
        case 'earlier':
          stored.earlier = unpack(this.#readString()) as readonly ItemFailure[]
          break
        case 'data':
          stored.failure = unpack(this.#readString()) as ItemFailure
          break
        case 'location':
          stored.location = this.#readString()
          break
        case 'json':
        case 'text':
          stored.item = { text: this.#readString(), isJson: name === 'json' }
          break
        default:
          this.#readString()
      }
    }
    return stored
  }

  /** Adds the value as a line of results, with its line end. */
  addValue(results: ByteBuilder): void {
    if (this.#isAnyNumber) return addResults(this.#bytes, this.#at, this.#end, results)
    results.add(this.#bytes, this.#at, this.#end)
    results.addByte(LF)
  }

  #readInteger(): number {
    let value = 0
    for (
      let digit = this.#bytes[this.#at]! - ZERO;
      digit >= 0 && digit <= 9;
      digit = this.#bytes[++this.#at]! - ZERO
    )
      value = value * 10 + digit
    return value
  }

  #readNumber(): number {
    const start = this.#at
    while (this.#at < this.#end && this.#bytes[this.#at] !== COMMA) this.#at++
    return Number(this.#bytes.toString('latin1', start, this.#at))
  }

  #readString(): string {
    const start = this.#at
    const bytes = this.#bytes
    let at = start + 1
    while (at < this.#end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
    this.#at = at + 1
    return JSON.parse(bytes.toString('utf8', start, at + 1)) as string
  }
}

/** What a journal holds of an item. */
export interface StoredItem {
  attempts: number
  workerId?: number
  pid?: number
  startedAt?: Ms
  ms?: Ms
  earlier?: readonly ItemFailure[]
  item?: { readonly text: string; readonly isJson: boolean }
  location?: string
  failure?: ItemFailure
  /** Where the value is, if it is not in the line. */
  file?: string
}

/** Elements of an array as results with their separators. */
function addResults(bytes: Buffer, from: number, to: number, results: ByteBuilder): void {
  const elements = bytes.subarray(from + 1, to - 1)
  results.addByte(RS)
  if (bytes[from] !== OPEN) throw new TypeError('values of a journal are an array')
  const scanner = new ElementScanner()
  let start = 0
  while (start < elements.length) {
    const stop = scanner.scan(elements)
    const end = stop === -1 ? elements.length : stop
    if (start > 0) results.addByte(RS)
    results.add(elements, start, end)
    scanner.startElement(end + 1)
    start = end + 1
  }
  results.addByte(LF)
}

function startsWith(bytes: Buffer, at: number, { bytes: start }: Part): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[at + i] !== start[i]) return false
  return true
}

function unpack(base64: string): unknown {
  return deserialize(Buffer.from(base64, 'base64'))
}

/** A line that is not about an item, without its checksum. */
export function parseObject(bytes: Buffer, from: number, to: number): Record<string, unknown> {
  return JSON.parse(`${bytes.toString('utf8', from, to + 1 - TAIL_BYTES)}}`) as Record<string, unknown>
}

/** Bytes that are collected. */
export class ByteBuilder {
  #bytes = Buffer.allocUnsafe(4096)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from)
    this.#length = appendBytes(this.#bytes, this.#length, bytes, from, to)
  }

  addByte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  /** A copy; begins again. */
  take(): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return bytes
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + size, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
