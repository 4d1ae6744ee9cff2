import { describe, expect, test } from 'vitest'
import { Accounting } from '../../../src/run/accounting.js'
import { settledRange, valuesChunk } from '../policy/ranges.js'
import { SEEDS, seeded } from '../policy/seeded.js'

/** A call that took this many items, of which these ranges have settled. */
function settled(taken: number, ...ranges: readonly (readonly [from: number, to: number])[]): Accounting {
  const accounting = new Accounting()
  accounting.take(taken)
  const chunk = valuesChunk(0, taken)
  for (const [from, to] of ranges) accounting.settle(settledRange(chunk, { from, count: to - from }))
  return accounting
}

describe('the accounting of a call', () => {
  test.each(SEEDS)('adds up in whatever order items settle (seed %i)', (seed) => {
    const random = seeded(seed)
    const items = 1 + random.int(60)
    const ranges = random.shuffled(Array.from({ length: items }, (_, i) => [i, i + 1] as const))
    expect(settled(items, ...ranges).settlingError()).toBeUndefined()
  })

  test.each([
    ['at the beginning', [[1, 10]], 'item 0 never settled'],
    [
      'in the middle',
      [
        [0, 3],
        [5, 10],
      ],
      'items 3–4 never settled',
    ],
    ['at the end', [[0, 8]], 'items 8–9 never settled'],
    [
      'everywhere',
      [
        [7, 8],
        [2, 4],
      ],
      'items 0–1, items 4–6, items 8–9 never settled',
    ],
    [
      'twice',
      [
        [0, 5],
        [3, 4],
        [5, 10],
      ],
      'item 3 settled more than once',
    ],
    [
      'twice, while an earlier one is missing',
      [
        [2, 4],
        [2, 4],
      ],
      'items 2–3 settled more than once',
    ],
    ['that nobody took', [[0, 11]], 'items 0–10 settled more than once'],
  ] as const)('names items that are wrong %s', (_, ranges, expected) => {
    expect(settled(10, ...ranges).settlingError()?.message).toContain(expected)
  })

  test('compares what was delivered with what has settled', () => {
    const accounting = settled(10, [0, 10])
    accounting.deliver(settledRange(valuesChunk(0, 10), { from: 0, count: 9 }))
    expect(accounting.deliveryError()?.message).toContain('10 items settled and 9 were delivered')
    accounting.deliver(settledRange(valuesChunk(0, 10), { from: 9, count: 1 }))
    expect(accounting.deliveryError()).toBeUndefined()
  })
})

describe('an item that was cancelled while it ran', () => {
  const chunk = valuesChunk(0, 4)
  const cancelled = (from: number, count: number) =>
    ({ chunk, from, count, workerId: 0, pid: 1, attempts: 1 }) as const

  test('is accounted for, and is not delivered', () => {
    const accounting = settled(4, [0, 2])
    accounting.cancel(cancelled(2, 2))
    accounting.deliver(settledRange(chunk, { from: 0, count: 2 }))
    expect([accounting.settlingError(), accounting.surplusError(), accounting.deliveryError()]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  test('must not have settled, nor be cancelled twice, however the call ended', () => {
    const settledBefore = settled(4, [0, 2])
    settledBefore.cancel(cancelled(1, 1))
    expect(settledBefore.surplusError()?.message).toContain('item 1 settled more than once')
    const twice = settled(4)
    for (let times = 0; times < 2; times++) twice.cancel(cancelled(2, 2))
    expect(twice.surplusError()?.message).toContain('items 2–3 settled more than once')
  })
})
