import { describe, expect, test } from 'vitest'
import { isRetried, remember, retryDelay } from '../../../../src/executor/scheduler/retry.js'
import type { ItemFailure } from '../../../../src/model.js'

const options = { retries: 2, delayMs: 100, on: ['error'] as const }

test('an item is retried for the given kinds, as often as given', () => {
  expect(isRetried(options, 'error', 1)).toBe(true)
  expect(isRetried(options, 'error', 2)).toBe(true)
  expect(isRetried(options, 'error', 3)).toBe(false)
  expect(isRetried(options, 'crash', 1)).toBe(false)
})

describe('the delay', () => {
  test.each([
    [1, 0, 50],
    [1, 1, 100],
    [2, 0.5, 150],
    [4, 0, 400],
  ])('after attempt %i with chance %d is %d ms', (attempt, random, expected) => {
    expect(retryDelay(options, attempt, () => random)).toBe(expected)
  })

  test('never grows beyond five minutes', () => {
    expect(retryDelay(options, 100_000, () => 1)).toBe(300_000)
  })

  test('stays 0 if it is 0, after any number of attempts', () => {
    for (const attempt of [1, 1_025, 1_000_000])
      expect(retryDelay({ ...options, delayMs: 0 }, attempt, () => 1)).toBe(0)
  })
})

test('the newest failures are remembered, each without its own earlier ones', () => {
  let earlier: readonly ItemFailure[] = []
  for (let attempts = 1; attempts <= 250; attempts++) {
    const failure = { kind: 'timeout', timeoutMs: 1 } as const
    earlier = remember(earlier, { offset: 0, failure, workerId: 0, pid: 1, attempts, earlier })
  }
  expect(earlier.map(({ attempts }) => attempts)).toEqual(Array.from({ length: 100 }, (_, n) => n + 151))
  expect(earlier.some((one) => 'earlier' in one)).toBe(false)
})
