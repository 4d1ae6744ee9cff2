// How many items a call takes from its input ahead of its consumer.
import { expect, test } from 'vitest'
import { createItemWindow } from '../../../src/pool/item-window.js'
import { openSource } from '../../../src/pool/sources/open.js'
import type { ChunkSource } from '../../../src/source.js'
import { endless } from '../../helpers/iterables.js'

const ALL = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

/** Takes chunks until the window makes the source wait; returns the promise of the chunk that waits. */
function takeAll(source: ChunkSource) {
  for (;;) {
    const chunk = source.next({ ...ALL, items: 100 })
    if (chunk instanceof Promise) return chunk
  }
}

test('a call takes bufferSize items, and one more for each that was handed out', async () => {
  const items = endless()
  const window = createItemWindow(openSource(items), 5, 2)
  const waiting = takeAll(window.source)
  expect(items.taken).toBe(5)
  window.itemHandedOut()
  expect(await waiting).toMatchObject({ seq: 5, count: 1 })
  expect(items.taken).toBe(6)
})

test('a call takes 1024 small items per worker by default', () => {
  const items = endless()
  takeAll(createItemWindow(openSource(items), undefined, 3).source)
  expect(items.taken).toBe(3 * 1024)
})

test.each([
  ['1 MiB', 1024 * 1024, 15],
  ['64 MiB', 64 * 1024 * 1024, 4],
])('a call takes fewer items of %s, but at least 4 per worker', (_, bytes, count) => {
  let taken = 0
  const buffer = Buffer.alloc(bytes)
  const source = openSource({
    *[Symbol.iterator]() {
      for (;;) {
        taken++
        yield buffer
      }
    },
  })
  const { source: windowed } = createItemWindow(source, undefined, 1)
  for (let i = 0; i < count; i++) expect(windowed.next({ ...ALL, items: 1 })).toMatchObject({ count: 1 })
  expect(windowed.next({ ...ALL, items: 1 })).toBeInstanceOf(Promise)
  expect(taken).toBe(count)
})

test('a lifted window no longer makes the source wait', async () => {
  const items = endless()
  const window = createItemWindow(openSource(items), 5, 2)
  const waiting = takeAll(window.source)
  window.lift()
  expect(await waiting).toMatchObject({ count: 100 })
  expect(window.source.next({ ...ALL, items: 1_000 })).toMatchObject({ count: 1_000 })
})
