import { describe, expect, it } from 'vitest'
import { failedItem, resultRange, settledRange } from '../../../../src/executor/scheduler/settled-range.js'
import { FAILURE, pendingOf, resultsOf, TASK } from './data.js'

const WORKER = { id: 2, pid: 4711 }
const EARLIER = [{ offset: 0, failure: FAILURE, workerId: 0, pid: 1, attempts: 1 }]
const TIMINGS = { startedAt: Float64Array.of(10, 20, 30), ms: Float64Array.of(1, 2, 3) }

describe('resultRange', () => {
  it('keeps the results of a range without failures', () => {
    const results = resultsOf(1, 0, 3)
    const range = resultRange(WORKER, TASK, pendingOf(0, 3), results)
    expect(range).toMatchObject({ from: 0, count: 3, failures: [] })
    expect(range.results).toBe(results.results)
  })

  it('adds to each failure where it ran, which attempt it was and how long it took', () => {
    const message = resultsOf(1, 0, 3, {
      from: 4,
      failures: [{ offset: 5, failure: FAILURE }],
      timings: TIMINGS,
    })
    const pending = pendingOf(0, 9, { attempt: 2, earlier: EARLIER })
    expect(resultRange(WORKER, TASK, pending, message).failures).toEqual([
      {
        offset: 5,
        failure: FAILURE,
        workerId: 2,
        pid: 4711,
        attempts: 2,
        startedAt: 20,
        ms: 2,
        earlier: EARLIER,
      },
    ])
  })

  it('keeps nothing of the results where every item failed', () => {
    const failures = [0, 1].map((offset) => ({ offset, failure: FAILURE }))
    const values = { kind: 'values', values: ['a', 'b'] } as const
    const range = resultRange(
      WORKER,
      TASK,
      pendingOf(0, 2),
      resultsOf(1, 0, 2, { failures, results: values }),
    )
    expect(range.results).toEqual({ kind: 'values', values: [undefined, undefined] })
  })
})

describe('failedItem', () => {
  it('is a range of one failure', () => {
    expect(failedItem(WORKER, { ...TASK, reply: 'json' }, pendingOf(0, 5), 3, FAILURE)).toEqual({
      from: 3,
      count: 1,
      results: { kind: 'json', bytes: new Uint8Array(0) },
      failures: [{ offset: 3, failure: FAILURE, workerId: 2, pid: 4711, attempts: 1 }],
    })
  })
})

describe('settledRange', () => {
  const range = { from: 0, count: 1, results: { kind: 'values', values: [7] }, failures: [] } as const

  it('adds where the items ran', () => {
    const pending = pendingOf(7, 1)
    expect(settledRange(WORKER, pending, range)).toEqual({
      ...range,
      chunk: pending.chunk,
      workerId: 2,
      pid: 4711,
      attempts: 1,
    })
  })

  it('is flaky when the item succeeded after it had failed', () => {
    const pending = pendingOf(7, 1, { attempt: 2, earlier: EARLIER })
    expect(settledRange(WORKER, pending, range)).toMatchObject({ attempts: 2, flaky: EARLIER })
    const failed = failedItem(WORKER, TASK, pending, 0, FAILURE)
    expect(settledRange(WORKER, pending, failed)).not.toHaveProperty('flaky')
  })

  it('has timings only where they were measured', () => {
    expect(settledRange(WORKER, pendingOf(7, 1), { ...range, timings: TIMINGS }).timings).toBe(TIMINGS)
    expect(settledRange(WORKER, pendingOf(7, 1), range)).not.toHaveProperty('timings')
  })
})
