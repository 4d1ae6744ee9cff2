// What the record of a large run keeps.
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../../../src/model.js'
import type { RunPlan } from '../../../../src/plan.js'
import { RecordBuilder } from '../../../../src/report/files/record-builder.js'
import type { RunRecord } from '../../../../src/report/files/run-record.js'
import { flakySettled, itemsSettled } from '../events.js'

const plan = { command: 'collect', job: { path: 'job.ts', exportName: 'default' }, processes: 2 } as RunPlan

function recordOf(...events: readonly RunEvent[]): RunRecord {
  const failed = () => 'it failed'
  const text = { failure: failed, headline: failed, place: failed, flaky: failed, fault: failed }
  const builder = new RecordBuilder({ plan, version: '0.0.0', text, cwd: '/', now: () => 1_000 })
  for (const event of events) builder.handle(event)
  return builder.finish({ exitCode: 0, signal: undefined, summary: undefined })
}

describe('RecordBuilder', () => {
  it('keeps 200,000 attempts, further ones only if they failed at least once, and counts the rest', () => {
    const record = recordOf(
      itemsSettled(0, 200_001),
      itemsSettled(200_001, 2, [200_002]),
      flakySettled(200_003),
    )
    expect(record.attempts).toHaveLength(200_003)
    expect(record.attemptsLeftOut).toBe(2)
    expect(record.attempts.slice(200_000).map(({ index, status }) => [index, status])).toEqual([
      [200_002, 'failed'],
      [200_003, 'retried'],
      [200_003, 'flaky'],
    ])
  })

  it('keeps 10,000 failures and counts the rest', () => {
    const record = recordOf(itemsSettled(0, 10_003, [...Array(10_003).keys()]))
    expect(record.failures).toHaveLength(10_000)
    expect(record.failuresLeftOut).toBe(3)
    expect(record.attempts.filter(({ status }) => status === 'failed')).toHaveLength(10_003)
  })
})
