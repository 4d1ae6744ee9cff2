// What really happened to the items of one call, and what must hold about it. Knows each item that began, settled or was
// delivered, and throws when an invariant is broken.
import type { ChunkMessage } from '../../src/ipc/protocol.js'
import type { CancelledRange, Failure, ItemFailure, Payload, SettledRange } from '../../src/model.js'
import { FAILED, type KeptJournal, OK, resultOf } from './kept-journal.js'
import { type CallPlan, type Deed, DOES } from './plan.js'

export class Violation extends Error {}

let first: Violation | undefined

/** Also noted here: what throws inside of the code under test may be taken for the error of a source or a hook. */
export function violated(what: string): never {
  first ??= new Violation(what)
  throw first
}

/** The first violation since the last call. */
export function takeViolation(): Violation | undefined {
  const violation = first
  first = undefined
  return violation
}

const CANCELLED = 3
const RETRIED: ReadonlySet<Failure['kind']> = new Set(['error', 'crash', 'timeout', 'oom'])

const LF = 0x0a
const COMMA = 0x2c
const OPEN = 0x5b
const CLOSE = 0x5d
const ZERO = 0x30

/** What the world around a call does. */
export interface CallWorld {
  readonly records: boolean
  readonly recorderFails: number
  /** No worker fails, dies or lies. */
  readonly isPredictable: boolean
}

export class CallWitness {
  readonly task: string
  /** Items taken from its source. */
  taken = 0
  settledItems = 0
  /** Items that the consumer has received. */
  received = 0
  /** Its source has ended, or failed. */
  sourceEnded = false
  isPulling = false
  /** It ends early: its output may have gaps. */
  isCutShort = false
  /** `done`, `aborted`, …: what the scheduler ended it with. */
  end: string | undefined
  readonly #isRecorded: boolean
  /** The last attempt that began. */
  readonly #began: Uint16Array
  /** That attempt may begin again, because its first beginning was not recorded. */
  readonly #mayBeginAgain: Uint8Array
  /** The last attempt that was dispatched, and how often it was. */
  readonly #attempt: Uint16Array
  readonly #dispatches: Uint8Array
  /** The attempt whose outcome has left the process. */
  readonly #safe: Uint16Array
  /** A worker has lied about it. */
  readonly #isRelaxed: Uint8Array
  readonly #outcomes: Uint8Array
  readonly #settleOrder: number[] = []
  #nextDelivered = 0
  #deliveredItems = 0
  #okItems = 0
  #failedItems = 0
  #written = 0
  /** Digits of the number that is being written. */
  #number = -1
  #isClosed = false
  /** Bytes of results that have settled and were not delivered. */
  heldBytes = 0
  /** Index of the failure that was raised: nothing behind it is delivered. */
  raisedAt: number | undefined
  isOpen = false
  /** The policy has stopped it. */
  isStopped = false
  isAborted = false
  isDraining = false
  /** What its flow has reported of each item. */
  readonly #reports: Uint8Array
  readonly #isPredictable: boolean
  /** With a journal: items that have settled after they were in it, and those that were in it before. */
  #accepted = 0
  /** With a journal: what was written. */
  #output = ''

  constructor(
    readonly id: number,
    readonly plan: CallPlan,
    { records, recorderFails, isPredictable }: CallWorld,
    readonly journal: KeptJournal | undefined,
  ) {
    this.task = `c${id}`
    this.#isRecorded = records && recorderFails === 0
    this.#isPredictable = isPredictable
    const { items } = plan
    this.#began = new Uint16Array(items)
    this.#mayBeginAgain = new Uint8Array(items)
    this.#attempt = new Uint16Array(items)
    this.#dispatches = new Uint8Array(items)
    this.#safe = new Uint16Array(items)
    this.#isRelaxed = new Uint8Array(items)
    this.#outcomes = new Uint8Array(items)
    this.#reports = new Uint8Array(items)
  }

  /** What a task returns for an item. */
  value(index: number): number {
    return resultOf(this.id, index)
  }

  isHarmless(index: number): boolean {
    return this.plan.deeds[index]! <= DOES.fail
  }

  /** It was aborted, or has ended. */
  get isEnding(): boolean {
    return this.isAborted || this.end !== undefined
  }

  // ── in the workers ───────────────────────────────────────────────────────────────────────────────────────────────

