// Runs the chunks that the parent sends, as many at the same time as `concurrency` allows, and one item after another in
// each. Between two items of a chunk, small calls that have arrived get their turn. Cancels chunks, and returns what has not
// started.
import type { Clock } from '../clock.js'
import { BadItem } from '../framing/parse.js'
import type { FlightRecorder } from '../ipc/flight-recorder/writer.js'
import type { ChunkMessage } from '../ipc/protocol.js'
import type { Failure } from '../model.js'
import { ChunkRun } from './chunk-run.js'
import { Costs, QUICK_UP_TO_MS } from './cost.js'
import { EventLoop } from './event-loop.js'
import { allowsFastPath, runUnrecordedItems } from './fast-path.js'
import { isGenerator, readGenerator } from './generator.js'
import type { Outbox } from './outbox.js'
import { isThenable, Refusal } from './outcome.js'
import { failureWithAdvice } from './should-retry.js'
import { Context, type InvokeTask, type Task } from './task-context.js'
import type { Checked, Validate } from './validate.js'

export interface RunnerOptions {
  readonly concurrency: number
  readonly workerId: number
  readonly outbox: Outbox
  readonly recorder: FlightRecorder | undefined
  readonly clock: Clock
  readonly callTask: InvokeTask
  getTask(name: string): Task
  /** The job's own check of items, where it has one. */
  readonly validate?: Validate | undefined
  /** The job's own decision about another attempt, where it has one. */
  readonly shouldRetry?: Task | undefined
  /** Takes a message for the user. Only called where there is `shouldRetry`. */
  readonly warn?: ((message: string) => void) | undefined
  /** An item starts (its index), or none is running any more. Only set where output is attributed. */
  readonly onStartItem?: ((index: number | 'none') => void) | undefined
  /**
   * Ends this process if the job has broken the language that it runs on. Called when an item has ended and has not
   * settled, or after some unrecorded items of which any may have done it.
   */
  readonly checkBuiltins?: ((isItemKnown: boolean) => void) | undefined
  /** Chunks that were cancelled, once none of their items runs any more, or this process ends next. */
  onCancelled(runs: readonly ChunkRun[]): void
  /** Chunks that have become shorter, also to nothing. `waits`: the parent has not asked for their items. */
  onReturned(runs: readonly ChunkRun[], waits: boolean): void
}

export class Runner {
  readonly #options: RunnerOptions
  readonly #outbox: Outbox
  readonly #allowsFastPath: boolean
  readonly #costs = new Costs()
  readonly #eventLoop: EventLoop
  readonly #queue: ChunkRun[] = []
  /** Chunks of small calls. */
  readonly #smallQueue: ChunkRun[] = []
  readonly #started = new Map<number, ChunkRun>()
  #workLoops = 0
  #isFlushPlanned = false
  #isReturnPlanned = false
  #whenIdle: (() => void)[] = []

  constructor(options: RunnerOptions) {
    this.#options = options
    this.#outbox = options.outbox
    this.#allowsFastPath = allowsFastPath(options)
    this.#eventLoop = new EventLoop(options.clock)
  }

