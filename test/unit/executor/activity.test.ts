// What is read off slots and off what workers wrote down, for people who look on.
import { describe, expect, it, vi } from 'vitest'
import { lookAt } from '../../../src/executor/activity.js'
import { createCall } from '../../../src/executor/scheduler/call.js'
import type { RunningItem } from '../../../src/executor/scheduler/messages.js'
import { createSlot, type Slot } from '../../../src/executor/scheduler/slot.js'
import type { Chunk } from '../../../src/model.js'

const call = createCall(1, { task: { name: 'default', calling: 'item', reply: 'values' } })
const chunk: Chunk = { seq: 100, count: 10, payload: { kind: 'values', values: [] } }

function slot(id: number, changes: Partial<Slot> = {}): Slot {
  return Object.assign(createSlot(id), { state: 'ready', pid: 4000 + id }, changes)
}

function inHand(id: number, settled: number, since: number) {
  return {
    id,
    call,
    work: { chunk, attempt: 1, earlier: [], recordEachItem: false },
    settled,
    since,
    expectedMs: 0,
    recordEachItem: false,
  }
}

function look(slots: Slot[], running: RunningItem[] | undefined = [], concurrency = 1) {
  const inspect = vi.fn(() => running)
  const activity = lookAt(slots, concurrency, 10_000, inspect)
  return { activity, inspect }
}

describe('a worker', () => {
  it('is starting, idle, busy or ending; one that is not there is left out', () => {
    const { activity } = look([
      slot(0, { state: 'starting' }),
      slot(1),
      slot(2, { queue: [inHand(1, 0, 9_990)] }),
      slot(3, { state: 'stopping' }),
      createSlot(4),
      slot(5, { state: 'ending', queue: [inHand(2, 0, 9_990)] }),
    ])
    expect(activity.map(({ workerId, state }) => [workerId, state])).toEqual([
      [0, 'starting'],
      [1, 'idle'],
      [2, 'busy'],
      [3, 'ending'],
      [5, 'busy'],
    ])
    expect(activity[1]).toEqual({ workerId: 1, pid: 4001, state: 'idle', others: 0 })
  })

  it('that was heard of a moment ago is at its next item; what it wrote down is not read', () => {
    const { activity, inspect } = look([slot(0, { queue: [inHand(1, 3, 9_900), inHand(2, 0, 9_900)] })])
    expect(activity[0]).toMatchObject({ item: { chunk, offset: 3, forMs: 100 }, others: 0 })
    expect(inspect).not.toHaveBeenCalled()
  })

  it('that is silent runs what it wrote down', () => {
    const running = [{ id: 1, offset: 5, forMs: 400 }]
    const { activity } = look([slot(0, { queue: [inHand(1, 3, 5_000)] })], running)
    expect(activity[0]?.item).toEqual({ chunk, offset: 5, forMs: 400 })
  })

  it('that is silent and wrote nothing down is at its next item since it was last heard of', () => {
    const queue = [inHand(1, 3, 5_000)]
    for (const running of [
      undefined,
      [],
      [{ id: 1, offset: 2, forMs: 9_000 }],
      [{ id: 7, offset: 4, forMs: 1 }],
    ])
      expect(look([slot(0, { queue })], running).activity[0]?.item).toEqual({
        chunk,
        offset: 3,
        forMs: 5_000,
      })
  })

  it('with several items is shown with the oldest', () => {
    const queue = [inHand(1, 0, 9_000), inHand(2, 4, 7_000), inHand(3, 0, 9_000), inHand(4, 0, 1_000)]
    const { activity } = look([slot(0, { queue })], [], 3)
    expect(activity[0]).toMatchObject({ item: { offset: 4, forMs: 3_000 }, others: 2 })
  })
})
