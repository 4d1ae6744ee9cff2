// Where a chunk is and what a reader of its record learns of it.
import { describe, expect, onTestFinished, test } from 'vitest'
import { asBuffer } from '../../../src/framing/bytes.js'
import { createFlightRecordFile } from '../../../src/ipc/flight-recorder/file.js'
import { FlightRecorder } from '../../../src/ipc/flight-recorder/writer.js'
import type { ResultsMessage } from '../../../src/ipc/protocol.js'
import { ChunkRun } from '../../../src/worker/chunk-run.js'
import { Cost } from '../../../src/worker/cost.js'
import { encodeJson } from '../../../src/worker/encode-result.js'
import { Outbox } from '../../../src/worker/outbox.js'
import { type ChunkOptions, cheapCost, chunkOfText, chunkOfValues, FakeClock, turn } from './support.js'

function setUp() {
  const file = createFlightRecordFile()!
  onTestFinished(() => file.close())
  const clock = new FakeClock()
  const recorder = new FlightRecorder(file.fd)
  const sent: ResultsMessage[] = []
  const outbox = new Outbox({ send: async (messages) => void sent.push(...messages), recorder, clock })
  const create = (cost: Cost, options?: ChunkOptions) =>
    new ChunkRun(chunkOfValues([...Array(10).keys()], options), { cost, outbox, recorder, clock })
  return { outbox, recorder, clock, sent, read: () => file.read()!, create }
}

function started(run: ChunkRun): ChunkRun {
  run.start(() => {})
  return run
}

function succeed(run: ChunkRun, value: unknown): void {
  run.startItem()
  run.settle(true, value)
}

describe('a chunk', () => {
  test('is at the item after those that have settled', () => {
    const run = started(setUp().create(new Cost(), { index: 7 }))
    expect(run).toMatchObject({ offset: 0, itemIndex: 7, isItemRunning: false, unsentItems: 0 })
    run.startItem()
    expect(run).toMatchObject({ offset: 0, itemIndex: 7, isItemRunning: true })
    run.settle(true, 'done')
    expect(run).toMatchObject({ offset: 1, itemIndex: 8, isItemRunning: false, unsentItems: 1 })
    run.startItem()
    run.settle(false, new Error('no'))
    expect(run).toMatchObject({ offset: 2, hasFailed: true, unsentItems: 2 })
  })

  test('reads the index of each item where they are not consecutive', () => {
    const run = started(setUp().create(new Cost(), { index: [3, 7, 8] }))
    succeed(run, 'first')
    expect(run.itemIndex).toBe(7)
  })

  test('has a next item until its last one has settled', () => {
    const { outbox, recorder, clock } = setUp()
    const options = { cost: new Cost(), outbox, recorder, clock }
    const run = started(new ChunkRun(chunkOfText('1\n2\n', 2), options))
    expect([run.hasNext, run.nextItem()]).toEqual([true, 1])
    succeed(run, 1)
    expect([run.hasNext, run.nextItem()]).toEqual([true, 2])
    succeed(run, 2)
    expect(run.hasNext).toBe(false)
  })

  test('starts no other item once it is cancelled, and drops the outcome of the one that runs', () => {
    const run = started(setUp().create(new Cost()))
    run.startItem()
    run.cancel('the item was cancelled')
    run.settle(true, 'too late')
    expect(run).toMatchObject({ hasNext: false, offset: 0, unsentItems: 0 })
    expect(run.giveUpUnstarted()).toBe(false)
  })

  test('starts no other item once the rest is returned, and keeps the outcome of the one that runs', () => {
    const run = started(setUp().create(new Cost()))
    run.startItem()
    expect(run.giveUpUnstarted()).toBe(true)
    run.settle(true, 'done')
    expect(run).toMatchObject({ hasNext: false, count: 1, unsentItems: 1 })
  })

  test('returns nothing where its last item was running', () => {
    const { outbox, recorder, clock } = setUp()
    const run = started(new ChunkRun(chunkOfValues(['last']), { cost: new Cost(), outbox, recorder, clock }))
    run.startItem()
    expect(run.giveUpUnstarted()).toBe(false)
    run.settle(true, 'done')
    expect(run).toMatchObject({ hasNext: false, count: 1, unsentItems: 1 })
  })
})

describe('the record of a chunk', () => {
  test('names each of its items as running while its task is not known to be cheap', () => {
    const { create, read } = setUp()
    const run = started(create(new Cost()))
    succeed(run, 0)
    run.startItem()
    expect(read()).toMatchObject({ running: [{ id: run.id, offset: 1 }], unrecorded: [] })
  })

  test('says that its items are not recorded where its task is cheap', () => {
    const { create, read } = setUp()
    const run = started(create(cheapCost()))
    run.startItem()
    expect(read()).toMatchObject({ running: [], unrecorded: [run.id] })
  })

  test('names each item of a cheap task where the parent requires it', () => {
    const { create, read } = setUp()
    const run = started(create(cheapCost(), { recordEachItem: true }))
    run.startItem()
    expect(read()).toMatchObject({ running: [{ id: run.id, offset: 0 }], unrecorded: [] })
    expect(run.trySkipRecording()).toBe(false)
  })

  test('stops naming its items once they have turned out cheap', () => {
    const { create, read } = setUp()
    const cost = new Cost()
    const run = started(create(cost))
    expect(run.trySkipRecording()).toBe(false)
    run.startItem()
    run.startTiming()
    run.settle(true, 'quick')
    cost.update()
    expect(run.trySkipRecording()).toBe(true)
    expect(read().unrecorded).toEqual([run.id])
  })

  test('announces cheap chunks that arrive together before they start', () => {
    const { create, recorder, read } = setUp()
    const cost = cheapCost()
    const runs = [create(cost), create(cost)]
    ChunkRun.announceUnrecorded(runs, recorder)
    expect(read().unrecorded).toEqual(runs.map(({ id }) => id))
    for (const run of runs) started(run).startItem()
    expect(read()).toMatchObject({ running: [], unrecorded: runs.map(({ id }) => id) })
  })

  test('names the items of an announced chunk whose task has turned expensive until it started', () => {
    const { create, recorder, read } = setUp()
    const cost = cheapCost()
    const runs = [create(cost), create(cost)]
    ChunkRun.announceUnrecorded(runs, recorder)
    cost.add(5)
    started(runs[0]!).startItem()
    expect(read()).toMatchObject({ running: [{ id: runs[0]!.id, offset: 0 }], unrecorded: [runs[1]!.id] })
  })

  test('still says that a cheap chunk is unrecorded after the message of the one before it has left', async () => {
    const { create, outbox, read } = setUp()
    const first = started(create(new Cost()))
    succeed(first, 0)
    first.end()
    void outbox.flush()
    const second = started(create(cheapCost()))
    await turn()
    expect(read().unrecorded).toEqual([second.id])
  })
})

