import { describe, expect, test } from 'vitest'
import type { SettledRange } from '../../../src/model.js'
import { CompletionOrder, type DeliveryOrder, InputOrder } from '../../../src/policy/delivery-order.js'
import { seqsOf, settledRange, valuesChunk } from './ranges.js'
import { type Random, SEEDS, seeded } from './seeded.js'

/** 0 … n − 1 cut into chunks, each settling in ranges of its own. */
function randomRanges(random: Random, items: number): SettledRange[] {
  const ranges: SettledRange[] = []
  for (let seq = 0; seq < items; ) {
    const chunk = valuesChunk(seq, Math.min(items - seq, 1 + random.int(7)))
    for (let from = 0; from < chunk.count; ) {
      const count = 1 + random.int(chunk.count - from)
      ranges.push(settledRange(chunk, { from, count }))
      from += count
    }
    seq += chunk.count
  }
  return ranges
}

function takeAll(order: DeliveryOrder): number[] {
  const seqs: number[] = []
  for (let next = order.shift(); next !== undefined; next = order.shift()) seqs.push(...seqsOf(next))
  return seqs
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('InputOrder', () => {
  test.each(SEEDS)(
    'delivers every range once and in input order, whatever the order of settling (seed %i)',
    (seed) => {
      const random = seeded(seed)
      const items = 1 + random.int(200)
      const order = new InputOrder()
      const delivered: number[] = []
      for (const range of random.shuffled(randomRanges(random, items))) {
        order.push(range)
        if (random.int(2) === 0) delivered.push(...takeAll(order))
      }
      delivered.push(...takeAll(order))
      expect(delivered).toEqual(upTo(items))
      expect(order.releaseRest()).toEqual([])
    },
  )

  test.each(SEEDS)(
    'has delivered everything before the first item that has not settled (seed %i)',
    (seed) => {
      const random = seeded(seed)
      const order = new InputOrder()
      const settled = new Set<number>()
      let delivered = 0
      for (const range of random.shuffled(randomRanges(random, 60))) {
        order.push(range)
        for (const seq of seqsOf(range)) settled.add(seq)
        delivered += takeAll(order).length
        let whole = 0
        while (settled.has(whole)) whole++
        expect(delivered).toBe(whole)
      }
    },
  )

  test('delivers nothing while the first item is missing', () => {
    const order = new InputOrder()
    order.push(settledRange(valuesChunk(1, 1)))
    expect(order.shift()).toBeUndefined()
  })

  test('releases the rest in order, over the gaps of items that never settled', () => {
    const order = new InputOrder()
    for (const seq of [8, 2, 5]) order.push(settledRange(valuesChunk(seq, 2)))
    expect(order.shift()).toBeUndefined()
    expect(order.releaseRest().flatMap(seqsOf)).toEqual([2, 3, 5, 6, 8, 9])
    expect(order.releaseRest()).toEqual([])
  })
})

describe('CompletionOrder', () => {
  test.each(SEEDS)('delivers ranges in the order in which they came (seed %i)', (seed) => {
    const random = seeded(seed)
    const order = new CompletionOrder()
    const came = random.shuffled(randomRanges(random, 60))
    const delivered: (SettledRange | undefined)[] = []
    for (const range of came) {
      order.push(range)
      if (random.int(3) === 0) delivered.push(order.shift())
    }
    for (let next = order.shift(); next !== undefined; next = order.shift()) delivered.push(next)
    expect(delivered).toEqual(came)
  })

  test('releases the rest in order after some ranges have been taken', () => {
    const order = new CompletionOrder()
    for (const seq of [4, 0, 6]) order.push(settledRange(valuesChunk(seq, 1)))
    expect(order.shift()?.chunk.seq).toBe(4)
    order.push(settledRange(valuesChunk(2, 1)))
    expect(order.releaseRest().flatMap(seqsOf)).toEqual([0, 6, 2])
    expect(order.shift()).toBeUndefined()
  })
})
