// A worker process as a model: the real outbox and the real flight recorder, and a runner that a test moves step by
// step. It is honest: it tells the test what really began and what really ended. Knows nothing of the scheduler.
import { systemClock } from '../../../src/clock.js'
import { createFlightRecordFile, type FlightRecordFile } from '../../../src/ipc/flight-recorder/file.js'
import { FlightRecorder } from '../../../src/ipc/flight-recorder/writer.js'
import type { ChunkMessage, FromWorker, ResultsMessage, ToWorker } from '../../../src/ipc/protocol.js'
import { ChunkRun } from '../../../src/worker/chunk-run.js'
import { Cost } from '../../../src/worker/cost.js'
import { Outbox } from '../../../src/worker/outbox.js'
import { Context } from '../../../src/worker/task-context.js'

/** What an attempt at an item does. */
export type Behaviour =
  | 'succeeds'
  | 'fails'
  /** Never ends, and lets others run. */
  | 'hangs'
  /** Ends when its signal aborts. */
  | 'listens'
  /** A busy loop. */
  | 'blocks'
  /** Ends its process without a word. */
  | 'dies'
  /** Ends its process, which sees it coming. */
  | 'exits'
  /** Its result is too large to be written down. */
  | 'large'
  /** Ends, and its process does nothing more, not even that which is to be done for the item. */
  | 'breaks'

interface Witness {
  behaviour(chunk: ChunkMessage, offset: number): Behaviour
  /** `exact`: a reader of the flight record sees it. */
  begins(chunk: ChunkMessage, offset: number, exact: boolean): void
  /** Its outcome has left the process, or was written down when it died. */
  isSafe(id: number, offset: number): void
}

interface ModelOptions {
  readonly pid: number
  readonly concurrency: number
  readonly records: boolean
  /** Items are too cheap to be written down, unless the chunk is exact. */
  readonly isCheap: (chunk: ChunkMessage) => boolean
  readonly finalizerHangs: boolean
  /** Its parent asks it whether an item is running. */
  readonly heartbeat?: boolean | undefined
  readonly witness: Witness
}

type Untagged<T> = T extends unknown ? Omit<T, 'token'> : never
export type Said =
  | Untagged<FromWorker>
  | {
      readonly type: 'gone'
      readonly exitCode: number | null
      readonly signal: string | null
      readonly recorded: ReturnType<FlightRecordFile['read']> | undefined
    }

interface Open {
  readonly chunk: ChunkMessage
  readonly run: ChunkRun
  offset: number
  begun: boolean
  /** Waits until its message has left. */
  blocked: boolean
  /** The item that is running has exceeded its time, and its signal was aborted. */
  expired: boolean
}

const LARGE = 'x'.repeat(70_000)
const CHEAP = new Cost()
for (let i = 0; i < 16; i++) CHEAP.add(0)
CHEAP.update()
const EXPENSIVE = new Cost()

export class ModelWorker {
  readonly inbox: ToWorker[] = []
  /** In the kernel: no death takes it back. */
  readonly said: Said[] = []
  alive = true
  stopped = false
  ready = false
  readonly #options: ModelOptions
  readonly #file: FlightRecordFile | undefined
  readonly #recorder: FlightRecorder | undefined
  readonly #outbox: Outbox
  /** Written, and still in the process. */
  #unsent: { message: Untagged<FromWorker>; left: () => void }[] = []
  #queue: ChunkMessage[] = []
  #open: Open[] = []
  readonly #cancelled = new Set<number>()
  #isBroken = false
  #leaving = false
  #lastWords: ReturnType<FlightRecordFile['read']> | undefined
  #stopping = false

  constructor(options: ModelOptions) {
    this.#options = options
    this.#file = options.records ? createFlightRecordFile() : undefined
    this.#recorder = this.#file === undefined ? undefined : new FlightRecorder(this.#file.fd)
    const send = (ranges: readonly ResultsMessage[]) => this.#settled(ranges)
    this.#outbox = new Outbox({ send, recorder: this.#recorder, clock: systemClock })
  }

  get pid(): number {
    return this.#options.pid
  }

