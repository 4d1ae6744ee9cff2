// Runs chunks, item by item, as many at once as `concurrency` says, and settles each item in the outbox.
// Knows nothing of the channel or of how the job was loaded.
import { toErrorData } from '../errors/capture/to-error-data.js'
import { BadItem, type ItemReader, readItems } from '../framing/parse.js'
import type { ChunkMessage } from '../ipc/protocol.js'
import type { Failure, Ms, Payload } from '../model.js'
import { type Cost, createCosts } from './cost.js'
import type { ChunkResults, Outbox } from './outbox.js'
import { asArguments, Context, type InvokeTask, leaveTask, running, type Task } from './task-context.js'
import type { Checked, Validate } from './validate.js'

/**
 * What has settled is sent at least this often, so that a slow item does not hold back the ones before it; and messages
 * are let in.
 */
const FLUSH_MS: Ms = 10
/** Chunks that end within this of each other share a message. */
const SHARE_MS: Ms = 1
/** Of items that cheap the clock is asked for one in so many: to ask costs more than the least of them. */
const SAMPLE = 8

export interface RunnerOptions {
  readonly concurrency: number
  readonly workerId: number
  readonly outbox: Outbox
  readonly callTask: InvokeTask
  getTask(name: string): Task
  /** The job's own check of items, where it has one. */
  readonly validate?: Validate | undefined
  /** An item begins (its index), or none is running any more. Only set where output is attributed. */
  readonly onBegin?: ((index: number | 'none') => void) | undefined
  /** Chunks that were cancelled or given back, and that do not run any more. */
  onCancelled(ids: readonly number[]): void
}

export interface Runner {
  run(chunks: readonly ChunkMessage[]): void
  cancel(ids: readonly number[]): void
  /** Ends what runs after its present item, gives everything else back. */
  drain(): void
  /** Aborts everything; true if something listens and should be given time. */
  abortAll(): boolean
  /** Resolves when nothing runs. */
  idle(): Promise<void>
}

/** A chunk that has begun. */
interface Run {
  readonly chunk: ChunkMessage
  readonly task: Task
  readonly items: ItemReader
  readonly range: ChunkResults
  readonly cost: Cost
  /** Each of its items is timed: it is not blind, or one of them was slow. */
  watched: boolean
  /** The item that is its turn, or that runs. */
  offset: number
  context: Context | undefined
  /** When it began, if it is timed: of the cheap ones only some are. */
  began: Ms
  timed: boolean
  /** When the one that was timed last had ended. */
  ended: Ms
  /** One of its items, so far. */
  failed: boolean
  cancelled: boolean
  /** What has not begun of it goes back. */
  givenBack: boolean
}

/** Taken before the job is loaded: it may replace it. */
const immediately = setImmediate

/** What a task's outcome stands for when there is none: its item was refused before the task saw it. */
class Refused {
  constructor(readonly failure: Failure) {}
}

function refusal(outcome: unknown): Failure | undefined {
  return outcome instanceof Refused ? outcome.failure : undefined
}

