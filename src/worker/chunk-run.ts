// One chunk from its arrival to its end: which item is next, whether it is running, whether items are recorded, and how
// long they take. The only owner of these facts: outbox and recorder are handed this object and read them here.
import type { Clock } from '../clock.js'
import { BadItem, type ItemReader, readItems } from '../framing/parse.js'
import type { FlightRecorder, WatchedChunk } from '../ipc/flight-recorder/writer.js'
import type { ChunkMessage, ResultsMessage } from '../ipc/protocol.js'
import { Undecodable } from '../ipc/values.js'
import type { Failure, Ms, Payload } from '../model.js'
import type { Cost } from './cost.js'
import { checkLength, type Encoded, type LineEncoding, lineEncodingOf } from './encode-result.js'
import { YieldedLine } from './generator.js'
import type { Outbox, SendingChunk } from './outbox.js'
import { failedCommand, failureOf } from './outcome.js'
import { ChunkResults } from './results.js'
import { type Context, leaveTask, type Task } from './task-context.js'

/** Every 8th unrecorded item is timed: reading the clock costs more than the cheapest of them. */
const ITEMS_PER_TIMING = 8
/** A result that takes this much is not recorded, and encoding it takes time that is not its item's. */
const LARGE_CHARACTERS = 1024 * 1024
/** With fewer items left, starting to watch them would cost more than recording them. */
const MIN_WATCHED_ITEMS = 32
/** No time yet. Not 0: V8 would compile for integers first. */
const NO_TIME: Ms = Number.NaN

interface ChunkRunOptions {
  readonly cost: Cost
  readonly outbox: Outbox
  readonly recorder: FlightRecorder | undefined
  readonly clock: Clock
}

export class ChunkRun implements WatchedChunk, SendingChunk {
  readonly id: number
  readonly chunk: ChunkMessage
  /** Items that run here: those that were returned are not among them. */
  count: number
  readonly timeoutMs: Ms
  /** Context of the running item, where its signal may be needed. */
  context: Context | undefined
  /** Set by the recorder, with `lateAt`. */
  since = NO_TIME
  lateAt: Ms = Number.POSITIVE_INFINITY
  readonly #cost: Cost
  readonly #outbox: Outbox
  readonly #recorder: FlightRecorder | undefined
  readonly #clock: Clock
  readonly #sendsValues: boolean
  readonly #lines: LineEncoding
  /** The call wants the timings of each item. */
  readonly #sendsTimings: boolean
  readonly #results: ChunkResults
  #task!: Task
  #items!: ItemReader
  #offset = 0
  /** The item before which small calls have last had their turn. */
  #gaveWayAt = -1
  #isItemRunning = false
  #isRecorded = true
  /** Unrecorded, with a time limit: what lasts is recorded nevertheless. */
  #isWatched = false
  /** An item of it has failed, or has returned what cannot be kept as a line: the others are recorded. */
  #refusesWatch = false
  #isCancelled = false
  #hasFailed = false
  /** The running item has exceeded its time, and its signal was aborted. */
  #isExpired = false
  /** Recorded items are timed one by one, and so are unrecorded ones once one of them was slow. */
  #timesEachItem = true
  #isTiming = false
  #startedAt = NO_TIME
  /** When the running item returned a promise. */
  #returnedAt = NO_TIME
  /** When the last timed item ended. */
  #endedAt = NO_TIME
  /** The running item's result as a line, if `tryAddPlainResult` has made it and not added it: making it is most of its cost. */
  #unaddedText: string | undefined

  constructor(chunk: ChunkMessage, { cost, outbox, recorder, clock }: ChunkRunOptions) {
    this.id = chunk.id
    this.chunk = chunk
    this.count = chunk.count
    this.timeoutMs = chunk.timeoutMs ?? Number.POSITIVE_INFINITY
    this.#cost = cost
    this.#outbox = outbox
    this.#recorder = recorder
    this.#clock = clock
    this.#sendsValues = chunk.task.reply === 'values'
    this.#lines = lineEncodingOf(chunk.task)
    this.#sendsTimings = chunk.task.timed !== undefined && chunk.task.timed !== false
    this.#results = new ChunkResults(chunk, outbox.memory)
  }

  // ── from start to end ────────────────────────────────────────────────────────────────────────────────────────────

  start(task: Task): void {
    this.#task = task
    this.#items = itemsOf(this.chunk.payload)
    this.#results.start(this.#clock.now())
    this.#outbox.open(this)
    this.#recorder?.open(this)
    if (this.isCheap) this.stopRecording()
    else this.#isRecorded = true
    this.#timesEachItem = this.#isRecorded
  }

