// `--report json`: the record as it is, under a versioned name; docs/report.md describes it.
import type { RunRecord } from './run-record.js'

const JSON_SCHEMA = 'poolrun-report/1'

export function renderJson({ summary, ...record }: RunRecord): string {
  const counts = summary && {
    ok: summary.ok,
    failed: summary.failed,
    flaky: summary.flaky,
    notRun: summary.notRun,
    inputReadToEnd: !summary.unread,
  }
  return `${JSON.stringify({ schema: JSON_SCHEMA, ...record, signal: record.signal ?? null, counts: counts ?? null }, null, 1)}\n`
}
