// What a worker writes down so that its death cannot take it along: which item it has begun, and the outcomes that
// have not been sent yet. A nameless file that parent and worker share; the worker writes, the parent reads it when the
// worker is gone or silent. One `pwrite` of about a microsecond an item, no reader needed, nothing to lose in a pipe.
// Knows nothing of scheduling: it gives facts.
//
//   record:  size u32 · kind u8 · chunk id u32 · offset u32 · time f64 · body · check u32      … then size 0: the end
import { closeSync, readSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { deserialize, serialize } from 'node:v8'
import type { Failure, Ms } from '../model.js'
import { tryOpenNamelessFile } from '../nameless-file.js'

const HEAD = 4 + 1 + 4 + 4 + 8
const CHECK = 0x706f_6f6c
const SCRATCH = 256 * 1024
/** The file starts over once it is this long and everything in it has left; sooner would cost a write a message. */
const START_OVER = 32 * 1024
/** Larger outcomes are sent before the next item begins instead of being written twice. */
const LARGEST = 64 * 1024

const KIND = { begin: 1, json: 2, value: 3, failure: 4, blind: 5, between: 6 } as const

/** The clock both processes share, in ms: monotonic since the machine started, unlike `performance.now()`. */
export function sharedNow(): Ms {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

// ── the worker's side ──────────────────────────────────────────────────────────────────────────────────────────────

export class FlightRecorder {
  readonly #fd: number
  readonly #now: () => Ms
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH)
  #filled = 0
  #position = 0
  /** Outcomes since the start; `mark` of a message says how many it carried. */
  #outcomes = 0
  #frozen = false
  /** What is said again when the file starts over: the item that each open chunk has begun, or that it is blind. */
  readonly #open = new Map<number, { offset: number; time: Ms; lateAt: Ms } | 'blind'>()
  /** From then on a reader takes an item for late that has ended, because that is not written down yet. */
  #lateAt = Number.POSITIVE_INFINITY

  constructor(fd: number, now: () => Ms = sharedNow) {
    this.#fd = fd
    this.#now = now
  }

  /**
   * The item begins; what was noted before is written down with it. False if it must not: a reader may have found an
   * item late that had ended in time, and the kill that is then on its way is to meet no other.
   */
  begin(id: number, offset: number, timeoutMs = Number.POSITIVE_INFINITY): boolean {
    if (this.#mayBeJudged()) return false
    const time = this.#now()
    this.#open.set(id, { offset, time, lateAt: time + timeoutMs })
    this.#note(KIND.begin, id, offset, time, undefined)
    this.#write()
    if (!this.#mayBeJudged()) return true
    this.#open.delete(id)
    this.#note(KIND.between, id, 0, 0, undefined)
    this.#write()
    return false
  }

  #mayBeJudged(): boolean {
    if (this.#lateAt === Number.POSITIVE_INFINITY || this.#now() < this.#lateAt) return false
    this.#lateAt = Number.POSITIVE_INFINITY
    return true
  }

  /** False where it is too large to be kept twice: send it before the next item begins. */
  json(id: number, offset: number, text: string): boolean {
    return this.#outcome(KIND.json, id, offset, text.length * 3 <= LARGEST ? text : undefined)
  }

  value(id: number, offset: number, value: unknown): boolean {
    return this.#clone(KIND.value, id, offset, value)
  }

  failure(id: number, offset: number, failure: Failure): boolean {
    return this.#clone(KIND.failure, id, offset, failure)
  }

  /** The chunk is over: nothing of it is running. */
  end(id: number): void {
    this.#open.delete(id)
    if (this.#lateAt !== Number.POSITIVE_INFINITY) this.#write()
  }

  /** No chunk is blind any more, and none of those that were has an item running: all that settled is on its way. */
  unblind(): void {
    for (const [id, state] of this.#open) {
      if (state !== 'blind') continue
      this.#open.delete(id)
      this.#note(KIND.between, id, 0, 0, undefined)
    }
    this.#write()
  }

  /** The items of these chunks are too cheap to be written down one by one; one write for all that came together. */
  blind(ids: readonly number[]): void {
    let news = false
    for (const id of ids) {
      if (this.#open.get(id) === 'blind') continue
      this.#open.set(id, 'blind')
      this.#note(KIND.blind, id, 0, 0, undefined)
      news = true
    }
    if (news) this.#write()
  }

  /** From here on nothing is written: what is being aborted stays running for whoever reads this. */
  freeze(): void {
    this.#frozen = true
  }

  get mark(): number {
    return this.#outcomes
  }

  /** Outcomes up to `mark` have left the process: if these are all, the file starts over. */
  delivered(mark: number): void {
    if (mark !== this.#outcomes || this.#frozen) return
    if (this.#position + this.#filled < START_OVER) return
    this.#position = 0
    this.#filled = 0
    for (const [id, state] of this.#open)
      if (state === 'blind') this.#note(KIND.blind, id, 0, 0, undefined)
      else this.#note(KIND.begin, id, state.offset, state.time, undefined)
    this.#write()
  }

  #clone(kind: number, id: number, offset: number, value: unknown): boolean {
    let body: Buffer | undefined
    try {
      body = serialize(value)
    } catch {
      // Cannot be cloned: sending it finds out, and says why.
    }
    return this.#outcome(kind, id, offset, body)
  }

  /** Counted also where it is not kept: the message that carries it has to leave before the file starts over. */
  #outcome(kind: number, id: number, offset: number, body: string | Uint8Array | undefined): boolean {
    this.#outcomes++
    const item = this.#open.get(id)
    if (typeof item === 'object') this.#lateAt = Math.min(this.#lateAt, item.lateAt)
    if (body === undefined || body.length > LARGEST) return false
    this.#note(kind, id, offset, 0, body)
    return true
  }

  #note(kind: number, id: number, offset: number, time: Ms, body: string | Uint8Array | undefined): void {
    if (this.#frozen) return
    if (this.#filled + LARGEST + HEAD + 8 > SCRATCH) this.#write()
    const buffer = this.#scratch
    const start = this.#filled
    const size =
      body === undefined ? 0 : typeof body === 'string' ? buffer.write(body, start + HEAD) : body.length
    if (body !== undefined && typeof body !== 'string') buffer.set(body, start + HEAD)
    buffer.writeUInt32LE(HEAD + size + 4, start)
    buffer[start + 4] = kind
    buffer.writeUInt32LE(id, start + 5)
    buffer.writeUInt32LE(offset, start + 9)
    buffer.writeDoubleLE(time, start + 13)
    buffer.writeUInt32LE(((HEAD + size + 4) ^ CHECK) >>> 0, start + HEAD + size)
    this.#filled = start + HEAD + size + 4
  }

  #write(): void {
    if (this.#frozen) return
    this.#scratch.writeUInt32LE(0, this.#filled)
    try {
      writeSync(this.#fd, this.#scratch, 0, this.#filled + 4, this.#position)
      this.#position += this.#filled
      if (this.#lateAt !== Number.POSITIVE_INFINITY && this.#now() < this.#lateAt)
        this.#lateAt = Number.POSITIVE_INFINITY
    } catch {
      // A full disk, or the job closed the file: less is known after a crash, nothing else.
    }
    this.#filled = 0
  }
}

// ── the parent's side ──────────────────────────────────────────────────────────────────────────────────────────────

/** One outcome as it was written down. */
export type RecordedOutcome = { readonly id: number; readonly offset: number } & (
  | { readonly text: string }
  | { readonly value: unknown }
  | { readonly failure: Failure }
)

export interface FlightRecord {
  /** In the order in which they settled; some may have been sent, too. */
  readonly outcomes: readonly RecordedOutcome[]
  /** Items that began and have no outcome, with the time they began at on the shared clock. */
  readonly running: readonly { readonly id: number; readonly offset: number; readonly since: Ms }[]
  /** Chunks of which is not known how far they came. */
  readonly unrecorded: readonly number[]
}

export interface FlightRecordFile {
  readonly fd: number
  read(): FlightRecord
  close(): void
}

/** `undefined` where no temporary file can be had; then less is known after a crash. */
export function createFlightRecordFile(): FlightRecordFile | undefined {
  const fd = tryOpenNamelessFile('/dev/shm') ?? tryOpenNamelessFile(tmpdir())
  if (fd === undefined) return undefined
  return { fd, read: () => parse(readAll(fd)), close: () => closeSync(fd) }
}

function readAll(fd: number): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const part = Buffer.allocUnsafe(SCRATCH)
    let count = 0
    try {
      count = readSync(fd, part, 0, part.length, at)
    } catch {
      return Buffer.concat(parts)
    }
    if (count === 0) return Buffer.concat(parts)
    parts.push(part.subarray(0, count))
    at += count
    // Nearly always all of it: the end mark stands in the first block.
    if (count < part.length) return Buffer.concat(parts)
  }
}

function parse(bytes: Buffer): FlightRecord {
  const outcomes: RecordedOutcome[] = []
  const running = new Map<number, { id: number; offset: number; since: Ms }>()
  const blind = new Set<number>()
  for (let at = 0; at + HEAD + 4 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at)
    if (size < HEAD + 4 || at + size > bytes.length) break
    // A record that was torn by the death is none.
    if (bytes.readUInt32LE(at + size - 4) !== (size ^ CHECK) >>> 0) break
    const kind = bytes[at + 4]
    const id = bytes.readUInt32LE(at + 5)
    const offset = bytes.readUInt32LE(at + 9)
    const body = bytes.subarray(at + HEAD, at + size - 4)
    if (kind === KIND.begin) {
      blind.delete(id)
      running.set(id, { id, offset, since: bytes.readDoubleLE(at + 13) })
    } else if (kind === KIND.blind) {
      blind.add(id)
      running.delete(id)
    } else if (kind === KIND.between) {
      blind.delete(id)
      running.delete(id)
    } else {
      if (running.get(id)?.offset === offset) running.delete(id)
      if (kind === KIND.json) outcomes.push({ id, offset, text: body.toString() })
      else if (kind === KIND.value) outcomes.push({ id, offset, value: deserialize(body) })
      else outcomes.push({ id, offset, failure: deserialize(body) })
    }
    at += size
  }
  return { outcomes, running: [...running.values()], unrecorded: [...blind] }
}
