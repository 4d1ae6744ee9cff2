// One call from its source to its consumer: connects executor, window, policy and delivery order. Failures are judged on
// the push side, when they settle; results are delivered on the pull side, when the consumer calls `next`. A run of the
// command line and a call of the library differ only in their sources, policies and consumers.

import { Canceller, onAbort } from '../abort.js'
import type { Execution, Executor } from '../executor/executor.js'
import { framedAs } from '../framing/items.js'
import {
  type CancelledRange,
  type Counts,
  type ItemFailure,
  itemIndexAt,
  type SettledRange,
  type TaskSpec,
  type Thrown,
} from '../model.js'
import { CompletionOrder, type DeliveryOrder, InputOrder } from '../policy/delivery-order.js'
import { FlowWindow, heldBytes, resultBytes, type WindowLimits } from '../policy/flow-window.js'
import type { Policy } from '../policy/policy.js'
import type { ChunkSource } from '../source.js'
import { Accounting } from './accounting.js'
import { CallSource } from './call-source.js'
import { ItemCounts } from './item-counts.js'
import { type SettleHook, SettleQueue } from './settle-queue.js'

export interface FlowOptions {
  readonly executor: Pick<Executor, 'execute'>
  readonly source: ChunkSource
  readonly task: TaskSpec
  readonly policy: Policy
  readonly ordered: boolean
  readonly window: WindowLimits
  readonly chunkSize?: number | undefined
  /** Per attempt. */
  readonly timeoutMs?: number | undefined
  readonly retry?: Execution['retry']
  readonly intervalMs?: Execution['intervalMs']
  readonly check?: Execution['check']
  /** Abort: the input ends here. Running items may settle, the rest never start. */
  readonly drain?: AbortSignal | undefined
  /** Called with every chunk that is taken from the source. */
  readonly onTaken?: (() => void) | undefined
  /** Called with every range when it settles; a promise delays the delivery of this range and later hook calls. */
  readonly onSettled?: SettleHook | undefined
  /** Called with items that had begun, or may have, when the flow ended early, and that nothing else was called for. */
  readonly onCancelled?: ((cancelled: CancelledRange) => void) | undefined
  /** Abort: the flow ends now. What has settled is still delivered, then `next` throws the reason. */
  readonly end?: AbortSignal | undefined
  /** Abort: the flow ends and delivers nothing more, `next` throws the reason. */
  readonly signal?: AbortSignal | undefined
}

/** What ended a flow before its input did. */
interface Stopped {
  readonly failure: ItemFailure
  readonly settled: SettledRange
}

export interface Flow {
  /**
   * The next range in delivery order, `undefined` at the end. Throws the source's own error, a fault of the executor,
   * what `onSettled` threw or the reason of `end`, after everything that settled before it; or the reason of `signal`.
   */
  next(): Promise<SettledRange | undefined>
  /** As `next` for a range that is here already, without a promise; `undefined` if there is none. */
  nextReady(): SettledRange | undefined
  /** The failure for which the policy stopped, from the moment it settled. */
  readonly stopped: Stopped | undefined
  /** Items taken so far. `notRun`: they have not settled. */
  readonly counts: Counts
  /** As `counts`, but items that settled and whose `onSettled` was not called are in `notRun`. */
  readonly reportedCounts: Counts
  /** It ends early because it was drained or ended from outside: items are missing at its end. */
  readonly endedEarly: boolean
  /** False while the input may hold items that were never taken. */
  readonly inputEnded: boolean
  /**
   * To be called when no item runs any more: calls `onSettled` no more, and `onCancelled` with the items that wait for it.
   * Returns an error if items do not add up.
   */
  close(): Error | undefined
  /** Ends it: running items are cancelled, the source is closed. Resolves when no item runs any more. Idempotent. */
  cancel(): Promise<void>
}

export function openFlow(options: FlowOptions): Flow {
  return new CallFlow(options)
}