  inspect(): ReturnType<FlightRecordFile['read']> | undefined {
    return this.alive ? this.#file?.read() : this.#lastWords
  }

  boot(): void {
    this.ready = true
    void this.#say({ type: 'ready', exports: { default: 'function' } })
    while (this.leave());
  }

  kill(signal: string): void {
    if (!this.alive || (this.stopped && signal !== 'SIGKILL')) return
    this.#die(null, signal)
  }

  /** One message of the parent arrives. */
  hear(): boolean {
    if (!this.#runs() || this.#isBlocked() || this.#isBroken || this.inbox.length === 0) return false
    const message = this.inbox.shift()!
    switch (message.type) {
      case 'init':
        break
      case 'run':
        this.#queue.push(...message.chunks)
        break
      case 'cancel':
        this.#cancel(message.ids)
        break
      case 'expire':
        this.#expire(message.id, message.offset)
        break
      case 'return':
        this.#returnUnstarted()
        break
      case 'stop':
        this.#stopping = true
        break
      case 'terminate':
        this.#terminate(message.isImmediate)
        break
      case 'ping':
        throw new Error('it is answered by `pong`')
      default:
        message satisfies never
    }
    return true
  }

  /** Begins or ends one item, or goes on with what is to be done. `flush` decides where the real one looks at a clock. */
  step(pick: number, flush: boolean): boolean {
    if (!this.#runs() || this.#isBlocked() || this.#isBroken) return false
    if (this.#leaving && this.#unsent.length === 0) {
      this.#die(0, null)
      return true
    }
    if (this.#leaving) return false
    const chunk = this.#takeNext()
    if (chunk !== undefined) {
      const run = this.#runOf(chunk)
      run.start(() => {})
      this.#open.push({ chunk, run, offset: 0, begun: false, blocked: false, expired: false })
      return true
    }
    if (this.#stopping && this.#open.length === 0 && !this.#options.finalizerHangs) {
      this.#leaving = true
      return true
    }
    if (this.hasIdleLane && this.waiting > 0) {
      this.#returnWaiting()
      return true
    }
    for (let place = 0; place < this.#open.length; place++) {
      const open = this.#open[(place + pick) % this.#open.length]!
      if (this.#advance(open, flush)) return true
    }
    return false
  }

  /** What has settled is sent after a while, whatever else happens. */
  flush(): boolean {
    if (!this.#runs() || this.#isBlocked() || this.#isBroken || this.#outbox.isEmpty) return false
    void this.#outbox.flush()
    return true
  }

  /** The oldest message leaves the process. */
  leave(): boolean {
    if (!this.alive || this.#unsent.length === 0) return false
    const { message, left } = this.#unsent.shift()!
    this.said.push(message)
    if (message.type === 'settled')
      for (const { id, from, count } of message.ranges)
        for (let offset = from; offset < from + count; offset++) this.#options.witness.isSafe(id, offset)
    left()
    return true
  }

  /** Its answer to a ping; `undefined` if it cannot answer. */
  pong(): { isRunning: boolean } | undefined {
    if (!this.#runs() || this.#isBlocked()) return undefined
    return { isRunning: !this.#isBroken && this.#open.some(({ begun }) => begun) }
  }

  /** It goes on with what it has, and reads what its parent sends. */
  get answers(): boolean {
    return this.#runs() && !this.#isBlocked() && !this.#isBroken && !this.#leaving && !this.#stopping
  }

  /** Items that have not settled, by chunk. */
  get held(): readonly { readonly chunk: number; readonly items: number }[] {
    const queued = this.#queue.map(({ id, count }) => ({ chunk: id, items: count }))
    return [...queued, ...this.#open.map(({ run, offset }) => ({ chunk: run.id, items: run.count - offset }))]
  }

  /** Items that have not begun. */
  get unstarted(): number {
    const begun = this.#open.filter((open) => open.begun).length
    return this.held.reduce((sum, { items }) => sum + items, 0) - begun
  }

  get hasIdleLane(): boolean {
    return this.#open.length < this.#options.concurrency && this.#queue.length === 0
  }

  /** Items behind the one that runs, in the same chunk. */
  get waiting(): number {
    const open = this.#open.filter(({ begun, run }) => begun && !this.#cancelled.has(run.id))
    return open.reduce((sum, { run }) => sum + run.count - run.begun, 0)
  }

  /** Something that only a kill, a cancel or a timeout ends. */
  get hangs(): boolean {
    if (!this.alive) return false
    if (this.#isBroken) return this.#options.heartbeat !== true
    return this.stopped || this.#open.some((open) => open.begun && this.#isEndless(open))
  }

  // ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #runs(): boolean {
    return this.alive && this.ready && !this.stopped
  }

  #runOf(chunk: ChunkMessage): ChunkRun {
    // By the real clock its time limit would make every run another one. Nothing is watched here, so what has one is recorded.
    const { timeoutMs, ...untimed } = chunk
    const recordEachItem = chunk.recordEachItem || timeoutMs !== undefined
    const cost = this.#options.isCheap(chunk) ? CHEAP : EXPENSIVE
    const message = { ...untimed, recordEachItem }
    return new ChunkRun(message, {
      cost,
      outbox: this.#outbox,
      recorder: this.#recorder,
      clock: systemClock,
    })
  }

  #behaviour({ chunk, offset }: Open): Behaviour {
    return this.#options.witness.behaviour(chunk, offset)
  }

  #isBlocked(): boolean {
    return this.#open.some((open) => open.begun && this.#behaviour(open) === 'blocks')
  }

  #isEndless(open: Open): boolean {
    return !this.#isBroken && ['hangs', 'blocks', 'listens'].includes(this.#behaviour(open))
  }

  #advance(open: Open, flush: boolean): boolean {
    const { chunk } = open
    const { id } = chunk
    if (open.blocked) return false
    const aborted = this.#cancelled.has(id)
    if (!open.begun) {
      // It was interrupted for a small call.
      if (!chunk.isSmall && this.#busyLanes >= this.#options.concurrency) return false
      if (open.offset === open.run.count || aborted) {
        this.#finish(open, flush)
        return true
      }
      open.begun = true
      this.#options.witness.begins(
        chunk,
        open.offset,
        open.run.chunk.recordEachItem || !this.#options.isCheap(chunk),
      )
      open.run.startItem()
      if (this.#options.concurrency > 1 && this.#behaviour(open) !== 'blocks') open.run.suspend()
      return true
    }
    switch (this.#behaviour(open)) {
      case 'hangs':
      case 'blocks':
        return false
      case 'listens':
        if (!aborted && !open.expired) return false
        if (!aborted) open.run.settle(false, 'aborted')
        break
      case 'dies':
        this.#die(null, 'SIGKILL')
        return true
      case 'exits':
        void this.#outbox.flush()
        for (const { run } of this.#open) run.startRecording()
        void this.#say({ type: 'dying', exitSite: 'at task' })
        // It waits until all of it is in the pipe.
        while (this.leave());
        this.#die(5, null)
        return true
      case 'breaks':
        this.#isBroken = true
        return true
      case 'fails':
        if (!aborted) open.run.settle(false, 'x')
        break
      case 'succeeds':
      case 'large':
        if (!aborted)
          open.run.settle(true, this.#behaviour(open) === 'large' ? LARGE : itemAt(chunk, open.offset))
    }
    open.begun = false
    // The parent may not know yet that it has ended.
    if (open.expired && !aborted) this.#returnUnstarted()
    open.expired = false
    if (aborted) {
      this.#finish(open, flush)
      return true
    }
    open.offset++
    if (open.offset < open.run.count && (this.#outbox.isFull || flush)) {
      open.blocked = true
      void this.#outbox.flush().then(() => {
        open.blocked = false
      })
    }
    return true
  }

  /** Lanes that run an item, or are about to run that of a small call. */
  get #busyLanes(): number {
    return this.#open.filter(({ begun, chunk }) => begun || chunk.isSmall).length
  }

  /** The next chunk for an idle lane, or a small call between two items of another chunk. */
  #takeNext(): ChunkMessage | undefined {
    if (this.#busyLanes >= this.#options.concurrency) return undefined
    const isFull = this.#open.length >= this.#options.concurrency
    const i = this.#queue.findIndex(({ isSmall }) => isSmall || !isFull)
    return i >= 0 ? this.#queue.splice(i, 1)[0] : undefined
  }

  #finish(open: Open, flush: boolean): void {
    const { id } = open.chunk
    this.#open = this.#open.filter((other) => other !== open)
    if (this.#cancelled.delete(id)) {
      open.run.cancel('the item was cancelled')
      open.run.end()
      this.#sayCancelled([id], open.run.begun)
    } else open.run.end()
    if (open.run.hasFailed || this.#queue.length === 0 || this.#outbox.isFull || flush)
      void this.#outbox.flush()
  }

  #sayCancelled(ids: readonly number[], begun: number): void {
    void this.#say({ type: 'cancelled', ids, begun: ids.map(() => begun) })
  }

  #cancel(ids: readonly number[]): void {
    const dropped: number[] = []
    for (const id of ids) {
      if (this.#open.some(({ chunk }) => chunk.id === id)) this.#cancelled.add(id)
      else if (this.#queue.some((chunk) => chunk.id === id)) {
        this.#queue = this.#queue.filter((chunk) => chunk.id !== id)
        dropped.push(id)
      }
    }
    if (dropped.length > 0) this.#sayCancelled(dropped, 0)
  }

  #returnUnstarted(): void {
    const dropped = this.#queue.splice(0).map(({ id }) => ({ id, count: 0 }))
    this.#sayReturned([...dropped, ...this.#open.flatMap((open) => this.#giveUp(open))], false)
  }

  /** Items wait behind others in the same chunk, and a lane is idle. */
  #returnWaiting(): void {
    const begun = this.#open.filter((open) => open.begun)
    this.#sayReturned(
      begun.flatMap((open) => this.#giveUp(open)),
      true,
    )
  }

  #giveUp({ run }: Open): readonly ChunkRun[] {
    return !this.#cancelled.has(run.id) && run.giveUpUnstarted() ? [run] : []
  }

  #sayReturned(runs: readonly { readonly id: number; readonly count: number }[], waits: boolean): void {
    const kept = runs.map(({ count }) => count)
    void this.#say({ type: 'returned', ids: runs.map(({ id }) => id), kept, waits })
  }

