import { describe, expect, it } from 'vitest'
import { InFlight } from '../../../../src/executor/scheduler/in-flight.js'
import { callOf, pendingOf, resultsOf } from './data.js'

/** A call whose items cost so much each, as far as is known. */
function callWithCost(msPerItem: number, chunkSize?: number) {
  const call = callOf({ chunkSize })
  call.sizer.measured(100, 100 * msPerItem)
  return call
}

describe('what can be running', () => {
  const call = callOf()

  function filled(concurrency: number, chunks: number) {
    const inFlight = new InFlight(concurrency, true)
    for (let id = 1; id <= chunks; id++) inFlight.add(id, call, pendingOf(id * 10, 10), 100)
    return inFlight
  }

  it('is as many chunks as the worker runs at a time', () => {
    expect([0, 1, 2, 3].map((chunks) => filled(2, chunks).runningCount)).toEqual([0, 1, 2, 2])
    expect([0, 1, 2, 3].map((chunks) => filled(2, chunks).canBeginMore)).toEqual([true, true, false, false])
  })

  it('includes a prefetched chunk from the moment the one in front is removed', () => {
    const inFlight = filled(1, 2)
    inFlight.remove(inFlight.find(1)!, 500)
    expect(inFlight.chunks.map(({ id, since }) => [id, since])).toEqual([[2, 500]])
  })

  it('is not changed by removing a chunk behind', () => {
    const inFlight = filled(1, 3)
    inFlight.remove(inFlight.find(2)!, 500)
    expect(inFlight.chunks.map(({ id, since }) => [id, since])).toEqual([
      [1, 100],
      [3, 100],
    ])
  })

  it('has begun when the flight recorder says', () => {
    const inFlight = filled(2, 3)
    inFlight.setStartTimes([{ id: 2, offset: 4, forMs: 30 }], 1_000)
    expect(inFlight.chunks.map(({ since }) => since)).toEqual([1_000, 970, 100])
  })

  it('ignores an item in the record that has settled', () => {
    const inFlight = filled(1, 1)
    inFlight.settle(resultsOf(1, 0, 5, { from: 0 }), 900)
    inFlight.setStartTimes([{ id: 1, offset: 4, forMs: 300 }], 1_000)
    expect(inFlight.chunks[0]!.since).toBe(1_000)
  })
})

describe('what waits for others', () => {
  function filled(concurrency: number) {
    const inFlight = new InFlight(concurrency, true)
    for (const id of [1, 2, 3]) inFlight.add(id, callWithCost(2), pendingOf(id * 10, 10), 100)
    return inFlight
  }

  it.each([
    [1, 29],
    [2, 28],
    [9, 27],
  ])('is all items but the first of each chunk that runs: concurrency %i', (concurrency, items) => {
    const inFlight = filled(concurrency)
    expect(inFlight.waiting()).toEqual({ items, ms: 2 * items })
    expect(inFlight.mayHaveWaiting).toBe(true)
  })

  it('does not include what has settled, or was returned', () => {
    const inFlight = filled(1)
    inFlight.settle(resultsOf(1, 10, 5), 200)
    expect(inFlight.waiting().items).toBe(24)
    inFlight.truncate(inFlight.find(1)!, 6)
    expect(inFlight.waiting().items).toBe(20)
    inFlight.remove(inFlight.find(2)!, 200)
    inFlight.remove(inFlight.find(3)!, 200)
    expect(inFlight.waiting().items).toBe(0)
    expect(inFlight.mayHaveWaiting).toBe(false)
  })

  it('is nothing where one item is left', () => {
    const inFlight = new InFlight(1, true)
    inFlight.add(1, callOf(), pendingOf(0, 3), 0)
    inFlight.settle(resultsOf(1, 0, 2), 5)
    expect(inFlight.mayHaveWaiting).toBe(false)
    expect(inFlight.progressAt).toBe(5)
  })
})

