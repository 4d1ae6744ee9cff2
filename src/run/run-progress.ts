// How far a run has come: its source and its flow, once they are open, and what its events say. The progress display, the
// summary and the reports have their numbers from here.
import type { CancelledRange, RunEvent, RunView } from '../model.js'
import type { ChunkSource } from '../source.js'
import { addEvent, type Ending, type NamedItems, NO_NAMED_ITEMS } from '../summary.js'
import type { Flow } from './flow.js'
import type { SettledCounts } from './item-counts.js'

type InputProgress = Required<Pick<Ending, 'accepted' | 'unread'>>

export class RunProgress {
  #source: ChunkSource | undefined
  #flow: Flow | undefined
  #named = NO_NAMED_ITEMS
  #inputAtEnd: InputProgress | undefined
  readonly #cancelled: CancelledRange[] = []
  readonly #onBegin: () => void
  #isWorkerReady = false
  #isItemTaken = false
  #hasBegun = false

  /** `onBegin` is called once, when the first item can begin. */
  constructor(onBegin: () => void) {
    this.#onBegin = onBegin
  }

  handle(event: RunEvent): void {
    if (event.type === 'worker-ready') {
      this.#isWorkerReady = true
      this.#begin()
    }
    this.#named = addEvent(this.#named, event)
    if (event.type === 'items-cancelled') this.#cancelled.push(event.cancelled)
  }

  /** The input is open. */
  opened(source: ChunkSource): void {
    this.#source = source
  }

  /** Items are flowing. */
  started(flow: Flow): void {
    this.#flow = flow
  }

  /** The source has given items. */
  readonly itemsTaken = (): void => {
    this.#isItemTaken = true
    this.#begin()
  }

  #begin(): void {
    if (this.#hasBegun || !this.#isWorkerReady || !this.#isItemTaken) return
    this.#hasBegun = true
    this.#onBegin()
  }

  /** Items are delivered, or the run ends early: keeps how far the input was read, before anything is closed. */
  ended(): void {
    this.#inputAtEnd ??= this.#input
  }

  get counts(): ReturnType<RunView['counts']> {
    const input = this.#input
    if (this.#flow === undefined || input === undefined)
      return { ok: 0, failed: 0, notRun: 0, total: undefined }
    return { ...this.#flow.counts, total: input.unread ? undefined : input.accepted }
  }

  /** For the summary: an item whose callback was not called has not settled. */
  get settled(): SettledCounts {
    return this.#flow?.reportedCounts ?? { ok: 0, failed: 0 }
  }

  /** No more than were in flight at the end. */
  get cancelled(): readonly CancelledRange[] {
    return this.#cancelled
  }

  get named(): NamedItems {
    return this.#named
  }

  /** How far the input was read; `undefined` where no item could run. */
  get inputAtEnd(): InputProgress | undefined {
    return this.#inputAtEnd
  }

  /** The source has given all that it has. */
  get isInputRead(): boolean {
    return this.#flow?.inputEnded === true
  }

  async closeSource(): Promise<void> {
    await this.#source?.close()
  }

  /** No item runs any more. Returns an error if items do not add up. */
  closeFlow(): Error | undefined {
    return this.#flow?.close()
  }

  get #input(): InputProgress | undefined {
    if (this.#flow === undefined || this.#source === undefined) return undefined
    const { ok, failed, notRun } = this.#flow.counts
    const remaining = this.#flow.inputEnded ? 0 : this.#source.remaining?.()
    return { accepted: ok + failed + notRun + (remaining ?? 0), unread: remaining === undefined }
  }
}
