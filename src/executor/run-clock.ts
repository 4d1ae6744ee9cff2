// The time of a run: a clock and the timer that wakes the scheduler, both without the time in which the run was paused
// (Ctrl-Z).
import { sharedNow } from '../ipc/flight-recorder.js'
import type { Ms } from '../model.js'

/** What tests replace. */
export interface Clock {
  /** Monotonic. */
  now(): Ms
  /** Calls `wake` once, at or after `at`. Returns a function that cancels it. */
  wakeAt(at: Ms, wake: () => void): () => void
}

const systemClock: Clock = {
  now: () => performance.now(),
  wakeAt(at, wake) {
    const timer = setTimeout(wake, Math.max(0, Math.ceil(at - performance.now())))
    return () => clearTimeout(timer)
  },
}

export class RunClock {
  readonly #clock: Clock
  readonly #sharedNow: () => Ms
  readonly #pastPauses: { readonly from: Ms; readonly to: Ms }[] = []
  #pastPausedMs: Ms = 0
  #pausedSince: Ms | undefined
  #timer: { readonly at: Ms; readonly cancel: () => void } | undefined

  /** `now`: the clock that the workers share. */
  constructor(clock: Clock = systemClock, now: () => Ms = sharedNow) {
    this.#clock = clock
    this.#sharedNow = now
  }

  now(): Ms {
    return this.#clock.now() - this.pausedMs
  }

  /** On the clock that the workers share: for `elapsed`. */
  sharedNow(): Ms {
    return this.#sharedNow()
  }

  pause(): void {
    this.#pausedSince ??= this.#sharedNow()
  }

  resume(): void {
    if (this.#pausedSince === undefined) return
    const pause = { from: this.#pausedSince, to: this.#sharedNow() }
    this.#pastPauses.push(pause)
    this.#pastPausedMs += pause.to - pause.from
    this.#pausedSince = undefined
  }

  /** All pauses together. A timer can fire before `resume` is called, so a pause that has not ended counts up to now. */
  get pausedMs(): Ms {
    const since = this.#pausedSince
    return since === undefined ? this.#pastPausedMs : this.#pastPausedMs + this.#sharedNow() - since
  }

  /** Time from `since` to `at` without pauses. Both are on the clock that the workers share. */
  elapsed(since: Ms, at: Ms = this.#sharedNow()): Ms {
    const until = Math.min(this.#pausedSince ?? at, at)
    const paused = this.#pastPauses.reduce(
      (sum, { from, to }) => sum + Math.max(0, to - Math.max(from, since)),
      0,
    )
    return Math.max(0, until - since - paused)
  }

  /** Calls `wake` at `at`, by `now()`. Replaces the timer that was set before; `undefined` clears it. */
  setTimer(at: Ms | undefined, wake: () => void): void {
    const target = at === undefined ? undefined : at + this.pausedMs
    if (target === this.#timer?.at) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (target === undefined) return
    const cancel = this.#clock.wakeAt(target, () => {
      this.#timer = undefined
      wake()
    })
    this.#timer = { at: target, cancel }
  }
}
