// Bounds what is taken from the input and not yet delivered, in items and in bytes. Wraps a source that then gives
// nothing while the window is full: this is the whole of the backpressure from a slow reader to the input.
import { itemBytes } from '../framing/slice.js'
import type { Chunk, SettledRange } from '../model.js'
import type { ChunkSource, Want } from '../source.js'

export interface WindowLimits {
  /** Most items taken and not yet delivered (`--buffer-size`). */
  readonly items: number
  /** Most bytes of item text and result text held. */
  readonly bytes: number
  /** The same while the reader is the slowest part: working further ahead of it gains nothing. */
  readonly bytesBehind?: number | undefined
}

/** Bytes that the results of a range hold. */
export function resultBytes({ results }: SettledRange): number {
  return results.kind === 'json' ? results.bytes.byteLength : 0
}

/** A range's share of what is held: the text of its items, and its results. */
export function heldBytes(settled: SettledRange): number {
  return itemBytes(settled.chunk) * settled.count + resultBytes(settled)
}

interface CallState {
  /** Ranges are ready to be delivered and the reader does not wait for one. */
  readonly isReaderBehind?: () => boolean
  /** Nothing more is wanted from the source. */
  readonly hasEnded?: () => boolean
}

export class FlowWindow {
  /** The source within the window. */
  readonly source: ChunkSource
  readonly #inner: ChunkSource
  readonly #limits: WindowLimits
  readonly #call: CallState
  #items = 0
  #bytes = 0
  /** Resolves the wait of a `next` that found the window full. */
  #release: (() => void) | undefined

  constructor(source: ChunkSource, limits: WindowLimits, call: CallState = {}) {
    this.#inner = source
    this.#limits = limits
    this.#call = call
    this.source = {
      next: (want) => (this.#full ? this.#takeWhenFree(want) : this.#take(want)),
      close: () => source.close(),
      ...(source.remaining !== undefined && { remaining: () => source.remaining!() }),
    }
  }

  /** More is held because results came in, or less (negative) because text was dropped. */
  addBytes(bytes: number): void {
    this.#change(0, bytes)
  }

  /** A range was delivered, or will never settle. */
  delivered(items: number, bytes: number): void {
    this.#change(-items, -bytes)
  }

  /** The reader is no longer behind: there may be room for a `next` that waits. */
  readerCaughtUp(): void {
    this.#change(0, 0)
  }

  get #full(): boolean {
    const { items, bytes, bytesBehind = bytes } = this.#limits
    return (
      this.#items >= items || this.#bytes >= (this.#call.isReaderBehind?.() === true ? bytesBehind : bytes)
    )
  }

  #take(want: Want): ReturnType<ChunkSource['next']> {
    const items = Math.min(want.items, this.#limits.items - this.#items)
    const next = this.#inner.next({ items, bytes: want.bytes })
    return next instanceof Promise ? next.then((chunk) => this.#taken(chunk)) : this.#taken(next)
  }

  async #takeWhenFree(want: Want): Promise<Chunk | undefined> {
    while (this.#full)
      await new Promise<void>((resolve) => {
        this.#release = resolve
      })
    return this.#call.hasEnded?.() === true ? undefined : this.#take(want)
  }

  #taken(chunk: Chunk | undefined): Chunk | undefined {
    if (chunk !== undefined) {
      this.#items += chunk.count
      this.#bytes += itemBytes(chunk) * chunk.count
    }
    return chunk
  }

  #change(items: number, bytes: number): void {
    this.#items += items
    this.#bytes += bytes
    if (this.#full) return
    this.#release?.()
    this.#release = undefined
  }
}
