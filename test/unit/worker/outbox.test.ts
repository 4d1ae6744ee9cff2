// Results of real chunks, recorded in a real file, sent over a channel whose messages leave when a test lets them.
import { describe, expect, onTestFinished, test } from 'vitest'
import { BadItem } from '../../../src/framing/parse.js'
import { createFlightRecordFile } from '../../../src/ipc/flight-recorder/file.js'
import { FlightRecorder } from '../../../src/ipc/flight-recorder/writer.js'
import { packFromWorker, unpackFromWorker } from '../../../src/ipc/pack.js'
import type { ChunkMessage, FromWorker, ResultsMessage } from '../../../src/ipc/protocol.js'
import type { Failure } from '../../../src/model.js'
import { ChunkRun } from '../../../src/worker/chunk-run.js'
import { Cost } from '../../../src/worker/cost.js'
import { LineMemory } from '../../../src/worker/line-memory.js'
import { Outbox } from '../../../src/worker/outbox.js'
import { linkedList, wasmModule } from '../../helpers/undecodable.js'
import { type ChunkOptions, cheapCost, chunkOfValues, FakeClock, turn } from './support.js'

const BOOM: Failure = { kind: 'input', message: 'boom', at: 0 }

/** `maxBytes`: messages are packed as for Node's channel, and may have as many bytes. */
function setUp({ maxBytes }: { maxBytes?: number } = {}) {
  const file = createFlightRecordFile()!
  onTestFinished(() => file.close())
  const clock = new FakeClock()
  const recorder = new FlightRecorder(file.fd)
  const sent: ResultsMessage[][] = []
  const leave: (() => void)[] = []
  // Clones as Node's channel does, and so refuses what that refuses.
  const send = (messages: readonly ResultsMessage[]) => {
    if (maxBytes === undefined) sent.push(structuredClone(messages) as ResultsMessage[])
    else {
      const packed = structuredClone(packFromWorker({ type: 'settled', ranges: messages }, maxBytes))
      const received = unpackFromWorker({ token: '', ...packed } as FromWorker)
      sent.push(received?.type === 'settled' ? [...received.ranges] : expect.unreachable())
    }
    return new Promise<void>((left) => leave.push(left))
  }
  const outbox = new Outbox({ send, recorder, clock, memory: new LineMemory() })
  const startWith =
    (cost: Cost) =>
    (count: number, options: ChunkOptions = {}) => {
      const chunk: ChunkMessage = chunkOfValues([...Array(count).keys()], { reply: 'json', ...options })
      const run = new ChunkRun(chunk, { cost, outbox, recorder, clock })
      run.start(() => {})
      return run
    }
  return {
    outbox,
    sent,
    clock,
    read: () => file.read()!,
    startUnrecorded: startWith(cheapCost()),
    startRecorded: startWith(new Cost()),
    /** The oldest message leaves the process. */
    async leave() {
      leave.shift()!()
      await turn()
    },
  }
}

function succeed(run: ChunkRun, value: unknown): void {
  run.startItem()
  run.settle(true, value)
}

const fail = (run: ChunkRun) => run.refuse(new BadItem('boom', 0))

const contentOf = ({ results }: ResultsMessage) =>
  results.kind === 'json' ? Buffer.from(results.bytes).toString() : results.values

