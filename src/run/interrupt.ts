// Signals and the deadline: what ends a run from outside. The first signal takes no new items and gives running ones
// some time, a second one kills; whoever started the run raises the signal again afterwards, so that the shell sees a
// death by signal. Ctrl-Z stops the workers and their clocks along with us. Knows nothing of items.
import { GRACE_MS } from '../defaults.js'
import type { Ms } from '../model.js'

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Thrown through the run by a signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** The run's time is up. */
export class DeadlineReached extends Error {
  override readonly name = 'DeadlineReached'
}

export interface InterruptOptions {
  readonly deadlineMs?: Ms | undefined
  /** The first signal: `drain` is aborted already. */
  onFirst?(signal: NodeJS.Signals): void
  /** The grace that the first signal gave is over. */
  onGraceOver?(): void
  /** Another signal. */
  onAgain(): void
  onSuspend?(): void
  onResume?(): void
}

export interface Interrupt {
  /** Take nothing more: a signal has come. */
  readonly drain: AbortSignal
  /** Stop now: the deadline. */
  readonly stop: AbortSignal
  /** What was received first. */
  readonly cause: NodeJS.Signals | undefined
  /** Rejects with the first signal or the deadline, for waits that nothing is lost by leaving. */
  readonly stopped: Promise<never>
  /** Rejects with the second signal, the end of the first one's grace, or the deadline: leave every wait. */
  readonly overdue: Promise<never>
  dispose(): void
}

export function listenForInterrupt(options: InterruptOptions): Interrupt {
  const drain = new AbortController()
  const stop = new AbortController()
  const stopped = rejectable()
  const overdue = rejectable()
  let cause: NodeJS.Signals | undefined
  let grace: NodeJS.Timeout | undefined

  const onSignal = (signal: NodeJS.Signals) => {
    const reason = new Interrupted(signal)
    if (cause !== undefined) {
      overdue.reject(reason)
      return options.onAgain()
    }
    cause = signal
    grace = setTimeout(() => {
      overdue.reject(reason)
      options.onGraceOver?.()
    }, GRACE_MS)
    drain.abort(reason)
    stopped.reject(reason)
    options.onFirst?.(signal)
  }
  const onDeadline = () => {
    const reason = new DeadlineReached('the time for the whole run is over')
    stop.abort(reason)
    stopped.reject(reason)
    overdue.reject(reason)
  }
  const onStop = () => {
    options.onSuspend?.()
    process.kill(process.pid, 'SIGSTOP')
  }
  const onContinue = () => options.onResume?.()

  for (const signal of ENDING) process.on(signal, onSignal)
  process.on('SIGTSTP', onStop)
  process.on('SIGCONT', onContinue)
  const deadline = options.deadlineMs === undefined ? undefined : setTimeout(onDeadline, options.deadlineMs)

  return {
    drain: drain.signal,
    stop: stop.signal,
    stopped: stopped.promise,
    overdue: overdue.promise,
    get cause() {
      return cause
    },
    dispose() {
      clearTimeout(grace)
      clearTimeout(deadline)
      for (const signal of ENDING) process.off(signal, onSignal)
      process.off('SIGTSTP', onStop)
      process.off('SIGCONT', onContinue)
    },
  }
}

function rejectable() {
  let reject!: (reason: Error) => void
  const promise = new Promise<never>((_resolve, rejectIt) => {
    reject = rejectIt
  })
  // Nobody need be waiting when it comes.
  promise.catch(() => {})
  return { promise, reject }
}
