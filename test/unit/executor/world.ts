// The real scheduler among model workers, slow sources and a clock, moved step by step. Performs its commands, records
// what really happened, and throws when an invariant is broken. How the steps are chosen is up to the test.
import type {
  CallEnd,
  CallOptions,
  Command,
  SchedulerInput,
} from '../../../src/executor/scheduler/messages.js'
import { Scheduler, type SchedulerOptions } from '../../../src/executor/scheduler/scheduler.js'
import { hasRoom } from '../../../src/executor/scheduler/worker.js'
import type { ChunkMessage, ResultsMessage } from '../../../src/ipc/protocol.js'
import type { CancelledRange, Chunk, Failure, ItemFailure, SettledRange } from '../../../src/model.js'
import { type Behaviour, ModelWorker, type Said } from './model-worker.js'

export interface WorldOptions extends Omit<SchedulerOptions, 'random'> {
  /** Workers have a flight recorder. */
  readonly records: boolean
  readonly finalizerHangs: boolean
}

export interface CallPlan extends Pick<CallOptions, 'chunkSize' | 'timeoutMs' | 'retry'> {
  readonly items: number
  /** Per item, in turn, and per attempt; the last one is for all further attempts. */
  readonly behaviours: readonly (readonly Behaviour[])[]
  /** Per item, in turn: it cannot be sent. */
  readonly unsendable: readonly boolean[]
  /** Its items are too cheap to be recorded one by one. */
  readonly cheap: boolean
  /** Its source answers when a step makes it. */
  readonly slow: boolean
  /** The number of items left in its source is known. */
  readonly sized: boolean
}

interface CallState {
  readonly id: number
  readonly plan: CallPlan
  taken: number
  pulls: { items: number }[]
  drained: boolean
  aborted: boolean
  readonly outcomes: Map<number, 'ok' | Failure['kind']>
  readonly cancelled: Set<number>
  end: CallEnd | undefined
}

interface Attempt {
  begins: number
  /** It began without being recorded. */
  unrecorded: boolean
  safe: boolean
}

const broken = (text: string): never => {
  throw new Error(text)
}

export class World {
  now = 0
  readonly calls: CallState[] = []
  readonly workers: (ModelWorker | undefined)[] = []
  closed = false
  ended = false
  /** Inputs handled. */
  handled = 0
  readonly #options: WorldOptions
  readonly #scheduler: Scheduler
  readonly #chunks = new Map<number, { call: CallState; chunk: ChunkMessage; worker: number }>()
  /** By worker with an item that has exceeded its time: when the first of them did. */
  readonly #expiredAt = new Map<number, number>()
  /** By worker that had to end for one of them: how long after that. */
  readonly #endedAfter = new Map<number, number>()
  /** Items that were running when the last worker exited. */
  #runningAtExit = new Set<string>()
  readonly #attempts = new Map<string, Attempt>()
  /** How often each attempt was sent to a worker. */
  readonly #dispatches = new Map<string, number>()
  readonly #begunAt = new Map<string, number>()
  readonly #inputs: SchedulerInput[] = []
  /** Workers that have exited. */
  #exits = 0
  #posting = false
  #pids = 1000

  constructor(options: WorldOptions) {
    this.#options = options
    this.#scheduler = new Scheduler({ ...options, random: () => 0.5 })
  }

  // ── what a test can make happen ──────────────────────────────────────────────────────────────────────────────────

  open(plan: CallPlan): CallState {
    const id = this.calls.length
    const call: CallState = {
      id,
      plan,
      taken: 0,
      pulls: [],
      drained: false,
      aborted: false,
      outcomes: new Map(),
      cancelled: new Set(),
      end: undefined,
    }
    this.calls.push(call)
    const { chunkSize, timeoutMs, retry, sized, items } = plan
    const task = { name: 'default', calling: 'item', reply: 'values' } as const
    const remaining = sized ? items : undefined
    this.post({ type: 'open', call: id, task, chunkSize, timeoutMs, retry, remaining })
    return call
  }

  drain(call: CallState): void {
    call.drained = true
    this.post({ type: 'drain', call: call.id })
  }

  abort(call: CallState): void {
    call.aborted = true
    this.post({ type: 'abort', call: call.id })
  }

