// `--report junit`: one test case per item, for CI systems. The file is well-formed XML whatever a message contains,
// and has only attributes that all CI systems accept.
import junit, { type Builder } from 'junit-report-builder'
import type { AttemptRecord, RunRecord } from './run-record.js'

/** If there are more items, those that succeeded are summed up in a single case: CI systems show every case. */
const MAX_CASES = 10_000

export function renderJunit(record: RunRecord): string {
  const { command, job, attempts, failures, summaryLine } = record
  // According to its types, the module has a default export; in fact it is one.
  const builder = (junit as unknown as Builder).newBuilder()
  const suite = builder
    .testSuite()
    .name(xml(`poolrun ${command} ${job}`))
    .timestamp(new Date(record.startedAt))
    .time(seconds(record.endedAt - record.startedAt))
    .property('verdict', xml(summaryLine))
    .property('exitCode', String(record.exitCode))
  const failureOf = new Map(failures.map((failure) => [failure.index, failure]))
  const last = attempts.filter(({ status }) => status !== 'retried')
  const shown = last.length > MAX_CASES ? last.filter(({ status }) => status !== 'ok') : last
  for (const attempt of [...shown].sort((a, b) => a.index - b.index)) {
    const item = suite.testCase().className(xml(job)).name(`item ${attempt.index}`).time(seconds(attempt.ms))
    if (attempt.status === 'flaky') item.standardOutput(`flaky: succeeded at attempt ${attempt.attempt}`)
    if (attempt.status !== 'failed') continue
    const failure = failureOf.get(attempt.index)
    const message = xml(failure === undefined ? 'failed' : `${failure.name}: ${failure.message}`)
    const workerEnded = ['crash', 'oom', 'timeout'].includes(failure?.kind ?? '')
    if (workerEnded) item.error(message, failure?.kind, cdata(failure?.text ?? ''))
    else item.failure(message, failure?.kind ?? 'error').stacktrace(cdata(failure?.text ?? ''))
    if (failure?.location !== undefined) item.file(xml(failure.location.file))
  }
  const more = last.length - shown.length + record.attemptsLeftOut
  if (more > 0)
    suite
      .testCase()
      .className(xml(job))
      .name(`${more} more items`)
      .time(seconds(totalMs(last)))
  if (record.summary === undefined) suite.testCase().className(xml(job)).name('run').error(xml(summaryLine))
  return builder.build()
}

function totalMs(attempts: readonly AttemptRecord[]): number {
  return attempts.reduce((sum, { ms, status }) => (status === 'ok' ? sum + ms : sum), 0)
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000
}

/** The builder escapes only the first `]]>` of a text. */
function cdata(text: string): string {
  return xml(text).replaceAll(']]>', ']] >')
}

/** XML 1.0 cannot represent control characters, lone surrogates and two noncharacters, not even escaped. */
function xml(text: string): string {
  return text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
}