describe('a chunk of which the worker has returned items', () => {
  it('has settled when those that it keeps have', () => {
    const inFlight = new InFlight(1, true)
    const chunk = inFlight.add(1, callOf(), pendingOf(0, 5), 0)
    inFlight.truncate(chunk, 2)
    expect(inFlight.settle(resultsOf(1, 0, 3), 7)).toBe('impossible')
    expect(inFlight.settle(resultsOf(1, 0, 2), 7)).toMatchObject({ settled: 2 })
    expect(chunk.pending.chunk).toMatchObject({ seq: 0, count: 2 })
  })
})

describe('settle', () => {
  it('moves on to the next item, which begins now', () => {
    const inFlight = new InFlight(1, true)
    inFlight.add(1, callOf(), pendingOf(0, 5), 0)
    expect(inFlight.settle(resultsOf(1, 0, 3, { from: 0 }), 70)).toMatchObject({ settled: 3, since: 70 })
  })

  it('refuses items that have settled before, and chunks that are not there', () => {
    const inFlight = new InFlight(1, true)
    inFlight.add(1, callOf(), pendingOf(0, 5), 0)
    inFlight.settle(resultsOf(1, 0, 3, { from: 0 }), 70)
    expect(inFlight.settle(resultsOf(1, 0, 1, { from: 2 }), 80)).toBeUndefined()
    expect(inFlight.settle(resultsOf(2, 0, 1, { from: 0 }), 80)).toBeUndefined()
    expect(inFlight.find(1)).toMatchObject({ settled: 3, since: 70 })
  })
})

describe('recordEachItem', () => {
  it.each([
    ['by default', {}, {}, false],
    ['for a call with a timeout', { timeoutMs: 10 }, {}, true],
    ['for a chunk that runs again after a crash', {}, { recordEachItem: true }, true],
  ])('%s', (_, options, changes, expected) => {
    const chunk = new InFlight(1, true).add(1, callOf(options), pendingOf(0, 5, changes), 0)
    expect(chunk.recordEachItem).toBe(expected)
  })
})

describe('hasRoom', () => {
  function addUntilFull(inFlight: InFlight, call: ReturnType<typeof callOf>, itemsPerChunk: number) {
    for (let id = 1; inFlight.hasRoom(call.isSmall) && id < 1_000; id++)
      inFlight.add(id, call, pendingOf(0, itemsPerChunk), 0)
    return inFlight.length
  }

  it('takes one chunk until the cost of its items is known', () => {
    expect(addUntilFull(new InFlight(1, true), callOf(), 1)).toBe(1)
  })

  it('prefetches two chunks of cheap items', () => {
    expect(addUntilFull(new InFlight(1, true), callWithCost(0.01), 100)).toBe(3)
    expect(addUntilFull(new InFlight(4, true), callWithCost(0.01), 100)).toBe(6)
  })

  it('prefetches nothing behind 18 ms of work', () => {
    expect(addUntilFull(new InFlight(1, true), callWithCost(18), 1)).toBe(1)
    expect(addUntilFull(new InFlight(1, true), callWithCost(10), 1)).toBe(2)
  })

  it('prefetches 128 items of small chunks once it refills, and again when half of them have settled', () => {
    const call = callWithCost(0.001, 1)
    const inFlight = new InFlight(1, true)
    addUntilFull(inFlight, call, 1)
    // The first chunk that settles starts the refilling: fewer than half are there.
    inFlight.remove(inFlight.chunks[0]!, 1)
    addUntilFull(inFlight, call, 1)
    expect(inFlight.length).toBe(128)
    for (let left = 127; left > 64; left--) {
      inFlight.remove(inFlight.chunks[0]!, 1)
      expect(inFlight.hasRoom(call.isSmall)).toBe(false)
    }
    inFlight.remove(inFlight.chunks[0]!, 1)
    expect(inFlight.hasRoom(call.isSmall)).toBe(true)
  })
})
