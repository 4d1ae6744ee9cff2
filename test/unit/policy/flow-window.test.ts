import { describe, expect, test } from 'vitest'
import { sliceChunk } from '../../../src/framing/slice.js'
import type { Chunk, SettledRange } from '../../../src/model.js'
import { FlowWindow, heldBytes } from '../../../src/policy/flow-window.js'
import type { ChunkSource, Want } from '../../../src/source.js'
import { valuesChunk } from './ranges.js'
import { type Random, SEEDS, seeded } from './seeded.js'

const ROOMY = { items: 1_000_000, bytes: 1_000_000_000 }
const MUCH: Want = { items: 100, bytes: 64 * 1024 }

/** Endless items of `size` bytes each; records every `want`. */
function endless(size = 10) {
  const wants: Want[] = []
  let seq = 0
  const source: ChunkSource = {
    next(want) {
      wants.push(want)
      const count = Math.max(1, Math.min(want.items, Math.floor(want.bytes / size)))
      const chunk: Chunk = {
        seq,
        count,
        payload: { kind: 'bytes', bytes: new Uint8Array(count * size), framing: 'ndjson' },
      }
      seq += count
      return chunk
    },
    close() {},
  }
  return { source, wants }
}

const settledOf = (chunk: Chunk): SettledRange => ({
  chunk,
  from: 0,
  count: chunk.count,
  results: { kind: 'json', bytes: new Uint8Array(0) },
  failures: [],
  workerId: 0,
  pid: 1,
  attempts: 1,
})

const isPending = (next: unknown) => next instanceof Promise

describe('FlowWindow', () => {
  test('returns a chunk without a promise where its source does', () => {
    const { source } = new FlowWindow({ next: () => valuesChunk(0, 1), close() {} }, ROOMY)
    expect(isPending(source.next(MUCH))).toBe(false)
  })

  test('wants no more items than fit', () => {
    const { source: inner, wants } = endless()
    const { source } = new FlowWindow(inner, { ...ROOMY, items: 130 })
    source.next(MUCH)
    source.next(MUCH)
    expect(wants.map(({ items }) => items)).toEqual([100, 30])
  })

  test('gives nothing while it is full of items, until one is delivered', async () => {
    const { source: inner, wants } = endless()
    const window = new FlowWindow(inner, { ...ROOMY, items: 100 })
    window.source.next(MUCH)
    const next = window.source.next(MUCH)
    expect(isPending(next)).toBe(true)
    expect(wants).toHaveLength(1)
    window.delivered(1, 10)
    expect((await next)?.count).toBe(1)
    expect(wants[1]).toMatchObject({ items: 1 })
  })

  test('gives nothing while results that have arrived fill it with bytes', async () => {
    const { source: inner, wants } = endless(1)
    const window = new FlowWindow(inner, { ...ROOMY, bytes: 1_000 })
    window.source.next({ items: 10, bytes: 10 })
    window.addBytes(990)
    const next = window.source.next(MUCH)
    window.delivered(5, 0)
    expect(wants).toHaveLength(1)
    window.delivered(1, 500)
    expect(await next).toBeDefined()
  })

  test('goes on waiting where it is filled again before the wait has resumed', async () => {
    const { source: inner, wants } = endless(1)
    const window = new FlowWindow(inner, { ...ROOMY, bytes: 10 })
    window.source.next({ items: 10, bytes: 10 })
    const next = window.source.next(MUCH)
    window.delivered(5, 5)
    window.addBytes(5)
    await Promise.resolve()
    await Promise.resolve()
    expect(wants).toHaveLength(1)
    window.delivered(1, 5)
    expect(await next).toBeDefined()
  })

  test('lets every item through with room for one', async () => {
    const { source: inner } = endless()
    const window = new FlowWindow(inner, { ...ROOMY, items: 1 })
    for (let seq = 0; seq < 20; seq++) {
      expect(await window.source.next(MUCH)).toMatchObject({ seq, count: 1 })
      window.delivered(1, 10)
    }
  })

  test('lets one item pass that is larger than the window', async () => {
    const { source: inner } = endless(5_000)
    const window = new FlowWindow(inner, { ...ROOMY, bytes: 1_000 })
    expect(await window.source.next({ items: 1, bytes: 1 })).toMatchObject({ count: 1 })
    const next = window.source.next({ items: 1, bytes: 1 })
    expect(isPending(next)).toBe(true)
    window.delivered(1, 5_000)
    expect(await next).toMatchObject({ seq: 1 })
  })

  test('passes on the end, the closing and the number of remaining items', () => {
    let closed = 0
    const inner: ChunkSource = { next: () => undefined, close: () => void closed++, remaining: () => 7 }
    const { source } = new FlowWindow(inner, ROOMY)
    expect(source.next(MUCH)).toBeUndefined()
    expect(source.remaining?.()).toBe(7)
    source.close()
    expect(closed).toBe(1)
  })

  test('has a number of remaining items only where its source does', () => {
    expect(new FlowWindow(endless().source, ROOMY).source.remaining).toBeUndefined()
  })

  test('counts an item that settles in a part of its chunk as what it was counted when it came', async () => {
    // A worker crashed in the first, large item: the small ones ran again as chunks of their own, and one of them again alone.
    const text = `"${'x'.repeat(993)}"\n1\n2\n3\n`
    const chunk: Chunk = {
      seq: 0,
      count: 4,
      payload: { kind: 'bytes', bytes: Buffer.from(text), framing: 'ndjson' },
    }
    const rest = sliceChunk(chunk, 1, 4)
    const parts = [sliceChunk(chunk, 0, 1), sliceChunk(rest, 0, 1), sliceChunk(rest, 1, 3)]
    const shares = parts.map((part) => heldBytes(settledOf(part)))
    expect(shares).toEqual([251, 251, 502])
    expect(heldBytes(settledOf(chunk))).toBe(1_004)
    const chunks = [chunk, valuesChunk(4, 1)]
    const window = new FlowWindow({ next: () => chunks.shift(), close() {} }, { ...ROOMY, bytes: 251 })
    window.source.next(MUCH)
    const next = window.source.next(MUCH)
    window.delivered(1, shares[0]!)
    window.delivered(2, shares[2]!)
    await Promise.resolve()
    expect(chunks).toHaveLength(1)
    window.addBytes(-1)
    expect(await next).toBeDefined()
  })

  test('counts bytes as whole numbers: sums of fractions would drift', () => {
    const chunk: Chunk = {
      seq: 0,
      count: 3,
      payload: { kind: 'bytes', bytes: Buffer.from('1\n2\n10\n'), framing: 'ndjson' },
    }
    expect(heldBytes({ ...settledOf(chunk), count: 1 })).toBe(3)
    expect(heldBytes(settledOf(chunk))).toBe(9)
  })

  test('takes nothing more for a call that has ended while it waited', async () => {
    const { source: inner, wants } = endless()
    let hasEnded = false
    const window = new FlowWindow(inner, { ...ROOMY, items: 1 }, { hasEnded: () => hasEnded })
    window.source.next(MUCH)
    const next = window.source.next(MUCH)
    hasEnded = true
    window.delivered(1, 10)
    expect(await next).toBeUndefined()
    expect(wants).toHaveLength(1)
  })
})

