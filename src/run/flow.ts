// One call from its source to its consumer: executor, window, policy and order put together. Judges on the push side,
// when something settles; delivers on the pull side, when the consumer asks. The command line and the library's calls
// are this, with other sources, policies and consumers.
import type { Execution, Executor } from '../executor/executor.js'
import type { Counts, ItemFailure, SettledRange, TaskSpec } from '../model.js'
import { completionOrder, inputOrder } from '../policy/delivery-order.js'
import { createFlowWindow, type WindowLimits } from '../policy/flow-window.js'
import type { Policy } from '../policy/policy.js'
import type { ChunkSource } from '../source.js'

export interface FlowOptions {
  readonly executor: Pick<Executor, 'execute'>
  readonly source: ChunkSource
  readonly task: TaskSpec
  readonly policy: Policy
  readonly ordered: boolean
  readonly window: WindowLimits
  readonly chunkSize?: number | undefined
  /** Of one attempt. */
  readonly timeoutMs?: number | undefined
  readonly retry?: Execution['retry']
  /** Aborting it ends the input here: what runs may settle, what has not begun never does. */
  readonly drain?: AbortSignal | undefined
  /** Sees every range the moment it settles; a promise delays its delivery, and the ranges' turns here, only. */
  readonly onSettled?: ((settled: SettledRange) => Promise<void> | void) | undefined
  /** Aborting it ends the flow: `next` throws its reason. */
  readonly signal?: AbortSignal | undefined
}

/** What ended a flow before its input did. */
export interface Stopped {
  readonly failure: ItemFailure
  readonly settled: SettledRange
}

export interface Flow {
  /**
   * The next range in delivery order, `undefined` at the end. Throws the source's own error after everything before
   * it, a fault of the executor, what `onSettled` threw, or the reason of `signal`.
   */
  next(): Promise<SettledRange | undefined>
  /** What `next` would give, if that is a range and there already: without a promise. */
  ready(): SettledRange | undefined
  /** The failure for which the policy stopped, from the moment it settled. */
  readonly stopped: Stopped | undefined
  readonly counts: Counts
  /** It ended early because it was drained: items are missing at its end. */
  readonly endedEarly: boolean
  /** False while the input may hold items that were never taken. */
  readonly inputEnded: boolean
  /** Ends it: what runs is cancelled, the source is closed. Resolves when nothing of it runs any more. Idempotent. */
  cancel(): Promise<void>
}

/** A thrown thing in a box: anything may be thrown, `undefined` too. */
interface Thrown {
  readonly error: unknown
}

