// What ends a run from outside: signals and `--deadline`. The first signal drains and gives running items some time; a
// second one kills. After the run the signal is raised again, so that the shell sees a death by signal. Ctrl-Z stops the
// workers and their clocks along with this process.
import type { Executor } from '../executor/executor.js'
import type { Ms, RunEvent } from '../model.js'
import type { RunPlan } from '../plan.js'
import type { RunHost } from './run-host.js'

/** After the end of a run from outside, a reader that takes nothing for this long has stopped reading. */
const STALLED_AFTER_MS = 2_000
/** One that is merely slow delays the end by no more than this. */
const MAX_DELAY_MS = 10_000
const LOOK_EVERY_MS = 100

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A signal ended a wait of the run. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** The deadline ended a wait of the run. */
export class DeadlineReached extends Error {
  override readonly name = 'DeadlineReached'
}

/** What signals and the deadline do to a run. */
export function interruptFor(
  { deadlineMs, graceMs }: RunPlan,
  executor: Executor,
  emit: (event: RunEvent) => void,
  { watcher, ignoresHangup }: Pick<RunHost, 'watcher' | 'ignoresHangup'>,
): Interrupt {
  return new Interrupt({
    deadlineMs,
    graceMs,
    ignoresHangup,
    onFirstSignal(signal) {
      emit({ type: 'interrupted', signal, running: executor.running, graceMs })
    },
    onGraceOver: (signal) => void executor.terminate(`${signal} has ended the run`),
    onNextSignal: () => void executor.kill(),
    onSuspend() {
      executor.suspend()
      watcher?.suspend()
    },
    onResume() {
      executor.resume()
      watcher?.resume()
    },
  })
}

/**
 * From the end of a run to the exit: its summary is written before a signal ends this process. Returns what ends this.
 */
export function holdSignals(): () => void {
  const hold = () => {}
  for (const signal of ENDING) process.on(signal, hold)
  return () => {
    for (const signal of ENDING) process.off(signal, hold)
  }
}

interface InterruptOptions {
  readonly deadlineMs?: Ms | undefined
  readonly graceMs: Ms
  readonly ignoresHangup?: boolean | undefined
  /** `drain` has been aborted by then. */
  onFirstSignal?(signal: NodeJS.Signals): void
  /** The time that running items had after the first signal is over. */
  onGraceOver?(signal: NodeJS.Signals): void
  onNextSignal(): void
  onSuspend?(): void
  onResume?(): void
}

export class Interrupt {
  readonly #options: InterruptOptions
  readonly #drain = new AbortController()
  readonly #deadline = new AbortController()
  readonly #stopped = new Rejection()
  readonly #overdue = new Rejection()
  readonly #forced = new Rejection()
  readonly #deadlineTimer: NodeJS.Timeout | undefined
  #graceTimer: NodeJS.Timeout | undefined
  #signal: NodeJS.Signals | undefined
  #isOverdue = false

  /** Handles the signals of this process until `dispose`. */
  constructor(options: InterruptOptions) {
    const { deadlineMs } = options
    this.#options = options
    if (deadlineMs !== undefined) this.#deadlineTimer = setTimeout(this.#onDeadline, deadlineMs)
    for (const signal of ENDING)
      if (signal !== 'SIGHUP' || options.ignoresHangup !== true) process.on(signal, this.#onSignal)
    process.on('SIGTSTP', this.#onSuspend)
    process.on('SIGCONT', this.#onResume)
  }

  /** Aborted by the first signal: take no more items. */
  get drain(): AbortSignal {
    return this.#drain.signal
  }

  /** Aborted by the deadline: stop now. */
  get deadline(): AbortSignal {
    return this.#deadline.signal
  }

  /** The first signal received. */
  get signal(): NodeJS.Signals | undefined {
    return this.#signal
  }

  /** Rejects early at the first signal or the deadline. For waits that lose nothing when they are abandoned. */
  untilStopped<T>(wait: Promise<T>): Promise<T> {
    return Promise.race([wait, this.#stopped.promise])
  }

  /**
   * For a wait that ends by itself unless a reader stops reading. Rejects once the run is overdue (at the second signal,
   * after the grace of the first one, at the deadline) and `progress` no longer changes, or at one more signal.
   */
  untilStalled<T>(wait: Promise<T>, progress: () => number): Promise<T> {
    return this.#untilStalledAfter(this.#overdue, wait, progress)
  }

  /** The same for the files at the end, where no item runs any more: the first signal counts, too. */
  untilFilesStall<T>(wait: Promise<T>): Promise<T> {
    return this.#untilStalledAfter(this.#stopped, wait, () => 0)
  }

  #untilStalledAfter<T>(end: Rejection, wait: Promise<T>, progress: () => number): Promise<T> {
    const waiting = new AbortController()
    const stalled = end.promise.catch(async (reason: unknown): Promise<never> => {
      await untilUnchanged(progress, waiting.signal)
      throw reason
    })
    return Promise.race([wait, stalled, this.#forced.promise]).finally(() => waiting.abort())
  }

  dispose(): void {
    clearTimeout(this.#graceTimer)
    clearTimeout(this.#deadlineTimer)
    for (const signal of ENDING) process.off(signal, this.#onSignal)
    process.off('SIGTSTP', this.#onSuspend)
    process.off('SIGCONT', this.#onResume)
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const reason = new Interrupted(signal)
    if (this.#isOverdue) this.#forced.reject(reason)
    if (this.#signal !== undefined) {
      this.#becomeOverdue(reason)
      this.#options.onNextSignal()
      return
    }
    this.#signal = signal
    const { graceMs, onFirstSignal, onGraceOver, onNextSignal } = this.#options
    this.#graceTimer = setTimeout(() => {
      this.#becomeOverdue(reason)
      onGraceOver?.(signal)
    }, graceMs)
    this.#drain.abort(reason)
    this.#stopped.reject(reason)
    onFirstSignal?.(signal)
    if (graceMs > 0) return
    this.#becomeOverdue(reason)
    onNextSignal()
  }

  readonly #onDeadline = (): void => {
    const reason = new DeadlineReached('the time for the whole run is over')
    this.#deadline.abort(reason)
    this.#stopped.reject(reason)
    this.#becomeOverdue(reason)
  }

  #becomeOverdue(reason: Error): void {
    this.#isOverdue = true
    this.#overdue.reject(reason)
  }

  readonly #onSuspend = (): void => {
    this.#options.onSuspend?.()
    process.kill(process.pid, 'SIGSTOP')
  }

  readonly #onResume = (): void => {
    this.#options.onResume?.()
  }
}

async function untilUnchanged(progress: () => number, stop: AbortSignal): Promise<void> {
  const began = performance.now()
  let last = progress()
  let changedAt = began
  for (let now = began; now - changedAt < STALLED_AFTER_MS && now - began < MAX_DELAY_MS; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    if (stop.aborted) return
    now = performance.now()
    if (progress() === last) continue
    last = progress()
    changedAt = now
  }
}

/** A promise that never resolves and rejects on demand, whether or not anything waits for it. */
class Rejection {
  readonly promise: Promise<never>
  reject!: (reason: Error) => void

  constructor() {
    this.promise = new Promise((_resolve, reject) => {
      this.reject = reject
    })
    this.promise.catch(() => {})
  }
}
