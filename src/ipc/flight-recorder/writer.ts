// The worker's side of the flight recorder. One `pwrite` of about a microsecond per item; there is no pipe that could
// lose what is in it, and nothing has to read along.
import { writeSync } from 'node:fs'
import { weigh } from '../../errors/capture/weigh.js'
import type { Failure, Ms } from '../../model.js'
import { encode } from '../values.js'
import { CHECK, CHECK_BYTES, END_BYTES, FILE_BYTES, HEAD_BYTES, HEADER, KIND, sharedNow } from './format.js'
import { type ItemWatch, MIN_WATCHED_LIMIT_MS, MOST_WATCHED_BYTES } from './item-watch.js'

/** The file starts over once it is this long and all its outcomes have been sent; sooner would cost a write per message. */
const START_OVER_AT_BYTES = 32 * 1024
/** A larger outcome is sent before the next item starts instead of being written twice. */
const MAX_OUTCOME_BYTES = 64 * 1024
/** Kept free of outcomes: room for the records that say what runs until the file starts over. */
const ROOM_FOR_MARKS_BYTES = 16 * 1024
/** UTF-8 needs at most this many bytes per UTF-16 code unit. */
const MAX_BYTES_PER_CHARACTER = 3
const NEVER: Ms = Number.POSITIVE_INFINITY

/** The item an outcome belongs to. */
interface RecordedItem {
  readonly id: number
  readonly offset: number
  /** From then on (shared clock) a reader takes the item for late unless its outcome is in the file. */
  readonly lateAt: Ms
}

export interface RecorderOptions {
  /** Called once, when a write has failed. Resolves when the parent can no longer take the file for complete. */
  readonly onFailure?: (() => Promise<void>) | undefined
  readonly now?: (() => Ms) | undefined
  /** Starts to watch items, for the file with this descriptor. `undefined` if it cannot. */
  readonly startWatch?: ((fd: number) => ItemWatch | undefined) | undefined
}

/** A chunk as the recorder sees it: the worker's own object, the only owner of where the chunk is. */
export interface RecordedChunk extends RecordedItem {
  readonly isRecorded: boolean
  /** The item at `offset` has started and has not settled. */
  readonly isItemRunning: boolean
  /** Both are set when the item is recorded as started: since when it runs, by the shared clock, and its time limit. */
  since: Ms
  lateAt: Ms
}

/** An unrecorded chunk whose items are watched. */
export interface WatchedChunk extends RecordedChunk {
  /** Its item has lasted and was recorded as started: from now on each of its items is recorded. */
  wasRecorded(since: Ms): void
}

export class FlightRecorder {
  readonly #fd: number
  readonly #now: () => Ms
  readonly #onFailure: () => Promise<void>
  readonly #startWatch: RecorderOptions['startWatch']
  #watch: ItemWatch | undefined
  #triedToWatch = false
  #watched: WatchedChunk | undefined
  /** Records wait here until the next write. As long as the file, so that all that has room in the file has room here. */
  readonly #buffer = Buffer.allocUnsafeSlow(FILE_BYTES)
  #filled = 0
  #position = HEADER.length
  #outcomes = 0
  #isFrozen = false
  /** A write has failed, so that nothing is recorded any more. */
  #hasFailed = false
  /** The parent does not know of the failure yet: an item that started now would have begun without anyone knowing. */
  #isFailureUnreported = false
  /** Described again when the file starts over. */
  readonly #chunks = new Set<RecordedChunk>()
  /**
   * The earliest `lateAt` of the items whose outcomes are not in the file yet. Past it, no item may start:
   *
   *   1. An item ends within its time limit.
   *   2. Its outcome is only in the buffer; in the file the item still runs.
   *   3. The time limit passes, and the parent reads the file.
   *   4. The parent judges the item late.
   *   5. A kill is on its way to this process.
   *   6. Therefore the worker starts nothing: the kill would hit an item that did nothing wrong.
   */
  #lateAt: Ms = NEVER