interface Held {
  items: number
  bytes: number
}

/** Takes and delivers at random until `takes` chunks have been taken; returns what was held before each of them. */
async function simulate(random: Random, limits: Held, takes: number): Promise<Held[]> {
  const window = new FlowWindow(endless(1 + random.int(50)).source, limits)
  const held: Held[] = []
  const seen: Held[] = []
  const sum = () => ({
    items: held.reduce((total, { items }) => total + items, 0),
    bytes: held.reduce((total, { bytes }) => total + bytes, 0),
  })
  const deliver = () => {
    const [range] = held.splice(random.int(held.length), 1)
    window.delivered(range!.items, range!.bytes)
  }
  const arrive = () => {
    const range = held[random.int(held.length)]!
    const bytes = random.int(100)
    range.bytes += bytes
    window.addBytes(bytes)
  }
  for (let taken = 0; taken < takes; taken++) {
    const next = window.source.next({ items: 1 + random.int(40), bytes: 1 + random.int(400) })
    let chunk: Chunk | undefined
    if (next instanceof Promise) {
      let settled = false
      void next.then(() => {
        settled = true
      })
      while (!settled && held.length > 0) {
        deliver()
        await new Promise(setImmediate)
      }
      expect(settled, 'an empty window gives nothing').toBe(true)
      chunk = await next
    } else chunk = next
    const bytes = chunk!.payload.kind === 'bytes' ? chunk!.payload.bytes.byteLength : 0
    seen.push(sum())
    held.push({ items: chunk!.count, bytes })
    while (held.length > 0 && random.int(3) === 0) random.int(2) === 0 ? deliver() : arrive()
  }
  return seen
}

describe('at random', () => {
  test.each(SEEDS)('a full window takes nothing, and an empty one always gives (seed %i)', async (seed) => {
    const random = seeded(seed)
    const limits = { items: 1 + random.int(100), bytes: 1 + random.int(2_000) }
    const before = await simulate(random, limits, 60)
    expect(before).toHaveLength(60)
    for (const { items, bytes } of before) {
      expect(items).toBeLessThan(limits.items)
      expect(bytes).toBeLessThan(limits.bytes)
    }
  })
})
