// The executions that callers wait for: takes chunks from their sources, hands out what settles, and ends them.
import { type Abortable, onAbort } from '../abort.js'
import type { CancelledRange, Chunk } from '../model.js'
import { ExecutionFault } from './execution-fault.js'
import type { Execution } from './executor.js'
import type { CallId, Command, SchedulerInput } from './scheduler/messages.js'

/** What the scheduler wants done for one call. */
export type CallCommand = Extract<Command, { readonly call: CallId }>

interface ActiveExecution {
  readonly execution: Execution
  /** Items taken from its source that have not settled. */
  pendingItems: number
  /** Waits for its source, which may have to wait for a reader. */
  isPulling: boolean
  /** It waits for workers, not only for its source. */
  needsWorkers: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  readonly unlisten: (() => void) | undefined
}

export class Executions {
  readonly #post: (input: SchedulerInput) => void
  readonly #active = new Map<CallId, ActiveExecution>()
  /** Executions that need workers. */
  #needingWorkers = 0
  /** Of active executions and, because workers exit after them, of those that a fault or the end of all has ended. */
  readonly #onCancelled = new Map<CallId, (cancelled: CancelledRange) => void>()
  #nextCall = 1
  #areEnding = false

  constructor(post: (input: SchedulerInput) => void) {
    this.#post = post
  }

  /** A caller waits for workers: for what they run, or for their end. */
  get needWorkers(): boolean {
    return this.#areEnding || this.#needingWorkers > 0
  }

  open(execution: Execution): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = this.#nextCall++
      const unlisten = this.#listen(call, execution)
      const { source, onCancelled, signal, drain } = execution
      const chunk = source.whole?.()
      const pendingItems = chunk?.count ?? 0
      this.#active.set(call, {
        execution,
        pendingItems,
        isPulling: false,
        needsWorkers: true,
        resolve,
        reject,
        unlisten,
      })
      this.#needingWorkers++
      if (onCancelled !== undefined) this.#onCancelled.set(call, onCancelled)
      this.#post(openInput(call, execution, chunk))
      if (drain?.aborted === true) this.#post({ type: 'drain', call })
      if (signal?.aborted === true) this.#abort(call, signal)
    })
  }

  /** Returns how to stop listening; `undefined` where there is no signal. */
  #listen(call: CallId, { signal, drain }: Execution): (() => void) | undefined {
    const ofSignal = signal && onAbort(signal, () => this.#abort(call, signal))
    const ofDrain = drain && onAbort(drain, () => this.#post({ type: 'drain', call }))
    if (ofSignal === undefined || ofDrain === undefined) return ofSignal ?? ofDrain
    return () => {
      ofSignal()
      ofDrain()
    }
  }

  #abort(call: CallId, { reason }: Abortable): void {
    const why = reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : undefined
    this.#post({ type: 'abort', call, why })
  }

  /** All of them end: from now on, an execution may end before the workers that have its items. */
  expectEnd(): void {
    this.#areEnding = true
  }

  perform(command: CallCommand): void {
    switch (command.type) {
      case 'pull':
        return this.#pull(command)
      case 'settle':
        return this.#settle(command)
      case 'held':
        return this.#active.get(command.call)?.execution.onHeld?.(command.bytes)
      case 'cancelled':
        return this.#onCancelled.get(command.call)?.(command.cancelled)
      case 'end':
        return this.#end(command)
      default:
        command satisfies never
    }
  }

  #pull({ call, want }: Extract<CallCommand, { type: 'pull' }>): void {
    const active = this.#active.get(call)
    if (active === undefined) return
    const { source } = active.execution
    const supply = (chunk: Chunk | undefined) => {
      active.isPulling = false
      active.pendingItems += chunk?.count ?? 0
      this.#countNeed(active)
      this.#post({ type: 'supply', call, chunk, remaining: source.remaining?.() })
    }
    const next = source.next(want)
    if (!(next instanceof Promise)) return supply(next)
    active.isPulling = true
    this.#countNeed(active)
    void next.then(supply)
  }

  #settle({ call, settled }: Extract<CallCommand, { type: 'settle' }>): void {
    const active = this.#active.get(call)
    if (active === undefined) return
    active.pendingItems -= settled.count
    this.#countNeed(active)
    active.execution.onSettled(settled)
  }

  /** After each change of what it waits for. Not counted when it is needed: there may be thousands of executions. */
  #countNeed(active: ActiveExecution): void {
    const needsWorkers = !active.isPulling || active.pendingItems > 0
    if (needsWorkers === active.needsWorkers) return
    active.needsWorkers = needsWorkers
    this.#needingWorkers += needsWorkers ? 1 : -1
  }

  #end({ call, end }: Extract<CallCommand, { type: 'end' }>): void {
    const active = this.#active.get(call)
    if (active === undefined) return
    this.#active.delete(call)
    if (active.needsWorkers) this.#needingWorkers--
    active.unlisten?.()
    if (end.type === 'done' || end.type === 'aborted') {
      if (!this.#areEnding) this.#onCancelled.delete(call)
      return active.resolve()
    }
    const fault = new ExecutionFault(end, active.execution.task.name)
    active.execution.onFault?.(fault)
    active.reject(fault)
  }
}

function openInput(call: CallId, execution: Execution, chunk: Chunk | undefined): SchedulerInput {
  const { task, source, chunkSize, mayStop, timeoutMs, retry, intervalMs, check, isOrdered } = execution
  const remaining = chunk?.count ?? source.remaining?.()
  return {
    type: 'open',
    call,
    task,
    chunkSize,
    mayStop,
    timeoutMs,
    retry,
    intervalMs,
    check,
    isOrdered,
    remaining,
    chunk,
  }
}
