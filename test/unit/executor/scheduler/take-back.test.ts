import { describe, expect, it } from 'vitest'
import { hasWorkToReturn, workerToRelieve } from '../../../../src/executor/scheduler/take-back.js'
import {
  createWorker,
  type ReadyState,
  ready,
  starting,
  type Worker,
} from '../../../../src/executor/scheduler/worker.js'
import { callOf, pendingOf } from './data.js'

describe('workerToRelieve', () => {
  /** With a chunk of so many items of 2 ms each. */
  function holding(id: number, items: number, changes: Partial<ReadyState> = {}): Worker {
    const state = { ...(ready(1) as ReadyState), ...changes }
    const call = callOf()
    call.sizer.measured(100, 200)
    state.inFlight.add(1, call, pendingOf(0, items), 100)
    return { ...createWorker(id), state }
  }

  it('is the one in which most work waits', () => {
    expect(workerToRelieve([holding(0, 10), holding(1, 30), holding(2, 20)], 110)).toMatchObject({
      worker: { id: 1 },
      at: 110,
    })
  })

  it('is worth it for little work only once that takes long', () => {
    expect(workerToRelieve([holding(0, 3)], 101)).toMatchObject({ worker: { id: 0 }, at: 105 })
  })

  it.each([
    ['runs its last item', holding(0, 1)],
    ['was asked already', holding(0, 10, { isAskedToReturn: true })],
    ['drains', holding(0, 10, { isDraining: true })],
    ['starts', { ...createWorker(0), state: starting() }],
  ])('is not one that %s', (_, worker) => {
    expect(hasWorkToReturn(worker)).toBe(false)
    expect(workerToRelieve([worker], 1_000)).toBeUndefined()
  })
})
