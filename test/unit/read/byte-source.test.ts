import { expect, test } from 'vitest'
import type { ByteReader } from '../../../src/read/byte-reader.js'
import { createByteSource } from '../../../src/read/byte-source.js'

const ONE = { items: 1, bytes: 1_000 }

test('counts no items while the last bytes are on their way, although their reader has ended', async () => {
  let arrive = () => {}
  const texts = ['1\n2\n', '3\n4\n']
  const reader = {
    ended: false as boolean,
    read(into: Buffer) {
      return new Promise<number>((resolve) => {
        const text = texts.shift() ?? ''
        arrive = () => resolve(into.write(text))
        // It knows of the end before its caller has the bytes.
        reader.ended = texts.length === 0
      })
    },
    close() {},
  } satisfies ByteReader
  const source = createByteSource(reader, { file: 'pipe', framing: 'ndjson', tolerant: false })
  const first = source.next(ONE)
  arrive()
  await first
  await source.next(ONE)
  const third = source.next(ONE)
  expect(source.remaining()).toBeUndefined()
  arrive()
  expect(await third).toMatchObject({ seq: 2, count: 1 })
  expect(source.remaining()).toBe(1)
})
