// The collapsible section in GitLab's job log.
import { expect, it } from 'vitest'
import type { FailedItem } from '../../../../src/report/ci/ci-report.js'
import { createGitlabReport } from '../../../../src/report/ci/gitlab.js'

const ENDING = { summaryLine: 'poolrun map: 0 ok', title: 'poolrun map job.ts' }

function setUp() {
  let text = ''
  let now = 1_700_000_000_999
  const write = (more: string) => {
    text += more.replaceAll('\x1b', '<esc>')
  }
  const report = createGitlabReport({ write, env: {}, cwd: '/', now: () => now })
  const neverDescribed = (): FailedItem => {
    throw new Error('not needed')
  }
  return {
    report,
    fail: () => report.failed(neverDescribed),
    pass: (ms: number) => {
      now += ms
    },
    text: () => text,
  }
}

it('opens the section before the first failure and closes it at the end', () => {
  const { report, fail, pass, text } = setUp()
  report.begin()
  expect(text()).toBe('')
  fail()
  fail()
  const [, name] =
    /^<esc>\[0Ksection_start:1700000000:(poolrun_failures_[0-9a-f]{16})\r<esc>\[0K[^\n]+\n$/.exec(text())!
  pass(5000)
  expect(report.end(ENDING)).toBeUndefined()
  expect(text().split('\n').slice(1)).toEqual([`<esc>[0Ksection_end:1700000005:${name}\r<esc>[0K`, ''])
})

it('writes nothing for a run without failures', () => {
  const { report, text } = setUp()
  report.begin()
  report.end(ENDING)
  expect(text()).toBe('')
})

it('names each run’s section differently, so that a job cannot close it', () => {
  const [first, second] = [setUp(), setUp()]
  first.fail()
  second.fail()
  expect(first.text()).not.toBe(second.text())
})
