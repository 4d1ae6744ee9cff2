// `--report junit`: one test case per item, for CI systems. The file is well-formed XML whatever a message contains, and
// valid by the schema of Jenkins, junit-10.xsd, which is stricter than what other CI systems read.
import { isAbsolute } from 'node:path'
import { plural } from '../../errors/messages.js'
import { NAMED_INDEXES } from '../../summary.js'
import { groupFailures } from '../failure-groups.js'
import { itemTitle } from '../item-text.js'
import { placeText, relativePath } from '../source-location.js'
import { itemList } from '../summary-line.js'
import type { AttemptRecord, FailureRecord, RunRecord } from './run-record.js'

/** If there are more items, those that succeeded are summed up in a single case: CI systems show every case. */
const MAX_CASES = 10_000
/** Of a place where items failed. */
const MAX_MESSAGES = 20

interface TestCase {
  readonly name: string
  readonly time?: string
  readonly result?: XmlElement
}

interface XmlElement {
  readonly name: string
  readonly attributes?: Readonly<Record<string, string | number | undefined>>
  readonly children?: readonly XmlElement[] | string
}

export function renderJunit(record: RunRecord): string {
  const { command, summaryLine, startedAt, endedAt, exitCode } = record
  const job = isAbsolute(record.job) ? relativePath(record.job, [record.cwd]) : record.job
  const cases = testCases(record)
  const count = (name: string) => cases.filter(({ result }) => result?.name === name).length
  const counts = { tests: cases.length, failures: count('failure'), errors: count('error') }
  const suite: XmlElement = {
    name: 'testsuite',
    attributes: {
      name: `poolrun ${command} ${job}`,
      ...counts,
      skipped: count('skipped'),
      time: seconds(endedAt - startedAt),
      timestamp: new Date(startedAt).toISOString().slice(0, 19),
    },
    children: [
      { name: 'properties', children: [property('verdict', summaryLine), property('exitCode', exitCode)] },
      ...cases.map(({ name, time, result }) => ({
        name: 'testcase',
        attributes: { classname: job, name, time },
        children: result === undefined ? [] : [result],
      })),
      ...groupsOf(record),
    ],
  }
  const root = { name: 'testsuites', attributes: counts, children: [suite] }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${lines(root, '')}`
}

/** The failures by place: CI systems list the cases one by one. */
function groupsOf({ failures, cwd }: RunRecord): XmlElement[] {
  if (failures.length === 0) return []
  const text = groupFailures(failures).map((group) => {
    const { location } = group.failures[0]!
    const where = location === undefined ? '' : ` at ${placeText(location, cwd)}`
    const messages = group.messages.slice(0, MAX_MESSAGES).map(({ title, failures }) => {
      const indexes = failures.slice(0, NAMED_INDEXES).map(({ index }) => index)
      return `  ${title}: ${itemList(indexes, failures.length)}\n`
    })
    const more = group.messages.length - messages.length
    if (more > 0) messages.push(`  … and ${more} more messages\n`)
    return `${plural(group.failures.length, 'failure')}${where}\n${messages.join('')}`
  })
  return [{ name: 'system-out', children: text.join('') }]
}

function testCases({ attempts, attemptsLeftOut, failures, summary, summaryLine }: RunRecord): TestCase[] {
  const failureOf = new Map(failures.map((failure) => [failure.index, failure]))
  const last = attempts.filter(({ status }) => status !== 'retried')
  const shown = last.length > MAX_CASES ? last.filter(({ status }) => status !== 'ok') : last
  const cases: TestCase[] = [...shown]
    .sort((a, b) => a.index - b.index)
    .map((attempt) => ({
      name: itemTitle(attempt.index, attempt.item),
      time: seconds(attempt.ms),
      ...resultOf(attempt, failureOf.get(attempt.index)),
    }))
  const more = last.length - shown.length + attemptsLeftOut
  if (more > 0) cases.push({ name: `${more} more items`, time: seconds(totalMs(last)) })
  // Something other than an item ended the run. CI systems judge by the cases, all of which may have passed.
  if (summary === undefined || summary.reason !== undefined)
    cases.push({ name: 'run', result: { name: 'error', attributes: { message: summaryLine } } })
  return cases
}

function resultOf(
  { status, attempt }: AttemptRecord,
  failure: FailureRecord | undefined,
): Pick<TestCase, 'result'> {
  switch (status) {
    case 'ok':
    case 'retried':
      return {}
    case 'flaky':
      return { result: { name: 'system-out', children: `flaky: succeeded at attempt ${attempt}` } }
    case 'cancelled': {
      const message = 'cancelled while running: its side effects may have happened'
      return { result: { name: 'skipped', attributes: { message } } }
    }
    case 'failed': {
      const { kind = 'error', text = '' } = failure ?? {}
      const message = failure === undefined ? 'failed' : `${failure.name}: ${failure.message}`
      const name = ['crash', 'oom', 'timeout'].includes(kind) ? 'error' : 'failure'
      return { result: { name, attributes: { message, type: kind }, children: text } }
    }
    default:
      return status satisfies never
  }
}

function totalMs(attempts: readonly AttemptRecord[]): number {
  return attempts.reduce((sum, { ms, status }) => (status === 'ok' ? sum + ms : sum), 0)
}

/** Never negative: the system's clock may have been set back during the run. */
function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(3)
}

function property(name: string, value: string | number): XmlElement {
  return { name: 'property', attributes: { name, value } }
}

// ── XML ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Elements with text stay on one line: white space would become part of the text. */
function lines({ name, attributes = {}, children = [] }: XmlElement, indent: string): string {
  let start = `${indent}<${name}`
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined)
      start += ` ${key}="${escaped(String(value)).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`
  if (children.length === 0) return `${start}/>\n`
  if (typeof children === 'string') return `${start}>${escaped(children)}</${name}>\n`
  return `${start}>\n${children.map((child) => lines(child, `${indent}  `)).join('')}${indent}</${name}>\n`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
}

/** XML 1.0 cannot represent control characters, lone surrogates and two noncharacters, not even escaped. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"\r]/g, (character) => ENTITIES[character]!)
}
