// `--batch`: passes on the items of a source as batches of consecutive ones. Their bytes stay as they are; only a batch that
// came in several chunks is copied.
import { asBuffer } from '../framing/bytes.js'
import { FRAMINGS } from '../framing/framings.js'
import { type BytesPayload, withLines } from '../framing/items.js'
import { advance } from '../framing/location.js'
import { sliceChunk } from '../framing/slice.js'
import type { Chunk, Origin, Thrown } from '../model.js'
import type { ChunkSource, Want } from '../source.js'

const COMMA = Buffer.from(',')
/** More white space between two parts of a batch than this is left out: the locations behind it are not exact. */
const MAX_GAP_BYTES = 64 * 1024

/** `source` must yield bytes. A batch is there as soon as its last member is. */
export function batchItems(source: ChunkSource, size: number): ChunkSource {
  return new BatchSource(source, size)
}

class BatchSource implements ChunkSource {
  readonly #source: ChunkSource
  readonly #size: number
  /** The first members of the next batch, as they came. */
  #parts: Chunk[] = []
  #partMembers = 0
  /** Batches that were not passed on yet. */
  #ready: Chunk | undefined
  /** Batches so far. */
  #batches = 0
  #ended = false
  #error: Thrown | undefined

  constructor(source: ChunkSource, size: number) {
    this.#source = source
    this.#size = size
  }

  next(want: Want): Chunk | undefined | Promise<Chunk | undefined> {
    while (!this.#hasNext) {
      const chunk = this.#read(want)
      if (chunk instanceof Promise) return this.#nextAfter(chunk, want)
      this.#add(chunk)
    }
    return this.#take()
  }

  close(): Promise<void> | void {
    this.#ended = true
    this.#ready = undefined
    this.#parts = []
    this.#error = undefined
    return this.#source.close()
  }

  remaining(): number | undefined {
    const members = this.#ended ? 0 : this.#source.remaining?.()
    if (members === undefined) return undefined
    return (this.#ready?.count ?? 0) + Math.ceil((this.#partMembers + members) / this.#size)
  }

  /** A loop and not a chain of promises: the members of a batch may come one by one. */
  async #nextAfter(first: Promise<Chunk | undefined>, want: Want): Promise<Chunk | undefined> {
    for (let reading: ReturnType<ChunkSource['next']> = first; ; reading = this.#read(want)) {
      try {
        this.#add(await reading)
      } catch (error) {
        this.#fail(error)
      }
      if (this.#hasNext) return this.#take()
    }
  }

  get #hasNext(): boolean {
    return this.#ready !== undefined || this.#ended
  }

  /** @throws what ended the source, once everything before it was taken */
  #take(): Chunk | undefined {
    const chunk = this.#ready
    this.#ready = undefined
    if (chunk !== undefined || this.#error === undefined) return chunk
    const { error } = this.#error
    this.#error = undefined
    throw error
  }

  /** What completes a batch that has begun, else as many whole ones as are wanted. */
  #read({ items, bytes }: Want): ReturnType<ChunkSource['next']> {
    const size = this.#size
    try {
      return this.#partMembers > 0
        ? this.#source.next({ items: size - this.#partMembers, bytes })
        : this.#source.next({ items: items * size, bytes, multipleOf: size })
    } catch (error) {
      this.#fail(error)
      return undefined
    }
  }

  #fail(error: unknown): void {
    this.#error = { error }
    this.#add(undefined)
  }

  #add(chunk: Chunk | undefined): void {
    if (chunk === undefined) {
      this.#ended = true
      return this.#endBatch()
    }
    const size = this.#size
    const whole = this.#partMembers > 0 ? 0 : chunk.count - (chunk.count % size)
    if (whole > 0) this.#setReady(sliceChunk(chunk, 0, whole), whole / size)
    if (whole < chunk.count) this.#addPart(sliceChunk(chunk, whole, chunk.count))
  }

  #addPart(part: Chunk): void {
    this.#parts.push(part)
    this.#partMembers += part.count
    if (this.#partMembers === this.#size) this.#endBatch()
  }

  #endBatch(): void {
    if (this.#partMembers > 0) this.#setReady(joined(this.#parts), 1)
    this.#parts = []
    this.#partMembers = 0
  }

  #setReady({ payload, origin }: Chunk, count: number): void {
    const batched = { ...bytesOf(payload), batch: this.#size }
    this.#ready = { seq: this.#batches, count, payload: batched, ...(origin && { origin }) }
    this.#batches += count
  }
}

function joined(parts: readonly Chunk[]): Chunk {
  const [first, ...others] = parts as readonly [Chunk, ...Chunk[]]
  if (others.length === 0) return first
  const payloads = parts.map(({ payload }) => withLines(bytesOf(payload)))
  const { framing } = payloads[0]!
  const pieces: Uint8Array[] = []
  let isTooLong = false
  let end = first.origin
  const add = (piece: Uint8Array) => {
    pieces.push(piece)
    if (end !== undefined) end = { file: end.file, ...advance(end, asBuffer(piece), 0, piece.length) }
  }
  for (const [i, { origin }] of parts.entries()) {
    const part = payloads[i]!
    if (i > 0) add(separatorAfter(pieces.at(-1)!, framing))
    if (i > 0 && origin !== undefined && end !== undefined) add(gapBetween(end, origin))
    add(part.bytes)
    isTooLong ||= part.isTooLong === true
  }
  const payload = {
    kind: 'bytes',
    framing,
    bytes: Buffer.concat(pieces),
    ...(isTooLong && { isTooLong }),
  } as const
  const count = parts.reduce((sum, part) => sum + part.count, 0)
  return { seq: 0, count, payload, ...(first.origin && { origin: first.origin }) }
}

const NOTHING = Buffer.alloc(0)

/** Between elements there is a comma; other items end with their delimiter, unless they were cut off. */
function separatorAfter(bytes: Uint8Array, framing: BytesPayload['framing']): Uint8Array {
  const { delimiter } = FRAMINGS[framing]
  if (typeof delimiter === 'string') return COMMA
  return bytes.at(-1) === delimiter ? NOTHING : Buffer.from([delimiter])
}

/** White space for what was skipped between two parts, so that the lines and columns behind it stay the same. */
function gapBetween(end: Origin, next: Origin): Uint8Array {
  const lines = next.line - end.line
  const columns = lines > 0 ? next.column - 1 : next.column - end.column
  const isShort = lines >= 0 && columns >= 0 && lines + columns <= MAX_GAP_BYTES
  return isShort ? Buffer.from('\n'.repeat(lines) + ' '.repeat(columns)) : NOTHING
}

function bytesOf(payload: Chunk['payload']): BytesPayload {
  if (payload.kind !== 'bytes') throw new TypeError('only items that were read as bytes are put into batches')
  return payload
}
