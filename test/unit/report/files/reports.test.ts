// The file reports from a record that is made here: what is kept of too much, and that each format stays well formed.

import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../../../src/model.js'
import type { RunPlan } from '../../../../src/plan.js'
import { createFailureText } from '../../../../src/report/console/failure-text.js'
import { renderJunit } from '../../../../src/report/files/junit-report.js'
import { RecordBuilder } from '../../../../src/report/files/record-builder.js'
import type { AttemptRecord, FailureRecord, RunRecord } from '../../../../src/report/files/run-record.js'
import { renderTrace } from '../../../../src/report/files/trace-report.js'
import fc from '../../../helpers/fast-check.js'
import { flakySettled, itemsSettled } from '../events.js'

const plan = { command: 'collect', job: { path: 'job.ts', exportName: 'default' }, processes: 2 } as RunPlan

function recordOf(...events: readonly RunEvent[]): RunRecord {
  const text = createFailureText({ plan, cwd: '/' })
  const builder = new RecordBuilder({ plan, version: '0.0.0', text, cwd: '/', now: () => 1_000 })
  for (const event of events) builder.handle(event)
  return builder.finish({ exitCode: 0, signal: undefined, summary: undefined })
}

describe('the record of a run', () => {
  it('keeps 200,000 attempts, more where they failed, and counts the rest', () => {
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

const EMPTY = recordOf()

const attempt = (index: number, startedAt: number, ms: number, status: AttemptRecord['status'] = 'ok') => ({
  index,
  attempt: 1,
  workerId: 0,
  pid: 7,
  startedAt,
  ms,
  status,
})

describe('the trace', () => {
  it('gives items that overlap in a worker rows of their own, so that no two in a row do', () => {
    const times = fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 20 }))
    fc.assert(
      fc.property(fc.array(times, { maxLength: 60 }), (items) => {
        const attempts = items.map(([begins, ms], index) => attempt(index, 1_000 + begins, ms))
        const { traceEvents } = JSON.parse(renderTrace({ ...EMPTY, attempts }))
        const shown = traceEvents.filter(({ cat }: { cat?: string }) => cat === 'ok')
        expect(shown).toHaveLength(items.length)
        for (const one of shown)
          for (const other of shown)
            if (one !== other && one.tid === other.tid && one.ts <= other.ts)
              expect(one.ts + one.dur).toBeLessThanOrEqual(other.ts)
      }),
    )
  })
})

describe('JUnit', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 40 })
  const nasty = fc.oneof(
    anything,
    fc.constantFrom(
      ']]>]]>',
      ']]>',
      ']]]]>>',
      '<!--',
      '&#0;',
      '\ud800',
      '\udfff\ud800',
      '\0\b\u{1b}[31m',
      '\ufffe\uffff',
      '"\'<&>',
    ),
  )

  it('is XML, whatever is in names, messages, texts and paths', () => {
    const failure = fc.record({ name: nasty, message: nasty, text: nasty, item: nasty, file: nasty })
    fc.assert(
      fc.property(nasty, nasty, fc.array(failure, { maxLength: 4 }), (job, summaryLine, list) => {
        const failures: FailureRecord[] = list.map(({ file, ...texts }, index) => {
          const kind = index % 2 === 0 ? 'error' : 'crash'
          return { index, kind, attempts: 1, group: 'g', location: { file, line: 1, column: 1 }, ...texts }
        })
        const attempts = list.map((_, index) => attempt(index, 1_000, 1, 'failed'))
        const text = renderJunit({ ...EMPTY, job, summaryLine, failures, attempts })
        const seen: string[] = []
        const parser = new SaxesParser()
        parser.on('error', (error) => {
          throw error
        })
        parser.on('opentag', ({ name }) => seen.push(name))
        parser.write(text).close()
        expect(seen.filter((name) => name === 'testcase')).toHaveLength(list.length + 1)
      }),
    )
  })
})