  /** No other item of it starts: every item has settled, or the rest was cancelled. */
  end(): void {
    this.#cost.update()
    this.#endWatch()
    this.#recorder?.end(this)
    if (this.#isCancelled) return this.#outbox.discard(this)
    this.#results.end(this.#clock.now())
    this.#outbox.close(this)
  }

  /** It was taken from the queue and never starts. */
  drop(): void {
    this.#recorder?.end(this)
  }

  cancel(reason: string): void {
    this.#isCancelled = true
    this.context?.abort(reason, 'AbortError')
  }

  /**
   * The item at this offset has exceeded its time: aborts its signal. Returns whether it listens; `undefined` if it is not
   * running.
   */
  expire(offset: number): boolean | undefined {
    if (!this.#isItemRunning || this.#offset !== offset || this.context === undefined) return undefined
    this.#isExpired = true
    this.context.abort(`the item exceeded ${this.timeoutMs} ms`, 'TimeoutError')
    return this.context.listens
  }

  /** Returns whether there were any. */
  giveUpUnstarted(): boolean {
    if (this.#isCancelled || !this.hasUnstarted) return false
    this.count = this.begun
    return true
  }

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** True once per item: small calls have their turn before it starts. Of a small call itself, never. */
  givesWay(): boolean {
    if (this.chunk.isSmall || this.#gaveWayAt === this.#offset) return false
    this.#gaveWayAt = this.#offset
    // One chunk is watched at a time, and what its items have returned must not be lost with another one's.
    if (this.#isWatched) this.#leaveWatch()
    return true
  }

  get hasNext(): boolean {
    return this.#offset < this.count && !this.#isCancelled
  }

  get hasUnstarted(): boolean {
    return this.begun < this.count
  }

  // ── the item that is next or running ─────────────────────────────────────────────────────────────────────────────

  get task(): Task {
    return this.#task
  }

  /** All items before it have settled. */
  get offset(): number {
    return this.#offset
  }

  get isItemRunning(): boolean {
    return this.#isItemRunning
  }

  /** Items that have begun. */
  get begun(): number {
    return this.#isItemRunning ? this.#offset + 1 : this.#offset
  }

  get itemIndex(): number {
    const { index } = this.chunk
    return typeof index === 'number' ? index + this.#offset : index[this.#offset]!
  }

  /** A value or a `BadItem`. */
  nextItem(): unknown {
    return this.#items.next()
  }

  /** False if the item must not start, and everything must be returned. */
  startItem(): boolean {
    this.#isItemRunning = this.#isRecorded
      ? this.#recorder?.startItem(this, this.timeoutMs) !== false
      : !this.#refusesStarts()
    return this.#isItemRunning
  }

  /** The running item has returned to the event loop, on which other items run, too. */
  suspend(): void {
    if (this.#isRecorded && this.hasTimeLimit) this.#recorder?.suspend(this)
  }

  /** No item is running: undoes the start of the next one by `tryAddPlainResult`. */
  undoStart(): void {
    this.#isItemRunning = false
  }

  /** The next item is expected to take no time to speak of: what has settled may wait for it. */
  get isNextQuick(): boolean {
    return this.#cost.isQuick
  }

  // ── whether items are recorded ───────────────────────────────────────────────────────────────────────────────────

  get isRecorded(): boolean {
    return this.#isRecorded
  }

  /** Its task's items are too cheap to be recorded, and nothing requires it. */
  get isCheap(): boolean {
    if (this.chunk.recordEachItem || !this.#cost.isCheap) return false
    return !this.hasTimeLimit || this.#canBeWatched
  }

  get hasTimeLimit(): boolean {
    return this.timeoutMs !== Number.POSITIVE_INFINITY
  }

  get #canBeWatched(): boolean {
    if (this.#refusesWatch || this.#cost.refusesWatch) return false
    if (this.count - this.#offset < MIN_WATCHED_ITEMS) return false
    return this.#recorder?.canWatch(this.timeoutMs) === true
  }

  /** Records with one write that the items of these chunks will not be recorded. They have not started yet. */
  static announceUnrecorded(runs: readonly ChunkRun[], recorder: FlightRecorder | undefined): void {
    for (const run of runs) {
      recorder?.open(run)
      run.#isRecorded = recorder?.noteUnrecorded(run) === false
    }
    recorder?.write()
  }

  stopRecording(): void {
    if (!this.#isRecorded) return
    if (this.hasTimeLimit) {
      this.#isWatched = this.#recorder?.watch(this, this.chunk.task.reply) === true
      this.#isRecorded = !this.#isWatched
      return
    }
    this.#isRecorded = this.#recorder?.noteUnrecorded(this) === false
    this.#recorder?.write()
  }

  /** The next item starts. Where items are recorded, `startItem` has done that. */
  watchItem(): void {
    if (this.#isWatched) this.#recorder!.beginWatched(this.#offset)
  }

  wasRecorded(since: Ms): void {
    this.#isWatched = false
    this.#isRecorded = true
    this.#timesEachItem = true
    this.since = since
    this.lateAt = since + this.timeoutMs
  }

  /** What its items have returned is in the file from now on. */
  #endWatch(): void {
    if (!this.#isWatched) return
    this.#recorder!.unwatch()
    this.#isWatched = false
    if (!this.#recorder!.hasRoomToWatch) this.#outbox.flushBeforeNextItem()
  }

  /**
   * Keeps what the item has returned, if items are watched. Otherwise the outcome has to be recorded, if anything is:
   * `undefined` cannot be kept.
   */
  #tryKeep(line: string | undefined): boolean {
    if (!this.#isWatched) return false
    if (line !== undefined && this.#recorder!.endWatched(this.#offset, line)) return true
    // It has lasted, and the next one may be cheap again.
    if (this.#isRecorded) return false
    this.#refusesWatch = true
    this.#leaveWatch()
    return false
  }

  /** Where items turn out to be cheap again, they are watched again. */
  #leaveWatch(): void {
    this.#timesEachItem = true
    this.startRecording()
  }

  /** From now on each item is recorded, however cheap. */
  startRecording(): void {
    this.#endWatch()
    if (this.#isRecorded) return
    this.#isRecorded = true
    this.#recorder?.noteBetweenItems(this)
    this.#recorder?.write()
    if (this.#isItemRunning) this.#recorder?.startItem(this, this.timeoutMs)
  }

  /** True if no item has to be recorded or timed one by one; stops it if the items have turned out cheap. */
  trySkipRecording(): boolean {
    if (this.#refusesStarts()) return false
    if (!this.#timesEachItem) return !this.#isRecorded
    if (!this.isCheap) return false
    this.stopRecording()
    this.#timesEachItem = this.#isRecorded
    return !this.#isRecorded && !this.#refusesStarts()
  }

  #refusesStarts(): boolean {
    return this.#recorder?.refusesStarts === true
  }

  // ── how long items take ──────────────────────────────────────────────────────────────────────────────────────────

  startTiming(): void {
    this.#isTiming = this.isItemTimed || !this.#cost.isQuick
    if (this.#isTiming) this.#startedAt = this.#clock.now()
  }

  /** The running item has returned a promise: from here on it does not block this process. */
  returnedPromise(): void {
    if (this.#isTiming) this.#returnedAt = this.#clock.now()
  }

  get isItemTimed(): boolean {
    return this.#timesEachItem || this.#sendsTimings || this.#offset % ITEMS_PER_TIMING === 0
  }

  /** 0 where the item is not timed. */
  endTiming(): Ms {
    if (!this.#isTiming) return 0
    this.#isTiming = false
    this.#endedAt = this.#clock.now()
    const tookMs = this.#endedAt - this.#startedAt
    const blockedMs = Number.isNaN(this.#returnedAt) ? tookMs : this.#returnedAt - this.#startedAt
    this.#returnedAt = NO_TIME
    if (this.#cost.add(tookMs, blockedMs)) this.#timesEachItem = true
    return tookMs
  }

  /** When the last timed item ended. */
  get endedAt(): Ms {
    return this.#endedAt
  }

  get timesEachItem(): boolean {
    return this.#timesEachItem
  }

  /** What has settled must be sent before the next item starts. */
  get isFlushDue(): boolean {
    return this.#offset < this.count && this.#outbox.isFlushDue(this.#endedAt)
  }

  // ── settling ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Settles the item that is running. Returns how long it took. */
  settle(succeeded: boolean, outcome: unknown, tookMs: Ms = this.endTiming()): Ms {
    if (this.#isCancelled) return 0
    leaveTask()
    const failure = this.#isExpired
      ? this.#timeout(succeeded ? undefined : outcome)
      : failureOf(succeeded, outcome)
    if (failure === undefined) this.#succeed(outcome)
    else {
      this.#hasFailed = true
      this.#fail(failure)
    }
    this.#results.addTiming(this.#startedAt, tookMs)
    return tookMs
  }

  /** Whatever it ended with after its time. */
  #timeout(thrown: unknown): Failure {
    this.#isExpired = false
    const command = failedCommand(thrown)
    return {
      kind: 'timeout',
      timeoutMs: this.timeoutMs,
      ended: 'stopped',
      ...(command !== undefined && { command }),
    }
  }

  /** Settles the next item, which does not run. */
  refuse(item: BadItem): void {
    const { message, at } = item
    this.#fail(
      item instanceof UndecodableItem
        ? { kind: 'encoding', side: 'argument', path: '', message, preview: '' }
        : { kind: 'input', message, at },
    )
    if (this.#sendsTimings) this.#results.addTiming(this.#clock.now(), 0)
  }

  /**
   * Settles the item that is running, as `settle` does, and starts the next one, if that takes nothing but adding the
   * result. False, with nothing done, if the chunk is recorded, if JSON does not carry the value as it is, or if this much
   * text has to be sent before the next item starts.
   */
  tryAddPlainResult(value: unknown, tookMs: Ms = 0): boolean {
    if (this.#isRecorded || this.#outbox.hasMuchText) return false
    if (this.#sendsValues) {
      const size = sizeOf(value)
      if (size > 0 && this.#outbox.wouldBeFull(size)) return false
      if (this.#isWatched && !this.#tryKeep(lineOfValue(value))) return false
      this.#results.addValue(value)
      this.#plainSettled(size, tookMs)
      return true
    }
    const text = value instanceof YieldedLine ? value.text : this.#lines.plain(value)
    if (text === undefined) return false
    if (this.#outbox.wouldBeFull(text.length) || (this.#isWatched && !this.#tryKeep(text))) {
      this.#unaddedText = text
      return false
    }
    this.#results.addLine(text)
    this.#plainSettled(text.length, tookMs)
    return true
  }

  #plainSettled(characters: number, tookMs: Ms): void {
    if (this.#sendsTimings) this.#results.addTiming(this.#startedAt, tookMs)
    this.#offset++
    this.#outbox.itemSettled(characters, !this.#hasLittleRoom)
  }

  get #hasLittleRoom(): boolean {
    return this.#isWatched && this.#recorder!.hasLittleRoom
  }

  /** An item failed. The parent may stop everything for it, so it is sent immediately. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  get unsentItems(): number {
    return this.#offset - this.#results.from
  }

  takeMessage(now: Ms): ResultsMessage | undefined {
    return this.#results.takeMessage(this.#offset, now)
  }

  #succeed(value: unknown): void {
    if (this.#isRecorded && sizeOf(value) >= LARGE_CHARACTERS) this.#recorder?.writeEnded(this)
    if (this.#sendsValues) {
      const line = this.#isWatched ? lineOfValue(value) : undefined
      if (this.#isWatched && line === undefined) this.#cost.refusesWatch = true
      const isSafe = this.#tryKeep(line) || !this.#isRecorded || this.#recorder?.value(this, value) === true
      this.#results.addValue(value)
      return this.#settled(sizeOf(value), isSafe)
    }
    const encoded = this.#encode(value)
    if ('unserializable' in encoded)
      return this.#fail({ kind: 'encoding', side: 'result', ...encoded.unserializable })
    const { text } = encoded
    const isSafe = this.#tryKeep(text) || !this.#isRecorded || this.#recorder?.json(this, text) === true
    this.#results.addLine(text)
    this.#settled(text.length, isSafe)
  }

  #encode(value: unknown): Encoded {
    if (this.#unaddedText !== undefined) return checkLength(this.#unaddedText)
    return value instanceof YieldedLine ? value : this.#lines.encode(value)
  }

  #fail(failure: Failure): void {
    this.#tryKeep(undefined)
    const isSafe = !this.#isRecorded || this.#recorder?.failure(this, failure) === true
    this.#results.addFailure(this.#offset, failure)
    this.#settled(0, isSafe)
  }

  #settled(characters: number, isSafe: boolean): void {
    this.#isItemRunning = false
    this.#unaddedText = undefined
    this.#offset++
    this.#outbox.itemSettled(characters, isSafe && !this.#hasLittleRoom)
  }
}

/** Of values that are large without being made of many parts; others are measured when they are sent. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (value instanceof YieldedLine) return value.text.length
  return ArrayBuffer.isView(value) ? value.byteLength : 0
}

/** The value as JSON from which the same value is read; empty for `undefined`. There is none for most objects. */
function lineOfValue(value: unknown): string | undefined {
  switch (typeof value) {
    case 'undefined':
      return ''
    case 'number':
      return value - value === 0 && !Object.is(value, -0) ? String(value) : undefined
    case 'string':
      return value.length < LARGE_CHARACTERS ? JSON.stringify(value) : undefined
    case 'boolean':
      return String(value)
    default:
      return value === null ? 'null' : undefined
  }
}

function itemsOf(payload: Payload): ItemReader {
  if (payload.kind === 'bytes') return readItems(payload)
  const { values } = payload
  let i = 0
  return {
    next() {
      const value = values[i++]
      return value instanceof Undecodable ? new UndecodableItem(value.message, 0) : value
    },
  }
}

class UndecodableItem extends BadItem {}
