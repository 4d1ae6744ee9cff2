// Watches the items of a chunk whose items are not recorded one by one: an item that lasts is recorded while it runs, even
// if it blocks its thread for ever. The worker's thread notes in shared memory which item runs and what the items before it
// returned, which costs some 50 ns; a second thread looks there every few milliseconds and writes to the file.
//
// Only one of the two has the file and the memory at a time, by `STATE`:
//
//   IDLE      no item runs: the worker's thread has both
//   n > 0     the n-th item runs: the second thread may take both by setting CLAIMED
//   CLAIMED   the second thread writes
//   RECORDED  it has written: the worker's thread has both again
import { writeSync } from 'node:fs'
import type { Ms } from '../../model.js'
import { CHECK, CHECK_BYTES, END_BYTES, HEAD_BYTES, KIND } from './format.js'

/** How often the second thread looks: what has run for longer than twice this is in the file. */
const LOOK_EVERY_MS: Ms = 10
/** With a shorter limit each item is recorded: the error of `LOOK_EVERY_MS` would be too large a part of it. */
export const MIN_WATCHED_LIMIT_MS: Ms = 100
/** Room for the lines that items have returned. Once little of it is left, they should be sent. */
const LINES_BYTES = 64 * 1024
const LITTLE_ROOM_BYTES = 8 * 1024
/** What `writeRecords` writes at most. */
export const MOST_WATCHED_BYTES = LINES_BYTES + 2 * (HEAD_BYTES + CHECK_BYTES) + END_BYTES
/** A longer text is copied by a built-in function, whose call costs more than copying this many characters one by one. */
const SHORT_CHARACTERS = 48
const MAX_BYTES_PER_CHARACTER = 3
const LF = 0x0a
const LAST_ASCII = 0x7f
/** Items are counted from 1 up to this, over and over. */
const MAX_COUNT = 2 ** 30

const IDLE = 0
const CLAIMED = -1
const RECORDED = -2

/** Places of the integers. */
const STATE = 0
/** 1 while items are watched: only then does the second thread look. */
const IS_ACTIVE = 1
const IS_READY = 2
const CHUNK = 3
/** Of the item that runs. */
const OFFSET = 4
/** Of the first item whose line is kept, the bytes of all of them, and the kind of their record. */
const LINES_FROM = 5
const LINES_LENGTH = 6
const LINES_KIND = 7
/** Where to write in the file. */
const POSITION = 8
/** Bytes that the second thread has written, without the end; -1 if it could not. */
const WRITTEN = 9
/** Even: a `Float64Array` follows. */
const INTEGERS = 10
/** Where the rest of the memory begins: when the recorded item began, and the records. */
const SINCE_AT = INTEGERS * Int32Array.BYTES_PER_ELEMENT
const RECORDS_AT = SINCE_AT + Float64Array.BYTES_PER_ELEMENT
const LINES_AT = RECORDS_AT + HEAD_BYTES

/** What the two threads share. */
export class WatchMemory {
  readonly shared: SharedArrayBuffer
  readonly integers: Int32Array
  readonly since: Float64Array
  readonly bytes: Buffer

  constructor(shared = new SharedArrayBuffer(RECORDS_AT + MOST_WATCHED_BYTES)) {
    this.shared = shared
    this.integers = new Int32Array(shared, 0, INTEGERS)
    this.since = new Float64Array(shared, SINCE_AT, 1)
    this.bytes = Buffer.from(shared)
  }
}

export interface WatchedItem {
  /** What was written, -1 if it could not be. */
  readonly written: number
  readonly since: Ms
}

/** The side of the worker's thread. */
export class ItemWatch {
  readonly #memory: WatchMemory
  readonly #integers: Int32Array
  readonly #bytes: Buffer
  #count = 0
  #linesLength = 0

  constructor(memory: WatchMemory) {
    this.#memory = memory
    this.#integers = memory.integers
    this.#bytes = memory.bytes
  }