  constructor(fd: number, options: RecorderOptions = {}) {
    const { onFailure = () => Promise.resolve(), now = sharedNow, startWatch } = options
    this.#fd = fd
    this.#onFailure = onFailure
    this.#now = now
    this.#startWatch = startWatch
  }

  /** Nothing may start now, recorded or not: everything must be returned. */
  get refusesStarts(): boolean {
    return this.#isFailureUnreported
  }

  /** From here until `end` the chunk is described again when the file starts over. */
  open(chunk: RecordedChunk): void {
    this.#chunks.add(chunk)
  }

  /** The chunk has ended: none of its items is running. */
  end(chunk: RecordedChunk): void {
    this.#chunks.delete(chunk)
    if (this.#lateAt !== NEVER) this.write()
  }

  /**
   * Records that the item at the chunk's offset starts; outcomes noted before are written with it. False if it must not
   * start: the parent may have judged another item late, or the start cannot be recorded.
   */
  startItem(chunk: RecordedChunk, timeoutMs: Ms): boolean {
    if (this.#mayBeJudgedLate()) return false
    const now = this.#now()
    chunk.since = now
    chunk.lateAt = now + timeoutMs
    if (this.#hasFailed) return !this.#isFailureUnreported
    if (!this.#note(KIND.start, chunk.id, chunk.offset, now, undefined)) return false
    this.write()
    if (this.#hasFailed) return false
    if (!this.#mayBeJudgedLate()) return true
    this.noteBetweenItems(chunk)
    this.write()
    return false
  }

  /**
   * Records that the item at the chunk's offset has returned to the event loop. Without this mark, an item that was the
   * last to start may be in a loop, which keeps the others in this process from ending in time.
   */
  suspend(chunk: RecordedChunk): void {
    if (this.#hasFailed) return
    this.#noteSuspended(chunk)
    this.write()
  }

  #noteSuspended({ id, offset, lateAt }: RecordedChunk): void {
    if (lateAt !== NEVER) this.#note(KIND.suspended, id, offset, 0, undefined)
  }

  /** True once per late item: after work was returned, the parent sends it again only when it has judged. */
  #mayBeJudgedLate(): boolean {
    if (this.#lateAt === NEVER || this.#now() < this.#lateAt) return false
    this.#lateAt = NEVER
    return true
  }

  // An outcome is noted, and written with the next item's start. False where it is too large or cannot be cloned: the
  // message that carries it must be sent before the next item starts.

  json(item: RecordedItem, text: string): boolean {
    return this.#noteOutcome(KIND.json, item, text)
  }

  value(item: RecordedItem, value: unknown): boolean {
    // One that may not be readable, or is too large, is in the message only.
    const isRecordable = weigh(value) <= MAX_OUTCOME_BYTES
    return this.#noteOutcome(KIND.value, item, isRecordable ? tryEncode(value) : undefined)
  }

  failure(item: RecordedItem, failure: Failure): boolean {
    return this.#noteOutcome(KIND.failure, item, tryEncode(failure))
  }

  /** Notes that the chunk's items are not recorded any more. False if they still must be. */
  noteUnrecorded({ id }: RecordedChunk): boolean {
    return this.#note(KIND.unrecorded, id, 0, 0, undefined)
  }

  /** Notes that no item of the chunk is running, and which of them have begun. */
  noteBetweenItems({ id, offset }: RecordedChunk): void {
    this.#note(KIND.between, id, offset, 0, undefined)
  }

  // ── items that are watched instead ───────────────────────────────────────────────────────────────────────────────

  /** Items with this time limit need not be recorded one by one. The first call starts the watch, which takes a while. */
  canWatch(timeoutMs: Ms): boolean {
    if (timeoutMs < MIN_WATCHED_LIMIT_MS || this.#startWatch === undefined || this.#hasFailed) return false
    if (!this.#triedToWatch) this.#watch = this.#startWatch(this.#fd)
    this.#triedToWatch = true
    return this.#watch?.isReady === true
  }

  /**
   * Notes that the chunk's items are watched instead of recorded. False if they must be recorded: an item may have been
   * judged late, or what they return would have no room.
   */
  watch(chunk: WatchedChunk, returns: 'json' | 'values'): boolean {
    const watch = this.#watch
    if (watch === undefined || this.#watched !== undefined || this.#isFrozen || !watch.isEmpty) return false
    this.write()
    if (this.#lateAt !== NEVER || !this.hasRoomToWatch || !this.noteUnrecorded(chunk)) return false
    this.write()
    if (this.#hasFailed) return false
    this.#watched = chunk
    watch.open(chunk.id, returns === 'json' ? KIND.jsonLines : KIND.valueLines)
    return true
  }

  /** If not, what was recorded should be sent, so that the file starts over. */
  get hasRoomToWatch(): boolean {
    return this.#position + MOST_WATCHED_BYTES + ROOM_FOR_MARKS_BYTES <= FILE_BYTES
  }

  /** The item at the offset of the watched chunk starts. */
  beginWatched(offset: number): void {
    if (!this.#isFrozen) this.#watch!.begin(offset)
  }

  /**
   * The item of the watched chunk has ended; keeps what it returned. False if its outcome has to be recorded: it was
   * recorded as started, or `line` has no room.
   */
  endWatched(offset: number, line: string): boolean {
    const watch = this.#watch!
    if (!watch.end()) {
      this.#takeRecorded()
      return false
    }
    if (!watch.add(offset, line)) return false
    this.#outcomes++
    return true
  }

  /** What watched items have returned must be sent soon, or they have to be recorded. */
  get hasLittleRoom(): boolean {
    return this.#watch!.hasLittleRoom
  }

  /** No other item of the chunk is watched. What they returned is written. */
  unwatch(): void {
    this.#pauseWatch()
    if (this.#watched === undefined) return
    this.#watched = undefined
    this.#watch!.close()
    if (this.#isFrozen || this.#hasFailed) return
    this.#moveBy(this.#watch!.writeLines(this.#fd))
  }

  /** Before anything is written: the file is this thread's. True if an item goes on that has not been recorded. */
  #pauseWatch(): boolean {
    if (this.#watched === undefined) return false
    const isRunning = this.#watch!.isItemRunning
    if (this.#watch!.end()) return isRunning
    this.#takeRecorded()
    return false
  }

  #takeRecorded(): void {
    const chunk = this.#watched!
    const { written, since } = this.#watch!.take()
    this.#watched = undefined
    this.#watch!.close()
    this.#moveBy(written)
    chunk.wasRecorded(since)
  }

  #moveBy(written: number): void {
    if (written < 0) return this.#fail()
    this.#position += written
    this.#watch!.moveTo(this.#position)
  }

  // ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Writes what was noted. */
  write(): void {
    const goesOn = this.#pauseWatch()
    this.#writeNoted()
    this.#watch?.moveTo(this.#position)
    if (goesOn) this.#watch!.resume()
  }

  #writeNoted(): void {
    if (this.#isFrozen || this.#hasFailed) return
    this.#buffer.writeUInt32LE(0, this.#filled)
    const isWritten = this.#tryWrite(this.#filled + END_BYTES)
    this.#position += this.#filled
    this.#filled = 0
    if (!isWritten) this.#fail()
    else if (this.#lateAt !== NEVER && this.#now() < this.#lateAt) this.#lateAt = NEVER
  }

  #tryWrite(bytes: number): boolean {
    try {
      return writeSync(this.#fd, this.#buffer, 0, bytes, this.#position) === bytes
    } catch {
      return false
    }
  }

  /** The job closed the file, or the disk has no room for what was reserved. */
  #fail(): void {
    this.#hasFailed = true
    this.#isFailureUnreported = true
    void this.#onFailure().then(() => {
      this.#isFailureUnreported = false
    })
  }

  /** From here on nothing is written: an item that is being aborted stays running for the reader. */
  freeze(): void {
    this.#pauseWatch()
    this.#isFrozen = true
  }

  /** How many outcomes there were so far. Taken when a message is made, and returned to `delivered`. */
  get mark(): number {
    return this.#outcomes
  }

  /** The outcomes up to `mark` have left this process. If there are no others, the file starts over. */
  delivered(mark: number): void {
    const goesOn = this.#pauseWatch()
    if (mark === this.#outcomes && !this.#isFrozen) this.#forgetOutcomes()
    if (goesOn) this.#watch!.resume()
  }

  #forgetOutcomes(): void {
    this.#watch?.clear()
    if (this.#position + this.#filled < START_OVER_AT_BYTES) return
    this.#position = HEADER.length
    this.#filled = 0
    for (const chunk of this.#chunks)
      if (!chunk.isRecorded) this.noteUnrecorded(chunk)
      else if (chunk.isItemRunning) {
        this.#note(KIND.start, chunk.id, chunk.offset, chunk.since, undefined)
        // No item is on the stack here.
        this.#noteSuspended(chunk)
      }
    this.write()
  }

  /**
   * Also counts an outcome that is not kept: the message that carries it must leave before the file starts over. Until
   * then the file says that the item has ended: neither does its time limit go on, nor does it begin again after a crash.
   */
  #noteOutcome(kind: number, item: RecordedItem, body: string | Uint8Array | undefined): boolean {
    this.#outcomes++
    this.#lateAt = Math.min(this.#lateAt, item.lateAt)
    const fits = body !== undefined && mostBytesOf(body) <= MAX_OUTCOME_BYTES
    if (fits && this.#note(kind, item.id, item.offset, 0, body)) return true
    this.writeEnded(item)
    return false
  }

  /** The item has ended, and its outcome will only be in a message. Encoding a large one takes time of its own. */
  writeEnded({ id, offset }: RecordedItem): void {
    this.#note(KIND.sending, id, offset, this.#now(), undefined)
    this.write()
  }

  /** False if it has no room, or nothing is recorded any more. */
  #note(kind: number, id: number, offset: number, time: Ms, body: string | Uint8Array | undefined): boolean {
    if (this.#hasFailed) return false
    if (this.#isFrozen) return true
    const mostBytes =
      body === undefined
        ? HEAD_BYTES + CHECK_BYTES
        : HEAD_BYTES + CHECK_BYTES + ROOM_FOR_MARKS_BYTES + mostBytesOf(body)
    if (this.#position + this.#filled + mostBytes + END_BYTES > FILE_BYTES) return false
    const buffer = this.#buffer
    const start = this.#filled
    const bodyStart = start + HEAD_BYTES
    let bodyBytes = 0
    if (typeof body === 'string') bodyBytes = buffer.write(body, bodyStart)
    else if (body !== undefined) {
      buffer.set(body, bodyStart)
      bodyBytes = body.length
    }
    const size = HEAD_BYTES + bodyBytes + CHECK_BYTES
    buffer.writeUInt32LE(size, start)
    buffer[start + 4] = kind
    buffer.writeUInt32LE(id, start + 5)
    buffer.writeUInt32LE(offset, start + 9)
    buffer.writeDoubleLE(time, start + 13)
    buffer.writeUInt32LE((size ^ CHECK) >>> 0, bodyStart + bodyBytes)
    this.#filled = start + size
    return true
  }
}

function mostBytesOf(body: string | Uint8Array): number {
  return typeof body === 'string' ? body.length * MAX_BYTES_PER_CHARACTER : body.length
}

function tryEncode(value: unknown): Buffer | undefined {
  try {
    return encode(value)
  } catch {
    // Cannot be cloned: sending it fails, too, and reports why.
    return undefined
  }
}