export function openFlow(options: FlowOptions): Flow {
  const { executor, policy, ordered, onSettled, signal, drain } = options
  const { task, chunkSize, timeoutMs, retry } = options
  const controller = new AbortController()
  const order = ordered ? inputOrder() : completionOrder()
  let accepted = 0
  let ok = 0
  let failed = 0
  let inputEnded = false
  let stopped: Stopped | undefined
  let sourceError: Thrown | undefined
  let fatal: Thrown | undefined
  let aborted = false
  let finished = false
  let left: SettledRange[] | undefined
  /** Ranges whose `onSettled` is still at work keep the order in which they settled. */
  let turns: Promise<void> | undefined
  let wake = () => {}
  /** The consumer waits for the next range. */
  let asking = false

  const counts = (): Counts => ({ ok, failed, notRun: accepted - ok - failed })

  /** All items there are, where the source knows. */
  const total = () => {
    const rest = inputEnded ? 0 : options.source.remaining?.()
    return rest === undefined ? undefined : accepted + rest
  }

  const watched: ChunkSource = {
    next: (want) => {
      try {
        const next = options.source.next(want)
        return next instanceof Promise ? next.then(took, failedToRead) : took(next)
      } catch (error) {
        return failedToRead(error)
      }
    },
    close: () => options.source.close(),
    ...(options.source.remaining !== undefined && { remaining: () => options.source.remaining!() }),
  }
  const took = (chunk: Awaited<ReturnType<ChunkSource['next']>>) => {
    if (chunk === undefined) inputEnded = true
    else accepted += chunk.count
    return chunk
  }
  const failedToRead = (error: unknown) => {
    sourceError = { error }
    inputEnded = true
    return undefined
  }

  const window = createFlowWindow(watched, options.window, () => !asking && order.ready)

  const fail = (error: unknown) => {
    fatal ??= { error }
    controller.abort()
    wake()
  }

  const settle = (settled: SettledRange) => {
    if (fatal !== undefined) return
    const { count, failures, results } = settled
    ok += count - failures.length
    failed += failures.length
    window.changed(resultBytes(results))
    for (const failure of failures)
      if (stopped === undefined && policy.onSettle(failure, settled, counts(), total()) === 'stop') {
        stopped = { failure, settled }
        controller.abort()
      }
    if (onSettled === undefined) return arrive(settled)
    if (turns !== undefined) {
      turns = turns.then(() => inTurn(settled, onSettled))
      return
    }
    const turn = attempt(settled, onSettled)
    if (turn === undefined) return arriveUnlessFailed(settled)
    turns = turn.then(() => arriveUnlessFailed(settled))
  }

  const arrive = (settled: SettledRange) => {
    const { failures, flaky } = settled
    const kept = failures.length === 0 && flaky === undefined ? withoutText(settled) : settled
    window.changed(itemBytes(kept) - itemBytes(settled))
    order.push(kept)
    wake()
  }
  /** The range whose hook threw is not delivered. */
  const arriveUnlessFailed = (settled: SettledRange) => {
    if (fatal === undefined) arrive(settled)
  }
  const attempt = (settled: SettledRange, hook: NonNullable<typeof onSettled>): Promise<void> | undefined => {
    try {
      const turn = hook(settled)
      return turn instanceof Promise ? turn.catch(fail) : undefined
    } catch (error) {
      fail(error)
      return undefined
    }
  }
  const inTurn = async (settled: SettledRange, hook: NonNullable<typeof onSettled>) => {
    if (fatal !== undefined) return
    await attempt(settled, hook)
    arriveUnlessFailed(settled)
  }

  const abortBySignal = () => {
    aborted = true
    fail(signal!.reason)
  }
  if (signal?.aborted === true) abortBySignal()
  signal?.addEventListener('abort', abortBySignal, { once: true })

  const execution = executor
    .execute({
      task,
      source: window.source,
      chunkSize,
      mayStop: policy.mayStop,
      timeoutMs,
      retry,
      onSettled: settle,
      signal: controller.signal,
      drain,
    })
    .catch(fail)
    .then(() => turns)
    .then(() => {
      finished = true
      signal?.removeEventListener('abort', abortBySignal)
      wake()
    })

  const deliver = (settled: SettledRange): SettledRange => {
    window.delivered(settled.count, itemBytes(settled) + resultBytes(settled.results))
    return settled
  }

  const ready = (): SettledRange | undefined => {
    if (aborted || (stopped !== undefined && policy.name === 'fail-fast')) return undefined
    const settled = order.shift()
    return settled && deliver(settled)
  }

  return {
    ready,
    async next() {
      for (;;) {
        const settled = ready()
        if (settled !== undefined) return settled
        if (aborted) throw fatal!.error
        if (stopped !== undefined && policy.name === 'fail-fast') return undefined
        // What had settled before it is delivered first.
        if (fatal !== undefined) throw fatal.error
        if (finished) {
          // Order over a gap is right only where items may be missing.
          left ??= policy.name === 'collect' || !ordered ? order.releaseRest() : []
          const next = left.shift()
          if (next !== undefined) return deliver(next)
          if (sourceError !== undefined && stopped === undefined) throw sourceError.error
          return undefined
        }
        asking = true
        // Who was behind is not any more.
        window.changed(0)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        asking = false
      }
    },
    get stopped() {
      return stopped
    },
    get counts() {
      return counts()
    },
    get endedEarly() {
      return drain?.aborted === true && (!inputEnded || accepted > ok + failed)
    },
    get inputEnded() {
      return inputEnded
    },
    async cancel() {
      controller.abort()
      try {
        await options.source.close()
      } finally {
        await execution
      }
    },
  }
}

const NO_BYTES = new Uint8Array(0)

/** What succeeded is not asked for its items' text any more: with a slow reader it would be half of what waits for it. */
function withoutText(settled: SettledRange): SettledRange {
  const { chunk } = settled
  const { payload } = chunk
  if (payload.kind === 'values') return settled
  const { kind, framing } = payload
  return { ...settled, chunk: { ...chunk, payload: { kind, framing, bytes: NO_BYTES } } }
}

/** The range's share of its chunk. */
function itemBytes({ chunk, count }: SettledRange): number {
  return chunk.payload.kind === 'bytes' ? (chunk.payload.bytes.byteLength * count) / chunk.count : 0
}

function resultBytes(results: SettledRange['results']): number {
  return results.kind === 'json' ? results.bytes.byteLength : 0
}