  #expire(id: number, offset: number): void {
    void this.#outbox.flush()
    const open = this.#open.find(({ chunk }) => chunk.id === id)
    if (open === undefined || !open.begun || open.offset !== offset) return
    open.expired = true
    open.run.context = new Context(0, 1, 0)
    open.run.expire(offset)
    void this.#say({ type: 'expiring', id, offset, listens: this.#behaviour(open) === 'listens' })
  }

  #terminate(isImmediate: boolean): void {
    this.#recorder?.freeze()
    void this.#outbox.flush()
    this.#sayCancelled(
      this.#queue.map(({ id }) => id),
      0,
    )
    this.#queue = []
    for (const { chunk, run } of this.#open) {
      this.#cancelled.add(chunk.id)
      this.#sayCancelled([chunk.id], run.begun)
    }
    const listening = this.#open.some((open) => open.begun && this.#behaviour(open) === 'listens')
    if (listening && !isImmediate) {
      void this.#say({ type: 'terminating' })
      this.#stopping = true
    } else this.#leaving = true
  }

  #settled(ranges: readonly ResultsMessage[]): Promise<void> {
    // By the real clock they would make every run another one.
    return this.#say({ type: 'settled', ranges: ranges.map((range) => ({ ...range, busyMs: range.count })) })
  }

  #say(message: Untagged<FromWorker>): Promise<void> {
    return new Promise((left) => this.#unsent.push({ message, left }))
  }

  #die(exitCode: number | null, signal: string | null): void {
    this.alive = false
    this.#unsent = []
    const recorded = this.#file?.read()
    this.#lastWords = recorded
    this.#file?.close()
    for (const { id, offset } of recorded?.outcomes ?? []) this.#options.witness.isSafe(id, offset)
    this.said.push({ type: 'gone', exitCode, signal, recorded })
  }
}

function itemAt({ payload }: ChunkMessage, offset: number): unknown {
  return payload.kind === 'values' ? payload.values[offset] : undefined
}
