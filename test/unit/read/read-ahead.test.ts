// Bytes that arrive in parts of any size: nothing is lost or waits for long, and many small parts are read together.
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { CHUNK_BYTES } from '../../../src/defaults.js'
import type { ByteReader } from '../../../src/read/byte-reader.js'
import { ReadAhead } from '../../../src/read/read-ahead.js'

const KiB = 1024
const NO_LIMIT = Number.POSITIVE_INFINITY

/** What arrives when tests let it. */
class Arrivals implements ByteReader {
  readonly parts: Buffer[] = []
  ended = false
  closed = false
  reads = 0
  taken = 0
  #failed: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  async read(into: Buffer): Promise<number> {
    this.reads++
    for (;;) {
      const part = this.parts.shift()
      if (part !== undefined) {
        const count = part.copy(into)
        if (count < part.length) this.parts.unshift(part.subarray(count))
        this.taken += count
        return count
      }
      if (this.#failed !== undefined) throw this.#failed.error
      if (this.ended || this.closed) return 0
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  arrive(...parts: readonly Buffer[]): void {
    this.parts.push(...parts)
    this.#wake?.()
  }

  end(): void {
    this.ended = true
    this.#wake?.()
  }

  fail(error: unknown): void {
    this.#failed = { error }
    this.#wake?.()
  }

  close(): void {
    this.closed = true
    this.#wake?.()
  }
}

function setUp(gatherMs?: number) {
  const arrivals = new Arrivals()
  return { arrivals, reader: new ReadAhead(arrivals, gatherMs) }
}

const bytesFrom = (start: number, size: number) =>
  Buffer.from(Array.from({ length: size }, (_, n) => (start + n) % 251))

function partsOf(all: Buffer, sizes: readonly number[]): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0, n = 0; at < all.length; n++) {
    const size = sizes[n % sizes.length]!
    parts.push(all.subarray(at, at + size))
    at += size
  }
  return parts
}

async function readToEnd(reader: ByteReader, sizes: readonly number[]): Promise<Buffer> {
  const read: Buffer[] = []
  for (let n = 0; ; n++) {
    const into = Buffer.alloc(sizes[n % sizes.length]!)
    const count = await reader.read(into)
    if (count === 0) return Buffer.concat(read)
    read.push(into.subarray(0, count))
  }
}

describe('reading ahead', () => {
  const all = bytesFrom(0, 3 * CHUNK_BYTES + 12_345)
  const SIZES = [[1000], [64 * KiB], [16 * KiB, 1, 3000], [CHUNK_BYTES, 1], [10 * CHUNK_BYTES]]

  test.each(SIZES.flatMap((parts) => SIZES.map((reads) => [parts, reads] as const)))(
    'changes no byte: parts of %j, reads of %j',
    async (partSizes, readSizes) => {
      const { arrivals, reader } = setUp(NO_LIMIT)
      const read = readToEnd(reader, readSizes)
      for (const part of partsOf(all, partSizes)) {
        arrivals.arrive(part)
        if (part.length > 1000) await turn()
      }
      arrivals.end()
      expect((await read).equals(all)).toBe(true)
      expect(reader.ended).toBe(true)
    },
  )

  test('takes nothing before the first read, and two chunks after it', async () => {
    const { arrivals, reader } = setUp()
    arrivals.arrive(...partsOf(bytesFrom(0, 10 * CHUNK_BYTES), [16 * KiB]))
    await turn()
    expect(arrivals.reads).toBe(0)
    await reader.read(Buffer.alloc(10))
    await turn()
    expect(arrivals.taken).toBe(2 * CHUNK_BYTES)
  })

  test('ends a pending read when it is closed, and closes what it reads', async () => {
    const { arrivals, reader } = setUp()
    const pending = reader.read(Buffer.alloc(10))
    reader.close()
    expect(await pending).toBe(0)
    expect(arrivals.closed).toBe(true)
    expect(await reader.read(Buffer.alloc(10))).toBe(0)
    expect(reader.ended).toBe(true)
  })

  test('drops what arrives after it was closed', async () => {
    const { arrivals, reader } = setUp()
    const pending = reader.read(Buffer.alloc(10))
    reader.close()
    arrivals.arrive(bytesFrom(0, 5))
    await turn()
    expect(await pending).toBe(0)
    expect(await reader.read(Buffer.alloc(10))).toBe(0)
  })

  test.each([[100], [8000]])('fails after everything that had arrived: %i bytes', async (size) => {
    const { arrivals, reader } = setUp(NO_LIMIT)
    const error = new Error('EIO')
    const pending = reader.read(Buffer.alloc(CHUNK_BYTES))
    arrivals.arrive(bytesFrom(0, size))
    arrivals.fail(error)
    expect(await pending).toBe(size)
    expect(reader.ended).toBe(false)
    await expect(reader.read(Buffer.alloc(10))).rejects.toBe(error)
    await expect(reader.read(Buffer.alloc(10))).rejects.toBe(error)
    expect(reader.ended).toBe(false)
  })
})

describe('small parts', () => {
  test('that arrive one after the other are read together', async () => {
    const { arrivals, reader } = setUp(NO_LIMIT)
    const pending = reader.read(Buffer.alloc(CHUNK_BYTES))
    for (const part of partsOf(bytesFrom(0, 2 * CHUNK_BYTES), [16 * KiB])) {
      arrivals.arrive(part)
      await turn()
    }
    expect(await pending).toBe(CHUNK_BYTES)
    expect(await reader.read(Buffer.alloc(CHUNK_BYTES))).toBe(CHUNK_BYTES)
  })

  test('are not waited for where little has arrived: the next line may take long', async () => {
    const { arrivals, reader } = setUp(NO_LIMIT)
    const pending = reader.read(Buffer.alloc(CHUNK_BYTES))
    arrivals.arrive(Buffer.from('1\n'))
    expect(await pending).toBe(2)
  })

  test('are waited for only for a moment', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { arrivals, reader } = setUp()
      let count = 0
      const pending = reader.read(Buffer.alloc(CHUNK_BYTES)).then((read) => {
        count = read
      })
      arrivals.arrive(bytesFrom(0, 8000))
      await turn()
      vi.advanceTimersByTime(1)
      arrivals.arrive(bytesFrom(0, 8000))
      await turn()
      expect(count).toBe(0)
      vi.advanceTimersByTime(1)
      await pending
      expect(count).toBe(16_000)
    } finally {
      vi.useRealTimers()
    }
  })

  test('are not waited for after the end', async () => {
    const { arrivals, reader } = setUp(NO_LIMIT)
    const pending = reader.read(Buffer.alloc(CHUNK_BYTES))
    arrivals.arrive(bytesFrom(0, 8000))
    await turn()
    arrivals.end()
    expect(await pending).toBe(8000)
    expect(reader.ended).toBe(true)
  })
})
