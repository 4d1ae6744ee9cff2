// The JSON report has the fields that docs/report.md lists, under the names that it lists.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { renderJson } from '../../../../src/report/files/json-report.js'
import type { RunRecord } from '../../../../src/report/files/run-record.js'
import { attemptAt, EMPTY_RECORD } from './records.js'

const location = { file: '/repo/job.ts', line: 4, column: 11 }

const record: RunRecord = {
  ...EMPTY_RECORD,
  summaryLine: 'poolrun collect: 1 ok, 1 failed (item 1)',
  summary: {
    ok: 1,
    failed: 1,
    flaky: 0,
    notRun: 0,
    cancelled: 0,
    cancelledIndexes: [],
    failedIndexes: [1],
    flakyIndexes: [],
    stoppedBy: undefined,
    unread: true,
    reason: undefined,
    tookMs: 0,
  },
  workers: [
    {
      workerId: 0,
      pid: 7,
      startedAt: 1000,
      readyAt: 1100,
      endedAt: 1900,
      exitCode: 0,
      signal: null,
      crashed: false,
    },
  ],
  attempts: [attemptAt(1, 1200, 3, 'failed')],
  failures: [
    {
      index: 1,
      kind: 'error',
      attempts: 1,
      item: '{}',
      name: 'Error',
      message: 'boom',
      text: 'Error: boom',
      group: 'Error: boom',
      location,
    },
  ],
}

const report = JSON.parse(renderJson(record))

describe('the JSON report', () => {
  it('has the documented fields and no others', () => {
    const docs = readFileSync(new URL('../../../../docs/report.md', import.meta.url), 'utf8')
    const rows = [...docs.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm)].map(([, names]) => names!.match(/\w+/g)!)
    expect(Object.keys(report).sort()).toEqual(rows.flat().sort())
  })

  it('has the summary line as `verdict` and the location of a failure as `place`', () => {
    expect(report.verdict).toBe('poolrun collect: 1 ok, 1 failed (item 1)')
    expect(report.failures).toEqual([
      {
        index: 1,
        kind: 'error',
        attempts: 1,
        item: '{}',
        name: 'Error',
        message: 'boom',
        text: 'Error: boom',
        group: 'Error: boom',
        place: location,
      },
    ])
  })

  it('has counts and signal, or null without them', () => {
    expect(report).toMatchObject({
      counts: { ok: 1, failed: 1, flaky: 0, notRun: 0, inputReadToEnd: false },
      signal: null,
    })
    const interrupted = renderJson({ ...record, summary: undefined, signal: 'SIGTERM' })
    expect(JSON.parse(interrupted)).toMatchObject({ counts: null, signal: 'SIGTERM' })
  })
})
