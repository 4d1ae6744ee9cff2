import { describe, expect, it, test } from 'vitest'
import {
  judgeExpired,
  judgeInspection,
  nextInspection,
  type TimedChunk,
} from '../../../../src/executor/scheduler/timeouts.js'

function chunk(id: number, since: number, timeoutMs: number | undefined, changes: Partial<TimedChunk> = {}) {
  return { id, settled: 0, since, call: { timeoutMs }, recordEachItem: timeoutMs !== undefined, ...changes }
}

describe('nextInspection', () => {
  test.each([
    ['no chunk', [], 1, undefined],
    ['one chunk', [chunk(1, 40, 100)], 1, 140],
    ['a chunk without a timeout', [chunk(1, 40, undefined)], 1, undefined],
    ['the earliest of those that can be running', [chunk(1, 40, 100), chunk(2, 10, 50)], 2, 60],
    ['prefetched chunks do not count', [chunk(1, 40, 100), chunk(2, 10, 50)], 1, 140],
    ['a chunk without a timeout in front', [chunk(1, 0, undefined), chunk(2, 10, 50)], 2, 60],
  ] as const)('%s', (_, chunks, concurrency, expected) => {
    expect(nextInspection(chunks, concurrency)).toBe(expected)
  })
})

describe('judgeInspection', () => {
  const NOW = 1_000
  const fresh = chunk(1, NOW, 100)
  const EXPIRED = { offset: 0, timeoutMs: 100, answerBy: undefined, settleBy: 2_000, isOverdue: false }

  test.each<[situation: string, Parameters<typeof judgeInspection>, expected: unknown]>([
    // With a flight recorder.
    [
      'the running item is in time',
      [[chunk(1, 940, 100)], 1, [{ id: 1, offset: 0, forMs: 60 }], false, NOW],
      { kind: 'ok', sawNothingRunning: false, inspectAt: 1_040 },
    ],
    [
      'the running item has exceeded its timeout',
      [[chunk(1, 900, 100, { settled: 2 })], 1, [{ id: 1, offset: 3, forMs: 100 }], false, NOW],
      { kind: 'timeout', id: 1, offset: 3, timeoutMs: 100 },
    ],
    [
      'the running item has no timeout',
      [[chunk(1, 0, undefined)], 1, [{ id: 1, offset: 0, forMs: 1_000 }], false, NOW],
      { kind: 'ok', sawNothingRunning: false, inspectAt: undefined },
    ],
    [
      'the item settled while it was being inspected',
      [[chunk(1, NOW, 100, { settled: 4 })], 1, [{ id: 1, offset: 3, forMs: 100 }], false, NOW],
      { kind: 'ok', sawNothingRunning: true, inspectAt: 1_100 },
    ],
    [
      'an item of a chunk that is not in the worker any more',
      [[fresh], 1, [{ id: 9, offset: 0, forMs: 500 }], false, NOW],
      { kind: 'ok', sawNothingRunning: true, inspectAt: 1_100 },
    ],
    [
      'the second of two running items has exceeded its timeout',
      [
        [chunk(1, 990, 100), chunk(2, 500, 400)],
        2,
        [
          { id: 1, offset: 0, forMs: 10 },
          { id: 2, offset: 0, forMs: 500 },
        ],
        false,
        NOW,
      ],
      { kind: 'timeout', id: 2, offset: 0, timeoutMs: 400 },
    ],
    [
      'the worker is ahead of what has arrived: a chunk behind the first runs',
      [[fresh, chunk(2, 970, 50)], 1, [{ id: 2, offset: 0, forMs: 30 }], false, NOW],
      { kind: 'ok', sawNothingRunning: false, inspectAt: 1_020 },
    ],
    [
      'nothing runs, for the first time',
      [[fresh], 1, [], false, NOW],
      { kind: 'ok', sawNothingRunning: true, inspectAt: 1_100 },
    ],
    ['nothing runs, for the second time', [[fresh], 1, [], true, NOW], { kind: 'stuck' }],
    [
      'something runs again after nothing did',
      [[chunk(1, 990, 100)], 1, [{ id: 1, offset: 0, forMs: 10 }], true, NOW],
      { kind: 'ok', sawNothingRunning: false, inspectAt: 1_090 },
    ],
    [
      'an unrecorded chunk can be running although the record shows nothing',
      [[fresh, chunk(2, NOW, undefined)], 2, [], true, NOW],
      { kind: 'ok', sawNothingRunning: false, inspectAt: 1_100 },
    ],
    [
      'a prefetched unrecorded chunk cannot be running',
      [[fresh, chunk(2, NOW, undefined)], 1, [], true, NOW],
      { kind: 'stuck' },
    ],
    // Beside an item that has not returned to the event loop.
    [
      'an item became late while another one held the event loop',
      [
        [chunk(1, 880, 100), chunk(2, 950, 100)],
        2,
        [
          { id: 1, offset: 0, forMs: 120, isSuspended: true },
          { id: 2, offset: 0, forMs: 50 },
        ],
        false,
        NOW,
      ],
      { kind: 'ok', sawNothingRunning: false, inspectAt: 1_050 },
    ],
    [
      'the item that holds the event loop is late, too',
      [
        [chunk(1, 700, 100), chunk(2, 750, 100)],
        2,
        [
          { id: 1, offset: 0, forMs: 200, isSuspended: true },
          { id: 2, offset: 0, forMs: 150 },
        ],
        false,
        NOW,
      ],
      { kind: 'timeout', id: 2, offset: 0, timeoutMs: 100 },
    ],
    [
      'the item that holds the event loop was asked to stop',
      [
        [chunk(1, 700, 100), chunk(2, 750, 100, { expired: EXPIRED })],
        2,
        [
          { id: 1, offset: 0, forMs: 200, isSuspended: true },
          { id: 2, offset: 0, forMs: 150 },
        ],
        false,
        NOW,
      ],
      { kind: 'ok', sawNothingRunning: false, inspectAt: 1_050 },
    ],
    [
      'an item was late before another one held the event loop',
      [
        [chunk(1, 800, 100), chunk(2, 950, 100)],
        2,
        [
          { id: 1, offset: 0, forMs: 200, isSuspended: true },
          { id: 2, offset: 0, forMs: 50 },
        ],
        false,
        NOW,
      ],
      { kind: 'timeout', id: 1, offset: 0, timeoutMs: 100 },
    ],
    [
      'nothing would end the loop of an item without a time limit',
      [
        [chunk(1, 880, 100), chunk(2, 800, undefined)],
        2,
        [
          { id: 1, offset: 0, forMs: 120, isSuspended: true },
          { id: 2, offset: 0, forMs: 200 },
        ],
        false,
        NOW,
      ],
      { kind: 'timeout', id: 1, offset: 0, timeoutMs: 100 },
    ],
    [
      'the other one has ended and is sending',
      [
        [chunk(1, 880, 100), chunk(2, 900, 100)],
        2,
        [
          { id: 1, offset: 0, forMs: 120, isSuspended: true },
          { id: 2, offset: 0, forMs: 90, isSending: true },
        ],
        false,
        NOW,
      ],
      { kind: 'timeout', id: 1, offset: 0, timeoutMs: 100 },
    ],
    // Without one.
    [
      'no recorder, in time',
      [[chunk(1, 901, 100)], 1, undefined, false, NOW],
      { kind: 'ok', sawNothingRunning: false, inspectAt: 1_001 },
    ],
    [
      'no recorder, the next item has had its time',
      [[chunk(1, 900, 100, { settled: 2 })], 1, undefined, false, NOW],
      { kind: 'timeout', id: 1, offset: 2, timeoutMs: 100 },
    ],
    [
      'no recorder, prefetched chunks cannot be late',
      [[chunk(1, 0, undefined), chunk(2, 0, 100)], 1, undefined, false, NOW],
      { kind: 'ok', sawNothingRunning: false, inspectAt: undefined },
    ],
    [
      'no recorder, never stuck',
      [[fresh], 1, undefined, true, NOW],
      { kind: 'ok', sawNothingRunning: true, inspectAt: 1_100 },
    ],
  ])('%s', (_, input, expected) => {
    expect(judgeInspection(...input)).toEqual(expected)
  })

  it('leaves the chunks as they were', () => {
    const chunks = [Object.freeze(chunk(1, 900, 100))]
    judgeInspection(chunks, 1, [{ id: 1, offset: 0, forMs: 100 }], false, NOW)
    expect(chunks).toEqual([chunk(1, 900, 100)])
  })
})

describe('judgeExpired', () => {
  const waits = { offset: 0, timeoutMs: 500, answerBy: undefined, settleBy: 2_000, isOverdue: false }
  const asked = { ...waits, answerBy: 100 }
  test.each([
    ['no item', [], false, 10_000, 'wait'],
    ['an item that may still settle', [waits], false, 1_999, 'wait'],
    ['an item whose time to settle is over', [waits], false, 2_000, 'overdue'],
    ['one of several', [{ ...waits, settleBy: 3_000 }, waits], true, 2_000, 'overdue'],
    ['a worker that may still answer', [asked], false, 99, 'wait'],
    ['a worker that has not answered', [asked], false, 100, 'blocked'],
    ['a worker that has not answered for one of several', [waits, asked], false, 2_500, 'blocked'],
    ['a worker that has not answered, in which others run', [asked], true, 1_999, 'wait'],
    ['the same after the time to settle', [asked], true, 2_000, 'overdue'],
  ] as const)('%s', (_, expired, hasOthersRunning, now, verdict) => {
    expect(judgeExpired(expired, hasOthersRunning, now)).toBe(verdict)
  })
})
