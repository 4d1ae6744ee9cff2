// The JUnit report stays well-formed XML.

import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import { renderJunit } from '../../../../src/report/files/junit-report.js'
import type { FailureRecord } from '../../../../src/report/files/run-record.js'
import fc from '../../../helpers/fast-check.js'
import { attemptAt, EMPTY_RECORD } from './records.js'

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
