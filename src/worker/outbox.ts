// Outcomes on their way to the parent: written down, gathered into ranges, sent together. Knows nothing of tasks.

import { CHUNK_BYTES } from '../defaults.js'
import { findUncloneable } from '../errors/capture/find-unserializable.js'
import { asBuffer } from '../framing/bytes.js'
import type { FlightRecorder } from '../ipc/flight-recorder.js'
import type { ChunkMessage, ResultsMessage } from '../ipc/protocol.js'
import type { Failure, Ms, Results } from '../model.js'
import { encodeJson, plainText } from './encode-result.js'

/**
 * Text gathered beyond this is sent at once, and the next item waits until it has left: a death must not take it. More
 * than a chunk of input, so that results of about its size leave in one message.
 */
const FULL_CHARACTERS = CHUNK_BYTES + 8 * 1024
/** Text becomes bytes in pieces of about this: V8 keeps strings of more than about 128 KiB apart, which costs more. */
const PIECE_CHARACTERS = 64 * 1024

/** What has settled of a chunk since it was last sent. */
export interface ChunkResults {
  readonly id: number
  readonly reply: Results['kind']
  /** Each item is written down, before it begins and when it has settled. */
  recorded: boolean
  /** The item after those that have settled is running. */
  begun: boolean
  from: number
  count: number
  /** The results as lines of JSON: what is bytes already, and what follows. */
  pieces: Buffer[]
  text: string
  values: unknown[]
  failures: { offset: number; failure: Failure }[]
  /** When each began and how long it took, where the task asks for it. */
  readonly timed: boolean
  startedAt: Ms[]
  ms: Ms[]
  busySince: Ms
  /** When the chunk ended: what gathers company before it is sent costs no more for it. */
  busyUntil: Ms | undefined
}

export interface Outbox {
  /** Chunks that are to begin later and whose items will not be written down one by one. */
  expectBlind(ids: readonly number[]): void
  /** A chunk begins; its items then settle in order. */
  open(chunk: ChunkMessage, recorded: boolean): ChunkResults
  /** From here on its items are not written down one by one. */
  goBlind(range: ChunkResults): void
  /** Its next item begins; false if it must not, and everything is to be given back. */
  begin(id: number, timeoutMs?: Ms): boolean
  succeeded(id: number, value: unknown): void
  /**
   * As `succeeded`, with nothing to look up or write down, and the next item begins. False, and nothing done, where
   * that will not do, and where it is full.
   */
  add(range: ChunkResults, value: unknown): boolean
  /** Nothing of it runs, after `add` has begun its next item. */
  pause(range: ChunkResults): void
  /** How long the one that settled last took, and when it began (`performance.now()`). */
  took(id: number, began: Ms, ms: Ms): void
  failed(id: number, failure: Failure): void
  /** The chunk is over: nothing more comes for it. */
  close(id: number): void
  /** Drops what a cancelled chunk had gathered. */
  discard(id: number): void
  /**
   * From here on also those chunks are written down that are too cheap for it, and at once what has not left yet: this
   * process may end, and what waits in a full channel with it.
   */
  pinpoint(): void
  /** Nothing would be sent now. */
  readonly empty: boolean
  /** When the last message left. */
  readonly flushedAt: Ms
  /** Much has gathered, or something that is nowhere else: `flush` and wait. */
  readonly full: boolean
  /** Sends everything that has settled. Resolves when it has left this process. */
  flush(): Promise<void>
}

export interface OutboxOptions {
  /** Throws what structured clone throws; its promise resolves when the message has left this process. */
  readonly send: (ranges: readonly ResultsMessage[]) => Promise<void>
  readonly recorder: FlightRecorder | undefined
}