export function createRunner(options: RunnerOptions): Runner {
  const { concurrency, workerId, outbox, callTask, getTask, validate, onBegin, onCancelled } = options
  const queue: ChunkMessage[] = []
  const begun = new Map<number, Run>()
  const costOf = createCosts()
  let lanes = 0
  let flushTimer: NodeJS.Timeout | undefined
  /** When messages could last come in, while something runs. */
  let heardAt = performance.now()
  let whenIdle: (() => void)[] = []

  /** Lets messages in: a cancel is heard between items. That something was sent does not take a turn of the event loop. */
  const hear = async (): Promise<void> => {
    await new Promise((resolve) => immediately(resolve))
    heardAt = performance.now()
  }

  const flushLater = () => {
    if (flushTimer !== undefined) return
    flushTimer = setTimeout(() => {
      flushTimer = undefined
      void outbox.flush()
    }, FLUSH_MS)
  }

  /** Cheap ones are not written down item by item, unless that was asked for. */
  const isBlind = ({ recordEachItem: exact, task }: ChunkMessage) => !exact && costOf(task.name).isCheap

  /** Runs chunks one after another; there are as many lanes at work as there may be items in flight. */
  const lane = async () => {
    lanes++
    for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
      const run = begin(chunk)
      for (let pending = advance(run); pending !== undefined; pending = advance(run)) await pending
      finish(run)
      if (queue.length > 0 && performance.now() - heardAt > FLUSH_MS) await hear()
    }
    lanes--
    if (lanes > 0) return
    onBegin?.('none')
    for (const resolve of whenIdle) resolve()
    whenIdle = []
  }

  const begin = (chunk: ChunkMessage): Run => {
    const blind = isBlind(chunk)
    const run = {
      chunk,
      task: getTask(chunk.task.name),
      items: itemsOf(chunk.payload),
      range: outbox.open(chunk, !blind),
      cost: costOf(chunk.task.name),
      watched: !blind || chunk.task.timed === true,
      offset: 0,
      context: undefined,
      began: Number.NaN,
      timed: false,
      ended: Number.NaN,
      failed: false,
      cancelled: false,
      givenBack: false,
    }
    begun.set(chunk.id, run)
    return run
  }

  const finish = (run: Run) => {
    const { id, count } = run.chunk
    begun.delete(id)
    if (run.offset === count) run.givenBack = false
    run.cost.learn()
    if (run.cancelled) {
      outbox.discard(id)
      onCancelled([id])
    } else outbox.close(id)
    // More work is at hand and little time has passed: its results can share a message. A failure, which may stop
    // everything, waits for no company.
    if (run.failed || queue.length === 0 || outbox.full || performance.now() - outbox.flushedAt > SHARE_MS)
      void outbox.flush()
    if (run.givenBack && !run.cancelled) {
      void outbox.flush()
      onCancelled([id])
    }
  }

  /** They never begin. */
  const drop = (ids: readonly number[]) => {
    for (const id of ids) outbox.discard(id)
    if (ids.length > 0) onCancelled(ids)
  }

  /** What runs ends after its present item; everything else goes back. */
  const giveBack = () => {
    for (const run of begun.values()) run.givenBack = true
    drop(queue.splice(0).map(({ id }) => id))
  }

  /**
   * Runs its items for as long as nothing has to be waited for, and gives what has to be; `undefined` once it is over.
   * No async function: what most items are, a call and a value, is to cost little more than that.
   */
  const advance = (run: Run): Promise<void> | undefined => {
    const { id, count, timeoutMs } = run.chunk
    while (run.offset < count && !run.cancelled && !run.givenBack) {
      if (run.watched && mayRush && run.cost.isCheap) stopWatching(run)
      if (mayRush && !run.watched) {
        const pending = rush(run)
        if (pending !== undefined) return pending
        if (run.offset < count && isDue(run)) return flushAndHear()
        continue
      }
      const item = nextOf(run.items)
      if (item instanceof BadItem) {
        refuse(run, item)
        continue
      }
      if (!outbox.begin(id, timeoutMs)) {
        giveBack()
        break
      }
      let succeeded = true
      let outcome: unknown
      try {
        outcome = start(run, item)
        if (isThenable(outcome)) return settleLater(run, outcome)
      } catch (thrown) {
        succeeded = false
        outcome = thrown
      }
      settle(run, succeeded, outcome)
      if (run.offset < count && isDue(run)) return flushAndHear()
    }
    return undefined
  }

  /** Nothing has to be done for each item, and the one that runs is the only one. */
  const mayRush = concurrency === 1 && validate === undefined && onBegin === undefined

  /** Its items have turned out cheap: where nothing more is asked of it, they are written down no longer. */
  const stopWatching = (run: Run) => {
    const { recordEachItem: exact, task } = run.chunk
    if (exact || task.timed === true) return
    run.watched = false
    if (run.range.recorded) outbox.goBlind(run.range)
  }

  /**
   * Items too cheap to be written down, with next to nothing besides a value, a call and a value. Ends where more is to
   * be done: for what is no plain success, the long way; for results that are to leave; for items that are not cheap
   * any more. A loop of its own, and small, so that the compiler is soon done with it: in a short run that is what counts.
   */
  const rush = (run: Run): Promise<void> | undefined => {
    const { chunk, task, items, range } = run
    const { id, count, index, attempt } = chunk
    const spread = chunk.task.calling === 'spread'
    // Without a time limit, as these are, it may always begin.
    outbox.begin(id)
    while (run.offset < count) {
      const { offset } = run
      const item = nextOf(items)
      if (item instanceof BadItem) {
        refuse(run, item)
        break
      }
      const place = typeof index === 'number' ? index + offset : index[offset]!
      const context = new Context(place, attempt, workerId)
      running.context = context
      const timed = offset % SAMPLE === 0
      run.timed = timed
      if (timed) run.began = performance.now()
      let succeeded = true
      let outcome: unknown
      try {
        outcome = spread ? task(...asArguments(item)) : task(item, context)
        if (isThenable(outcome)) {
          run.context = context
          return settleLater(run, outcome)
        }
      } catch (thrown) {
        succeeded = false
        outcome = thrown
      }
      if (timed) takeTime(run)
      if (!succeeded || !outbox.add(range, outcome)) {
        settle(run, succeeded, outcome)
        break
      }
      run.offset++
      if (timed && (run.watched || isDue(run))) break
    }
    outbox.pause(range)
    leaveTask()
    return undefined
  }

  const refuse = (run: Run, { message, at }: BadItem) => {
    const { id, task } = run.chunk
    outbox.failed(id, { kind: 'input', message, at })
    if (task.timed === true) outbox.took(id, performance.now(), 0)
    run.offset++
  }

  const start = (run: Run, item: unknown): unknown => {
    const { chunk, offset } = run
    const { index } = chunk
    const itemIndex = typeof index === 'number' ? index + offset : index[offset]!
    const context = new Context(itemIndex, chunk.attempt, workerId)
    run.context = context
    onBegin?.(itemIndex)
    run.timed = run.watched || offset % SAMPLE === 0
    if (run.timed) run.began = performance.now()
    if (validate === undefined) return call(run, context, item)
    const answer = validate(item)
    const checked = (given: Checked) =>
      'refused' in given ? new Refused(given.refused) : call(run, context, given.item)
    return isThenable(answer) ? Promise.resolve(answer).then(checked) : checked(answer)
  }

  const call = (run: Run, context: Context, item: unknown): unknown =>
    callTask(context, run.task, run.chunk.task.calling, item)

  const settleLater = async (run: Run, outcome: PromiseLike<unknown>): Promise<void> => {
    if (!outbox.empty) flushLater()
    let succeeded = true
    let settled: unknown
    try {
      settled = await outcome
    } catch (thrown) {
      succeeded = false
      settled = thrown
    }
    settle(run, succeeded, settled)
    if (run.offset < run.chunk.count && isDue(run)) await flushAndHear()
  }

  /** The item has ended; how long it took, where it is one of those that are timed. */
  const takeTime = (run: Run): Ms => {
    if (!run.timed) return 0
    run.timed = false
    run.ended = performance.now()
    const tookMs = run.ended - run.began
    if (run.cost.took(tookMs)) run.watched = true
    return tookMs
  }

  /** What has settled is to leave before the next item begins. */
  const isDue = (run: Run): boolean => outbox.full || run.ended - outbox.flushedAt > FLUSH_MS

  const flushAndHear = async (): Promise<void> => {
    await outbox.flush()
    if (performance.now() - heardAt > FLUSH_MS) await hear()
  }

  const settle = (run: Run, succeeded: boolean, outcome: unknown): void => {
    if (run.cancelled) return
    const { id, task, timeoutMs = Number.POSITIVE_INFINITY } = run.chunk
    leaveTask()
    const tookMs = takeTime(run)
    const failure = succeeded ? refusal(outcome) : ({ kind: 'error', error: toErrorData(outcome) } as const)
    if (failure === undefined) outbox.succeeded(id, outcome)
    else {
      run.failed = true
      outbox.failed(id, failure)
    }
    if (task.timed === true) outbox.took(id, run.began, tookMs)
    run.offset++
    // The kill that is on its way is to meet no other item: everything goes back until the parent says more. It may
    // have judged otherwise, for it knows the pauses.
    if (tookMs >= timeoutMs) giveBack()
  }

  return {
    run(chunks) {
      const blind = chunks.filter(isBlind)
      if (blind.length > 1) outbox.expectBlind(blind.map(({ id }) => id))
      queue.push(...chunks)
      while (lanes < concurrency && queue.length > 0) void lane()
    },
    cancel(ids) {
      const dropped: number[] = []
      for (const id of ids) {
        const run = begun.get(id)
        if (run !== undefined) {
          run.cancelled = true
          run.context?.abort('the item was cancelled')
          continue
        }
        const place = queue.findIndex((chunk) => chunk.id === id)
        if (place < 0) continue
        queue.splice(place, 1)
        dropped.push(id)
      }
      drop(dropped)
    },
    drain: giveBack,
    abortAll() {
      void outbox.flush()
      queue.length = 0
      let listening = false
      for (const run of begun.values()) {
        run.cancelled = true
        if (run.context?.listens === true) listening = true
        run.context?.abort('the run was stopped, or the item has exceeded its time')
      }
      return listening
    },
    idle: () => (lanes === 0 ? Promise.resolve() : new Promise((resolve) => whenIdle.push(resolve))),
  }
}

function itemsOf(payload: Payload): ItemReader {
  if (payload.kind === 'bytes') return readItems(payload)
  const { values } = payload
  let place = 0
  return { next: () => values[place++] }
}

/** A text longer than V8's longest string cannot even be looked at. */
function nextOf(items: ItemReader): unknown {
  try {
    return items.next()
  } catch (error) {
    return new BadItem(error instanceof Error ? error.message : String(error), 0)
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
