// The table of a journal: what a Map would hold, in a few bytes per item.
import { expect, test } from 'vitest'
import { KeyTable } from '../../../src/journal/key-table.js'

test('holds the latest event of any number of items', () => {
  const table = new KeyTable()
  const count = 3_000
  // Halves that collide a lot.
  const key = (i: number) => [(i % 150) - 75, Math.floor(i / 150) + 1] as const
  for (let i = 0; i < count; i++) table.setEvent(...key(i), 0, i % 3 === 0 ? -(i + 1) : 2 ** 33 + i)
  for (let i = 0; i < count; i += 6) table.setEvent(...key(i), 0, 2 ** 40 + i)
  const wrong = Array.from({ length: count }, (_, i) => i).filter((i) => {
    const expected = i % 6 === 0 ? 2 ** 40 + i : i % 3 === 0 ? -(i + 1) : 2 ** 33 + i
    return table.event(...key(i), 0) !== expected
  })
  expect(wrong).toEqual([])
  const failed = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 === 0 && i % 6 !== 0).length
  expect([table.done, table.failed]).toEqual([count - failed, failed])
})

test('holds failures behind 4 GiB', () => {
  const table = new KeyTable()
  const events = [-1, -(2 ** 32 - 1), -(2 ** 32), -(2 ** 32 + 1), -(2 ** 45 + 5)]
  for (const [i, event] of events.entries()) table.setEvent(i, 1, 0, event)
  expect(events.map((_, i) => table.event(i, 1, 0))).toEqual(events)
})

test('counts equal items, each of which has an event of its own', () => {
  const table = new KeyTable()
  table.setEvent(7, 8, 0, 100)
  table.setEvent(7, 8, 2, -300)
  const count = (times: number) => {
    const hashes = Uint32Array.from(Array.from({ length: times }, () => [7, 8]).flat())
    const occurrences = new Uint32Array(times)
    const events = new Float64Array(times)
    const hasRepeats = table.count(hashes, occurrences, events)
    return { hasRepeats, occurrences: [...occurrences], events: [...events] }
  }
  expect(count(1)).toEqual({ hasRepeats: false, occurrences: [0], events: [100] })
  expect(count(3)).toEqual({ hasRepeats: true, occurrences: [1, 2, 3], events: [0, -300, 0] })
  table.resetCounts()
  expect(count(2)).toEqual({ hasRepeats: true, occurrences: [0, 1], events: [100, 0] })
})

test('counts items without any event', () => {
  const table = new KeyTable()
  const size = 5000
  const hashes = Uint32Array.from({ length: 2 * size }, (_, i) => (i % 2 === 0 ? i * 429_497 : i))
  const occurrences = new Uint32Array(size)
  expect(table.count(hashes, occurrences, new Float64Array(size))).toBe(false)
  expect(table.count(hashes, occurrences, new Float64Array(size))).toBe(true)
  expect(new Set(occurrences)).toEqual(new Set([1]))
})

test('keeps everything when room is made', () => {
  const table = new KeyTable()
  for (let i = 1; i <= 500; i++) table.setEvent(i, i, 0, i)
  table.reserve(1_000_000)
  expect(Array.from({ length: 500 }, (_, i) => table.event(i + 1, i + 1, 0))).toEqual(
    Array.from({ length: 500 }, (_, i) => i + 1),
  )
})
