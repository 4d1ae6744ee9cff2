// The page's data, made from a record.
import { describe, expect, it } from 'vitest'
import type { RunRecord } from '../../../../src/report/files/run-record.js'
import { toPageData } from '../../../../src/report/html/page-data.js'

const worker = { pid: 7, exitCode: null, signal: null, crashed: false }
const attempt = { workerId: 0, pid: 7 }

const record: RunRecord = {
  poolrun: '0.1.0',
  node: 'v20',
  command: 'collect',
  job: 'job.ts',
  cwd: '/project',
  processes: 1,
  startedAt: 1_000_000,
  endedAt: 1_000_100.126,
  exitCode: 3,
  signal: undefined,
  summaryLine: 'poolrun collect: 1 ok, 1 failed (item 1)',
  summary: {
    ok: 1,
    failed: 1,
    flaky: 1,
    notRun: 0,
    cancelled: 0,
    cancelledIndexes: [],
    failedIndexes: [1],
    flakyIndexes: [0],
    stoppedBy: undefined,
    unread: false,
    reason: undefined,
    tookMs: 0,
  },
  workers: [
    { ...worker, workerId: 0, startedAt: 1_000_001.111, readyAt: 1_000_002.346, endedAt: 1_000_050 },
    { ...worker, workerId: 0, startedAt: 1_000_060, readyAt: undefined, endedAt: undefined },
  ],
  attempts: [
    {
      ...attempt,
      item: 'text 1',
      index: 1,
      attempt: 1,
      startedAt: 1_000_020.004,
      ms: 3.456,
      status: 'failed',
    },
    { ...attempt, item: 'text 0', index: 0, attempt: 1, startedAt: 1_000_010, ms: 1, status: 'retried' },
    { ...attempt, item: 'text 0', index: 0, attempt: 2, startedAt: 1_000_030, ms: 2, status: 'flaky' },
  ],
  attemptsLeftOut: 5,
  failures: [],
  failuresLeftOut: 0,
  warnings: ['odd'],
}

describe('toPageData', () => {
  const data = toPageData(record)

  it('sorts attempts by start and turns them into columns', () => {
    expect(data.attempts).toEqual({
      index: [0, 1, 0],
      item: ['text 0', 'text 1', 'text 0'],
      attempt: [1, 1, 2],
      worker: [0, 0, 0],
      start: [10, 20, 30],
      ms: [1, 3.46, 2],
      status: [2, 3, 1],
    })
  })

  it('counts times from the start of the run, in hundredths of a millisecond', () => {
    expect(data.tookMs).toBe(100.13)
    expect(data.workers.map(({ startedAt, readyAt, endedAt }) => [startedAt, readyAt, endedAt])).toEqual([
      [1.11, 2.35, 50],
      [60, null, null],
    ])
  })

  it('keeps the counts of the summary and the rest of the record', () => {
    expect(data.counts).toEqual({ ok: 1, failed: 1, flaky: 1, cancelled: 0, notRun: 0 })
    expect(data).toMatchObject({ command: 'collect', exitCode: 3, attemptsLeftOut: 5, warnings: ['odd'] })
    expect(toPageData({ ...record, summary: undefined }).counts).toBeUndefined()
  })
})