  dispatched({ index, count, attempt, payload }: ChunkMessage): void {
    this.#checkPayload(index as number, count, payload)
    if (this.plan.intervalMs !== undefined && count > 1)
      violated(`${count} items of call ${this.id} are dispatched together`)
    for (let i = index as number; i < (index as number) + count; i++) {
      if (i >= this.taken) violated(`item ${i} of call ${this.id} is dispatched and was never taken`)
      if (this.#outcomes[i] !== 0) violated(`item ${i} of call ${this.id} is dispatched and has ended`)
      if (this.journal?.isSettled(i) === true)
        violated(`item ${i} of call ${this.id} runs again, and its journal has its result`)
      if (this.#attempt[i]! < attempt) this.#dispatches[i] = 0
      this.#attempt[i] = attempt
      if (this.#dispatches[i]! < 255) this.#dispatches[i]!++
    }
  }

  /** The items of the chunk are those that it says. */
  #checkPayload(first: number, count: number, payload: Payload): void {
    if (payload.kind === 'values') {
      const isRight = payload.values.every((value, i) => value === first + i || typeof value === 'function')
      if (payload.values.length !== count || !isRight)
        violated(`the chunk at ${first} of call ${this.id} has other items`)
      return
    }
    let lines = 0
    let number = 0
    for (const byte of payload.bytes) {
      if (byte === LF) lines++
      else if (lines === 0) number = number * 10 + byte - ZERO
    }
    if (payload.bytes.at(-1) !== LF) lines++
    if (number !== first % this.plan.input.different || lines !== count)
      violated(`the chunk at ${first} of call ${this.id} has other items`)
  }

  begins(index: number, attempt: number, isExact: boolean): Deed {
    if (this.#isRelaxed[index] === 0) {
      if (this.#safe[index] === attempt)
        violated(`item ${index} of call ${this.id} has ended and begins again`)
      if (this.#began[index] === attempt && this.#mayBeginAgain[index] === 0)
        violated(`item ${index} of call ${this.id} begins twice`)
      if (attempt > this.plan.retries + 1) violated(`item ${index} of call ${this.id} has attempt ${attempt}`)
    }
    this.#began[index] = attempt
    this.#mayBeginAgain[index] = isExact ? 0 : 1
    return this.#deedAt(index, attempt)
  }

  /** The outcomes of these items are in a message, or in the record of a process that has exited. */
  leaves(from: number, to: number): void {
    for (let index = from; index < to; index++) this.#safe[index] = this.#began[index]!
  }

  /** The process exited with these items. `isForAnother`: because of a late item beside them. */
  lostIn(from: number, to: number, isExact: boolean, isForAnother: boolean): void {
    const mayRunAgain = !isExact || (isForAnother && this.plan.retries > 0)
    if (mayRunAgain) for (let index = from; index < to; index++) this.#mayBeginAgain[index] = 1
  }

  relax({ index, count }: ChunkMessage): void {
    for (let i = index as number; i < (index as number) + count; i++) this.#isRelaxed[i] = 1
  }

  #deedAt(index: number, attempt: number): Deed {
    return attempt > this.plan.illAttempts ? DOES.succeed : (this.plan.deeds[index] as Deed)
  }

  // ── in the scheduler ─────────────────────────────────────────────────────────────────────────────────────────────

  settles({ chunk, from, count, results, failures, attempts }: SettledRange): void {
    if (this.end !== undefined) violated(`call ${this.id} has ended, and items of it settle`)
    let next = 0
    for (let offset = from; offset < from + count; offset++) {
      const index = chunk.seq + offset
      if (index >= this.taken) violated(`item ${index} of call ${this.id} settles and was never taken`)
      if (this.#outcomes[index] !== 0)
        violated(`item ${index} of call ${this.id} settles, and has ended before`)
      const failure = failures[next]
      if (failure?.offset === offset) {
        next++
        this.#outcomes[index] = FAILED
        this.#checkFailure(index, failure)
        this.#checkPrediction(index, FAILED)
        continue
      }
      this.#outcomes[index] = OK
      this.#okItems++
      if (this.journal === undefined) this.#settleOrder.push(index)
      this.#checkPrediction(index, OK)
      if (results.kind === 'values' && results.values[offset - from] !== this.value(index))
        violated(`item ${index} of call ${this.id} settles as ${String(results.values[offset - from])}`)
      if (this.#deedAt(index, attempts) !== DOES.succeed && this.#isRelaxed[index] === 0)
        violated(`item ${index} of call ${this.id} succeeds in attempt ${attempts}, which does not`)
    }
    if (next !== failures.length) violated(`a range of call ${this.id} has failures outside of it`)
    this.#counts(count, failures.length)
  }

  #counts(items: number, failed: number): void {
    this.settledItems += items
    this.#failedItems += failed
    const most = this.plan.policy === 'map' ? 1 : this.plan.maxFailures
    if (most !== undefined && this.#failedItems >= most) this.isStopped = true
  }

  /**
   * With a journal, the flow receives a range. Either it has settled and is in the journal, or it comes from there and takes the
   * place of items that would run.
   */
  accepts({ chunk, from, count, failures, restored }: SettledRange): void {
    const journal = this.journal!
    let next = 0
    for (let offset = from; offset < from + count; offset++) {
      const index = chunk.seq + offset
      const item = `item ${index} of call ${this.id}`
      const outcome = failures[next]?.offset === offset ? FAILED : OK
      if (outcome === FAILED) next++
      if (journal.outcome(index) !== outcome)
        violated(`${item} settles with ${outcome}, in its journal is ${journal.outcome(index)}`)
      if (restored === true) {
        if (!journal.isSettled(index)) violated(`${item} has no result that may be given back`)
        if (this.#outcomes[index] !== 0) violated(`${item} is given back, and has ended before`)
        this.#outcomes[index] = outcome
        if (outcome === OK) this.#okItems++
        this.#checkPrediction(index, outcome)
      } else this.#accepted++
      if (outcome === OK) this.#settleOrder.push(index)
    }
    if (restored === true) this.#counts(count, failures.length)
  }

  /** After each step, its journal has what has settled, and nothing else. */
  checkJournal(): void {
    if (this.isOpen && this.journal !== undefined && this.journal.items !== this.#accepted)
      violated(
        `${this.#accepted} items of call ${this.id} have settled, and ${this.journal.items} are in its journal`,
      )
  }

  /** Where nothing but the items decides what becomes of them. */
  #checkPrediction(index: number, outcome: number): void {
    if (this.#isPredictable && this.#predicted(index) !== outcome)
      violated(
        `item ${index} of call ${this.id} settles with ${outcome}, and with another outcome in a run of its own`,
      )
  }

  #predicted(index: number): number {
    const { deeds, retries, illAttempts } = this.plan
    return deeds[index] === DOES.succeed || retries >= illAttempts ? OK : FAILED
  }

  #checkFailure(index: number, { failure, attempts }: ItemFailure): void {
    const { kind } = failure
    const item = `item ${index} of call ${this.id}`
    const deed = this.#deedAt(index, attempts)
    if (RETRIED.has(kind) && attempts <= this.plan.retries) violated(`${item} fails without a retry`)
    if (this.#isRelaxed[index] === 1) return
    if (kind === 'error' && deed !== DOES.fail && deed !== DOES.listen && deed !== DOES.pause)
      violated(`${item} fails with an error that it has not thrown`)
    if (kind === 'encoding' && !this.plan.unsendable.has(index)) violated(`${item} could have been sent`)
    if (kind === 'timeout' && this.plan.timeoutMs === undefined)
      violated(`${item} exceeds a time that it has not`)
    if (kind === 'error' || kind === 'encoding') return
    const isStopped = failure.kind === 'timeout' && failure.ended === 'stopped'
    if (this.#safe[index] === attempts && !isStopped)
      violated(`the outcome of ${item} was sent, and it fails as ${kind}`)
    // What kills a worker twice before it begins, the second time alone, is what kills it.
    if (
      this.#isRecorded &&
      !this.plan.isCheap &&
      this.#began[index] !== attempts &&
      this.#dispatches[index]! < 2
    )
      violated(`${item} has never begun and fails as ${kind}`)
  }

  cancels({ chunk, from, count }: Pick<CancelledRange, 'chunk' | 'from' | 'count'>): void {
    for (let index = chunk.seq + from; index < chunk.seq + from + count; index++) {
      if (this.#outcomes[index] !== 0)
        violated(`item ${index} of call ${this.id} is cancelled, and has ended before`)
      this.#outcomes[index] = CANCELLED
    }
  }

  ends(end: string): void {
    if (this.end !== undefined) violated(`call ${this.id} ends twice`)
    this.end = end
    if (end !== 'done') this.isCutShort = true
    if (this.isCutShort) return
    if (!this.sourceEnded) violated(`call ${this.id} is done, and its source has not ended`)
    if (this.settledItems !== this.taken)
      violated(`call ${this.id} is done, and ${this.taken - this.settledItems} items never settled`)
  }

  /** The flow reports items as settled or as cancelled, each of them once. */
  reports({ chunk, from, count }: Pick<CancelledRange, 'chunk' | 'from' | 'count'>): void {
    for (let index = chunk.seq + from; index < chunk.seq + from + count; index++) {
      if (this.#reports[index] !== 0) violated(`item ${index} of call ${this.id} is reported twice`)
      this.#reports[index] = 1
    }
  }

  // ── at the consumer ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The consumer receives the result of this item: that of an oracle that runs item after item. */
  delivers(index: number): void {
    const item = `item ${index} of call ${this.id}`
    if (this.#outcomes[index] !== OK) violated(`${item} is delivered and has not succeeded`)
    this.#deliveredItems++
    if (!this.plan.ordered) {
      if (this.#settleOrder[this.#nextDelivered++] !== index)
        violated(`${item} is delivered before one that settled earlier`)
      return
    }
    if (index < this.#nextDelivered) violated(`${item} is delivered again, or too late`)
    for (let before = this.#nextDelivered; before < index && !this.isCutShort && !this.isStopped; before++)
      if (this.#outcomes[before] !== FAILED || this.plan.policy !== 'collect')
        violated(`${item} is delivered before item ${before}`)
    this.#nextDelivered = index + 1
  }

  /** Bytes that have left. */
  writes(bytes: Uint8Array): void {
    const isArray = this.plan.format === 'json'
    if (this.journal !== undefined) this.#output += Buffer.from(bytes).toString('latin1')
    for (const byte of bytes) {
      const at = this.#written++
      if (this.#isClosed && byte !== LF) violated(`call ${this.id} writes behind the end of its document`)
      if (byte >= ZERO && byte < ZERO + 10) this.#number = Math.max(0, this.#number) * 10 + byte - ZERO
      else if (isArray && at === 0 && byte === OPEN) continue
      else if (byte === (isArray ? COMMA : LF)) this.#writesNumber()
      else if (isArray && byte === CLOSE) {
        if (at > 1) this.#writesNumber()
        this.#isClosed = true
      } else if (!(this.#isClosed && byte === LF)) violated(`call ${this.id} writes byte ${byte} at ${at}`)
    }
  }

  #writesNumber(): void {
    if (this.#number < 0) violated(`call ${this.id} writes an empty result`)
    this.delivers(this.#number - this.value(0))
    this.#number = -1
  }

  /** Nothing more comes, and nothing but a failed item has ended it early. */
  checkComplete(): void {
    const { kind, policy, format, ordered } = this.plan
    if (this.raisedAt !== undefined) {
      if (policy !== 'map' && ordered && !this.isCutShort && this.#deliveredItems !== this.raisedAt)
        violated(`call ${this.id} fails at item ${this.raisedAt} and has delivered ${this.#deliveredItems}`)
      if (policy === 'map' && this.#deliveredItems > 0)
        violated(`call ${this.id} has failed and delivers results`)
    } else if (this.#deliveredItems !== this.#okItems)
      violated(`call ${this.id} has ${this.#okItems} results and delivers ${this.#deliveredItems}`)
    if (kind !== 'bytes') return
    if (this.#number >= 0) violated(`call ${this.id} ends its output in an item`)
    if (format === 'json' && !this.#isClosed) violated(`call ${this.id} leaves its document open`)
    if (this.journal !== undefined && !this.isCutShort) this.#checkOutput()
  }

  /** Byte for byte that of a run without an interruption, up to the order where none is promised. */
  #checkOutput(): void {
    const { items, policy, ordered, format } = this.plan
    const outcome = (index: number) => (this.#isPredictable ? this.#predicted(index) : this.#outcomes[index])
    const values: number[] = []
    for (let index = 0; index < items; index++) {
      if (outcome(index) === OK) values.push(this.value(index))
      else if (policy === 'map') values.length = 0
      if (outcome(index) !== OK && policy !== 'collect') {
        // Where nothing is ordered, it is not said what else comes before a failure.
        if (!ordered && policy !== 'map') return
        break
      }
    }
    const written =
      format === 'json' ? this.#output.slice(1, -2).split(',') : this.#output.slice(0, -1).split('\n')
    if (!ordered) written.sort((a, b) => Number(a) - Number(b))
    const text = written.join('\n')
    if (text !== values.join('\n'))
      violated(
        `call ${this.id} writes ${text.length} bytes that are not those of a run without an interruption`,
      )
  }
}
