// Records of runs for tests of the file reports.
import type { AttemptRecord, AttemptStatus, RunRecord } from '../../../../src/report/files/run-record.js'

export const EMPTY_RECORD: RunRecord = {
  poolrun: '0.0.0',
  node: 'v20.19.0',
  command: 'collect',
  job: 'job.ts',
  cwd: '/project',
  processes: 2,
  startedAt: 1_000,
  endedAt: 1_000,
  exitCode: 0,
  signal: undefined,
  summaryLine: 'the run did not begin',
  summary: undefined,
  workers: [],
  attempts: [],
  attemptsLeftOut: 0,
  failures: [],
  failuresLeftOut: 0,
  warnings: [],
}

export function attemptAt(
  index: number,
  startedAt: number,
  ms: number,
  status: AttemptStatus = 'ok',
): AttemptRecord {
  return { index, item: '', attempt: 1, workerId: 0, pid: 7, startedAt, ms, status }
}
