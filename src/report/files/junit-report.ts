// `--report junit`: what CI systems read, one test case an item. Whatever stands in a message, the file is XML.
// Knows nothing of the CI systems' differences: attributes that some refuse are left out.
import junit, { type Builder } from 'junit-report-builder'
import type { AttemptRecord, RunRecord } from './run-record.js'

/** Of more, those that went well are counted in one case of their own: CI systems show every case they are given. */
const MOST_CASES = 10_000

export function renderJunit(record: RunRecord): string {
  const { command, job, attempts, failures, verdict } = record
  // What its types call the default export is the module itself.
  const builder = (junit as unknown as Builder).newBuilder()
  const suite = builder
    .testSuite()
    .name(xml(`poolrun ${command} ${job}`))
    .timestamp(new Date(record.startedAt))
    .time(seconds(record.endedAt - record.startedAt))
    .property('verdict', xml(verdict))
    .property('exitCode', String(record.exitCode))
  const failed = new Map(failures.map((failure) => [failure.index, failure]))
  const last = attempts.filter(({ status }) => status !== 'retried')
  const shown = last.length > MOST_CASES ? last.filter(({ status }) => status !== 'ok') : last
  for (const attempt of [...shown].sort((a, b) => a.index - b.index)) {
    const item = suite.testCase().className(xml(job)).name(`item ${attempt.index}`).time(seconds(attempt.ms))
    if (attempt.status === 'flaky') item.standardOutput(`flaky: succeeded at attempt ${attempt.attempt}`)
    if (attempt.status !== 'failed') continue
    const failure = failed.get(attempt.index)
    const message = xml(failure === undefined ? 'failed' : `${failure.name}: ${failure.message}`)
    const lost = ['crash', 'oom', 'timeout'].includes(failure?.kind ?? '')
    if (lost) item.error(message, failure?.kind, cdata(failure?.text ?? ''))
    else item.failure(message, failure?.kind ?? 'error').stacktrace(cdata(failure?.text ?? ''))
    if (failure?.place !== undefined) item.file(xml(failure.place.file))
  }
  const more = last.length - shown.length + record.attemptsLeftOut
  if (more > 0)
    suite
      .testCase()
      .className(xml(job))
      .name(`${more} more items`)
      .time(seconds(timeOf(last)))
  if (record.summary === undefined) suite.testCase().className(xml(job)).name('run').error(xml(verdict))
  return builder.build()
}

function timeOf(attempts: readonly AttemptRecord[]): number {
  return attempts.reduce((sum, { ms, status }) => (status === 'ok' ? sum + ms : sum), 0)
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000
}

/** The builder takes the first end mark in a text apart, and no other. */
function cdata(text: string): string {
  return xml(text).replaceAll(']]>', ']] >')
}

/** XML 1.0 has no form at all for control characters, lone surrogates and two noncharacters. */
function xml(text: string): string {
  return text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
}
