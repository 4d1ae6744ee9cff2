import { describe, expect, it } from 'vitest'
import { toExitRecord, toRunningItems } from '../../../src/executor/recorded.js'

const elapsed = (since: number) => 1_000 - since
const running = [{ id: 4, offset: 2, since: 950 }]

describe('toRunningItems', () => {
  it('turns the beginning of an item into its running time', () => {
    const record = { outcomes: [], running, begun: new Map(), unrecorded: [] }
    expect(toRunningItems(record, elapsed)).toEqual([{ id: 4, offset: 2, forMs: 50 }])
  })
})

describe('toExitRecord', () => {
  it('turns outcomes into the messages that the worker would have sent', () => {
    const failure = { kind: 'timeout', timeoutMs: 5 } as const
    const outcomes = [
      { id: 1, offset: 0, text: '{"a":1}' },
      { id: 2, offset: 3, value: undefined },
      { id: 3, offset: 1, failure },
    ]
    expect(toExitRecord({ outcomes, running, begun: new Map([[4, 3]]), unrecorded: [7] }, elapsed)).toEqual({
      outcomes: [
        {
          id: 1,
          from: 0,
          count: 1,
          results: { kind: 'json', bytes: Buffer.from('{"a":1}\n') },
          failures: [],
          busyMs: 0,
        },
        {
          id: 2,
          from: 3,
          count: 1,
          results: { kind: 'values', values: [undefined] },
          failures: [],
          busyMs: 0,
        },
        {
          id: 3,
          from: 1,
          count: 1,
          results: { kind: 'values', values: [undefined] },
          failures: [{ offset: 1, failure }],
          busyMs: 0,
        },
      ],
      running: [{ id: 4, offset: 2, forMs: 50 }],
      begun: [{ id: 4, upTo: 3 }],
      unrecorded: [7],
    })
  })
})
