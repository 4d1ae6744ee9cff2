// One listener per signal, however many calls wait for it: an EventTarget compares a new listener with all others, and warns
// once there are more than ten.

interface Waiting {
  readonly listeners: Set<() => void>
  readonly callAll: () => void
}

const waitingFor = new WeakMap<AbortSignal, Waiting>()

/** Calls `listener`, which must not throw, when `signal` aborts. Returns how to stop listening. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const { listeners, callAll } = waitingFor.get(signal) ?? startListening(signal)
  listeners.add(listener)
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return
    signal.removeEventListener('abort', callAll)
    waitingFor.delete(signal)
  }
}

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
