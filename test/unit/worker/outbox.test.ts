import { describe, expect, test } from 'vitest'
import type { ChunkMessage, ResultsMessage } from '../../../src/ipc/protocol.js'
import type { Failure, Results } from '../../../src/model.js'
import { createOutbox } from '../../../src/worker/outbox.js'

const BOOM: Failure = { kind: 'input', message: 'boom', at: 0 }

function chunk(id: number, count: number, reply: Results['kind'] = 'json'): ChunkMessage {
  const values = Array.from({ length: count }, (_, place) => place)
  return {
    id,
    task: { name: 'default', calling: 'item', reply },
    count,
    index: 0,
    attempt: 1,
    recordEachItem: false,
    payload: { kind: 'values', values },
  }
}

/** A channel that clones as Node's does, and so refuses what Node's refuses. */
function setUp() {
  const messages: (readonly ResultsMessage[])[] = []
  const send = (ranges: readonly ResultsMessage[]) => {
    messages.push(structuredClone(ranges))
    return Promise.resolve()
  }
  const outbox = createOutbox({ send, recorder: undefined })
  return { messages, outbox }
}

const textOf = ({ results }: ResultsMessage) =>
  results.kind === 'json' ? Buffer.from(results.bytes).toString() : results.values

describe('the outbox', () => {
  test('sends everything that settled since the last time, in ranges without gaps', () => {
    const { outbox, messages } = setUp()
    outbox.open(chunk(1, 4), false)
    outbox.succeeded(1, 'a')
    outbox.failed(1, BOOM)
    void outbox.flush()
    outbox.succeeded(1, 'c')
    outbox.succeeded(1, undefined)
    outbox.close(1)
    void outbox.flush()
    const ranges = messages.flat()
    expect(ranges.map(({ id, from, count }) => [id, from, count])).toEqual([
      [1, 0, 2],
      [1, 2, 2],
    ])
    expect(ranges.map(textOf)).toEqual(['"a"\n', '"c"\nnull\n'])
    expect(ranges[0]!.failures).toEqual([{ offset: 1, failure: BOOM }])
    expect(ranges[1]!.failures).toEqual([])
  })

  test('sends the chunks that are over and those that are under way together', () => {
    const { outbox, messages } = setUp()
    outbox.open(chunk(1, 1), false)
    outbox.open(chunk(2, 2), false)
    outbox.succeeded(2, 20)
    outbox.succeeded(1, 10)
    outbox.close(1)
    void outbox.flush()
    expect(messages).toHaveLength(1)
    expect(messages[0]!.map(({ id }) => id).sort()).toEqual([1, 2])
  })

  test('sends nothing where nothing has settled', async () => {
    const { outbox, messages } = setUp()
    expect(outbox.empty).toBe(true)
    outbox.open(chunk(1, 1), false)
    await outbox.flush()
    outbox.close(1)
    await outbox.flush()
    expect(messages).toEqual([])
  })

  test('keeps a place for each failed item where values are sent, and none where lines are', () => {
    const { outbox, messages } = setUp()
    for (const [id, reply] of [
      [1, 'values'],
      [2, 'json'],
    ] as const) {
      outbox.open(chunk(id, 2, reply), false)
      outbox.failed(id, BOOM)
      outbox.succeeded(id, id)
      outbox.close(id)
    }
    void outbox.flush()
    expect(messages.flat().map(textOf)).toEqual([[undefined, 1], '2\n'])
  })

  test('drops what a cancelled chunk had gathered, and nothing of the others', () => {
    const { outbox, messages } = setUp()
    outbox.open(chunk(1, 2), false)
    outbox.open(chunk(2, 2), false)
    outbox.succeeded(1, 1)
    outbox.succeeded(2, 2)
    outbox.discard(1)
    expect(outbox.empty).toBe(false)
    void outbox.flush()
    expect(messages.flat().map(({ id }) => id)).toEqual([2])
    outbox.discard(2)
    expect(outbox.empty).toBe(true)
  })

  test('counts time of its own clock for a range, never less than nothing', () => {
    const { outbox, messages } = setUp()
    outbox.open(chunk(1, 1), false)
    outbox.succeeded(1, 1)
    void outbox.flush()
    expect(messages[0]![0]!.busyMs).toBeGreaterThanOrEqual(0)
    expect(outbox.flushedAt).toBeGreaterThan(0)
  })

  test('is full once much text has gathered, until it is sent', () => {
    const { outbox } = setUp()
    outbox.open(chunk(1, 2), false)
    outbox.succeeded(1, 'x')
    expect(outbox.full).toBe(false)
    outbox.succeeded(1, 'x'.repeat(1_000_000))
    expect(outbox.full).toBe(true)
    void outbox.flush()
    expect(outbox.full).toBe(false)
  })
})

describe('a result that cannot be sent', () => {
  test('as text fails its item alone', () => {
    const { outbox, messages } = setUp()
    outbox.open(chunk(1, 3), false)
    outbox.succeeded(1, 1)
    outbox.succeeded(1, { a: { f() {} } })
    outbox.succeeded(1, 3)
    outbox.close(1)
    void outbox.flush()
    const [range] = messages.flat()
    expect(textOf(range!)).toBe('1\n3\n')
    expect(range!.failures).toMatchObject([
      { offset: 1, failure: { kind: 'encoding', side: 'result', path: 'a.f' } },
    ])
  })

  test('as a value fails its item alone, found only when the message is refused', () => {
    const { outbox, messages } = setUp()
    outbox.open(chunk(1, 5, 'values'), false)
    outbox.succeeded(1, new Map([[1, 2n]]))
    void outbox.flush()
    outbox.failed(1, BOOM)
    outbox.succeeded(1, [() => {}])
    outbox.succeeded(1, new Date(0))
    outbox.succeeded(1, Symbol('a'))
    outbox.close(1)
    void outbox.flush()
    const [first, second] = messages.flat()
    expect(textOf(first!)).toEqual([new Map([[1, 2n]])])
    expect(textOf(second!)).toEqual([undefined, undefined, new Date(0), undefined])
    expect(second!.failures.map(({ offset, failure }) => [offset, failure.kind])).toEqual([
      [1, 'input'],
      [2, 'encoding'],
      [4, 'encoding'],
    ])
    expect(second!.failures[1]!.failure).toMatchObject({ side: 'result', path: '[0]' })
  })

  test('leaves the other chunks of its message as they are', () => {
    const { outbox, messages } = setUp()
    for (const [id, value] of [
      [1, () => {}],
      [2, 'fine'],
    ] as const) {
      outbox.open(chunk(id, 1, 'values'), false)
      outbox.succeeded(id, value)
      outbox.close(id)
    }
    void outbox.flush()
    expect(messages.flat().map(textOf)).toEqual([[undefined], ['fine']])
    expect(messages.flat().map(({ failures }) => failures.length)).toEqual([1, 0])
  })
})
