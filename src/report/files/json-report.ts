// `--report json`: the record of the run under a versioned name. docs/report.md describes the fields.
import { type FailureGroup, groupFailures } from '../failure-groups.js'
import type { RunRecord } from './run-record.js'

const JSON_SCHEMA = 'poolrun-report/1'

export function renderJson({ summary, summaryLine, ...record }: RunRecord): string {
  const counts = summary && {
    ok: summary.ok,
    failed: summary.failed,
    flaky: summary.flaky,
    cancelled: summary.cancelled,
    notRun: summary.notRun,
    inputReadToEnd: !summary.unread,
  }
  const { workers, attempts, attemptsLeftOut, failures, failuresLeftOut, warnings, ...run } = record
  const report = {
    schema: JSON_SCHEMA,
    ...run,
    signal: record.signal ?? null,
    // The names of these two fields are older than those in the record.
    verdict: summaryLine,
    workers,
    attempts,
    attemptsLeftOut,
    failures: failures.map(({ location, ...failure }) => ({ ...failure, place: location })),
    failuresLeftOut,
    failureGroups: groupFailures(failures).map(plainGroup),
    warnings,
    counts: counts ?? null,
  }
  return `${JSON.stringify(report, null, 1)}\n`
}

function plainGroup({ failures, messages }: FailureGroup) {
  const { group, location, name } = failures[0]!
  return {
    group,
    name,
    place: location,
    count: failures.length,
    messages: messages.map(({ title, failures }) => ({
      message: title,
      count: failures.length,
      items: failures.map(({ index }) => index),
    })),
  }
}
