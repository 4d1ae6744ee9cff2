// The times in which the whole run stood still (Ctrl-Z): they count for nothing. Knows nothing of signals or workers.
import { sharedNow } from '../ipc/flight-recorder/format.js'
import type { Ms } from '../model.js'

export interface Pauses {
  begin(): void
  end(): void
  /** All of them together. */
  readonly total: Ms
  /** Time from `since` to `at` (now), times on the shared clock, without the pauses in it. */
  elapsed(since: Ms, at?: Ms): Ms
}

export function createPauses(now: () => Ms = sharedNow): Pauses {
  const past: { from: Ms; to: Ms }[] = []
  let begun: Ms | undefined
  let total = 0
  return {
    begin() {
      begun ??= now()
    },
    end() {
      if (begun === undefined) return
      const pause = { from: begun, to: now() }
      past.push(pause)
      total += pause.to - pause.from
      begun = undefined
    },
    // A timer may fire before the news that everything goes on: a pause counts while it lasts, too.
    get total() {
      return begun === undefined ? total : total + now() - begun
    },
    elapsed(since, at = now()) {
      const until = Math.min(begun ?? at, at)
      const paused = past.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, since)), 0)
      return Math.max(0, until - since - paused)
    },
  }
}
