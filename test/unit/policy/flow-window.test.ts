import { describe, expect, test } from 'vitest'
import type { Chunk } from '../../../src/model.js'
import { FlowWindow } from '../../../src/policy/flow-window.js'
import type { ChunkSource, Want } from '../../../src/source.js'
import { valuesChunk } from './ranges.js'
import { type Random, SEEDS, seeded } from './seeded.js'

const ROOMY = { items: 1_000_000, bytes: 1_000_000_000 }
const MUCH: Want = { items: 100, bytes: 64 * 1024 }

/** Endless items of `size` bytes each; remembers what it was asked for. */
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

const isPending = (next: unknown) => next instanceof Promise

describe('the window', () => {
  test('lets a source that answers at once answer at once', () => {
    const { source } = new FlowWindow({ next: () => valuesChunk(0, 1), close() {} }, ROOMY)
    expect(isPending(source.next(MUCH))).toBe(false)
  })

  test('asks the source for no more items than fit', () => {
    const { source: inner, wants } = endless()
    const { source } = new FlowWindow(inner, { ...ROOMY, items: 130 })
    source.next(MUCH)
    source.next(MUCH)
    expect(wants.map(({ items }) => items)).toEqual([100, 30])
  })

  test('keeps the asker waiting while it is full of items, until one is delivered', async () => {
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

  test('keeps the asker waiting while results that have arrived fill it with bytes', async () => {
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

  test('that is filled again before the asker woke up keeps it waiting', async () => {
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

  test('of one item still lets every item through', async () => {
    const { source: inner } = endless()
    const window = new FlowWindow(inner, { ...ROOMY, items: 1 })
    for (let seq = 0; seq < 20; seq++) {
      expect(await window.source.next(MUCH)).toMatchObject({ seq, count: 1 })
      window.delivered(1, 10)
    }
  })

  test('lets one item pass that is larger than all of it', async () => {
    const { source: inner } = endless(5_000)
    const window = new FlowWindow(inner, { ...ROOMY, bytes: 1_000 })
    expect(await window.source.next({ items: 1, bytes: 1 })).toMatchObject({ count: 1 })
    const next = window.source.next({ items: 1, bytes: 1 })
    expect(isPending(next)).toBe(true)
    window.delivered(1, 5_000)
    expect(await next).toMatchObject({ seq: 1 })
  })

  test('passes on the end, the closing and how much remains', () => {
    let closed = 0
    const inner: ChunkSource = { next: () => undefined, close: () => void closed++, remaining: () => 7 }
    const { source } = new FlowWindow(inner, ROOMY)
    expect(source.next(MUCH)).toBeUndefined()
    expect(source.remaining?.()).toBe(7)
    source.close()
    expect(closed).toBe(1)
  })

  test('claims to know what remains only where its source does', () => {
    expect(new FlowWindow(endless().source, ROOMY).source.remaining).toBeUndefined()
  })

  test('that nothing is on the way in is never full, whatever the shares of bytes add up to', async () => {
    // Half of the bytes of a chunk are counted for each of its two items. A worker died in the large one, and the
    // small one came back alone, as a chunk of its own and with its own, few bytes.
    const { source: inner } = endless(1)
    const window = new FlowWindow(inner, { ...ROOMY, bytes: 1_000 })
    window.source.next({ items: 4_000, bytes: 4_000 })
    const next = window.source.next(MUCH)
    window.delivered(2_000, 2_000)
    window.delivered(2_000, 10)
    expect(await next).toBeDefined()
  })
})

interface OnTheWay {
  items: number
  bytes: number
}

/** Takes and delivers at random until `takes` chunks went through; tells of everything that was on the way at once. */
async function simulate(random: Random, limits: OnTheWay, takes: number): Promise<OnTheWay[]> {
  const window = new FlowWindow(endless(1 + random.int(50)).source, limits)
  const held: OnTheWay[] = []
  const seen: OnTheWay[] = []
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
      expect(settled, 'an empty window stalls its asker').toBe(true)
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
  test.each(SEEDS)(
    'nothing is taken by a full window, and an empty one stalls nobody (seed %i)',
    async (seed) => {
      const random = seeded(seed)
      const limits = { items: 1 + random.int(100), bytes: 1 + random.int(2_000) }
      const before = await simulate(random, limits, 60)
      expect(before).toHaveLength(60)
      for (const { items, bytes } of before) {
        expect(items).toBeLessThan(limits.items)
        expect(bytes).toBeLessThan(limits.bytes)
      }
    },
  )
})