  end(type: 'close' | 'terminate' | 'kill'): void {
    this.ended = true
    this.post({ type })
  }

  boot(worker: ModelWorker): boolean {
    if (!worker.alive || worker.ready) return false
    this.post({ type: 'init-sent', worker: this.workers.indexOf(worker) })
    worker.boot()
    return true
  }

  answer(call: CallState): boolean {
    const pull = call.pulls.shift()
    if (pull === undefined) return false
    this.#supply(call, pull.items)
    return true
  }

  /** One message of the worker arrives. */
  deliver(worker: ModelWorker): boolean {
    const said = worker.said.shift()
    if (said === undefined) return false
    const id = this.workers.indexOf(worker)
    this.#receive(id, said)
    return true
  }

  /**
   * Called when nothing can happen before time passes: no worker that could begin something has nothing to begin while items
   * wait in another that answers, or in the parent.
   */
  checkIdleWorkers(): void {
    // After a crash, items may wait for a worker that has nothing else.
    if (this.#exits > 0 || (this.wake !== undefined && this.wake <= this.now + 5)) return
    const idle = this.#scheduler.workers.find(({ id, state }) => {
      const worker = this.workers[id]
      return (
        state.is === 'ready' &&
        state.inFlight.canBeginMore &&
        hasRoom(state, false) &&
        worker?.answers === true
      )
    })
    if (idle === undefined) return
    for (const worker of this.workers)
      if (worker?.answers === true && worker.unstarted > 0)
        broken(`worker ${idle.id} is idle while ${worker.unstarted} items wait in another`)
    if (this.workers.some((worker) => worker?.answers === false)) return
    const held = this.workers.flatMap((worker) => worker?.held ?? [])
    for (const { id, end, drained, aborted, taken, outcomes, plan } of this.calls) {
      if (end !== undefined || drained || aborted || plan.retry !== undefined) continue
      const running = held.filter(({ chunk }) => this.#chunks.get(chunk)!.call.id === id)
      if (outcomes.size + running.reduce((sum, { items }) => sum + items, 0) < taken)
        broken(`worker ${idle.id} is idle while items of call ${id} wait in the parent`)
    }
  }

  get wake(): number | undefined {
    return this.#scheduler.nextWake()
  }

  tick(to: number): void {
    this.now = Math.max(this.now, to)
    // What it leads to may be due immediately, but not without end.
    for (let times = 0; times === 0 || (this.wake ?? Number.POSITIVE_INFINITY) <= this.now; times++) {
      if (times === 10)
        broken(`the scheduler requests a tick at ${this.wake} again and again, now ${this.now}`)
      this.post({ type: 'tick' })
    }
    if (Number.isNaN(this.wake)) broken('the scheduler requests a tick at NaN')
  }

