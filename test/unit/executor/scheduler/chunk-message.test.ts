import { describe, expect, it } from 'vitest'
import { chunkMessage } from '../../../../src/executor/scheduler/chunk-message.js'
import { InFlight } from '../../../../src/executor/scheduler/in-flight.js'
import { callOf, pendingOf, TASK } from './data.js'

describe('chunkMessage', () => {
  it('carries the items, where they are in the input and which attempt this is', () => {
    const chunk = new InFlight(1, true).add(9, callOf(), pendingOf(40, 2, { attempt: 3 }), 0)
    expect(chunkMessage(chunk)).toEqual({
      id: 9,
      task: TASK,
      count: 2,
      index: 40,
      attempt: 3,
      recordEachItem: false,
      isSmall: false,
      payload: { kind: 'values', values: [40, 41] },
    })
  })

  it('carries the index of each item where they are not consecutive', () => {
    const pending = pendingOf(40, 2)
    const selected = { ...pending, chunk: { ...pending.chunk, indexes: [7, 99] } }
    expect(chunkMessage(new InFlight(1, true).add(1, callOf(), selected, 0)).index).toEqual([7, 99])
  })

  it('carries only the first index of selected items that are consecutive', () => {
    const pending = pendingOf(40, 3)
    const selected = { ...pending, chunk: { ...pending.chunk, indexes: [97, 98, 99] } }
    expect(chunkMessage(new InFlight(1, true).add(1, callOf(), selected, 0)).index).toBe(97)
  })

  it('carries a timeout, for which the worker records what lasts', () => {
    const chunk = new InFlight(1, true).add(1, callOf({ timeoutMs: 50 }), pendingOf(0, 1), 0)
    expect(chunk.recordEachItem).toBe(true)
    expect(chunkMessage(chunk)).toMatchObject({ timeoutMs: 50, recordEachItem: false })
  })

  it('has every item recorded where it must be known which one runs', () => {
    for (const why of [{ recordEachItem: true }, { isSuspect: true }]) {
      const chunk = new InFlight(1, true).add(1, callOf({ timeoutMs: 50 }), { ...pendingOf(0, 1), ...why }, 0)
      expect(chunkMessage(chunk).recordEachItem).toBe(true)
    }
  })
})
