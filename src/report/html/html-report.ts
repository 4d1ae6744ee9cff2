// `--report html`: one file that needs nothing else, neither network nor server. What a job had a hand in travels as
// JSON and becomes text nodes only; the page's policy lets no script run but its own.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { AttemptRecord, Instant, RunRecord } from '../files/run-record.js'

/** Beside this file in the sources, beside the bundle once built. */
const page = (name: string) => readFileSync(path.join(import.meta.dirname, name), 'utf8')

export function renderHtml(record: RunRecord): string {
  const style = page('page.css')
  const script = page('page.js')
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>poolrun report</title>
<style>${style}</style>
</head>
<body>
<noscript>This report is drawn by its own script, which this browser does not run.</noscript>
<main id="report"></main>
<script type="application/json" id="data">${embedded(pageData(record))}</script>
<script>${script}</script>
</body>
</html>
`
}

/** As compact as it gets: a column for each number, times from the beginning of the run on. */
function pageData({ attempts, workers, summary, startedAt, endedAt, ...record }: RunRecord): object {
  const sorted = [...attempts].sort((a, b) => a.startedAt - b.startedAt)
  const since = (at: Instant) => hundredths(at - startedAt)
  const column = (value: (attempt: AttemptRecord) => number) => sorted.map(value)
  return {
    ...record,
    startedAt,
    tookMs: hundredths(endedAt - startedAt),
    counts: summary && {
      ok: summary.ok,
      failed: summary.failed,
      flaky: summary.flaky,
      notRun: summary.notRun,
    },
    workers: workers.map((worker) => ({
      ...worker,
      startedAt: since(worker.startedAt),
      readyAt: worker.readyAt === undefined ? null : since(worker.readyAt),
      endedAt: worker.endedAt === undefined ? null : since(worker.endedAt),
    })),
    attempts: {
      index: column(({ index }) => index),
      attempt: column(({ attempt }) => attempt),
      worker: column(({ workerId }) => workerId),
      start: column((attempt) => since(attempt.startedAt)),
      ms: column(({ ms }) => hundredths(ms)),
      status: column(({ status }) => STATUSES.indexOf(status)),
    },
  }
}

/** page.js has the same list. */
const STATUSES: readonly AttemptRecord['status'][] = ['ok', 'flaky', 'retried', 'failed']

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100
}

/** No `<` at all: neither an end tag nor a comment can begin in it. */
function embedded(data: object): string {
  return JSON.stringify(data)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