describe('an outbox', () => {
  test.each(['startRecorded', 'startUnrecorded'] as const)(
    'sends what has settled since the last message, in ranges without gaps (%s)',
    (start) => {
      const { outbox, sent, ...starts } = setUp()
      const run = starts[start](4)
      succeed(run, 'a')
      fail(run)
      void outbox.flush()
      succeed(run, 'c')
      succeed(run, undefined)
      run.end()
      void outbox.flush()
      const [first, second] = sent.flat()
      expect([first, second].map((message) => [message!.id, message!.from, message!.count])).toEqual([
        [run.id, 0, 2],
        [run.id, 2, 2],
      ])
      expect([first, second].map((message) => contentOf(message!))).toEqual(['"a"\n', '"c"\nnull\n'])
      expect(first!.failures).toEqual([{ offset: 1, failure: BOOM }])
      expect(second!.failures).toEqual([])
      expect(outbox.isEmpty).toBe(true)
    },
  )

  test('sends chunks that have ended and chunks that are running in one message', () => {
    const { outbox, sent, startUnrecorded } = setUp()
    const [one, two] = [startUnrecorded(1), startUnrecorded(2)]
    succeed(two, 20)
    succeed(one, 10)
    one.end()
    void outbox.flush()
    expect(sent).toHaveLength(1)
    expect(sent[0]!.map(({ id }) => id)).toEqual([one.id, two.id])
  })

  test('sends nothing when nothing has settled', async () => {
    const { outbox, sent, startUnrecorded } = setUp()
    expect(outbox.isEmpty).toBe(true)
    const run = startUnrecorded(1)
    await outbox.flush()
    run.end()
    await outbox.flush()
    expect(sent).toEqual([])
  })

  test('sends a value for each failed item, but no line', () => {
    const { outbox, sent, startUnrecorded } = setUp()
    for (const reply of ['values', 'json'] as const) {
      const run = startUnrecorded(2, { reply })
      fail(run)
      succeed(run, reply)
      run.end()
    }
    void outbox.flush()
    expect(sent.flat().map(contentOf)).toEqual([[undefined, 'values'], '"json"\n'])
  })

  test.each(['startRecorded', 'startUnrecorded'] as const)(
    'drops the results of a cancelled chunk and of no other (%s)',
    (start) => {
      const { outbox, sent, ...starts } = setUp()
      const [one, two] = [starts[start](2), starts[start](2)]
      succeed(one, 1)
      succeed(two, 2)
      one.cancel('the item was cancelled')
      one.end()
      expect(outbox.isEmpty).toBe(false)
      void outbox.flush()
      expect(sent.flat().map(({ id }) => id)).toEqual([two.id])
      succeed(two, 3)
      expect(outbox.isEmpty).toBe(false)
      two.cancel('the item was cancelled')
      two.end()
      expect(outbox.isEmpty).toBe(true)
    },
  )

  test('reports the time from the last message, or the start of the chunk, to its end', () => {
    const { outbox, sent, clock, startUnrecorded } = setUp()
    clock.spend(5)
    const run = startUnrecorded(3)
    clock.spend(3)
    succeed(run, 1)
    void outbox.flush()
    clock.spend(2)
    succeed(run, 2)
    run.end()
    // The message waits for another chunk: no task takes that time.
    clock.spend(7)
    void outbox.flush()
    expect(sent.flat().map(({ busyMs }) => busyMs)).toEqual([3, 2])
  })

  test('reports all the time of an item that is running while messages of other chunks leave', () => {
    const { outbox, sent, clock, startUnrecorded } = setUp()
    const waiting = startUnrecorded(1)
    clock.spend(30)
    succeed(startUnrecorded(1), 1)
    void outbox.flush()
    clock.spend(20)
    succeed(waiting, 1)
    waiting.end()
    void outbox.flush()
    expect(sent.at(-1)).toMatchObject([{ id: waiting.id, busyMs: 50 }])
  })

  test('sends what is there after 10 ms if nothing else settles', () => {
    const { outbox, sent, clock, startUnrecorded } = setUp()
    succeed(startUnrecorded(2), 1)
    outbox.flushLater()
    outbox.flushLater()
    clock.advance(9)
    expect(sent).toEqual([])
    clock.advance(1)
    expect(sent).toHaveLength(1)
    clock.advance(100)
    expect(sent).toHaveLength(1)
  })

  test('is due more than 10 ms after its last message', () => {
    const { outbox, clock } = setUp()
    clock.spend(20)
    void outbox.flush()
    expect(outbox.isFlushDue(30)).toBe(false)
    expect(outbox.isFlushDue(30.1)).toBe(true)
    expect(outbox.isFlushDue(Number.NaN)).toBe(false)
  })

  test('lets a chunk share a message for 1 ms after the last one', () => {
    const { outbox, clock, startUnrecorded } = setUp()
    clock.spend(1)
    expect(outbox.mayWaitForNextChunk).toBe(true)
    clock.spend(0.1)
    expect(outbox.mayWaitForNextChunk).toBe(false)
    void outbox.flush()
    expect(outbox.mayWaitForNextChunk).toBe(true)
    succeed(startUnrecorded(1), 'x'.repeat(1_000_000))
    expect(outbox.mayWaitForNextChunk).toBe(false)
  })

  test('is full once much text has gathered, until it is sent', () => {
    const { outbox, startUnrecorded } = setUp()
    const run = startUnrecorded(2)
    succeed(run, 'x')
    expect(outbox.isFull).toBe(false)
    succeed(run, 'x'.repeat(1_000_000))
    expect(outbox.isFull).toBe(true)
    void outbox.flush()
    expect(outbox.isFull).toBe(false)
  })

  test('is full as soon as a result of a recorded chunk is too large for the record', () => {
    const { outbox, startRecorded } = setUp()
    const run = startRecorded(2)
    succeed(run, 'small')
    expect(outbox.isFull).toBe(false)
    succeed(run, 'x'.repeat(70_000))
    expect(outbox.isFull).toBe(true)
  })
})