  post(input: SchedulerInput): void {
    this.#inputs.push(input)
    if (this.#posting) return
    this.#posting = true
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      this.handled++
      for (const command of this.#scheduler.handle(next, this.now)) this.#perform(command)
    }
    this.#posting = false
  }

  // ── what must hold at the end ────────────────────────────────────────────────────────────────────────────────────

  check(): void {
    if (!this.closed) broken('closed never came')
    for (const call of this.calls) {
      for (let index = 0; index < call.taken; index++)
        if (this.#hasBegun(call, index) && !call.outcomes.has(index) && !call.cancelled.has(index))
          broken(`item ${index} of call ${call.id} has begun and counts as not run`)
      if (call.end === undefined) broken(`call ${call.id} never ended`)
      if (call.end?.type !== 'done' || call.drained) continue
      if (call.taken !== call.plan.items) broken(`call ${call.id} is done and its source has not ended`)
      for (let index = 0; index < call.taken; index++)
        if (!call.outcomes.has(index)) broken(`call ${call.id} is done and item ${index} never settled`)
    }
  }

  // ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #perform(command: Command): void {
    if (this.closed && command.type !== 'end') broken(`${command.type} after closed`)
    switch (command.type) {
      case 'spawn':
        return this.#spawn(command.worker)
      case 'pull':
        return this.#pull(command.call, command.want.items)
      case 'run':
        return this.#run(command.worker, command.chunk)
      case 'cancel':
        return void this.#worker(command.worker).inbox.push({ type: 'cancel', ids: command.ids })
      case 'return':
      case 'stop':
        return void this.#worker(command.worker).inbox.push({ type: command.type })
      case 'expire':
        if (!this.#expiredAt.has(command.worker)) this.#expiredAt.set(command.worker, this.now)
        return void this.#worker(command.worker).inbox.push(command)
      case 'terminate':
        this.#endedAfter.set(command.worker, this.now - (this.#expiredAt.get(command.worker) ?? this.now))
        return void this.#worker(command.worker).inbox.push(command)
      case 'inspect': {
        const recorded = this.#worker(command.worker).inspect()
        return this.post({
          type: 'inspected',
          worker: command.worker,
          running: recorded && this.#running(recorded),
        })
      }
      case 'ping': {
        const { worker } = command
        const recorded = this.#worker(worker).inspect()
        const record = recorded && { running: this.#running(recorded), unrecorded: recorded.unrecorded }
        const answer = this.#worker(worker).pong()
        this.post({ type: 'pinged', worker, record })
        if (answer !== undefined) this.post({ type: 'pong', worker, ...answer })
        return
      }
      case 'kill':
        return this.#worker(command.worker).kill(command.signal)
      case 'settle':
        return this.#settle(command.call, command.settled)
      case 'end': {
        const call = this.calls[command.call]!
        if (call.end !== undefined) broken(`call ${call.id} ended twice`)
        call.end = command.end
        return
      }
      case 'cancelled':
        return this.#cancelled(command.call, command.cancelled)
      case 'warn':
      case 'held':
        return
      case 'closed':
        if (this.workers.some((worker) => worker !== undefined)) broken('closed while a worker is alive')
        this.closed = true
        return
      default:
        command satisfies never
    }
  }

  #worker(id: number): ModelWorker {
    return this.workers[id] ?? broken(`worker ${id} is sent something and has no process`)
  }

  #spawn(id: number): void {
    if (this.workers[id] !== undefined) broken(`worker ${id} is started twice`)
    if (id >= this.#options.processes) broken(`worker ${id} is one too many`)
    const { concurrency, records, finalizerHangs, heartbeat } = this.#options
    const pid = this.#pids++
    this.workers[id] = new ModelWorker({
      pid,
      concurrency,
      records,
      finalizerHangs,
      heartbeat,
      isCheap: (chunk) => this.#chunks.get(chunk.id)!.call.plan.cheap,
      witness: {
        behaviour: (chunk, offset) => this.#behaviour(chunk, offset),
        begins: (chunk, offset, exact) => this.#begins(chunk, offset, exact && records),
        isSafe: (chunk, offset) => {
          this.#attempt(this.#chunks.get(chunk)!.chunk, offset).safe = true
        },
      },
    })
    this.post({ type: 'spawned', worker: id, pid, hasRecorder: records })
  }

  #pull(id: number, items: number): void {
    const call = this.calls[id]!
    if (call.end !== undefined) broken(`call ${id} has ended and its source is pulled`)
    if (call.plan.slow) call.pulls.push({ items })
    else this.#supply(call, items)
  }

  #supply(call: CallState, items: number): void {
    const { plan, taken, id } = call
    const count = Math.min(items, plan.items - taken)
    const values = Array.from({ length: count }, (_, i) => itemOf(id, taken + i))
    const chunk: Chunk | undefined =
      count > 0 ? { seq: taken, count, payload: { kind: 'values', values } } : undefined
    call.taken += count
    const remaining = plan.sized ? plan.items - call.taken : undefined
    this.post({ type: 'supply', call: id, chunk, remaining })
  }

