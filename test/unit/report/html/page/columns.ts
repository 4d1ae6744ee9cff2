// Columns of attempts for tests of the page's data functions, written as rows.
import { ATTEMPT_STATUSES } from '../../../../../src/report/files/run-record.js'
import type { Attempt } from '../../../../../src/report/html/page/data/attempts.js'
import type { AttemptColumns, PageWorker } from '../../../../../src/report/html/page-data.js'

/** Ascending by start, as in a page. */
export function columnsOf(...rows: readonly Partial<Attempt>[]): AttemptColumns {
  return {
    index: rows.map(({ index }, i) => index ?? i),
    item: rows.map(({ item = '' }) => item),
    attempt: rows.map(({ attempt = 1 }) => attempt),
    worker: rows.map(({ worker = 0 }) => worker),
    start: rows.map(({ start }, i) => start ?? i),
    ms: rows.map(({ ms = 1 }) => ms),
    status: rows.map(({ status = 'ok' }) => ATTEMPT_STATUSES.indexOf(status)),
  }
}

export function pageWorker(workerId: number, rest: Partial<PageWorker> = {}): PageWorker {
  return {
    workerId,
    pid: 100 + workerId,
    startedAt: 0,
    readyAt: 5,
    endedAt: null,
    exitCode: null,
    signal: null,
    crashed: false,
    ...rest,
  }
}
