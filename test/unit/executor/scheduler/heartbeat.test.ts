import { describe, expect, test } from 'vitest'
import {
  beat,
  createHeartbeat,
  HEARTBEAT_MS,
  heard,
  isStuck,
  mayBeRunning,
} from '../../../../src/executor/scheduler/heartbeat.js'
import type { WorkRecord } from '../../../../src/executor/scheduler/messages.js'

/** Chunk 7 has settled two items, chunk 8 waits behind it. */
const CHUNKS = [
  { id: 7, settled: 2 },
  { id: 8, settled: 0 },
]
const NOTHING: WorkRecord = { running: [], unrecorded: [] }
const recordOf = (id: number, offset: number, forMs = 60_000_000): WorkRecord => ({
  ...NOTHING,
  running: [{ id, offset, forMs }],
})
const sending = (forMs: number): WorkRecord => ({
  ...NOTHING,
  running: [{ id: 7, offset: 2, forMs, isSending: true }],
})
const RUNS = { isRunning: true }
const IDLE = { isRunning: false }

describe('an item may be running in a silent worker', () => {
  test.each<
    [situation: string, answer: typeof RUNS | undefined, record: WorkRecord | undefined, expected: boolean]
  >([
    ['says so', RUNS, NOTHING, true],
    ['says no, although its record still shows one: it has ended', IDLE, recordOf(7, 2), false],
    ['says no, although its items are not recorded', IDLE, { ...NOTHING, unrecorded: [7] }, false],
    ['says no and has no record', IDLE, undefined, false],
    ['does not answer: an hour of computing', undefined, recordOf(7, 2), true],
    ['does not answer, in the chunk behind', undefined, recordOf(8, 0), true],
    ['does not answer, and its items are not recorded', undefined, { ...NOTHING, unrecorded: [7] }, true],
    ['does not answer and has no record', undefined, undefined, true],
    ['does not answer, and nothing has begun', undefined, NOTHING, false],
    ['does not answer, and what is shown has settled', undefined, recordOf(7, 1), false],
    ['does not answer, and what is shown was of a chunk before', undefined, recordOf(6, 9), false],
    ['does not answer, and unrecorded was a chunk before', undefined, { ...NOTHING, unrecorded: [6] }, false],
    ['does not answer and is sending', undefined, sending(59_999), true],
    ['does not answer and has been sending for too long', undefined, sending(60_000), false],
  ])('that %s: %o', (_, answer, record, expected) => {
    expect(mayBeRunning(answer, record, CHUNKS)).toBe(expected)
  })
})

describe('a heartbeat', () => {
  /** Beats as the timer makes it, up to `until`; returns when it found the worker stuck. */
  function run(
    until: number,
    answerAt: (now: number) => typeof RUNS | undefined,
    record: WorkRecord | undefined,
  ) {
    const heartbeat = createHeartbeat()
    heard(heartbeat, 0)
    while (heartbeat.at! <= until) {
      const now = heartbeat.at!
      if (!beat(heartbeat, now)) continue
      if (isStuck(heartbeat, record, CHUNKS)) return now
      heartbeat.answer = answerAt(now)
    }
    return undefined
  }

  test.each<
    [
      situation: string,
      answer: typeof RUNS | undefined,
      record: WorkRecord | undefined,
      at: number | undefined,
    ]
  >([
    ['that says that nothing runs', IDLE, recordOf(7, 2), 9_000],
    ['that is deaf, with nothing begun', undefined, NOTHING, 9_000],
    ['that computes', undefined, recordOf(7, 2), undefined],
    ['that waits', RUNS, NOTHING, undefined],
  ])('finds a worker within 10 s %s', (_, answer, record, at) => {
    expect(run(600_000, () => answer, record)).toBe(at)
  })

  test('is not wrong once the answer is late, as after a pause of the machine', () => {
    expect(run(60_000, (now) => (now % 6_000 === 0 ? undefined : RUNS), NOTHING)).toBeUndefined()
  })

  test('asks only a worker that has been silent, and starts over when it is heard', () => {
    const heartbeat = createHeartbeat()
    heard(heartbeat, 0)
    expect(heartbeat.at).toBe(HEARTBEAT_MS)
    heard(heartbeat, 1_000)
    expect(beat(heartbeat, 3_000)).toBe(false)
    expect(heartbeat.at).toBe(4_000)
    for (const now of [4_000, 7_000]) {
      expect(beat(heartbeat, now)).toBe(true)
      expect(isStuck(heartbeat, NOTHING, CHUNKS)).toBe(false)
    }
    heard(heartbeat, 9_000)
    expect(beat(heartbeat, 10_000)).toBe(false)
    for (const [now, stuck] of [
      [12_000, false],
      [15_000, false],
      [18_000, true],
    ] as const) {
      expect(beat(heartbeat, now)).toBe(true)
      expect(isStuck(heartbeat, NOTHING, CHUNKS)).toBe(stuck)
    }
  })
})
