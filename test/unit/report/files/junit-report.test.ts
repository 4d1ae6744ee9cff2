// The JUnit report stays well-formed XML, and keeps the rules of junit-10.xsd, the schema of Jenkins.

import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import { FAILURE_KINDS } from '../../../../src/defaults.js'
import { renderJunit } from '../../../../src/report/files/junit-report.js'
import {
  ATTEMPT_STATUSES,
  type FailureRecord,
  type RunRecord,
} from '../../../../src/report/files/run-record.js'
import { NO_NAMED_ITEMS, summarize } from '../../../../src/summary.js'
import fc from '../../../helpers/fast-check.js'
import { attemptAt, EMPTY_RECORD } from './records.js'

const LOCATION = { file: '/project/job.ts', line: 1, column: 2 }

describe('JUnit', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 40 })
  const nasty = fc.oneof(
    anything,
    fc.constantFrom(
      ']]>]]>',
      ']]>',
      ']]]]>>',
      '<!--',
      '&#0;',
      '\ud800',
      '\udfff\ud800',
      '\0\b\u{1b}[31m',
      '\ufffe\uffff',
      '"\'<&>',
    ),
  )

  it('is well-formed XML, whatever names, messages, texts and paths contain', () => {
    const failure = fc.record({ name: nasty, message: nasty, text: nasty, item: nasty, file: nasty })
    fc.assert(
      fc.property(nasty, nasty, fc.array(failure, { maxLength: 4 }), (job, summaryLine, list) => {
        const failures: FailureRecord[] = list.map(({ file, ...texts }, index) => {
          const kind = index % 2 === 0 ? 'error' : 'crash'
          return { index, kind, attempts: 1, group: 'g', location: { file, line: 1, column: 1 }, ...texts }
        })
        const attempts = list.map((_, index) => attemptAt(index, 1_000, 1, 'failed'))
        const text = renderJunit({ ...EMPTY_RECORD, job, summaryLine, failures, attempts })
        const seen: string[] = []
        const parser = new SaxesParser()
        parser.on('error', (error) => {
          throw error
        })
        parser.on('opentag', ({ name }) => seen.push(name))
        parser.write(text).close()
        expect(seen.filter((name) => name === 'testcase')).toHaveLength(list.length + 1)
      }),
    )
  })
})

/** The rules of junit-10.xsd: the attributes and the children that an element may have, and what it must have. */
const SCHEMA: Readonly<
  Record<string, { attributes: string; required?: string; children?: string; text?: true }>
> = {
  testsuites: { attributes: 'name time tests failures errors', children: 'testsuite' },
  testsuite: {
    attributes: 'name tests failures errors group time skipped timestamp hostname id package file log url',
    required: 'name tests failures errors',
    children: 'testsuite properties testcase system-out system-err',
  },
  properties: { attributes: '', children: 'property' },
  property: { attributes: 'name value', required: 'name value' },
  testcase: {
    attributes: 'name time classname group',
    required: 'name',
    children: 'skipped error failure system-out system-err',
  },
  failure: { attributes: 'type message', text: true },
  error: { attributes: 'type message', text: true },
  skipped: { attributes: 'type message', text: true },
  'system-out': { attributes: '', text: true },
  'system-err': { attributes: '', text: true },
}
const SUREFIRE_TIME = /^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?$/

/** What breaks the rules, as text. */
function violations(xml: string): string[] {
  const found: string[] = []
  const open: string[] = []
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    const rules = SCHEMA[name]
    const parent = open.at(-1)
    open.push(name)
    if (rules === undefined) return void found.push(`<${name}>`)
    if (parent === undefined ? name !== 'testsuites' : !SCHEMA[parent]?.children?.split(' ').includes(name))
      found.push(`<${name}> in <${parent}>`)
    for (const key of Object.keys(attributes))
      if (!rules.attributes.split(' ').includes(key)) found.push(`${key} of <${name}>`)
    for (const key of rules.required?.split(' ') ?? [])
      if (attributes[key] === undefined) found.push(`<${name}> without ${key}`)
    if (attributes.time !== undefined && !SUREFIRE_TIME.test(String(attributes.time)))
      found.push(`time ${attributes.time}`)
  })
  parser.on('text', (text) => {
    if (text.trim() !== '' && SCHEMA[open.at(-1)!]?.text !== true) found.push(`text in <${open.at(-1)}>`)
  })
  parser.on('closetag', () => void open.pop())
  parser.write(xml).close()
  return found
}