class CallFlow implements Flow {
  readonly #policy: Policy
  readonly #drain: AbortSignal | undefined
  readonly #end: AbortSignal | undefined
  readonly #counts = new ItemCounts()
  readonly #accounting = new Accounting()
  readonly #source: CallSource
  readonly #window: FlowWindow
  readonly #order: DeliveryOrder
  readonly #hooks: SettleQueue | undefined
  /** Cancels the execution. */
  readonly #canceller = new Canceller()
  /** Resolves when nothing of the call runs any more. */
  readonly #execution: Promise<void>
  #stopped: Stopped | undefined
  /** What ended the flow, other than a failed item or an error of the source. */
  #fatal: Thrown | undefined
  /** By `signal`: what has settled is not delivered. */
  #aborted = false
  /** Nothing more arrives. */
  #finished = false
  /** Ranges behind gaps, at the end. */
  #rest: SettledRange[] | undefined
  readonly #onCancelled: FlowOptions['onCancelled']
  #consumerWaits = false
  #wakeConsumer = () => {}

  constructor(options: FlowOptions) {
    const { executor, policy, ordered, onSettled, onCancelled, end, signal, drain } = options
    const { task, chunkSize, timeoutMs, retry, intervalMs, check } = options
    this.#policy = policy
    this.#drain = drain
    this.#end = end
    this.#onCancelled = onCancelled
    this.#order = ordered ? new InputOrder() : new CompletionOrder()
    this.#source = new CallSource(options.source, this.#counts, this.#accounting, options.onTaken)
    this.#window = new FlowWindow(this.#source, options.window, {
      isReaderBehind: () => !this.#consumerWaits && this.#order.hasNext,
      hasEnded: () => this.#canceller.aborted || drain?.aborted === true,
    })
    if (onSettled !== undefined) {
      const onDone = (settled: SettledRange) => this.#arrive(settled)
      const onError = (error: unknown) => {
        this.#hooks!.stop()
        this.#fail(error)
      }
      this.#hooks = new SettleQueue({ hook: onSettled, onDone, onError })
    }
    const abort = () => {
      this.#aborted = true
      this.#hooks?.stop()
      this.#fail(signal!.reason)
    }
    const onEnd = () => this.#fail(end!.reason)
    if (signal?.aborted === true) abort()
    if (end?.aborted === true) onEnd()
    const unlisten = signal && onAbort(signal, abort)
    const unlistenEnd = end && onAbort(end, onEnd)
    this.#execution = executor
      .execute({
        task,
        source: this.#window.source,
        chunkSize,
        mayStop: policy.mayStop,
        timeoutMs,
        retry,
        intervalMs,
        check,
        isOrdered: ordered,
        onHeld: check && ((bytes) => this.#window.addBytes(bytes)),
        onSettled: (settled) => this.#settle(settled),
        onCancelled: onCancelled && ((cancelled) => this.#cancelled(cancelled)),
        signal: this.#canceller,
        drain,
      })
      .catch((error: unknown) => this.#fail(error))
      .then(() => this.#hooks?.idle)
      .then(() => {
        this.#checkSettled()
        unlisten?.()
        unlistenEnd?.()
        this.#finish()
      })
  }

  async next(): Promise<SettledRange | undefined> {
    for (;;) {
      const settled = this.nextReady()
      if (settled !== undefined) return settled
      if (this.#aborted) throw this.#fatal!.error
      if (this.#isDiscarding) return undefined
      if (this.#finished) return this.#nextOfRest()
      await this.#untilWoken()
    }
  }

  nextReady(): SettledRange | undefined {
    if (this.#aborted || this.#isDiscarding) return undefined
    const settled = this.#order.shift()
    return settled && this.#deliver(settled)
  }

  get stopped(): Stopped | undefined {
    return this.#stopped
  }

  get counts(): Counts {
    return this.#counts.snapshot()
  }

  get reportedCounts(): Counts {
    return this.#counts.snapshot(this.#hooks?.waiting)
  }

  get endedEarly(): boolean {
    const isCutShort = this.#drain?.aborted === true || this.#end?.aborted === true
    return isCutShort && !(this.#source.ended && this.#counts.allSettled)
  }

  get inputEnded(): boolean {
    return this.#source.ended
  }

  async cancel(): Promise<void> {
    this.#canceller.abort(new Error('no more results are wanted'))
    try {
      await this.#source.close()
    } finally {
      await this.#execution
    }
  }

  close(): Error | undefined {
    for (const settled of this.#hooks?.stopAndTakeRest() ?? []) this.#onCancelled?.(tooLate(settled))
    return this.#accounting.surplusError()
  }

  // ── the push side ────────────────────────────────────────────────────────────────────────────────────────────────

  #settle(settled: SettledRange): void {
    if (this.#fatal !== undefined) return this.#cancelled(tooLate(settled))
    this.#counts.settle(settled)
    this.#accounting.settle(settled)
    this.#window.addBytes(resultBytes(settled))
    for (const failure of settled.failures) if (this.#stopped === undefined) this.#judge(failure, settled)
    if (this.#hooks === undefined) this.#arrive(settled)
    else this.#hooks.push(settled)
  }

  #cancelled(cancelled: CancelledRange): void {
    this.#accounting.cancel(cancelled)
    this.#onCancelled?.(cancelled)
  }

  #judge(failure: ItemFailure, settled: SettledRange): void {
    const verdict = this.#policy.onSettle(failure, settled, this.#counts.snapshot(), this.#source.total)
    if (verdict === 'continue') return
    this.#stopped = { failure, settled }
    this.#canceller.abort(new Error(`item ${itemIndexAt(settled.chunk, failure.offset)} failed`))
  }

  #arrive(settled: SettledRange): void {
    const kept = withoutSpentText(settled)
    this.#window.addBytes(heldBytes(kept) - heldBytes(settled))
    this.#order.push(kept)
    this.#wakeConsumer()
  }

  #fail(error: unknown): void {
    // Results that only waited for the first one settle now.
    this.#canceller.abort(error)
    this.#fatal ??= { error }
    // What settles from now on is dropped. What waits for its hook still arrives.
    const hooksDone = this.#hooks?.idle
    if (hooksDone === undefined) this.#finish()
    else void hooksDone.then(() => this.#finish())
  }

  #finish(): void {
    this.#finished = true
    this.#wakeConsumer()
  }

  // ── the pull side ────────────────────────────────────────────────────────────────────────────────────────────────

  #deliver(settled: SettledRange): SettledRange {
    this.#accounting.deliver(settled)
    this.#window.delivered(settled.count, heldBytes(settled))
    return settled
  }

  #nextOfRest(): SettledRange | undefined {
    this.#rest ??= this.#policy.skipGaps ? this.#order.releaseRest() : []
    const settled = this.#rest.shift()
    if (settled !== undefined) return this.#deliver(settled)
    if (this.#fatal !== undefined) throw this.#fatal.error
    const { error } = this.#source
    if (error !== undefined && this.#stopped === undefined) throw error.error
    const mismatch = this.#isComplete ? this.#accounting.deliveryError() : undefined
    if (mismatch !== undefined) throw mismatch
    return undefined
  }

  /** Nothing ended the call before all of its items had settled. */
  get #isComplete(): boolean {
    return !this.#canceller.aborted && this.#drain?.aborted !== true
  }

  #checkSettled(): void {
    if (!this.#isComplete) return
    const mismatch = this.#accounting.settlingError()
    if (mismatch !== undefined) this.#fail(mismatch)
  }

  get #isDiscarding(): boolean {
    return this.#stopped !== undefined && this.#policy.afterStop === 'discard'
  }

  async #untilWoken(): Promise<void> {
    this.#consumerWaits = true
    this.#window.readerCaughtUp()
    await new Promise<void>((resolve) => {
      this.#wakeConsumer = resolve
    })
    this.#consumerWaits = false
  }
}

/** The items ended, and nobody learns how. */
function tooLate({ chunk, from, count, workerId, pid, attempts, timings }: SettledRange): CancelledRange {
  return { chunk, from, count, workerId, pid, attempts, ...(timings !== undefined && { timings }) }
}

const NO_BYTES = new Uint8Array(0)

/** Only failed and flaky items are shown with their text; with a slow reader the rest would be half of what is held. */
function withoutSpentText(settled: SettledRange): SettledRange {
  const { chunk, failures, flaky } = settled
  const { payload } = chunk
  if (failures.length > 0 || flaky !== undefined || payload.kind === 'values') return settled
  return { ...settled, chunk: { ...chunk, payload: framedAs(payload, NO_BYTES), itemBytes: 0 } }
}
