import { describe, expect, test } from 'vitest'
import { collect, failFast, lazy } from '../../../src/policy/policy.js'
import { settledRange, valuesChunk } from './ranges.js'

const settled = settledRange(valuesChunk(0, 3), { failed: [1] })
const failure = settled.failures[0]!
const counts = (failed: number) => ({ ok: 10, failed, notRun: 0 })

// Policy × hook is a table, so that a hole shows.
describe.each([
  { name: 'fail-fast', policy: failFast, settle: 'stop', deliver: 'raise' },
  { name: 'lazy', policy: lazy, settle: 'continue', deliver: 'raise' },
  { name: 'collect', policy: collect(), settle: 'continue', deliver: 'skip' },
])('$name', ({ policy, settle, deliver }) => {
  test(`returns "${settle}" when a failure settles, however many there are`, () => {
    for (const failed of [1, 1_000_000])
      expect(policy.onSettle(failure, settled, counts(failed), undefined)).toBe(settle)
  })

  test(`returns "${deliver}" when the item is delivered`, () => {
    expect(policy.onDeliver(failure, settled)).toBe(deliver)
  })
})

test('mayStop is true only for a policy whose onSettle can return stop', () => {
  expect([failFast, lazy, collect(), collect(() => false)].map(({ mayStop }) => mayStop)).toEqual([
    true,
    false,
    false,
    true,
  ])
})

test('collect with a limit stops at the failure that reaches it, and still skips what is delivered', () => {
  const policy = collect(({ failed }) => failed >= 3)
  expect([1, 2, 3, 4].map((failed) => policy.onSettle(failure, settled, counts(failed), undefined))).toEqual([
    'continue',
    'continue',
    'stop',
    'stop',
  ])
  expect(policy.onDeliver(failure, settled)).toBe('skip')
})