  /** The second thread is there. */
  get isReady(): boolean {
    return Atomics.load(this.#integers, IS_READY) === 1
  }

  /** `kind`: of the record of what its items return. */
  open(chunk: number, kind: number): void {
    this.#integers[CHUNK] = chunk
    this.#integers[LINES_KIND] = kind
    Atomics.store(this.#integers, IS_ACTIVE, 1)
    Atomics.notify(this.#integers, IS_ACTIVE)
  }

  close(): void {
    Atomics.store(this.#integers, IS_ACTIVE, 0)
  }

  begin(offset: number): void {
    this.#integers[OFFSET] = offset
    this.#count = this.#count === MAX_COUNT ? 1 : this.#count + 1
    Atomics.store(this.#integers, STATE, this.#count)
  }

  /**
   * From here on the file and the memory are the caller's. False if the item that ran was recorded: `take` must follow.
   * Also true if none ran.
   */
  end(): boolean {
    const state = Atomics.compareExchange(this.#integers, STATE, this.#count, IDLE)
    return state === this.#count || state === IDLE
  }

  /** An item runs, and the second thread has not recorded it. */
  get isItemRunning(): boolean {
    return Atomics.load(this.#integers, STATE) > 0
  }

  /** The item goes on, after `end`. Still the same for the second thread. */
  resume(): void {
    Atomics.store(this.#integers, STATE, this.#count)
  }

  /** The item that the second thread has recorded, or is just recording. */
  take(): WatchedItem {
    Atomics.wait(this.#integers, STATE, CLAIMED)
    const written = this.#integers[WRITTEN]!
    this.clear()
    Atomics.store(this.#integers, STATE, IDLE)
    return { written, since: this.#memory.since[0]! }
  }

  moveTo(position: number): void {
    this.#integers[POSITION] = position
  }

  get isEmpty(): boolean {
    return this.#linesLength === 0
  }

  get hasLittleRoom(): boolean {
    return this.#linesLength > LINES_BYTES - LITTLE_ROOM_BYTES
  }

  /** Keeps what the item at the offset has returned. False if it has no room. */
  add(offset: number, line: string): boolean {
    const { length } = line
    if (this.#linesLength + MAX_BYTES_PER_CHARACTER * length + 1 > LINES_BYTES) return false
    const integers = this.#integers
    if (this.#linesLength === 0) integers[LINES_FROM] = offset
    const end = this.#append(LINES_AT + this.#linesLength, line)
    this.#bytes[end] = LF
    this.#linesLength = end + 1 - LINES_AT
    integers[LINES_LENGTH] = this.#linesLength
    return true
  }

  #append(start: number, line: string): number {
    const { length } = line
    const bytes = this.#bytes
    if (length > SHORT_CHARACTERS) return start + bytes.write(line, start)
    for (let i = 0; i < length; i++) {
      const character = line.charCodeAt(i)
      if (character > LAST_ASCII) return start + bytes.write(line, start)
      bytes[start + i] = character
    }
    return start + length
  }

  clear(): void {
    this.#linesLength = 0
    this.#integers[LINES_LENGTH] = 0
  }

  /** Writes the lines to the file. Returns how many bytes that were, -1 if it failed. */
  writeLines(fd: number): number {
    const written = writeRecords(this.#memory, fd, undefined)
    this.clear()
    return written
  }
}

/** The side of the second thread. */
export class ItemWatcher {
  readonly #memory: WatchMemory
  readonly #fd: number
  readonly #now: () => Ms
  /** The item that ran when it last looked, and since when it has seen it. */
  #seen = IDLE
  #seenAt: Ms = Number.NaN

  constructor(memory: WatchMemory, fd: number, now: () => Ms) {
    this.#memory = memory
    this.#fd = fd
    this.#now = now
    Atomics.store(memory.integers, IS_READY, 1)
  }

  /** Does not return. */
  run(): void {
    const { integers } = this.#memory
    for (;;) {
      Atomics.wait(integers, IS_ACTIVE, 0)
      // Nothing else changes it to 0 while this waits.
      Atomics.wait(integers, IS_READY, 1, LOOK_EVERY_MS)
      this.look()
    }
  }

  /** An item that has run since it last looked is recorded. */
  look(): void {
    const { integers, since } = this.#memory
    const state = Atomics.load(integers, STATE)
    if (state <= IDLE) {
      this.#seen = IDLE
      return
    }
    if (state !== this.#seen) {
      this.#seen = state
      this.#seenAt = this.#now()
      return
    }
    if (Atomics.compareExchange(integers, STATE, state, CLAIMED) !== state) return
    since[0] = this.#seenAt
    integers[WRITTEN] = writeRecords(this.#memory, this.#fd, this.#seenAt)
    Atomics.store(integers, STATE, RECORDED)
    Atomics.notify(integers, STATE)
  }
}

/**
 * With one write: the lines, and with `since` that the item at the offset runs. Returns the bytes without the end; -1 if it
 * failed.
 */
function writeRecords({ integers, bytes }: WatchMemory, fd: number, since: Ms | undefined): number {
  const length = integers[LINES_LENGTH]!
  let end = RECORDS_AT
  if (length > 0) end = endOfRecord(LINES_AT + length, integers[LINES_KIND]!, integers[LINES_FROM]!, 0)
  if (since !== undefined) end = endOfRecord(end + HEAD_BYTES, KIND.start, integers[OFFSET]!, since)
  if (end === RECORDS_AT) return 0
  bytes.writeUInt32LE(0, end)
  const size = end + END_BYTES - RECORDS_AT
  try {
    return writeSync(fd, bytes, RECORDS_AT, size, integers[POSITION]!) === size ? end - RECORDS_AT : -1
  } catch {
    return -1
  }

  /** Of the record that begins where the last one ended. Returns its end. */
  function endOfRecord(endOfBody: number, kind: number, offset: number, time: number): number {
    const size = endOfBody + CHECK_BYTES - end
    bytes.writeUInt32LE(size, end)
    bytes[end + 4] = kind
    bytes.writeUInt32LE(integers[CHUNK]!, end + 5)
    bytes.writeUInt32LE(offset, end + 9)
    bytes.writeDoubleLE(time, end + 13)
    bytes.writeUInt32LE((size ^ CHECK) >>> 0, endOfBody)
    return endOfBody + CHECK_BYTES
  }
}
