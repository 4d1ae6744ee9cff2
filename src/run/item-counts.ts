// Counts the items of one call. Nothing else counts them: the policy, the progress display, the summary line and the exit
// code have their numbers from here.
import type { Counts, SettledRange } from '../model.js'

export type SettledCounts = Pick<Counts, 'ok' | 'failed'>

export class ItemCounts {
  #taken = 0
  #ok = 0
  #failed = 0

  /** Items have been taken from the source. */
  take(items: number): void {
    this.#taken += items
  }

  settle({ count, failures }: SettledRange): void {
    this.#ok += count - failures.length
    this.#failed += failures.length
  }

  get taken(): number {
    return this.#taken
  }

  get allSettled(): boolean {
    return this.#taken === this.#ok + this.#failed
  }

  /** As of now; items in `except` count as not run. */
  snapshot(except: SettledCounts = { ok: 0, failed: 0 }): Counts {
    const ok = this.#ok - except.ok
    const failed = this.#failed - except.failed
    return { ok, failed, notRun: this.#taken - ok - failed }
  }
}
