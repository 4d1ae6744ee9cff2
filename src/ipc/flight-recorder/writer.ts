// The worker's side of the flight recorder. One `pwrite` of about a microsecond per item; there is no pipe that could
// lose what is in it, and nothing has to read along.
import { writeSync } from 'node:fs'
import { serialize } from 'node:v8'
import type { Failure, Ms } from '../../model.js'
import { CHECK, CHECK_BYTES, END_BYTES, HEAD_BYTES, KIND, sharedNow } from './format.js'

/** Records wait here until the next write. */
const BUFFER_BYTES = 256 * 1024
/** The file starts over once it is this long and all its outcomes have been sent; sooner would cost a write per message. */
const START_OVER_AT_BYTES = 32 * 1024
/** A larger outcome is sent before the next item starts instead of being written twice. */
const MAX_OUTCOME_BYTES = 64 * 1024
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

/** A chunk as the recorder sees it: the worker's own object, the only owner of where the chunk is. */
export interface RecordedChunk extends RecordedItem {
  readonly isRecorded: boolean
  /** The item at `offset` has started and has not settled. */
  readonly isItemRunning: boolean
  /** Both are set when the item is recorded as started: since when it runs, by the shared clock, and its time limit. */
  since: Ms
  lateAt: Ms
}

export class FlightRecorder {
  readonly #fd: number
  readonly #now: () => Ms
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #filled = 0
  #position = 0
  #outcomes = 0
  #isFrozen = false
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

  constructor(fd: number, now: () => Ms = sharedNow) {
    this.#fd = fd
    this.#now = now
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
   * start, because the parent may have judged another item late.
   */
  startItem(chunk: RecordedChunk, timeoutMs: Ms): boolean {
    if (this.#mayBeJudgedLate()) return false
    const now = this.#now()
    chunk.since = now
    chunk.lateAt = now + timeoutMs
    this.#note(KIND.start, chunk.id, chunk.offset, now, undefined)
    this.write()
    if (!this.#mayBeJudgedLate()) return true
    this.noteBetweenItems(chunk)
    this.write()
    return false
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
    const fits = text.length * MAX_BYTES_PER_CHARACTER <= MAX_OUTCOME_BYTES
    return this.#noteOutcome(KIND.json, item, fits ? text : undefined)
  }

  value(item: RecordedItem, value: unknown): boolean {
    return this.#noteOutcome(KIND.value, item, trySerialize(value))
  }

  failure(item: RecordedItem, failure: Failure): boolean {
    return this.#noteOutcome(KIND.failure, item, trySerialize(failure))
  }

  /** Notes that the chunk's items are not recorded any more. */
  noteUnrecorded({ id }: RecordedChunk): void {
    this.#note(KIND.unrecorded, id, 0, 0, undefined)
  }

  /** Notes that no item of the chunk is running. */
  noteBetweenItems({ id }: RecordedChunk): void {
    this.#note(KIND.between, id, 0, 0, undefined)
  }

  /** Writes what was noted. */
  write(): void {
    if (this.#isFrozen) return
    this.#buffer.writeUInt32LE(0, this.#filled)
    try {
      writeSync(this.#fd, this.#buffer, 0, this.#filled + END_BYTES, this.#position)
      this.#position += this.#filled
      if (this.#lateAt !== NEVER && this.#now() < this.#lateAt) this.#lateAt = NEVER
    } catch {
      // A full disk, or the job closed the file: less is known after a crash, nothing else.
    }
    this.#filled = 0
  }

  /** From here on nothing is written: an item that is being aborted stays running for the reader. */
  freeze(): void {
    this.#isFrozen = true
  }

  /** How many outcomes there were so far. Taken when a message is made, and returned to `delivered`. */
  get mark(): number {
    return this.#outcomes
  }

  /** The outcomes up to `mark` have left this process. If there are no others, the file starts over. */
  delivered(mark: number): void {
    if (mark !== this.#outcomes || this.#isFrozen) return
    if (this.#position + this.#filled < START_OVER_AT_BYTES) return
    this.#position = 0
    this.#filled = 0
    for (const chunk of this.#chunks)
      if (!chunk.isRecorded) this.noteUnrecorded(chunk)
      else if (chunk.isItemRunning) this.#note(KIND.start, chunk.id, chunk.offset, chunk.since, undefined)
    this.write()
  }

  /** Also counts an outcome that is not kept: the message that carries it must leave before the file starts over. */
  #noteOutcome(kind: number, item: RecordedItem, body: string | Uint8Array | undefined): boolean {
    this.#outcomes++
    this.#lateAt = Math.min(this.#lateAt, item.lateAt)
    if (body === undefined || body.length > MAX_OUTCOME_BYTES) return false
    this.#note(kind, item.id, item.offset, 0, body)
    return true
  }

  #note(kind: number, id: number, offset: number, time: Ms, body: string | Uint8Array | undefined): void {
    if (this.#isFrozen) return
    if (this.#filled + HEAD_BYTES + MAX_OUTCOME_BYTES + CHECK_BYTES + END_BYTES > BUFFER_BYTES) this.write()
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
  }
}

function trySerialize(value: unknown): Buffer | undefined {
  try {
    return serialize(value)
  } catch {
    // Cannot be cloned: sending it fails, too, and reports why.
    return undefined
  }
}
