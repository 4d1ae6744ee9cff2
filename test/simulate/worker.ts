// A worker process as a model: what the parent sends arrives late, items take time, results wait in an outbox and in the
// flight record, and the process may die, stop or lie at any moment.
import type { FlightRecord, RecordedOutcome } from '../../src/ipc/flight-recorder/reader.js'
import type {
  ChunkMessage,
  FromWorker,
  OutgoingMessage,
  ResultsMessage,
  ToWorker,
} from '../../src/ipc/protocol.js'
import type { Failure, Results } from '../../src/model.js'
import type { TransportEvent, WorkerHandle } from '../../src/transport/transport.js'
import type { Random } from '../helpers/random.js'
import type { CallWitness } from './call-witness.js'
import { type Deed, DOES, type RunPlan } from './plan.js'
import type { VirtualTime } from './virtual-time.js'

export interface WorkerWorld {
  readonly time: VirtualTime
  readonly random: Random
  readonly plan: RunPlan
  /** No more faults: the run comes to its end. */
  readonly isCalm: boolean
  call(task: string): CallWitness
}

/** A chunk of which an item runs, or is next. */
interface Lane {
  readonly chunk: ChunkMessage
  readonly call: CallWitness
  readonly index: number
  /** Items are in the flight record one by one. */
  isExact: boolean
  /** Items from here on were returned. */
  end: number
  /** Items that have ended. */
  ended: number
  isRunning: boolean
  deed: Deed
  since: number
  isCancelled: boolean
  isExpired: boolean
}

/** Outcomes that have not been sent. */
interface Unsent {
  readonly lane: Lane
  readonly from: number
  to: number
  readonly failures: { offset: number; failure: Failure }[]
}

type Leaving = { readonly message: OutgoingMessage } | { readonly event: TransportEvent }

