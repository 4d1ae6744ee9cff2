import { describe, expect, test } from 'vitest'
import { Cost, Costs } from '../../../src/worker/cost.js'

describe('the cost of a task', () => {
  test('is not cheap before one of its items was timed', () => {
    const cost = new Cost()
    cost.update()
    expect(cost.isCheap).toBe(false)
  })

  test('is cheap below 10 µs per item', () => {
    for (const [ms, isCheap] of [
      [0.0099, true],
      [0.01, false],
    ] as const) {
      const cost = new Cost()
      cost.add(ms)
      cost.update()
      expect(cost.isCheap).toBe(isCheap)
    }
  })

  test('is updated after 16 timed items', () => {
    const cost = new Cost()
    for (let n = 0; n < 15; n++) cost.add(0.001)
    expect(cost.isCheap).toBe(false)
    cost.add(0.001)
    expect(cost.isCheap).toBe(true)
  })

  test('is updated by an item that took more than 1 ms', () => {
    const cost = new Cost()
    cost.add(0)
    cost.update()
    expect(cost.add(1)).toBe(false)
    expect(cost.isCheap).toBe(true)
    expect(cost.add(1.1)).toBe(true)
    expect(cost.isCheap).toBe(false)
  })

  test('is kept for each task by its name', () => {
    const costs = new Costs()
    expect(costs.of('default')).toBe(costs.of('default'))
    expect(costs.of('other')).not.toBe(costs.of('default'))
  })
})
