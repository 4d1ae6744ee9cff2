import { describe, expect, test } from 'vitest'
import type { Framing } from '../../../src/model.js'
import type { CommandName, RunPlan } from '../../../src/plan.js'
import { failFast, lazyOverGaps, type Policy } from '../../../src/policy/policy.js'
import { policyFor, taskFor, windowFor } from '../../../src/run/settings.js'
import { itemFailure, settledRange, valuesChunk } from '../policy/ranges.js'

const plan = (options: Partial<RunPlan>) =>
  ({
    job: { path: 'job.ts', exportName: 'default' },
    maxFailures: undefined,
    processes: 2,
    reports: [],
    ...options,
  }) as RunPlan

describe('the task', () => {
  test.each<[CommandName, string]>([
    ['map', 'item'],
    ['imap', 'item'],
    ['imap-unordered', 'item'],
    ['collect', 'item'],
    ['starmap', 'spread'],
    ['apply', 'spread'],
  ])('of %s is called with its %s', (command, calling) => {
    expect(taskFor(plan({ command }))).toEqual({ name: 'default', calling, reply: 'json' })
  })

  test('is timed where a line per item shows it', () => {
    expect(taskFor(plan({ command: 'map', verbosity: 'verbose' })).timed).toBe('durations')
    expect(taskFor(plan({ command: 'map', envelope: true })).timed).toBe('durations')
  })

  test.each<[boolean | undefined, Partial<RunPlan>]>([
    [true, { format: 'raw' }],
    [
      true,
      { format: 'raw', command: 'collect', errors: 'errors.ndjson', reports: [{ kind: 'json', path: 'r' }] },
    ],
    [undefined, { format: 'ndjson' }],
    [undefined, { format: 'raw', journal: {} as RunPlan['journal'] }],
    [undefined, { format: 'raw', callbacks: 'callbacks.js' }],
    [undefined, { format: 'raw', merges: ['a.journal'] }],
  ])('has raw lines (%s) where nothing but raw output reads its results: %j', (raw, options) => {
    expect(taskFor(plan({ command: 'imap', ...options })).raw).toBe(raw)
  })

  test('has the time at which each item began, too, for reports', () => {
    const reports = [{ kind: 'json', path: 'report.json' }] as const
    expect(taskFor(plan({ command: 'map', reports })).timed).toBe(true)
    expect(taskFor(plan({ command: 'map', reports, envelope: true })).timed).toBe(true)
  })

  test('is the export that the job reference names', () => {
    const job = { path: 'job.ts', exportName: 'other' }
    expect(taskFor(plan({ command: 'map', job })).name).toBe('other')
  })
})

test('the flow window is bounded by default, and --buffer-size sets only its number of items', () => {
  const byDefault = windowFor(plan({ command: 'imap' }))
  expect(Number.isFinite(byDefault.items) && Number.isFinite(byDefault.bytes)).toBe(true)
  expect(windowFor(plan({ command: 'imap', bufferSize: 3 }))).toEqual({ ...byDefault, items: 3 })
  // No worker should wait until the results of others have been written.
  expect(windowFor(plan({ command: 'imap', processes: 64 })).bytes).toBeGreaterThan(64 * 3 * 192 * 1024)
})

describe('the policy', () => {
  test.each<[CommandName, string, Policy]>([
    ['map', 'fail-fast', failFast],
    ['starmap', 'fail-fast', failFast],
    ['apply', 'fail-fast', failFast],
    ['imap', 'lazy over gaps', lazyOverGaps],
    ['imap-unordered', 'lazy over gaps', lazyOverGaps],
  ])('of %s is %s', (command, _name, policy) => {
    expect(policyFor(plan({ command }))).toBe(policy)
  })

  test('of collect is collect, which may stop only with --max-failures', () => {
    const facts = { afterStop: 'deliver', skipGaps: true, allOrNothing: false }
    expect(policyFor(plan({ command: 'collect' }))).toMatchObject({ ...facts, mayStop: false })
    const limited = plan({ command: 'collect', maxFailures: { count: 1 } })
    expect(policyFor(limited)).toMatchObject({ ...facts, mayStop: true })
  })

  const settled = settledRange(valuesChunk(0, 1), { failed: [0] })
  const onSettle = (maxFailures: RunPlan['maxFailures'], ok: number, failed: number, total?: number) =>
    policyFor(plan({ command: 'collect', maxFailures })).onSettle(
      settled.failures[0]!,
      settled,
      { ok, failed, notRun: 0 },
      total,
    )

  test('without --max-failures never stops', () => {
    expect(onSettle(undefined, 0, 1_000)).toBe('continue')
  })

  test('stops at the failure that makes the count full, not before', () => {
    expect(onSettle({ count: 2 }, 50, 1)).toBe('continue')
    expect(onSettle({ count: 2 }, 50, 2)).toBe('stop')
    expect(onSettle({ count: 2 }, 50, 3)).toBe('stop')
  })

  test('stops at the share of all items where their number is known', () => {
    expect(onSettle({ percent: 5 }, 0, 1, 40)).toBe('continue')
    expect(onSettle({ percent: 5 }, 0, 2, 40)).toBe('stop')
  })

  test('stops at the share of what has settled where it is not, once that is a sample', () => {
    expect(onSettle({ percent: 5 }, 0, 1)).toBe('continue')
    expect(onSettle({ percent: 5 }, 96, 4)).toBe('continue')
    expect(onSettle({ percent: 5 }, 95, 5)).toBe('stop')
  })

  describe('of collect, when a failed item is delivered', () => {
    const deliver = (framing: Framing, failure: Parameters<typeof itemFailure>[1]) => {
      const chunk = {
        seq: 0,
        count: 1,
        payload: { kind: 'bytes', bytes: Buffer.from('{'), framing },
      } as const
      const range = settledRange(chunk, { failed: [0] })
      return policyFor(plan({ command: 'collect' })).onDeliver(itemFailure(0, failure), range)
    }
    const malformed = { kind: 'input', message: 'no JSON', at: 0 } as const

    test('skips a malformed line, because the lines after it are not affected', () => {
      expect(deliver('ndjson', malformed)).toBe('skip')
    })

    test('raises a malformed element of an array, because nothing behind it can be trusted', () => {
      expect(deliver('json', malformed)).toBe('raise')
    })

    test('skips any other failure in an array', () => {
      expect(deliver('json', undefined)).toBe('skip')
    })
  })
})
