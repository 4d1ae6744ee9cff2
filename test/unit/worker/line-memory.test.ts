// Large results in memory that is used again: none may be overwritten before it was sent.
import { describe, expect, test } from 'vitest'
import type { ResultsMessage } from '../../../src/ipc/protocol.js'
import { ChunkRun } from '../../../src/worker/chunk-run.js'
import { LineMemory } from '../../../src/worker/line-memory.js'
import { Outbox } from '../../../src/worker/outbox.js'
import { cheapCost, chunkOfValues, FakeClock } from './support.js'

const MiB = 1024 * 1024

function setUp() {
  const clock = new FakeClock()
  const sent: string[] = []
  const buffers: ArrayBufferLike[] = []
  /** Copies all bytes, as a write to the channel does. */
  const send = async (messages: readonly ResultsMessage[]) => {
    for (const { results } of messages) {
      if (results.kind !== 'json') expect.unreachable()
      buffers.push(results.bytes.buffer)
      sent.push(Buffer.from(results.bytes).toString())
    }
  }
  const outbox = new Outbox({ send, recorder: undefined, clock, memory: new LineMemory() })
  const start = () => {
    const options = { cost: cheapCost(), outbox, recorder: undefined, clock }
    const run = new ChunkRun(chunkOfValues([...Array(9).keys()], { reply: 'json' }), options)
    run.start(() => {})
    return (value: unknown) => {
      run.startItem()
      run.settle(true, value)
    }
  }
  return { outbox, sent, buffers, start }
}

describe('memory for lines', () => {
  test('is not given twice before it is reset', () => {
    const memory = new LineMemory()
    const parts = [10, 1000, 3 * MiB, 1, 9 * MiB, 5 * MiB, 2 * MiB].map((size, n) =>
      memory.take(size).fill(n),
    )
    for (const [n, part] of parts.entries()) expect(part.every((byte) => byte === n)).toBe(true)
  })

  test('is the same after it was reset, up to 8 MiB', () => {
    const memory = new LineMemory()
    const { buffer } = memory.take(MiB)
    memory.reset()
    expect(memory.take(MiB + 100).buffer).toBe(buffer)
    memory.reset()
    const large = memory.take(9 * MiB)
    expect(large.buffer).not.toBe(buffer)
    expect(memory.take(9 * MiB).buffer).not.toBe(large.buffer)
  })
})

describe('large results', () => {
  const large = (character: string, size = 300_000) => character.repeat(size)
  const line = (value: unknown) => `${JSON.stringify(value)}\n`

  test('share memory one after the other', async () => {
    const { outbox, sent, buffers, start } = setUp()
    const settle = start()
    for (const character of ['a', 'ä', '"']) {
      settle(large(character))
      await outbox.flush()
    }
    expect(sent).toEqual([line(large('a')), line(large('ä')), line(large('"'))])
    settle(large('b'))
    await outbox.flush()
    expect(buffers[3]).toBe(buffers[2])
  })

  test('of several chunks that leave together, and beside small ones, stay what they are', async () => {
    const { outbox, sent, start } = setUp()
    const [first, second] = [start(), start()]
    for (let round = 0; round < 3; round++) {
      sent.length = 0
      first(1)
      first(large('a', 100_000))
      second(large('b', 200_000))
      first(large('c', 70_000))
      first(round)
      second({ round })
      await outbox.flush()
      expect(sent.toSorted()).toEqual([
        line(large('b', 200_000)) + line({ round }),
        line(1) + line(large('a', 100_000)) + line(large('c', 70_000)) + line(round),
      ])
    }
  })
})