const UNASKED_PONG: OutgoingMessage = { type: 'pong', isRunning: false }
const ERROR: Failure = {
  kind: 'error',
  error: { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' },
}
const PAUSE: Failure = { ...ERROR, retry: { afterMs: 40, everyone: true } }
const NO_JOB = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const

export class SimulatedWorker implements WorkerHandle {
  readonly token = 'token'
  readonly recorder: number | undefined
  /** What it has sent cannot be relied on, nor what it holds. */
  hasLied = false
  isAlive = true
  readonly #world: WorkerWorld
  readonly #onEvent: (event: TransportEvent) => void
  readonly #inbox: ToWorker[] = []
  #isInboxPlanned = false
  readonly #leaving: Leaving[] = []
  #isLeavingPlanned = false
  readonly #queue: ChunkMessage[] = []
  /** All that it was given, where it may lie about them. */
  readonly #chunks = new Map<number, ChunkMessage>()
  #lanes: Lane[] = []
  #outbox: Unsent[] = []
  /** Sent, and still in the record. */
  #stillRecorded: Unsent[] = []
  #isReady = false
  #isStopped = false
  #isBlocked = false
  #isBroken = false
  #isFinishing = false
  #isTerminating = false
  #hasFinalizerBegun = false
  #hasRecorderFailed = false
  /** An item has exceeded its time: others may be lost with it. */
  #hasLateItem = false
  /** What waits until the process continues. */
  #deferred: (() => void)[] = []

  constructor(
    readonly id: number,
    readonly pid: number,
    world: WorkerWorld,
    onEvent: (event: TransportEvent) => void,
  ) {
    this.#world = world
    this.#onEvent = onEvent
    this.recorder = world.plan.records ? 3 : undefined
  }

  // ── what the parent does ─────────────────────────────────────────────────────────────────────────────────────────

  send(message: ToWorker): void {
    if (message.type === 'run')
      for (const { payload } of message.chunks)
        if (payload.kind === 'values' && payload.values.some((value) => typeof value === 'function'))
          throw new Error('it cannot be cloned')
    if (message.type === 'run')
      for (const chunk of message.chunks) {
        if (this.#world.plan.lies > 0) this.#chunks.set(chunk.id, chunk)
        this.#world.call(chunk.task.name).dispatched(chunk)
        if (this.hasLied) this.#relax(chunk.id)
      }
    if (!this.isAlive) return
    if (message.type === 'expire') this.#hasLateItem = true
    this.#inbox.push(message)
    if (this.#isInboxPlanned) return
    this.#isInboxPlanned = true
    this.#world.time.after(this.#latency(), 'a message reaches a worker', this.#receiveAll)
  }

  inspect(): FlightRecord | undefined {
    if (this.recorder === undefined) return undefined
    if (this.#hasRecorderFailed) return { outcomes: [], running: [], begun: new Map(), unrecorded: [] }
    const outcomes: RecordedOutcome[] = []
    const unrecorded = new Set<number>()
    const begun = new Map<number, number>()
    for (const { lane, from, to, failures } of [...this.#stillRecorded, ...this.#outbox]) {
      if (!lane.isExact) continue
      for (let offset = from; offset < to; offset++) outcomes.push(recorded(lane, offset, failures))
      begun.set(lane.chunk.id, to)
    }
    const running = []
    for (const lane of this.#lanes) {
      const { chunk, ended, isRunning, since, isExact } = lane
      if (!isExact) unrecorded.add(chunk.id)
      else if (isRunning) running.push({ id: chunk.id, offset: ended, since })
      if (isExact && ended > 0) begun.set(chunk.id, ended)
    }
    for (const { lane } of this.#outbox) if (!lane.isExact) unrecorded.add(lane.chunk.id)
    return { outcomes, running, begun, unrecorded: [...unrecorded] }
  }

  kill(signal: NodeJS.Signals): void {
    if (!this.isAlive) return
    if (signal === 'SIGSTOP') this.#isStopped = true
    else if (signal === 'SIGCONT') this.continue()
    else if (signal === 'SIGKILL' || !this.#isStopped) this.#exit(null, signal)
  }

  readOutput(): void {}

  ref(): void {}

  // ── what the world does ──────────────────────────────────────────────────────────────────────────────────────────

  boot(): void {
    const { random, plan, isCalm } = this.#world
    if (!this.isAlive) return
    this.#send({ type: 'loading' })
    const isHealthy = isCalm || !random.chance(plan.initFails)
    if (isHealthy) {
      this.#isReady = true
      this.#send({ type: 'ready', exports: EXPORTS })
    } else if (random.chance(0.5)) this.#send({ type: 'init-failed', stage: 'load', error: NO_JOB })
    else this.#exit(1, null)
  }

  stop(): void {
    this.#isStopped = true
  }

  /** There never was a process. */
  failToSpawn(): void {
    this.isAlive = false
    this.#leave({ event: { type: 'spawn-failed', error: new Error('spawn EAGAIN') } })
  }

  continue(): void {
    this.#isStopped = false
    const deferred = this.#deferred
    this.#deferred = []
    for (const run of deferred) this.#whenRunning(run)
  }

  /** Messages are on their way from or to it. */
  get isTalking(): boolean {
    return this.#isInboxPlanned || this.#isLeavingPlanned
  }

  /** It goes on with what it has, and reads what its parent sends. */
  get answers(): boolean {
    return (
      this.isAlive &&
      this.#isReady &&
      !this.#isStopped &&
      !this.#isBlocked &&
      !this.#isBroken &&
      !this.#isFinishing &&
      !this.#isTerminating
    )
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** Something that only a kill, a cancel or a timeout ends. */
  get hangs(): boolean {
    return (
      this.isAlive &&
      (this.#isStopped ||
        this.#isBlocked ||
        this.#lanes.some(({ isRunning, deed }) => isRunning && isEndless(deed)))
    )
  }

  /** Items that have not begun. */
  get unstarted(): number {
    let count = 0
    for (const chunk of this.#queue) count += chunk.count
    for (const { end, ended, isRunning, isCancelled } of this.#lanes)
      if (!isCancelled) count += end - ended - (isRunning ? 1 : 0)
    return count
  }

  /** Items of a call that it holds and whose outcome has not left. */
  held(call: CallWitness): number {
    let count = 0
    for (const chunk of this.#queue) if (this.#world.call(chunk.task.name) === call) count += chunk.count
    for (const lane of this.#lanes) if (lane.call === call) count += lane.end - lane.ended
    for (const { lane, from, to } of this.#outbox) if (lane.call === call) count += to - from
    return count
  }

  get hasUnsent(): boolean {
    return this.#outbox.length > 0
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #latency(): number {
    const { random, plan } = this.#world
    return random.chance(plan.lateness) ? random.next() * 20 : random.next() * 0.2
  }

  #whenRunning(run: () => void): void {
    if (this.#isStopped || this.#isBlocked) this.#deferred.push(run)
    else run()
  }

  readonly #receiveAll = () => {
    if (!this.isAlive) return
    if (this.#isStopped || this.#isBlocked) {
      this.#deferred.push(this.#receiveAll)
      return
    }
    this.#isInboxPlanned = false
    for (let message = this.#inbox.shift(); message !== undefined; message = this.#inbox.shift()) {
      if (!this.isAlive || (this.#isReady && this.#diesNow())) return
      if (!this.#isBroken) this.#receive(message)
      else if (message.type === 'ping') this.#send({ type: 'pong', isRunning: false })
    }
    this.#startLanes()
    this.#finishIfIdle()
  }

  /** Something kills it at any moment. */
  #diesNow(): boolean {
    const { random, plan, isCalm } = this.#world
    if (isCalm || plan.kills === 0 || !random.chance(plan.kills / 4)) return false
    this.#exit(null, 'SIGKILL')
    return true
  }

  #receive(message: ToWorker): void {
    switch (message.type) {
      case 'init':
        this.#world.time.after(this.#world.random.next() * 30, 'a worker has loaded its job', () =>
          this.#whenRunning(() => this.boot()),
        )
        return
      case 'run':
        this.#queue.push(...message.chunks)
        return
      case 'cancel':
        return this.#cancel(message.ids)
      case 'return':
        return this.#returnUnstarted()
      case 'ping':
        return this.#send({ type: 'pong', isRunning: this.#lanes.some(({ isRunning }) => isRunning) })
      case 'stop':
        this.#isFinishing = true
        return
      case 'expire':
        return this.#expire(message.id, message.offset)
      case 'terminate':
        return this.#terminate(message.isImmediate)
      default:
        message satisfies never
    }
  }

  #cancel(ids: readonly number[]): void {
    const dropped: number[] = []
    for (const id of ids) {
      const lane = this.#lanes.find(({ chunk }) => chunk.id === id)
      if (lane !== undefined) this.#cancelLane(lane)
      const queued = this.#queue.findIndex((chunk) => chunk.id === id)
      if (queued >= 0) dropped.push(...this.#queue.splice(queued, 1).map((chunk) => chunk.id))
    }
    if (dropped.length > 0) this.#send({ type: 'cancelled', ids: dropped, begun: dropped.map(() => 0) })
  }

  #cancelLane(lane: Lane): void {
    lane.isCancelled = true
    if (lane.deed === DOES.listen && lane.isRunning) this.#later(lane, 0.1)
  }

  #returnUnstarted(): void {
    const ids = this.#queue.map(({ id }) => id)
    const kept = ids.map(() => 0)
    this.#queue.length = 0
    this.#giveUp(ids, kept)
    this.#send({ type: 'returned', ids, kept, waits: false })
  }

  #giveUp(ids: number[], kept: number[]): void {
    for (const lane of this.#lanes) {
      const begun = lane.ended + (lane.isRunning ? 1 : 0)
      if (lane.isCancelled || begun >= lane.end) continue
      lane.end = begun
      ids.push(lane.chunk.id)
      kept.push(begun)
    }
    for (const lane of [...this.#lanes]) if (!lane.isRunning && lane.ended >= lane.end) this.#endLane(lane)
  }

  #expire(id: number, offset: number): void {
    this.#flush()
    const lane = this.#lanes.find(({ chunk }) => chunk.id === id)
    if (lane === undefined || !lane.isRunning || lane.ended !== offset) return
    lane.isExpired = true
    const listens = lane.deed === DOES.listen
    this.#send({ type: 'expiring', id, offset, listens })
    if (listens) this.#later(lane, 0.1)
  }

  #terminate(isImmediate: boolean): void {
    this.#isTerminating = true
    this.#flush()
    const ids = this.#queue.map(({ id }) => id)
    const begun = ids.map(() => 0)
    this.#queue.length = 0
    for (const lane of this.#lanes) {
      lane.isCancelled = true
      ids.push(lane.chunk.id)
      begun.push(lane.ended + (lane.isRunning ? 1 : 0))
    }
    if (ids.length > 0) this.#send({ type: 'cancelled', ids, begun })
    const listening = this.#lanes.filter(({ isRunning, deed }) => isRunning && deed === DOES.listen)
    if (listening.length === 0 || isImmediate) return this.#exit(0, null)
    this.#send({ type: 'terminating' })
    for (const lane of listening) this.#later(lane, 0.5)
  }

  #send(message: OutgoingMessage): void {
    if (this.isAlive) this.#leave({ message })
  }

  #leave(leaving: Leaving): void {
    this.#leaving.push(leaving)
    if (this.#isLeavingPlanned) return
    this.#isLeavingPlanned = true
    this.#world.time.after(this.#latency(), 'a message reaches the parent', this.#deliver)
  }

  /** Some of what has left arrives in one turn. */
  readonly #deliver = () => {
    this.#isLeavingPlanned = false
    const { random, time } = this.#world
    let count = random.chance(0.5) ? 1 : this.#leaving.length
    for (; count > 0 && this.#leaving.length > 0; count--) {
      const next = this.#leaving.shift()!
      if ('event' in next) this.#onEvent(next.event)
      else this.#onEvent({ type: 'message', message: next.message as FromWorker })
    }
    if (this.#leaving.length === 0) return
    this.#isLeavingPlanned = true
    time.after(this.#latency(), 'a message reaches the parent', this.#deliver)
  }

  // ── items ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #startLanes(): void {
    const { concurrency } = this.#world.plan
    while (this.isAlive && !this.#isBroken && !this.#isTerminating && this.#lanes.length < concurrency) {
      const chunk = this.#queue.shift()
      if (chunk === undefined) break
      const call = this.#world.call(chunk.task.name)
      const isExact =
        this.recorder !== undefined &&
        !this.#hasRecorderFailed &&
        (!call.plan.isCheap || chunk.recordEachItem)
      const lane: Lane = {
        chunk,
        call,
        index: chunk.index as number,
        isExact,
        end: chunk.count,
        ended: 0,
        isRunning: false,
        deed: DOES.succeed,
        since: 0,
        isCancelled: false,
        isExpired: false,
      }
      this.#lanes.push(lane)
      this.#begin(lane)
    }
    if (concurrency > 1 && this.#lanes.length < concurrency && this.#lanes.length > 0) this.#returnWaiting()
  }

  /** Items wait behind others in the same chunk, and a lane is idle. */
  #returnWaiting(): void {
    if (!this.answers || !this.#world.random.chance(0.5)) return
    const ids: number[] = []
    const kept: number[] = []
    this.#giveUp(ids, kept)
    if (ids.length > 0) this.#send({ type: 'returned', ids, kept, waits: true })
  }

  #begin(lane: Lane): void {
    if (!this.isAlive) return
    if (lane.ended >= lane.end || lane.isCancelled) return this.#endLane(lane)
    const { time, random, plan, isCalm } = this.#world
    if (!isCalm && random.chance(plan.recorderFails)) this.#failRecorder()
    if (!this.isAlive) return
    lane.deed = lane.call.begins(lane.index + lane.ended, lane.chunk.attempt, lane.isExact && !this.hasLied)
    lane.isRunning = true
    lane.since = time.now()
    if (lane.deed === DOES.block) this.#isBlocked = true
    else if (!isEndless(lane.deed)) this.#later(lane, lane.call.plan.itemMs * (0.5 + random.next()))
  }

  /** Its record says nothing any more, and every result leaves before the next item begins. */
  #failRecorder(): void {
    if (this.recorder === undefined || this.#hasRecorderFailed) return
    this.#flush()
    this.#hasRecorderFailed = true
    for (const lane of this.#lanes) lane.isExact = false
    this.#send({ type: 'recorder-failed' })
  }

  #later(lane: Lane, ms: number): void {
    const offset = lane.ended
    this.#world.time.after(ms, 'an item ends', () => {
      if (!this.isAlive || !lane.isRunning || lane.ended !== offset) return
      this.#whenRunning(() => this.#ends(lane, offset))
    })
  }

  #ends(lane: Lane, offset: number): void {
    if (!this.isAlive || this.#isBroken || !lane.isRunning || lane.ended !== offset) return
    const { random, plan, isCalm } = this.#world
    if (!isCalm && plan.kills > 0 && random.chance(plan.kills)) return this.#exit(null, 'SIGKILL')
    if (!isCalm && plan.stops > 0 && random.chance(plan.stops)) {
      this.stop()
      if (random.chance(0.5))
        this.#world.time.after(random.next() * 3_000, 'a worker continues', () => this.continue())
      this.#deferred.push(() => this.#ends(lane, offset))
      return
    }
    switch (lane.deed) {
      case DOES.crash:
        return this.#exit(null, 'SIGSEGV')
      case DOES.exit:
        this.#flush()
        this.#send({ type: 'dying', exitSite: 'at task' })
        return this.#exit(5, null)
      case DOES.break:
        this.#isBroken = true
        return
      default:
    }
    this.#settle(lane)
    if (this.#isTerminating) return this.#exit(0, null)
    // Quick ones follow in the same turn.
    for (let more = random.int(0, 30); more > 0 && lane.call.plan.itemMs < 0.01; more--) {
      if (lane.ended >= lane.end || lane.isCancelled || !lane.call.isHarmless(lane.index + lane.ended)) break
      lane.deed = lane.call.begins(lane.index + lane.ended, lane.chunk.attempt, lane.isExact && !this.hasLied)
      lane.isRunning = true
      this.#settle(lane)
    }
    if (this.#hasRecorderFailed || random.chance(0.2)) this.#flush()
    this.#begin(lane)
    this.#startLanes()
    this.#finishIfIdle()
  }

  #settle(lane: Lane): void {
    const { deed, ended: offset, chunk, call } = lane
    lane.isRunning = false
    // It counts as cancelled, with all that has begun.
    if (lane.isCancelled) {
      lane.ended++
      return
    }
    let failure: Failure | undefined
    if (lane.isExpired) failure = { kind: 'timeout', timeoutMs: call.plan.timeoutMs!, ended: 'stopped' }
    else if (deed === DOES.fail || deed === DOES.listen) failure = ERROR
    else if (deed === DOES.pause) failure = chunk.mayRetry === true ? PAUSE : ERROR
    lane.ended++
    const last = this.#outbox.at(-1)
    const unsent =
      last?.lane === lane && last.to === offset ? last : { lane, from: offset, to: offset, failures: [] }
    if (unsent !== last) this.#outbox.push(unsent)
    unsent.to++
    if (failure !== undefined) unsent.failures.push({ offset, failure })
    // What waits here may go to a worker that is not about to end.
    if (lane.isExpired) this.#returnUnstarted()
    lane.isExpired = false
    if (deed === DOES.pause && failure === PAUSE) {
      this.#flush()
      this.#returnUnstarted()
    }
  }

  #endLane(lane: Lane): void {
    if (!this.#lanes.includes(lane)) return
    this.#lanes = this.#lanes.filter((other) => other !== lane)
    if (lane.isCancelled) {
      this.#flush()
      return this.#send({ type: 'cancelled', ids: [lane.chunk.id], begun: [lane.ended] })
    }
    if (this.#queue.length === 0 || this.#world.random.chance(0.5)) this.#flush()
  }

  #finishIfIdle(): void {
    if (this.#queue.length > 0 || this.#lanes.length > 0) return
    this.#flush()
    if (!this.#isFinishing || this.#hasFinalizerBegun) return
    this.#hasFinalizerBegun = true
    if (!this.#world.plan.finalizerHangs) this.#exit(0, null)
  }

  #flush(): void {
    if (this.#outbox.length === 0 || !this.isAlive || this.#diesNow()) return
    const ranges = this.#outbox.map(toResults)
    for (const { lane, from, to } of this.#outbox) lane.call.leaves(lane.index + from, lane.index + to)
    const { random, plan, isCalm } = this.#world
    this.#stillRecorded = random.chance(0.5) ? this.#outbox : []
    this.#outbox = []
    const rss =
      plan.maxMemoryBytes === undefined ? undefined : random.chance(0.05) ? 2 * plan.maxMemoryBytes : 1
    const message: OutgoingMessage = { type: 'settled', ranges, ...(rss !== undefined && { rss }) }
    if (!isCalm && plan.lies > 0 && random.chance(plan.lies)) this.#lie(ranges)
    else this.#send(message)
    this.#diesNow()
  }

  #lie(ranges: readonly ResultsMessage[]): void {
    const { random } = this.#world
    const first = ranges[0]!
    const truth: OutgoingMessage = { type: 'settled', ranges }
    const lie = random.int(0, 7)
    if (lie === 0) {
      // Twice is not a lie, and must not matter.
      this.#send(truth)
      return this.#send(truth)
    }
    this.hasLied = true
    for (const id of this.#chunks.keys()) this.#relax(id)
    switch (lie) {
      case 1:
        // It leaves these out.
        return this.#send(UNASKED_PONG)
      case 2:
        return this.#send({ type: 'settled', ranges: [...ranges].reverse() })
      case 3:
        return this.#send({ type: 'settled', ranges: [{ ...first, count: first.count + 1_000 }] })
      case 4:
        return this.#send({ type: 'settled', ranges: [{ ...first, id: first.id + 1_000 }] })
      case 5:
        this.#send(truth)
        return this.#send({ type: 'cancelled', ids: [first.id, first.id + 1], begun: [0, 0] })
      case 6:
        this.#send(truth)
        return this.#send({ type: 'returned', ids: [first.id, first.id + 1], kept: [0, 0], waits: true })
      default:
        return this.#leave({ event: { type: 'channel-damaged' } })
    }
  }

  /** Nothing about the items of this chunk is certain any more. */
  #relax(id: number): void {
    const chunk = this.#chunks.get(id)
    if (chunk !== undefined) this.#world.call(chunk.task.name).relax(chunk)
  }

  #exit(exitCode: number | null, signal: string | null): void {
    if (!this.isAlive) return
    const record = this.inspect()
    this.isAlive = false
    for (const lane of this.#lanes)
      lane.call.lostIn(
        lane.index,
        lane.index + lane.chunk.count,
        lane.isExact && !this.hasLied,
        this.#hasLateItem,
      )
    for (const chunk of this.#queue)
      this.#world
        .call(chunk.task.name)
        .lostIn(chunk.index as number, (chunk.index as number) + chunk.count, !this.hasLied, false)
    for (const { lane, from, to } of this.#outbox) {
      if (lane.isExact) lane.call.leaves(lane.index + from, lane.index + to)
      else lane.call.lostIn(lane.index + from, lane.index + to, false, false)
    }
    this.#leave({ event: { type: 'exited', exitCode, signal, stderrTail: [], recorded: record } })
  }
}

const EXPORTS = { c0: 'function', c1: 'function', c2: 'function' } as const

function isEndless(deed: Deed): boolean {
  return deed === DOES.hang || deed === DOES.listen || deed === DOES.block
}

function recorded(
  { chunk, call, index }: Lane,
  offset: number,
  failures: readonly { offset: number; failure: Failure }[],
): RecordedOutcome {
  const failed = failures.find((failure) => failure.offset === offset)
  const { id } = chunk
  if (failed !== undefined) return { id, offset, failure: failed.failure }
  const value = call.value(index + offset)
  return call.plan.kind === 'values' ? { id, offset, value } : { id, offset, text: String(value) }
}

function toResults({ lane, from, to, failures }: Unsent): ResultsMessage {
  const { chunk, call, index } = lane
  return {
    id: chunk.id,
    from,
    count: to - from,
    results: resultsOf(call, index, from, to, failures),
    failures,
    busyMs: call.plan.itemMs * (to - from),
  }
}

function resultsOf(
  call: CallWitness,
  index: number,
  from: number,
  to: number,
  failures: readonly { offset: number }[],
): Results {
  let nextFailure = 0
  const values: unknown[] = []
  let text = ''
  const isText = call.plan.kind === 'bytes'
  for (let offset = from; offset < to; offset++) {
    const failed = failures[nextFailure]?.offset === offset
    if (failed) nextFailure++
    if (!isText) values.push(failed ? undefined : call.value(index + offset))
    else if (!failed) text += `${call.value(index + offset)}\n`
  }
  return isText ? { kind: 'json', bytes: Buffer.from(text, 'latin1') } : { kind: 'values', values }
}
