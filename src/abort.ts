// Listening to signals that abort, and a signal that costs less than an AbortController.

/** What `onAbort` can listen to. */
export type Abortable = AbortSignal | Canceller

/** An AbortController and its signal in one small object: an AbortController takes ten microseconds and two kilobytes. */
export class Canceller {
  #aborted: { readonly reason: unknown } | undefined
  #listeners: (() => void)[] = []

  get aborted(): boolean {
    return this.#aborted !== undefined
  }

  get reason(): unknown {
    return this.#aborted?.reason
  }

  /** Only the first call has an effect. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return
    this.#aborted = { reason }
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener()
  }

  /** Returns how to stop listening. */
  listen(listener: () => void): () => void {
    this.#listeners.push(listener)
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }
}

/** Calls `listener`, which must not throw, when `signal` aborts. Returns how to stop listening. */
export function onAbort(signal: Abortable, listener: () => void): () => void {
  if (signal instanceof Canceller) return signal.listen(listener)
  const { listeners, callAll } = waitingFor.get(signal) ?? startListening(signal)
  listeners.add(listener)
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return
    signal.removeEventListener('abort', callAll)
    waitingFor.delete(signal)
  }
}

/**
 * One listener per signal, however many calls wait for it: an EventTarget compares a new listener with all others, and
 * warns once there are more than ten.
 */
interface Waiting {
  readonly listeners: Set<() => void>
  readonly callAll: () => void
}

const waitingFor = new WeakMap<AbortSignal, Waiting>()

function startListening(signal: AbortSignal): Waiting {
  const listeners = new Set<() => void>()
  const callAll = () => {
    for (const listener of [...listeners]) listener()
  }
  signal.addEventListener('abort', callAll, { once: true })
  const waiting = { listeners, callAll }
  waitingFor.set(signal, waiting)
  return waiting
}
