// Items from an iterable, as chunks of values: what the sources for synchronous and asynchronous iterables share.
import { AsyncResource } from 'node:async_hooks'
import type { Chunk, Thrown } from '../../model.js'
import type { ChunkSource, Want } from '../../source.js'
import { Batch } from './batch.js'
import { SizeEstimate } from './size-estimate.js'

export abstract class ValuesSource implements ChunkSource {
  readonly #sizes = new SizeEstimate()
  #taken = 0
  #ended = false
  /** What the iterable threw, until `next` has passed it on. */
  #thrown: Thrown | undefined
  #closing: Promise<void> | undefined
  /**
   * The context of the call (`AsyncLocalStorage`), in which the caller's code, the input, expects to run. It would otherwise run
   * in the context of whatever made the scheduler want items. Reading an array runs no code.
   */
  readonly #context: AsyncResource | undefined

  constructor(input: object) {
    if (!Array.isArray(input)) this.#context = new AsyncResource('poolrun input')
  }

  next(want: Want): Chunk | undefined | Promise<Chunk | undefined> {
    return this.#inContext(() => this.read(want))
  }

  protected abstract read(want: Want): Chunk | undefined | Promise<Chunk | undefined>

  remaining?(): number | undefined

  /** Calls `return` of the iterator, unless the iterable has ended. */
  protected abstract release(): Promise<void>

  /** The iterable has ended, or is not read any further. */
  get ended(): boolean {
    return this.#ended
  }

  /** Items that were returned in chunks so far. */
  get taken(): number {
    return this.#taken
  }

  /** Estimated bytes of an item; `undefined` before the first. */
  get meanBytes(): number | undefined {
    return this.#sizes.mean
  }

  /** Reads no further: returns what was already read, then ends. Ignores an error of the iterator's `return`. */
  stopReading(): void {
    void this.close().catch(() => {})
  }

  /** `stopReading`, but rejects with what the iterator's `return` threw. Never waits for an iterable that is stuck. */
  close(): Promise<void> {
    this.#closing ??= this.#inContext(() => this.release())
    return this.#closing
  }

  #inContext<T>(run: () => T): T {
    return this.#context === undefined ? run() : this.#context.runInAsyncScope(run)
  }

  protected newBatch(want: Want): Batch {
    return new Batch(want, this.#sizes)
  }

  protected markEnded(): void {
    this.#ended = true
  }

  protected fail(error: unknown): void {
    this.#ended = true
    this.#thrown = { error }
  }

  /**
   * The result of one `next`: the batch, or the end.
   * @throws what the iterable threw, once, after all items before it were returned
   */
  protected complete(batch: Batch): Chunk | undefined {
    const values = batch.finish()
    if (values.length > 0) {
      const seq = this.#taken
      this.#taken += values.length
      return { seq, count: values.length, payload: { kind: 'values', values } }
    }
    if (this.#thrown === undefined) return undefined
    const { error } = this.#thrown
    this.#thrown = undefined
    throw error
  }
}

/** As `for…of` does: without it, a step that is a number would be an endless row of undefined items. */
export function assertIsStep(step: unknown): void {
  if ((typeof step !== 'object' || step === null) && typeof step !== 'function')
    throw new TypeError(`iterator result ${String(step)} is not an object`)
}