  run(chunks: readonly ChunkMessage[]): void {
    const { outbox, recorder, clock, concurrency } = this.#options
    const runs = chunks.map(
      (chunk) => new ChunkRun(chunk, { cost: this.#costs.of(chunk.task.name), outbox, recorder, clock }),
    )
    const cheap = runs.filter(({ isCheap, hasTimeLimit }) => isCheap && !hasTimeLimit)
    // One chunk announces itself when it starts.
    if (cheap.length > 1) ChunkRun.announceUnrecorded(cheap, recorder)
    for (const run of runs) {
      const queue = run.chunk.isSmall ? this.#smallQueue : this.#queue
      queue.push(run)
    }
    while (this.#workLoops < concurrency && this.#isAnyQueued) void this.#workLoop()
  }

  get #isAnyQueued(): boolean {
    return this.#queue.length > 0 || this.#smallQueue.length > 0
  }

  #takeQueued(): ChunkRun[] {
    return [...this.#queue.splice(0), ...this.#smallQueue.splice(0)]
  }

  cancel(ids: readonly number[], why = 'the item was cancelled'): void {
    const unstarted: ChunkRun[] = []
    for (const id of ids) {
      const started = this.#started.get(id)
      if (started !== undefined) {
        started.cancel(why)
        continue
      }
      for (const queue of [this.#queue, this.#smallQueue]) {
        const i = queue.findIndex((run) => run.id === id)
        if (i >= 0) unstarted.push(...queue.splice(i, 1))
      }
    }
    this.#drop(unstarted)
  }

  /** The item has exceeded its time: aborts its signal. Returns whether it listens; `undefined` if it has settled. */
  expire(id: number, offset: number): boolean | undefined {
    // The parent may not know yet what has settled.
    void this.#outbox.flush()
    return this.#started.get(id)?.expire(offset)
  }

  /** Running items may finish; everything else goes back to the parent. */
  returnUnstarted(): void {
    const queued = this.#takeQueued()
    const runs = [...this.#started.values(), ...queued].filter((run) => run.giveUpUnstarted())
    for (const run of queued) run.drop()
    this.#options.onReturned(runs, false)
  }

  /** Cancels everything. True if something listens to its signal and should be given time. */
  abortAll(why: string): boolean {
    void this.#outbox.flush()
    this.#drop(this.#takeQueued())
    const started = [...this.#started.values()]
    if (started.length > 0) this.#options.onCancelled(started)
    let isListening = false
    for (const run of started) {
      if (run.context?.listens === true) isListening = true
      run.cancel(why)
    }
    return isListening
  }

  /** Records each item from now on: this process may exit. */
  recordEverything(): void {
    for (const run of [...this.#queue, ...this.#smallQueue]) run.startRecording()
    for (const run of this.#started.values()) run.startRecording()
    // Outcomes that it has noted: an exit in the middle of a message, as in a getter of a result, would lose them.
    this.#options.recorder?.write()
  }

  /** An item has begun and has not ended. */
  get isRunning(): boolean {
    for (const { isItemRunning } of this.#started.values()) if (isItemRunning) return true
    return false
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.#workLoops === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  #drop(runs: readonly ChunkRun[]): void {
    for (const run of runs) run.drop()
    if (runs.length > 0) this.#options.onCancelled(runs)
  }

  // ── work loops ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs chunks one after another until the queue is empty. There are up to `concurrency` such loops. */
  async #workLoop(): Promise<void> {
    this.#workLoops++
    for (let run = this.#next(); run !== undefined; run = this.#next()) {
      await this.#runChunk(run)
      if (this.#isAnyQueued && this.#eventLoop.isYieldDue) await this.#eventLoop.yieldToEventLoop()
    }
    this.#workLoops--
    if (this.#workLoops > 0) return this.#returnUnstartedLater()
    this.#options.onStartItem?.('none')
    for (const resolve of this.#whenIdle) resolve()
    this.#whenIdle = []
  }

  /** The small calls that have arrived have their turn before the first item of another chunk. */
  #next(): ChunkRun | undefined {
    return this.#queue.shift() ?? this.#smallQueue.shift()
  }

  async #runChunk(run: ChunkRun): Promise<void> {
    this.#started.set(run.id, run)
    run.start(this.#options.getTask(run.chunk.task.name))
    for (let pending = this.#advance(run); pending !== undefined; pending = this.#advance(run)) {
      if (this.#hasIdleLane) this.#returnUnstartedLater()
      await pending
    }
    const left = this.#endChunk(run)
    if (left !== undefined) await left
  }

  /** Those that have arrived. Then the chunk between whose items they run has its turn. */
  async #runSmallChunks(): Promise<void> {
    for (let left = this.#smallQueue.length; left > 0; left--) {
      const run = this.#smallQueue.shift()
      if (run !== undefined) await this.#runChunk(run)
    }
    void this.#outbox.flush()
  }

  /** One more item could run beside those that wait. */
  get #hasIdleLane(): boolean {
    return this.#workLoops < this.#options.concurrency && !this.#isAnyQueued
  }

  /**
   * The parent spreads what has not begun over idle lanes, here or in another worker. Only if items still wait after a turn
   * of the event loop: a chunk of trivial promises is over by then.
   */
  #returnUnstartedLater(): void {
    if (this.#isReturnPlanned) return
    this.#isReturnPlanned = true
    void this.#eventLoop.endOfTurn().then(() => {
      this.#isReturnPlanned = false
      if (!this.#hasIdleLane) return
      // Not of a chunk between two items: it goes on in its own lane.
      const waiting = [...this.#started.values()].filter((run) => run.isItemRunning && run.giveUpUnstarted())
      if (waiting.length > 0) this.#options.onReturned(waiting, true)
    })
  }

  /** Returns what to wait for before anything else starts: a result that a crash would lose has to leave first. */
  #endChunk(run: ChunkRun): Promise<void> | undefined {
    const { isCancelled } = run
    this.#started.delete(run.id)
    run.end()
    const left = this.#outbox.isFull ? this.#outbox.flush() : undefined
    if (isCancelled) this.#options.onCancelled([run])
    // More work is ready and little time has passed: the results can share a message.
    if (run.hasFailed) void this.#outbox.flush()
    else if (this.#workLoops > 1 && run.isNextQuick) this.#flushAfterTurn()
    else if (!this.#isAnyQueued || !this.#outbox.mayWaitForNextChunk) void this.#outbox.flush()
    return left
  }

  /**
   * Runs items for as long as nothing has to be awaited, and returns what has to be; `undefined` once the chunk is over.
   * Not an async function: most items are a call and a value, and must cost little more than that.
   */
  #advance(run: ChunkRun): Promise<void> | undefined {
    while (run.hasNext) {
      if (this.#smallQueue.length > 0 && run.givesWay()) return this.#runSmallChunks()
      // It may block this process for long: what has settled must not wait for it.
      if (!run.isNextQuick && !this.#outbox.isEmpty) {
        void this.#outbox.flush()
        if (this.#eventLoop.isYieldDue) return this.#eventLoop.yieldToEventLoop()
      }
      if (this.#allowsFastPath && run.isNextQuick && run.trySkipRecording()) {
        const outcome = runUnrecordedItems(run, this.#options.workerId, this.#eventLoop)
        if (outcome !== undefined) return this.#settleLater(run, outcome)
        this.#options.checkBuiltins?.(false)
        if (run.isFlushDue) return this.#flushAndYield()
        continue
      }
      const item = run.nextItem()
      if (item instanceof BadItem) {
        run.refuse(item)
        continue
      }
      if (!run.startItem()) {
        this.returnUnstarted()
        break
      }
      let succeeded = true
      let outcome: unknown
      try {
        outcome = this.#callTask(run, item)
        if (isGenerator(outcome)) outcome = this.#readGenerator(run, outcome)
        if (isThenable(outcome)) {
          if (this.#options.concurrency > 1) run.suspend()
          return this.#settleLater(run, outcome)
        }
      } catch (thrown) {
        if (this.#mayAskForRetry(run)) return this.#settleLater(run, Promise.reject(thrown))
        succeeded = false
        outcome = thrown
      }
      this.#settle(run, succeeded, outcome)
      if (run.isFlushDue) return this.#flushAndYield()
      if (this.#eventLoop.isYieldDueAt(run.endedAt)) return this.#eventLoop.yieldToEventLoop()
    }
    return undefined
  }

  #callTask(run: ChunkRun, item: unknown): unknown {
    const { workerId, validate, callTask, onStartItem } = this.#options
    const { chunk, task, itemIndex } = run
    const context = new Context(itemIndex, chunk.attempt, workerId)
    run.context = context
    onStartItem?.(itemIndex)
    run.watchItem()
    run.startTiming()
    if (validate === undefined) return callTask(context, task, chunk.task.calling, item)
    const call = (checked: Checked) =>
      'refused' in checked
        ? new Refusal(checked.refused)
        : callTask(context, task, chunk.task.calling, checked.item)
    const checked = validate(item)
    return isThenable(checked) ? Promise.resolve(checked).then(call) : call(checked)
  }

  /** As a task of its own, which runs in the context of the item. */
  #readGenerator(run: ChunkRun, generator: unknown): unknown {
    const { task } = run.chunk
    const read: Task = (item, context) =>
      readGenerator(item as Generator, task, context as Context, this.#eventLoop)
    return this.#options.callTask(run.context!, read, 'item', generator)
  }

  async #settleLater(run: ChunkRun, outcome: PromiseLike<unknown>): Promise<void> {
    run.returnedPromise()
    this.#outbox.flushLater()
    let succeeded = true
    let settled: unknown
    try {
      settled = await outcome
      if (isGenerator(settled)) settled = await this.#readGenerator(run, settled)
    } catch (thrown) {
      succeeded = this.#mayAskForRetry(run)
      settled = succeeded ? await this.#askForRetry(run, thrown) : thrown
    }
    this.#settle(run, succeeded, settled)
    if (settled instanceof Refusal && pausesAll(settled.failure)) this.#pause()
    if (run.isFlushDue) await this.#flushAndYield()
  }

  #mayAskForRetry({ chunk, isCancelled }: ChunkRun): boolean {
    return this.#options.shouldRetry !== undefined && chunk.mayRetry === true && !isCancelled
  }

  async #askForRetry(run: ChunkRun, thrown: unknown): Promise<Refusal> {
    const { callTask, shouldRetry, warn = () => {} } = this.#options
    const ask = (error: unknown) => callTask(run.context!, shouldRetry!, 'item', error)
    return new Refusal(await failureWithAdvice(thrown, ask, warn))
  }

  /** The parent pauses all workers. It is told first: what goes back must not be dispatched again. */
  #pause(): void {
    void this.#outbox.flush()
    this.returnUnstarted()
  }

  #settle(run: ChunkRun, succeeded: boolean, outcome: unknown): void {
    this.#options.checkBuiltins?.(run.isRecorded)
    const tookMs = run.settle(succeeded, outcome)
    // The parent may be about to end this worker for it, and the kill must not hit another item. If the parent has judged
    // otherwise, because it does not count pauses, it sends the rest again.
    if (tookMs >= run.timeoutMs) this.returnUnstarted()
  }

  /** What other items settle in this turn of the event loop shares the message. */
  #flushAfterTurn(): void {
    if (this.#isFlushPlanned || this.#outbox.isEmpty) return
    this.#isFlushPlanned = true
    const { clock } = this.#options
    const plannedAt = clock.now()
    void this.#eventLoop.endOfTurn().then(() => {
      this.#isFlushPlanned = false
      if (clock.now() - plannedAt > QUICK_UP_TO_MS) this.#costs.blocked()
      void this.#outbox.flush()
    })
  }

  async #flushAndYield(): Promise<void> {
    await this.#outbox.flush()
    if (this.#eventLoop.isYieldDue) await this.#eventLoop.yieldToEventLoop()
  }
}

function pausesAll(failure: Failure): boolean {
  return failure.kind === 'error' && typeof failure.retry === 'object' && failure.retry.everyone
}