export function createOutbox({ send, recorder }: OutboxOptions): Outbox {
  const open = new Map<number, ChunkResults>()
  /** The one that was asked for last: nearly always it is asked for again. */
  let latest: ChunkResults | undefined
  let done: ChunkResults[] = []
  let characters = 0
  let settled = 0
  let unrecorded = false
  /** Messages that may still be in this process. */
  const leaving: (readonly ResultsMessage[])[] = []
  let flushedAt = performance.now()

  const rangeOf = (id: number) => {
    if (latest?.id !== id) latest = open.get(id)!
    return latest
  }
  const settle = (range: ChunkResults, written: boolean) => {
    range.begun = false
    range.count++
    settled++
    if (!written) unrecorded = true
  }
  const write = (range: ChunkResults, text: string) => {
    range.text += `${text}\n`
    if (range.text.length >= PIECE_CHARACTERS) toBytes(range)
    characters += text.length
  }
  const trySend = (message: readonly ResultsMessage[]) => {
    try {
      return { message, sent: send(message) }
    } catch {
      const cloneable = message.map(withoutUncloneable)
      return { message: cloneable, sent: send(cloneable) }
    }
  }
  const writeDown = ({ id, from, count, results, failures }: ResultsMessage) => {
    const failed = new Map(failures.map(({ offset, failure }) => [offset, failure]))
    const lines = results.kind === 'json' ? asBuffer(results.bytes).toString().split('\n') : []
    let line = 0
    for (let place = 0; place < count; place++) {
      const failure = failed.get(from + place)
      if (failure !== undefined) recorder?.failure(id, from + place, failure)
      else if (results.kind === 'json') recorder?.json(id, from + place, lines[line++]!)
      else recorder?.value(id, from + place, results.values[place])
    }
  }

  return {
    expectBlind(ids) {
      recorder?.blind(ids)
    },
    open({ id, task: { reply, timed = false } }, recorded) {
      const busySince = performance.now()
      const nothing = {
        from: 0,
        count: 0,
        pieces: [],
        text: '',
        values: [],
        failures: [],
        startedAt: [],
        ms: [],
      }
      const range = { id, reply, timed, recorded, begun: false, busySince, busyUntil: undefined, ...nothing }
      open.set(id, range)
      if (!recorded) recorder?.blind([id])
      return range
    },
    goBlind(range) {
      range.recorded = false
      recorder?.blind([range.id])
    },
    begin(id, timeoutMs) {
      const range = rangeOf(id)
      range.begun = !range.recorded || recorder?.begin(id, range.from + range.count, timeoutMs) !== false
      return range.begun
    },
    succeeded(id, value) {
      const range = rangeOf(id)
      const offset = range.from + range.count
      if (range.reply === 'values') {
        range.values.push(value)
        return settle(range, !range.recorded || recorder?.value(id, offset, value) === true)
      }
      const encoded = encodeJson(value)
      if ('culprit' in encoded)
        return this.failed(id, { kind: 'encoding', side: 'result', ...encoded.culprit })
      write(range, encoded.text)
      settle(range, !range.recorded || recorder?.json(id, offset, encoded.text) === true)
    },
    pause(range) {
      range.begun = false
    },
    add(range, value) {
      if (range.recorded || characters >= FULL_CHARACTERS) return false
      if (range.reply === 'values') range.values.push(value)
      else {
        const text = plainText(value)
        if (text === undefined) return false
        write(range, text)
      }
      range.count++
      settled++
      return true
    },
    failed(id, failure) {
      const range = rangeOf(id)
      const offset = range.from + range.count
      range.failures.push({ offset, failure })
      if (range.reply === 'values') range.values.push(undefined)
      settle(range, !range.recorded || recorder?.failure(id, offset, failure) === true)
    },
    took(id, began, ms) {
      const range = rangeOf(id)
      if (!range.timed) return
      range.startedAt.push(performance.timeOrigin + began)
      range.ms.push(ms)
    },
    close(id) {
      const range = open.get(id)
      open.delete(id)
      latest = undefined
      recorder?.end(id)
      if (range === undefined || range.count === 0) return
      range.busyUntil = performance.now()
      done.push(range)
    },
    discard(id) {
      const range = open.get(id)
      open.delete(id)
      latest = undefined
      recorder?.end(id)
      if (range !== undefined) settled -= range.count
    },
    pinpoint() {
      for (const message of leaving) for (const range of message) writeDown(range)
      recorder?.unblind()
      for (const range of open.values()) {
        if (range.recorded) continue
        range.recorded = true
        if (range.begun) recorder?.begin(range.id, range.from + range.count)
      }
    },
    get empty() {
      return settled === 0
    },
    get flushedAt() {
      return flushedAt
    },
    get full() {
      return unrecorded || characters >= FULL_CHARACTERS
    },
    flush() {
      flushedAt = performance.now()
      if (settled === 0) return Promise.resolve()
      const ranges = [...done, ...[...open.values()].filter(({ count }) => count > 0)]
      const message = ranges.map((range) => toWire(range, flushedAt))
      for (const range of open.values()) restart(range, flushedAt)
      done = []
      characters = 0
      settled = 0
      unrecorded = false
      const mark = recorder?.mark
      const trial = trySend(message)
      leaving.push(trial.message)
      return trial.sent.then(() => {
        leaving.shift()
        if (mark !== undefined) recorder?.delivered(mark)
      })
    },
  }
}

function toWire(range: ChunkResults, now: Ms): ResultsMessage {
  const { id, from, count, reply, values, failures, timed, startedAt, ms, busySince, busyUntil = now } = range
  const results: Results =
    reply === 'values' ? { kind: 'values', values } : { kind: 'json', bytes: bytesOf(range) }
  const timings = timed && { startedAt: Float64Array.from(startedAt), ms: Float64Array.from(ms) }
  return { id, from, count, results, failures, busyMs: busyUntil - busySince, ...(timings && { timings }) }
}

function toBytes(range: ChunkResults): void {
  range.pieces.push(Buffer.from(range.text))
  range.text = ''
}

function bytesOf(range: ChunkResults): Buffer {
  if (range.pieces.length === 0) return Buffer.from(range.text)
  toBytes(range)
  return Buffer.concat(range.pieces)
}

function restart(range: ChunkResults, now: Ms): void {
  range.from += range.count
  range.count = 0
  range.pieces = []
  range.text = ''
  range.values = []
  range.failures = []
  range.startedAt = []
  range.ms = []
  range.busySince = now
}

/** A result that cannot be cloned fails its own item; the others of the message go as they are. */
function withoutUncloneable(range: ResultsMessage): ResultsMessage {
  if (range.results.kind !== 'values') return range
  const failures = new Map(range.failures.map((failed) => [failed.offset, failed.failure]))
  const values = range.results.values.map((value, place) => {
    const culprit = findUncloneable(value)
    if (culprit === undefined) return value
    failures.set(range.from + place, { kind: 'encoding', side: 'result', ...culprit })
    return undefined
  })
  const sorted = [...failures]
    .map(([offset, failure]) => ({ offset, failure }))
    .sort((a, b) => a.offset - b.offset)
  return { ...range, results: { kind: 'values', values }, failures: sorted }
}