  #run(worker: number, chunk: ChunkMessage): void {
    const call = this.#callOf(chunk)
    this.#chunks.set(chunk.id, { call, chunk, worker })
    const { unsendable } = call.plan
    const failures = Array.from({ length: chunk.count }, (_, offset) => offset)
      .filter((offset) => unsendable[this.#index(chunk, offset) % unsendable.length])
      .map((offset) => ({ offset, failure: UNSENDABLE }))
    if (failures.length > 0) return this.post({ type: 'unsendable', worker, id: chunk.id, failures })
    for (let offset = 0; offset < chunk.count; offset++) {
      const name = key(call.id, this.#index(chunk, offset), chunk.attempt)
      this.#dispatches.set(name, (this.#dispatches.get(name) ?? 0) + 1)
    }
    this.#worker(worker).inbox.push({ type: 'run', chunks: [chunk] })
  }

  #settle(id: number, { chunk, from, count, results, failures }: SettledRange): void {
    const call = this.calls[id]!
    if (call.end !== undefined) broken(`call ${id} has ended and one of its items settles`)
    const values = results.kind === 'values' ? results.values : []
    if (values.length !== count) broken(`${values.length} results for ${count} items`)
    const failed = new Map(failures.map((failure) => [failure.offset, failure]))
    for (let offset = from; offset < from + count; offset++) {
      const index = chunk.seq + offset
      if (call.outcomes.has(index)) broken(`item ${index} of call ${id} settled twice`)
      const failure = failed.get(offset)
      call.outcomes.set(index, failure?.failure.kind ?? 'ok')
      if (failure === undefined) this.#checkValue(call, index, values[offset - from])
      else this.#checkFailure(call, index, failure)
    }
  }

  #cancelled(id: number, { chunk, from, count, attempts }: CancelledRange): void {
    const call = this.calls[id]!
    for (let index = chunk.seq + from; index < chunk.seq + from + count; index++) {
      if (call.outcomes.has(index)) broken(`item ${index} of call ${id} settled and was cancelled`)
      if (call.cancelled.has(index)) broken(`item ${index} of call ${id} was cancelled twice`)
      call.cancelled.add(index)
      const { cheap, unsendable } = call.plan
      const name = key(id, index, attempts)
      const isKnown = this.#options.records && !cheap && !unsendable[index % unsendable.length]
      // Twice in a worker that crashed, it was to blame although it had not begun.
      if (isKnown && !this.#attempts.has(name) && (this.#dispatches.get(name) ?? 0) < 2)
        broken(`item ${index} of call ${id} was cancelled while running and has never begun`)
    }
  }

  #checkValue(call: CallState, index: number, value: unknown): void {
    if (value !== itemOf(call.id, index) && !(typeof value === 'string' && value.length === 70_000))
      broken(`item ${index} of call ${call.id} settled as ${String(value)}`)
  }

  #checkFailure(call: CallState, index: number, { failure, attempts, workerId }: ItemFailure): void {
    const { retry } = call.plan
    const may = retry?.on.includes(failure.kind) === true ? retry.retries : 0
    if (attempts <= may)
      broken(`item ${index} of call ${call.id} failed without a retry after ${attempts} attempts`)
    if (failure.kind === 'encoding' || failure.kind === 'error') return
    const wasRunning = this.#runningAtExit.has(key(call.id, index, attempts))
    if (failure.kind === 'crash' && failure.because !== undefined && wasRunning)
      this.#checkTimeOfOthers(workerId)
    const attempt = this.#attempts.get(key(call.id, index, attempts))
    const isStopped = failure.kind === 'timeout' && failure.ended === 'stopped'
    if (attempt?.safe === true && !isStopped)
      broken(`item ${index} of call ${call.id} has ended, which is recorded, and fails as ${failure.kind}`)
    // What kills a worker twice before it begins, the second time alone, is what kills it.
    const dispatches = this.#dispatches.get(key(call.id, index, attempts)) ?? 0
    if (attempt === undefined && dispatches < 2 && this.#options.records && !call.plan.cheap)
      broken(`item ${index} of call ${call.id} has never begun and fails as ${failure.kind}`)
  }

  /** An item that is lost because another one exceeded its time had the time of that one, and as long again. */
  #checkTimeOfOthers(worker: number): void {
    const ms = this.#endedAfter.get(worker) ?? 0
    if (ms < 2 * this.#options.killAfterMs) broken(`an item had ${ms} ms to end beside a late one`)
  }

  // ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #receive(worker: number, said: Said): void {
    if (said.type === 'dying') {
      const notice = { uncaughtError: said.escaped, exitCallStack: said.exitSite }
      return this.post({ type: 'exit-announced', worker, notice })
    }
    if (said.type !== 'gone') return this.post({ ...said, worker } as SchedulerInput)
    this.workers[worker] = undefined
    this.#exits++
    if (this.#expiredAt.delete(worker)) this.#allowAnotherBegin(worker)
    const { exitCode, signal, recorded } = said
    this.#runningAtExit = new Set(recorded?.running.map((item) => this.#keyOf(item)))
    const record = recorded && {
      outcomes: recorded.outcomes.map(toSettled),
      running: this.#running(recorded),
      begun: [...recorded.begun].map(([id, upTo]) => ({ id, upTo })),
      unrecorded: recorded.unrecorded,
    }
    this.post({ type: 'exited', worker, exitCode, signal, stderrTail: [], record })
  }

  /** Items that are lost with a worker that had to end for another one run again, where retries were requested. */
  #allowAnotherBegin(worker: number): void {
    for (const { call, chunk, worker: ranIn } of this.#chunks.values()) {
      const { retry } = call.plan
      if (ranIn !== worker || retry === undefined || retry.retries === 0 || !retry.on.includes('crash'))
        continue
      for (let offset = 0; offset < chunk.count; offset++) {
        const attempt = this.#attempts.get(key(call.id, this.#index(chunk, offset), chunk.attempt))
        if (attempt !== undefined && !attempt.safe) attempt.unrecorded = true
      }
    }
  }

  #running({ running }: NonNullable<ReturnType<ModelWorker['inspect']>>) {
    return running.map(({ id, offset }) => ({
      id,
      offset,
      forMs:
        this.now -
        (this.#begunAt.get(`${id}/${offset}`) ??
          broken(`item ${offset} of ${id} is in the record and never began`)),
    }))
  }

  #behaviour(chunk: ChunkMessage, offset: number): Behaviour {
    const { behaviours } = this.#chunks.get(chunk.id)!.call.plan
    const attempts = behaviours[this.#index(chunk, offset) % behaviours.length]!
    return attempts[Math.min(chunk.attempt, attempts.length) - 1]!
  }

  #begins(chunk: ChunkMessage, offset: number, recorded: boolean): void {
    const attempt = this.#attempt(chunk, offset)
    this.#begunAt.set(`${chunk.id}/${offset}`, this.now)
    const item = `item ${this.#index(chunk, offset)}, attempt ${chunk.attempt}`
    if (attempt.safe) broken(`${item} has ended, which is recorded, and begins again`)
    if (attempt.begins > 0 && !attempt.unrecorded) broken(`${item} begins again`)
    attempt.begins++
    attempt.unrecorded = !recorded
  }

  #hasBegun(call: CallState, index: number): boolean {
    return this.#attempts.has(key(call.id, index, 1))
  }

  #attempt(chunk: ChunkMessage, offset: number): Attempt {
    const name = key(this.#chunks.get(chunk.id)!.call.id, this.#index(chunk, offset), chunk.attempt)
    const attempt = this.#attempts.get(name) ?? { begins: 0, unrecorded: false, safe: false }
    this.#attempts.set(name, attempt)
    return attempt
  }

  #keyOf({ id, offset }: { readonly id: number; readonly offset: number }): string {
    const { call, chunk } = this.#chunks.get(id)!
    return key(call.id, this.#index(chunk, offset), chunk.attempt)
  }

  #index({ index }: ChunkMessage, offset: number): number {
    return typeof index === 'number' ? index + offset : index[offset]!
  }

  #callOf({ payload }: ChunkMessage): CallState {
    const first = payload.kind === 'values' ? payload.values[0] : undefined
    return this.calls[Math.floor(Number(first) / MOST_ITEMS)] ?? broken('a chunk of no call')
  }
}

const UNSENDABLE: Failure = { kind: 'encoding', side: 'argument', path: '', message: '', preview: '' }

/** An item contains the id of its call. */
const MOST_ITEMS = 100_000
const itemOf = (call: number, index: number) => call * MOST_ITEMS + index

const key = (call: number, index: number, attempt: number) => `${call}/${index}/${attempt}`

function toSettled(
  outcome: NonNullable<ReturnType<ModelWorker['inspect']>>['outcomes'][number],
): ResultsMessage {
  const { id, offset } = outcome
  const failures = 'failure' in outcome ? [{ offset, failure: outcome.failure }] : []
  const value = 'value' in outcome ? outcome.value : undefined
  return { id, from: offset, count: 1, results: { kind: 'values', values: [value] }, failures, busyMs: 0 }
}
