import { describe, expect, it } from 'vitest'
import { RestartBudget } from '../../../../src/executor/scheduler/restart-budget.js'

describe('the budget of restarts', () => {
  it('is used up after as many crashes as its limit', () => {
    const budget = new RestartBudget(2)
    expect([budget.use(), budget.use(), budget.use()]).toEqual([true, true, false])
  })

  it('is refilled by one for every 100 items that settle, however many settle together', () => {
    const budget = new RestartBudget(2)
    expect([budget.use(), budget.use()]).toEqual([true, true])
    budget.itemsSettled(99)
    budget.itemsSettled(101)
    expect([budget.use(), budget.use(), budget.use()]).toEqual([true, true, false])
  })

  it('counts no items while it is full', () => {
    const budget = new RestartBudget(1)
    budget.itemsSettled(1_000)
    expect(budget.use()).toBe(true)
    budget.itemsSettled(99)
    expect(budget.use()).toBe(false)
  })
})