describe('JUnit for Jenkins', () => {
  const attempts = [
    ...ATTEMPT_STATUSES.map((status, index) => attemptAt(index, 1_000, 1_234_567.8, status)),
    // The clock was set back.
    attemptAt(7, 2_000, -5),
    attemptAt(8, 2_000, 0.000_04),
  ]
  const failures: FailureRecord[] = FAILURE_KINDS.map((kind, i) => {
    const text = { name: 'Error', message: 'no\n"such" <item>', text: 'block', item: 'x' }
    return { index: 10 + i, kind, attempts: 1, group: 'g', location: LOCATION, ...text }
  })
  const failed = failures.map(({ index }) => attemptAt(index, 1_000, 5, 'failed'))

  it.each<[title: string, record: Partial<RunRecord>]>([
    ['items of every status and kind', { attempts: [...attempts, ...failed], failures }],
    ['a run that did not begin', {}],
    ['a run that ended before it began, by its clock', { startedAt: 2_000, endedAt: 1_000 }],
    ['a run of weeks', { endedAt: 4_000_000_000 }],
    ['more items than are listed', { attemptsLeftOut: 3 }],
  ])('has only what its schema allows: %s', (_title, record) => {
    expect(violations(renderJunit({ ...EMPTY_RECORD, ...record }))).toEqual([])
  })

  it('counts cancelled items as skipped, and says what that means', () => {
    const xml = renderJunit({ ...EMPTY_RECORD, attempts: [attemptAt(4, 1_000, 5, 'cancelled')] })
    expect(xml).toMatch(/<testsuite [^>]*failures="0" errors="1" skipped="1"/)
    expect(xml).toContain('<skipped message="cancelled while running: its side effects may have happened"/>')
  })

  it.each([
    ['one that did not begin', undefined, 1],
    ['one that was stopped', { ok: 1, reason: 'stopped' }, 1],
    ['one that reached its end', { ok: 1, reason: undefined }, 0],
  ])('has an error for a run that ended early, although no item failed: %s', (_title, changes, errors) => {
    const summary = changes && {
      ...summarize({ ok: 0, failed: 0 }, NO_NAMED_ITEMS, { accepted: 1 }),
      ...changes,
    }
    const record = {
      ...EMPTY_RECORD,
      summary,
      summaryLine: 'poolrun collect: stopped: 1 ok',
      attempts: [attemptAt(0, 0, 1)],
    }
    const xml = renderJunit(record)
    expect(xml).toContain(`failures="0" errors="${errors}"`)
    expect(xml.includes('<error message="poolrun collect: stopped: 1 ok"/>')).toBe(errors === 1)
  })

  it('names a case by the index and the text of its item', () => {
    const attempts = [{ ...attemptAt(16, 1_000, 5), item: 'photos/52.jpg' }, attemptAt(17, 1_000, 5)]
    const names = [...renderJunit({ ...EMPTY_RECORD, attempts }).matchAll(/<testcase [^>]*name="([^"]*)"/g)]
    expect(names.map(([, name]) => name).slice(0, 2)).toEqual(['item 16: photos/52.jpg', 'item 17'])
  })

  it.each([
    ['/project/jobs/a.ts', 'jobs/a.ts'],
    ['/project/jobs/a.ts#resize', 'jobs/a.ts#resize'],
    ['/elsewhere/a.ts', '/elsewhere/a.ts'],
    ['../jobs/a.ts', '../jobs/a.ts'],
  ])('names the job %s relative to the working directory', (job, expected) => {
    const xml = renderJunit({ ...EMPTY_RECORD, job })
    expect(xml).toContain(`<testsuite name="poolrun collect ${expected}"`)
    expect(xml).toContain(`classname="${expected}"`)
  })

  it('keeps the lines of a message', () => {
    const xml = renderJunit({ ...EMPTY_RECORD, attempts: failed, failures })
    expect(xml).toContain('message="Error: no&#10;&quot;such&quot; &lt;item&gt;"')
  })
})
