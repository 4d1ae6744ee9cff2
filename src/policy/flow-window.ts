// How much may be on the way: taken from the input and not yet delivered. Wraps a source so that it gives nothing
// while the window is full; that is the whole of the backpressure from a slow reader to the input.
import type { Chunk } from '../model.js'
import type { ChunkSource, Want } from '../source.js'

export interface WindowLimits {
  /** Most items taken and not yet delivered (`--buffer-size`). */
  readonly items: number
  /** Most bytes of item text and result text on the way. */
  readonly bytes: number
  /** The same while it is the reader who is behind: to go on working ahead of him gains nothing. */
  readonly bytesBehind?: number | undefined
}

export interface FlowWindow {
  readonly source: ChunkSource
  /** What is on the way has grown by so many bytes, for results have come back, or shrunk. */
  changed(bytes: number): void
  /** A range has been delivered, or its items will never settle. */
  delivered(items: number, bytes: number): void
}

/** `isBehind`: results whose turn has come wait for the reader. */
export function createFlowWindow(
  source: ChunkSource,
  limits: WindowLimits,
  isBehind = () => false,
): FlowWindow {
  let items = 0
  let bytes = 0
  let freed: (() => void) | undefined

  const full = () => {
    const { bytes: most, bytesBehind = most } = limits
    return items >= limits.items || bytes >= (isBehind() ? bytesBehind : most)
  }
  const taken = (chunk: Chunk | undefined) => {
    if (chunk !== undefined) {
      items += chunk.count
      if (chunk.payload.kind === 'bytes') bytes += chunk.payload.bytes.byteLength
    }
    return chunk
  }
  const take = (want: Want) => {
    const next = source.next({ items: Math.min(want.items, limits.items - items), bytes: want.bytes })
    return next instanceof Promise ? next.then(taken) : taken(next)
  }
  const takeWhenFree = async (want: Want) => {
    while (full())
      await new Promise<void>((resolve) => {
        freed = resolve
      })
    return take(want)
  }
  const change = (ofItems: number, ofBytes: number) => {
    items -= ofItems
    // A range counts its share of its chunk's bytes, and what ran again after a death came in a chunk of its own: the
    // shares need not add up. Where nothing is on the way they are nothing, or what is left of them would stall the run.
    bytes = items === 0 ? 0 : bytes - ofBytes
    if (full()) return
    freed?.()
    freed = undefined
  }

  return {
    source: {
      next: (want) => (full() ? takeWhenFree(want) : take(want)),
      close: () => source.close(),
      ...(source.remaining !== undefined && { remaining: () => source.remaining!() }),
    },
    changed: (ofBytes) => change(0, -ofBytes),
    delivered: change,
  }
}
