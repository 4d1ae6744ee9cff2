import { describe, expect, test } from 'vitest'
import { ChunkSizer, TaskCost } from '../../../../src/executor/scheduler/chunk-size.js'

const WORKERS = 2
const size = (sizer: ChunkSizer, remaining?: number) => sizer.want(WORKERS, remaining).items

/** Measures chunks of the requested size until it no longer changes. */
function settle(sizer: ChunkSizer, msEach: number): number[] {
  const sizes: number[] = []
  for (let n = 0; n < 40; n++) {
    const items = size(sizer)
    sizes.push(items)
    sizer.measured(items, items * msEach)
  }
  return sizes
}

describe('adaptive chunks', () => {
  test('begin with one item before anything is measured', () => {
    const sizer = new ChunkSizer()
    expect(sizer.meanMs).toBeUndefined()
    expect(size(sizer)).toBe(1)
    expect(size(sizer, 1_000_000)).toBe(1)
  })

  test('grow step by step to a few milliseconds of work', () => {
    const sizes = settle(new ChunkSizer(), 0.01)
    for (const [i, next] of sizes.entries()) expect(next).toBeLessThanOrEqual((sizes[i - 1] ?? 1) * 4)
    expect(sizes.at(-1)! * 0.01).toBeGreaterThan(2)
    expect(sizes.at(-1)! * 0.01).toBeLessThanOrEqual(12)
  })

  test.each([100, 12.001, 6.001])('stay at one item if it takes %d ms', (msEach) => {
    expect(new Set(settle(new ChunkSizer(), msEach))).toEqual(new Set([1]))
  })

  test('stay at one item if it waits for something, where a worker runs several at a time', () => {
    expect(new Set(settle(new ChunkSizer({ concurrency: 8 }), 0.2))).toEqual(new Set([1]))
    expect(settle(new ChunkSizer({ concurrency: 8 }), 0.05).at(-1)).toBeGreaterThan(64)
  })

  test('are one item from the moment items are known to wait, before one has settled', () => {
    for (const fixed of [undefined, 100]) {
      const sizer = new ChunkSizer({ concurrency: 8, fixed })
      sizer.measured(1_000, 1)
      expect(sizer.waits).toBe(false)
      sizer.measuredWait()
      expect(sizer.waits).toBe(true)
      if (fixed === undefined) expect(sizer.want(1, undefined).items).toBe(1)
      sizer.measured(1_000, 1)
      expect(sizer.waits).toBe(false)
    }
  })

  test('know what an item of the task costs in other calls, and still grow step by step', () => {
    const task = new TaskCost()
    const sizer = new ChunkSizer({ task })
    new ChunkSizer({ task }).measured(100, 1)
    expect(sizer.meanMs).toBe(0.01)
    expect(settle(sizer, 0.05).slice(0, 3)).toEqual([1, 4, 16])
    expect(sizer.meanMs).toBeCloseTo(0.05)
  })

  test('hold all items of a call that is next to no work', () => {
    const task = new TaskCost()
    task.measured(100, 1)
    const of = (total: number | undefined) => new ChunkSizer({ task, total })
    expect(size(of(50), 50)).toBe(50)
    expect(size(of(51), 51)).toBe(1)
    expect(size(of(0), 0)).toBe(1)
    expect(size(of(undefined), 50)).toBe(1)
    expect(size(new ChunkSizer({ total: 50 }), 50)).toBe(1)
  })

  test('are bounded even if items seem to cost nothing', () => {
    const sizes = settle(new ChunkSizer(), 0)
    expect(sizes.at(-1)).toBe(Math.max(...sizes))
    expect(sizes.at(-1)).toBeLessThan(100_000)
    expect(sizes.at(-1)).toBeGreaterThan(1_000)
  })

  test('shrink immediately when items turn out expensive', () => {
    const sizer = new ChunkSizer()
    settle(sizer, 0.001)
    sizer.measured(size(sizer), size(sizer) * 50)
    expect(size(sizer)).toBe(1)
  })

  test('forget one expensive item after a while', () => {
    const sizer = new ChunkSizer()
    const before = settle(sizer, 0.01).at(-1)!
    sizer.measured(1, 1_000)
    expect(size(sizer)).toBe(1)
    expect(settle(sizer, 0.01).at(-1)).toBeGreaterThan(before / 2)
  })

  test('leave every worker a share of what remains, and always ask for at least one item', () => {
    const sizer = new ChunkSizer()
    settle(sizer, 0.001)
    for (let remaining = 200; remaining > 0; ) {
      const items = size(sizer, remaining)
      expect(items).toBeLessThanOrEqual(Math.ceil(remaining / WORKERS / 2))
      expect(items).toBeGreaterThanOrEqual(1)
      remaining -= items
    }
    expect(size(sizer, 0)).toBe(1)
  })

  test('are bounded in bytes too', () => {
    expect(new ChunkSizer().want(1, undefined).bytes).toBe(192 * 1024)
  })
})

describe('a fixed number of items per chunk', () => {
  test('stays the same whatever is measured, however few items remain, whatever their size', () => {
    const sizer = new ChunkSizer({ fixed: 50 })
    expect(new Set(settle(sizer, 100))).toEqual(new Set([50]))
    expect(sizer.want(WORKERS, 3)).toEqual({ items: 50, bytes: Number.POSITIVE_INFINITY })
  })

  test('is measured nevertheless, because prefetching needs the cost', () => {
    const sizer = new ChunkSizer({ fixed: 50 })
    sizer.measured(10, 20)
    expect(sizer.meanMs).toBe(2)
  })
})
