// Feeds framers and sources with blocks of any size, and collects the values that come out.
import { BadItem, readItems } from '../../../src/framing/parse.js'
import type { Chunk, InputFraming } from '../../../src/model.js'
import type { ByteReader } from '../../../src/read/byte-reader.js'
import { type ByteSource, createByteSource } from '../../../src/read/byte-source.js'
import type { Dialect } from '../../../src/read/csv.js'
import type { ChunkSource, Want } from '../../../src/source.js'

export const ONE: Want = { items: 1, bytes: 64 * 1024 }
export const MANY: Want = { items: 1_000_000, bytes: 64 * 1024 }

/** Yields one block per read. */
class BlockReader implements ByteReader {
  readonly #blocks: Buffer[]
  constructor(blocks: Buffer[]) {
    this.#blocks = blocks
  }
  get ended(): boolean {
    return this.#blocks.length === 0
  }
  async read(into: Buffer): Promise<number> {
    const block = this.#blocks.shift()
    if (block === undefined) return 0
    const count = block.copy(into)
    if (count < block.length) this.#blocks.unshift(block.subarray(count))
    return count
  }
  close(): void {
    this.#blocks.length = 0
  }
}

export interface SourceOptions {
  readonly tolerant?: boolean
  /** Sizes of the blocks; the last one repeats. */
  readonly blocks?: readonly number[]
  /** For `csv`. */
  readonly dialect?: Dialect
  readonly maxItemBytes?: number
  readonly batch?: number
  readonly warn?: (text: string) => void
}

export function sourceOf(
  text: string | Buffer,
  framing: InputFraming | undefined,
  { tolerant = false, blocks = [1 << 20], dialect, maxItemBytes, batch, warn }: SourceOptions = {},
): ByteSource {
  const bytes = Buffer.from(text as string)
  const parts: Buffer[] = []
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = blocks[Math.min(n, blocks.length - 1)]!
    parts.push(bytes.subarray(at, at + size))
    at += size
  }
  const reader = new BlockReader(parts)
  return createByteSource(reader, { file: 'in', framing, tolerant, dialect, maxItemBytes, batch, warn })
}

export interface Reading {
  readonly chunks: Chunk[]
  /** Each item's value, `{ bad: message }` for an item that is not valid. */
  readonly values: unknown[]
  /** Message of the error that ended the input. */
  readonly error: string | undefined
}

export async function readAll(source: Pick<ChunkSource, 'next'>, want: Want = MANY): Promise<Reading> {
  const chunks: Chunk[] = []
  const values: unknown[] = []
  try {
    for (let chunk = await source.next(want); chunk !== undefined; chunk = await source.next(want)) {
      chunks.push(chunk)
      values.push(...valuesOf(chunk))
    }
    return { chunks, values, error: undefined }
  } catch (error) {
    return { chunks, values, error: (error as Error).message }
  }
}

export function valuesOf(chunk: Chunk): unknown[] {
  if (chunk.payload.kind === 'values') return [...chunk.payload.values]
  const items = readItems(chunk.payload)
  return Array.from({ length: chunk.count }, () => {
    const value = items.next()
    return value instanceof BadItem ? { bad: value.message } : value
  })
}

export function textOf(chunk: Chunk): string {
  return chunk.payload.kind === 'bytes' ? Buffer.from(chunk.payload.bytes).toString('latin1') : ''
}
