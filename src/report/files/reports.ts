// The kinds of `--report`: each is a function from the record of a run to text, loaded on demand.
import type { ReportKind } from '../../plan.js'
import type { RunRecord } from './run-record.js'

const RENDERERS: Readonly<Record<ReportKind, () => Promise<(record: RunRecord) => string>>> = {
  json: async () => (await import('./json-report.js')).renderJson,
  junit: async () => (await import('./junit-report.js')).renderJunit,
  html: async () => (await import('../html/html-report.js')).renderHtml,
  trace: async () => (await import('./trace-report.js')).renderTrace,
}

export async function renderReport(kind: ReportKind, record: RunRecord): Promise<string> {
  return (await RENDERERS[kind]())(record)
}
