import { expect, test } from 'vitest'
import { createPauses } from '../../../src/executor/pauses.js'

function setUp() {
  let now = 0
  const pauses = createPauses(() => now)
  return { pauses, at: (ms: number) => (now = ms) }
}

test('time in which everything stood still does not count', () => {
  const { pauses, at } = setUp()
  at(10)
  pauses.begin()
  at(30)
  pauses.end()
  at(50)
  expect(pauses.total).toBe(20)
  expect(pauses.elapsed(0)).toBe(30)
  expect(pauses.elapsed(20)).toBe(20)
  expect(pauses.elapsed(40)).toBe(10)
})

test('several pauses add up', () => {
  const { pauses, at } = setUp()
  for (const start of [10, 100]) {
    at(start)
    pauses.begin()
    at(start + 5)
    pauses.end()
  }
  expect(pauses.total).toBe(10)
  expect(pauses.elapsed(0)).toBe(95)
  expect(pauses.elapsed(50)).toBe(50)
})

test('a pause that begins twice, or ends without having begun, is one pause or none', () => {
  const { pauses, at } = setUp()
  pauses.end()
  expect(pauses.total).toBe(0)
  pauses.begin()
  at(5)
  pauses.begin()
  at(8)
  pauses.end()
  pauses.end()
  expect(pauses.total).toBe(8)
})
