// Outcomes on their way: written down with a real recorder, sent when told, dropped when cancelled.
import { afterEach, describe, expect, test } from 'vitest'
import {
  createFlightRecordFile,
  FlightRecorder,
  type FlightRecordFile,
} from '../../../src/ipc/flight-recorder.js'
import type { ChunkMessage, ResultsMessage } from '../../../src/ipc/protocol.js'
import { createOutbox } from '../../../src/worker/outbox.js'
import { turn } from '../executor/fakes.js'

let file: FlightRecordFile | undefined
afterEach(() => {
  file?.close()
  file = undefined
})

function outboxOf({
  cloneable = () => true,
}: {
  cloneable?: (message: readonly ResultsMessage[]) => boolean
} = {}) {
  file = createFlightRecordFile()!
  const messages: { ranges: readonly ResultsMessage[]; left: () => void }[] = []
  const send = (ranges: readonly ResultsMessage[]) => {
    if (!cloneable(ranges)) throw new Error('could not be cloned')
    return new Promise<void>((left) => messages.push({ ranges, left }))
  }
  const outbox = createOutbox({ send, recorder: new FlightRecorder(file.fd) })
  return { outbox, messages, read: () => file!.read() }
}

const chunk = (id: number, reply: 'json' | 'values' = 'json'): ChunkMessage => ({
  id,
  task: { name: 'default', calling: 'item', reply },
  count: 10,
  index: 0,
  attempt: 1,
  recordEachItem: true,
  payload: { kind: 'values', values: [] },
})

describe('the outbox', () => {
  test('sends what has settled in ranges that follow each other without gaps', () => {
    const { outbox, messages } = outboxOf()
    outbox.open(chunk(1), true)
    for (let n = 0; n < 3; n++) {
      outbox.begin(1)
      outbox.succeeded(1, n)
    }
    void outbox.flush()
    outbox.begin(1)
    outbox.failed(1, { kind: 'timeout', timeoutMs: 1 })
    outbox.close(1)
    void outbox.flush()
    const ranges = messages.flatMap(({ ranges }) => ranges)
    expect(ranges.map(({ from, count }) => [from, count])).toEqual([
      [0, 3],
      [3, 1],
    ])
    expect(ranges[1]!.failures).toEqual([{ offset: 3, failure: { kind: 'timeout', timeoutMs: 1 } }])
    expect(outbox.empty).toBe(true)
  })

  test('forgets what a cancelled chunk had gathered', () => {
    const { outbox, messages } = outboxOf()
    outbox.open(chunk(1), true)
    outbox.begin(1)
    outbox.succeeded(1, 0)
    outbox.discard(1)
    void outbox.flush()
    expect(messages).toEqual([])
  })

  test('fails the result that cannot be cloned, and none of its neighbours', () => {
    const isPlain = (ranges: readonly ResultsMessage[]) =>
      ranges.every(
        ({ results }) => results.kind === 'values' && !results.values.some((v) => typeof v === 'function'),
      )
    const { outbox, messages } = outboxOf({ cloneable: isPlain })
    outbox.open(chunk(1, 'values'), true)
    for (const value of [1, () => {}, 3]) {
      outbox.begin(1)
      outbox.succeeded(1, value)
    }
    void outbox.flush()
    expect(messages[0]!.ranges[0]).toMatchObject({
      results: { values: [1, undefined, 3] },
      failures: [{ offset: 1, failure: { kind: 'encoding', side: 'result' } }],
    })
  })

  test('has much as soon as a result stands nowhere but here', () => {
    const { outbox } = outboxOf()
    outbox.open(chunk(1), true)
    outbox.begin(1)
    outbox.succeeded(1, 'small')
    expect(outbox.full).toBe(false)
    outbox.begin(1)
    outbox.succeeded(1, 'x'.repeat(70_000))
    expect(outbox.full).toBe(true)
  })

  test('lets a cheap chunk stay blind while the message of the one before it leaves', async () => {
    const { outbox, messages, read } = outboxOf()
    outbox.open(chunk(1), true)
    outbox.begin(1)
    outbox.succeeded(1, 0)
    outbox.close(1)
    void outbox.flush()
    outbox.open(chunk(2), false)
    messages[0]!.left()
    await turn()
    expect(read().unrecorded).toEqual([2])
  })
})

describe('before an end that is seen coming, a cheap chunk', () => {
  test('says which item runs, and is written down item by item from then on', async () => {
    const { outbox, messages, read } = outboxOf()
    outbox.open(chunk(1), false)
    for (let n = 0; n < 3; n++) {
      outbox.begin(1)
      outbox.succeeded(1, n)
    }
    outbox.begin(1)
    void outbox.flush()
    messages[0]!.left()
    await turn()
    outbox.pinpoint()
    expect(read()).toMatchObject({ running: [{ id: 1, offset: 3 }], unrecorded: [] })
    // It did not end after all.
    outbox.succeeded(1, 3)
    outbox.begin(1)
    expect(read()).toMatchObject({
      outcomes: [{ offset: 3 }],
      running: [{ id: 1, offset: 4 }],
      unrecorded: [],
    })
  })

  test.each(['json', 'values'] as const)('does not lose what waits in the channel (%s)', async (reply) => {
    const { outbox, messages, read } = outboxOf()
    const range = outbox.open(chunk(1, reply), false)
    outbox.begin(1)
    const add = (value: unknown) => expect(outbox.add(range, value)).toBe(true)
    add('left')
    void outbox.flush()
    messages[0]!.left()
    await turn()
    add('one')
    outbox.failed(1, { kind: 'timeout', timeoutMs: 1 })
    add({ three: 3 })
    void outbox.flush()
    add('four')
    outbox.begin(1)
    // The guard's order.
    void outbox.flush()
    outbox.pinpoint()
    const of = (offset: number, value: unknown) =>
      reply === 'json' ? { id: 1, offset, text: JSON.stringify(value) } : { id: 1, offset, value }
    expect(read()).toMatchObject({
      outcomes: [
        of(1, 'one'),
        { id: 1, offset: 2, failure: { kind: 'timeout', timeoutMs: 1 } },
        of(3, { three: 3 }),
        of(4, 'four'),
      ],
      running: [{ id: 1, offset: 5 }],
      unrecorded: [],
    })
  })

  test('blames no item when none is running', async () => {
    const { outbox, messages, read } = outboxOf()
    outbox.open(chunk(1), false)
    outbox.begin(1)
    outbox.succeeded(1, 0)
    void outbox.flush()
    messages[0]!.left()
    await turn()
    outbox.pinpoint()
    expect(read()).toEqual({ outcomes: [], running: [], unrecorded: [] })
  })
})
