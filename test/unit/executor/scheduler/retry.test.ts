import { describe, expect, test } from 'vitest'
import {
  adviceOf,
  isRetried,
  mayRetry,
  remember,
  retryDelay,
} from '../../../../src/executor/scheduler/retry.js'
import type { Failure, ItemFailure } from '../../../../src/model.js'

const options = { retries: 2, delayMs: 100, on: ['error'] as const }

const failed: Failure = {
  kind: 'error',
  error: { type: 'other', preview: '1', valueType: 'number' } as never,
}

test('an item is retried for the given kinds, as often as given', () => {
  expect([1, 2, 3].map((attempt) => mayRetry(options, 'error', attempt))).toEqual([true, true, false])
  expect([1, 2, 3].map((attempt) => isRetried(options, failed, attempt))).toEqual([true, true, false])
  expect(mayRetry(options, 'crash', 1)).toBe(false)
})

test('a job can make a failure final and choose the delay, but allows no attempt that the options do not', () => {
  const advice = { afterMs: 5, everyone: true }
  expect(isRetried(options, { ...failed, retry: 'never' }, 1)).toBe(false)
  expect(isRetried(options, { ...failed, retry: advice }, 2)).toBe(true)
  expect(isRetried(options, { ...failed, retry: advice }, 3)).toBe(false)
  const failures: readonly Failure[] = [failed, { ...failed, retry: 'never' }, { ...failed, retry: advice }]
  expect(failures.map(adviceOf)).toEqual([undefined, undefined, advice])
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
