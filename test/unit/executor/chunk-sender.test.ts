import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ChunkSender, type UnsendableItem } from '../../../src/executor/chunk-sender.js'
import { packToWorker } from '../../../src/ipc/pack.js'
import type { ChunkMessage, ToWorker } from '../../../src/ipc/protocol.js'
import { task } from './fakes.js'

function chunkWith(id: number, ...values: unknown[]): ChunkMessage {
  const payload = { kind: 'values', values } as const
  return {
    id,
    task,
    count: values.length,
    index: 0,
    attempt: 1,
    recordEachItem: false,
    isSmall: false,
    payload,
  }
}

/** `encode` throws for what cannot be cloned. */
function setUp(encode: (message: ToWorker) => unknown = () => {}) {
  const sent: [worker: number, ids: number[]][] = []
  const unsendable: [worker: number, id: number, items: readonly UnsendableItem[]][] = []
  const sender = new ChunkSender({
    send(worker, message) {
      encode(message)
      if (message.type === 'run') sent.push([worker, message.chunks.map(({ id }) => id)])
    },
    onUnsendable: (...args) => unsendable.push(args),
  })
  return { sender, sent, unsendable }
}

const clone = (message: ToWorker) => structuredClone(message)

describe('ChunkSender', () => {
  it('sends the chunks of a worker in one message', () => {
    const { sender, sent } = setUp()
    sender.add(0, chunkWith(1, 'a'))
    sender.add(1, chunkWith(2, 'b'))
    sender.add(0, chunkWith(3, 'c'))
    expect(sent).toEqual([])
    sender.flushAll()
    sender.flushAll()
    expect(sent).toEqual([
      [0, [1, 3]],
      [1, [2]],
    ])
  })

  it('sends the chunks of a turn of the event loop together', async () => {
    const { sender, sent } = setUp()
    for (const id of [1, 2, 3]) {
      sender.add(0, chunkWith(id, 'a'))
      sender.flushSoon()
      await undefined
    }
    expect(sent).toEqual([])
    await setImmediate()
    expect(sent).toEqual([[0, [1, 2, 3]]])
  })

  it('discards what a worker that has exited was not sent', () => {
    const { sender, sent } = setUp()
    sender.add(0, chunkWith(1, 'a'))
    sender.add(1, chunkWith(2, 'b'))
    sender.discard(0)
    sender.flushAll()
    expect(sent).toEqual([[1, [2]]])
  })

  it('sends those of one worker before another message to it', () => {
    const { sender, sent } = setUp()
    sender.add(0, chunkWith(1, 'a'))
    sender.add(1, chunkWith(2, 'b'))
    sender.flush(1)
    expect(sent).toEqual([[1, [2]]])
  })

  it('discards what was not sent', () => {
    const { sender, sent } = setUp()
    sender.add(0, chunkWith(1, 'a'))
    sender.discardAll()
    sender.flushAll()
    expect(sent).toEqual([])
  })

  it('sends the good chunks of a message that cannot be cloned, each on its own', () => {
    const { sender, sent, unsendable } = setUp(clone)
    sender.add(0, chunkWith(1, 'a'))
    sender.add(0, chunkWith(2, 'b', { f: () => 1 }, 'c'))
    sender.add(0, chunkWith(3, 'd'))
    sender.flushAll()
    expect(sent).toEqual([
      [0, [1]],
      [0, [3]],
    ])
    expect(unsendable).toMatchObject([
      [0, 2, [{ offset: 1, failure: { kind: 'encoding', side: 'argument', path: 'f' } }]],
    ])
  })

  it('names every value of a chunk that cannot be cloned', () => {
    const { sender, unsendable } = setUp(clone)
    sender.add(
      0,
      chunkWith(1, () => 1, 'b', Symbol('c')),
    )
    sender.flushAll()
    expect(unsendable[0]![2].map(({ offset }) => offset)).toEqual([0, 2])
  })

  it('fails no item of several when no value can be named, and the item when it is alone', () => {
    const { sender, unsendable } = setUp(() => {
      throw new Error('no memory')
    })
    sender.add(0, chunkWith(1, 'a', 'b'))
    sender.add(0, chunkWith(2, 'c'))
    sender.flushAll()
    const failure = { kind: 'encoding', side: 'argument', path: '', message: 'no memory', preview: '' }
    expect(unsendable).toEqual([
      [0, 1, []],
      [0, 2, [{ offset: 0, failure }]],
    ])
  })

  it('does not search values that are too large together, nor one that is too large alone', () => {
    const { sender, unsendable } = setUp((message) => packToWorker(message, 1000))
    let reads = 0
    const large = () => ({
      get text() {
        reads++
        return 'x'.repeat(600)
      },
    })
    sender.add(0, chunkWith(1, large(), large()))
    sender.add(0, chunkWith(2, new Uint8Array(1001)))
    sender.flushAll()
    expect(unsendable).toMatchObject([
      [0, 1, []],
      [0, 2, [{ failure: { message: 'it takes 1,001 bytes, and at most 1,000 can be sent' } }]],
    ])
    // Only to weigh them: with the other chunk, and without.
    expect(reads).toBe(4)
  })
})