describe('an unrecorded chunk, before an exit that the process sees coming,', () => {
  test('records which item runs, and each item from then on', async () => {
    const { create, outbox, read } = setUp()
    const run = started(create(cheapCost(), { reply: 'json' }))
    for (let n = 0; n < 3; n++) succeed(run, n)
    run.startItem()
    await outbox.flush()
    run.startRecording()
    expect(read()).toMatchObject({ running: [{ id: run.id, offset: 3 }], unrecorded: [] })
    // It did not exit after all.
    run.settle(true, 3)
    run.startItem()
    expect(read()).toMatchObject({
      outcomes: [{ offset: 3 }],
      running: [{ id: run.id, offset: 4 }],
      unrecorded: [],
    })
  })

  test('blames no item when none is running', async () => {
    const { create, outbox, read } = setUp()
    const run = started(create(cheapCost()))
    succeed(run, 0)
    await outbox.flush()
    run.startRecording()
    expect(read()).toMatchObject({ outcomes: [], running: [], unrecorded: [] })
  })

  test('adds no result without recording it any more', () => {
    const run = started(setUp().create(cheapCost()))
    run.startItem()
    expect(run.tryAddPlainResult(1)).toBe(true)
    run.startRecording()
    expect(run.tryAddPlainResult(2)).toBe(false)
    expect(run.offset).toBe(1)
  })
})

describe('a plain result', () => {
  test.each([
    ['a function', () => {}],
    ['NaN', Number.NaN],
    ['undefined', undefined],
  ])('is not %s where results are JSON, and nothing is done', (_, value) => {
    const run = started(setUp().create(cheapCost(), { reply: 'json' }))
    run.startItem()
    expect(run.tryAddPlainResult(value)).toBe(false)
    expect(run).toMatchObject({ offset: 0, unsentItems: 0, isItemRunning: true })
  })

  test('is not added where it makes much text wait to be sent: the next item would start before it has left', async () => {
    const { create, outbox } = setUp()
    const run = started(create(cheapCost(), { reply: 'json' }))
    run.startItem()
    expect(run.tryAddPlainResult('x'.repeat(150_000))).toBe(true)
    expect(run.tryAddPlainResult('x'.repeat(150_000))).toBe(false)
    await outbox.flush()
    expect(run.tryAddPlainResult('y')).toBe(true)
  })

  test.each(['json', 'values'] as const)('is not added where it is large by itself (%s)', (reply) => {
    const run = started(setUp().create(cheapCost(), { reply }))
    run.startItem()
    expect(run.tryAddPlainResult('x'.repeat(1_000_000))).toBe(false)
    expect(run).toMatchObject({ offset: 0, unsentItems: 0 })
  })

  test('is made JSON once where it is too large to be added', async () => {
    let reads = 0
    const value = {
      get text() {
        reads++
        return 'x'.repeat(300_000)
      },
    }
    encodeJson(value)
    const readsForOnce = reads
    const { create, outbox, sent } = setUp()
    const run = started(create(cheapCost(), { reply: 'json' }))
    run.startItem()
    reads = 0
    expect(run.tryAddPlainResult(value)).toBe(false)
    run.settle(true, value)
    expect(reads).toBe(readsForOnce)
    succeed(run, 1)
    await outbox.flush()
    const { results } = sent[0]!
    expect(results.kind === 'json' && asBuffer(results.bytes).toString()).toBe(
      `${JSON.stringify(value)}\n1\n`,
    )
  })
})

describe('the time an item takes', () => {
  test('is measured for each recorded item', () => {
    const { create, clock } = setUp()
    const run = started(create(new Cost()))
    for (const ms of [3, 1, 2]) {
      run.startItem()
      run.startTiming()
      clock.spend(ms)
      expect(run.settle(true, ms)).toBe(ms)
    }
  })

  test('is measured for every 8th unrecorded item, and for each one after a slow one', () => {
    const { create, clock } = setUp()
    const run = started(create(cheapCost()))
    const times = [2, 2, 0.5].map((ms) => {
      run.startItem()
      run.startTiming()
      clock.spend(ms)
      return run.settle(true, ms)
    })
    expect(times).toEqual([2, 2, 0.5])
    const other = started(create(cheapCost()))
    const sampled = Array.from({ length: 9 }, () => {
      other.startItem()
      other.startTiming()
      clock.spend(0.5)
      return other.settle(true, 0)
    })
    expect(sampled).toEqual([0.5, 0, 0, 0, 0, 0, 0, 0, 0.5])
  })
})