describe('a result that cannot be sent', () => {
  test('as text fails its own item', () => {
    const { outbox, sent, startUnrecorded } = setUp()
    const run = startUnrecorded(3)
    for (const value of [1, { a: { f() {} } }, 3]) succeed(run, value)
    run.end()
    void outbox.flush()
    const [message] = sent.flat()
    expect(contentOf(message!)).toBe('1\n3\n')
    expect(message!.failures).toMatchObject([
      { offset: 1, failure: { kind: 'encoding', side: 'result', path: 'a.f' } },
    ])
  })

  test.each(['startRecorded', 'startUnrecorded'] as const)(
    'as a value fails its own item, found only when the message is refused (%s)',
    (start) => {
      const { outbox, sent, ...starts } = setUp()
      const run = starts[start](5, { reply: 'values' })
      succeed(run, new Map([[1, 2n]]))
      void outbox.flush()
      fail(run)
      for (const value of [[() => {}], new Date(0), Symbol('a')]) succeed(run, value)
      run.end()
      void outbox.flush()
      const [first, second] = sent.flat()
      expect(contentOf(first!)).toEqual([new Map([[1, 2n]])])
      expect(contentOf(second!)).toEqual([undefined, undefined, new Date(0), undefined])
      expect(second!.failures.map(({ offset, failure }) => [offset, failure.kind])).toEqual([
        [1, 'input'],
        [2, 'encoding'],
        [4, 'encoding'],
      ])
      expect(second!.failures[1]!.failure).toMatchObject({ side: 'result', path: '[0]' })
    },
  )

  test('because all of them are too large together is sent in parts', () => {
    const { outbox, sent, startUnrecorded } = setUp({ maxBytes: 1_000 })
    const run = startUnrecorded(5, { reply: 'values' })
    const part = { text: 'x'.repeat(300) }
    for (const value of [part, 1, { ...part }, { text: 'x'.repeat(1_001) }, { ...part }]) succeed(run, value)
    run.end()
    void outbox.flush()
    const messages = sent.flat()
    expect(messages.map(({ from, count }) => [from, count])).toEqual([
      [0, 2],
      [2, 1],
      [3, 1],
      [4, 1],
    ])
    expect(messages.flatMap(contentOf)).toEqual([part, 1, part, undefined, part])
    expect(messages.flatMap(({ failures }) => failures)).toMatchObject([
      {
        offset: 3,
        failure: { kind: 'encoding', path: '', message: expect.stringMatching(/^it takes 1,001 bytes/) },
      },
    ])
  })

  test.each(['startRecorded', 'startUnrecorded'] as const)(
    'because it cannot be read at the other end fails its own item (%s)',
    (start) => {
      const { outbox, sent, ...starts } = setUp({ maxBytes: 100_000 })
      const run = starts[start](4, { reply: 'values' })
      for (const value of [{ a: 1 }, { a: wasmModule() }, linkedList(2_500), { b: 2 }]) succeed(run, value)
      run.end()
      void outbox.flush()
      const [message] = sent.flat()
      expect(contentOf(message!)).toEqual([{ a: 1 }, undefined, undefined, { b: 2 }])
      expect(message!.failures).toMatchObject([
        { offset: 1, failure: { kind: 'encoding', side: 'result', path: 'a' } },
        { offset: 2, failure: { kind: 'encoding', side: 'result', path: '' } },
      ])
    },
  )

  test('leaves the other chunks of its message as they are', () => {
    const { outbox, sent, startUnrecorded } = setUp()
    for (const value of [() => {}, 'fine']) {
      const run = startUnrecorded(1, { reply: 'values' })
      succeed(run, value)
      run.end()
    }
    void outbox.flush()
    expect(sent.flat().map(contentOf)).toEqual([[undefined], ['fine']])
    expect(sent.flat().map(({ failures }) => failures.length)).toEqual([1, 0])
  })
})
