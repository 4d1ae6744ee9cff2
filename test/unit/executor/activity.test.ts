// What progress displays show of the workers: from the scheduler and from flight records.
import { describe, expect, it, vi } from 'vitest'
import { readActivity } from '../../../src/executor/activity.js'
import { CallTable } from '../../../src/executor/scheduler/calls.js'
import type { InFlight } from '../../../src/executor/scheduler/in-flight.js'
import type { RunningItem } from '../../../src/executor/scheduler/messages.js'
import {
  createWorker,
  ready,
  starting,
  stopping,
  terminating,
  type Worker,
  type WorkerState,
} from '../../../src/executor/scheduler/worker.js'
import type { Chunk } from '../../../src/model.js'

const calls = new CallTable({ processes: 1, concurrency: 1 }, () => {})
calls.open(1, { task: { name: 'default', calling: 'item', reply: 'values' } })
const call = calls.turns.next(false, true, 0)!
const chunk: Chunk = { seq: 100, count: 10, payload: { kind: 'values', values: [] } }

function worker(id: number, state: WorkerState): Worker {
  return { ...createWorker(id), pid: 4000 + id, state }
}

/** Ready, with chunks in flight. */
function busy(id: number, ...chunks: ((inFlight: InFlight) => void)[]): Worker {
  const state = ready(1)
  if (state.is === 'ready') for (const add of chunks) add(state.inFlight)
  return worker(id, state)
}

function holding(id: number, settled: number, since: number) {
  return (chunks: InFlight) => {
    chunks.add(
      id,
      call,
      { chunk, attempt: 1, earlier: [], recordEachItem: false, isSuspect: false, begunBefore: undefined },
      since,
    ).settled = settled
  }
}

function activityOf(workers: Worker[], running: RunningItem[] | undefined = [], concurrency = 1) {
  const inspect = vi.fn(() => running)
  const activity = readActivity(workers, concurrency, 10_000, inspect)
  return { activity, inspect }
}

describe('a worker', () => {
  it('is starting, idle, busy or ending; an absent one is left out', () => {
    const { activity } = activityOf([
      worker(0, starting()),
      busy(1),
      busy(2, holding(1, 0, 9_990)),
      worker(3, stopping(12_000)),
      createWorker(4),
      worker(5, terminating(busy(5, holding(2, 0, 9_990)), { reason: undefined }, 9_990, 2_000)),
      worker(6, terminating(worker(6, starting()), { reason: undefined }, 9_990, 2_000)),
    ])
    expect(activity.map(({ workerId, state }) => [workerId, state])).toEqual([
      [0, 'starting'],
      [1, 'idle'],
      [2, 'busy'],
      [3, 'ending'],
      [5, 'busy'],
      [6, 'ending'],
    ])
    expect(activity[1]).toEqual({ workerId: 1, pid: 4001, state: 'idle', others: 0 })
  })

  it('that has just sent something is at its next item; its record is not read', () => {
    const { activity, inspect } = activityOf([busy(0, holding(1, 3, 9_900), holding(2, 0, 9_900))])
    expect(activity[0]).toMatchObject({ item: { chunk, offset: 3, forMs: 100 }, others: 0 })
    expect(inspect).not.toHaveBeenCalled()
  })

  it('that is silent runs what its record shows', () => {
    const running = [{ id: 1, offset: 5, forMs: 400 }]
    const { activity } = activityOf([busy(0, holding(1, 3, 5_000))], running)
    expect(activity[0]?.item).toEqual({ chunk, offset: 5, forMs: 400 })
  })

  it('that is silent and has no item in its record is at its next item since it last sent something', () => {
    for (const running of [
      undefined,
      [],
      [{ id: 1, offset: 2, forMs: 9_000 }],
      [{ id: 7, offset: 4, forMs: 1 }],
    ])
      expect(activityOf([busy(0, holding(1, 3, 5_000))], running).activity[0]?.item).toEqual({
        chunk,
        offset: 3,
        forMs: 5_000,
      })
  })

  it('with several running items is shown with the oldest', () => {
    const chunks = [holding(1, 0, 9_000), holding(2, 4, 7_000), holding(3, 0, 9_000), holding(4, 0, 1_000)]
    const { activity } = activityOf([busy(0, ...chunks)], [], 3)
    expect(activity[0]).toMatchObject({ item: { offset: 4, forMs: 3_000 }, others: 2 })
  })
})
