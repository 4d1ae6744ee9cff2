// From the events of a run to its summary line and exit code, as one table.
import { describe, expect, it } from 'vitest'
import { EXIT, type ExitCode } from '../../src/errors/exit-codes.js'
import type { RunEvent } from '../../src/model.js'
import type { RunPlan } from '../../src/plan.js'
import { summaryLine } from '../../src/report/summary-line.js'
import { type Ending, exitCodeFor } from '../../src/summary.js'
import { flakySettled, itemFailed, itemsCancelled, itemsSettled, summaryOf } from './report/events.js'

type Plan = Pick<RunPlan, 'command' | 'allowFailures' | 'maxFailures'>

function plan(command: RunPlan['command'], rest: Partial<Plan> = {}): Plan {
  return { command, allowFailures: { count: 0 }, maxFailures: undefined, ...rest }
}

function hundredFailures(): RunEvent[] {
  return [
    itemsSettled(
      0,
      200,
      Array.from({ length: 100 }, (_, i) => i * 2),
    ),
  ]
}

interface Case {
  title: string
  plan: Plan
  events: RunEvent[]
  ending: Ending
  errorCodes?: ExitCode[]
  line: string
  code: ExitCode
}

const cases: Case[] = [
  {
    title: 'a map in which every item succeeded',
    plan: plan('map'),
    events: [itemsSettled(0, 3), itemsSettled(3, 2)],
    ending: { accepted: 5 },
    line: 'poolrun map: 5 ok',
    code: 0,
  },
  {
    title: 'empty input',
    plan: plan('collect'),
    events: [],
    ending: { accepted: 0 },
    line: 'poolrun collect: 0 ok',
    code: 0,
  },
  {
    title: 'a fail-fast stop',
    plan: plan('map'),
    events: [itemsSettled(0, 2), itemsSettled(2, 1, [2]), itemFailed(2, 'stop'), itemsSettled(3, 1)],
    ending: { accepted: 5 },
    line: 'poolrun map: item 2 failed, stopped (fail-fast): 3 ok, 1 failed, 1 not run',
    code: 1,
  },
  {
    title: 'a fail-fast stop while an item ran',
    plan: plan('map'),
    events: [itemsSettled(0, 4, [2]), itemFailed(2, 'stop'), itemsCancelled(4, 1)],
    ending: { accepted: 5 },
    line: 'poolrun map: item 2 failed, stopped (fail-fast): 3 ok, 1 failed, 1 cancelled while running (item 4)',
    code: 1,
  },
  {
    title: 'a run in which items were cancelled out of order',
    plan: plan('imap'),
    events: [itemsSettled(0, 3, [1]), itemsCancelled(9, 1), itemsCancelled(4, 1), itemsCancelled(7, 1)],
    ending: { accepted: 97, reason: 'interrupted by SIGINT' },
    line: 'poolrun imap: interrupted by SIGINT: 2 ok, 1 failed, 3 cancelled while running (items 4, 7, 9), 91 not run',
    code: 0,
  },
  {
    title: 'a run in which more items were cancelled than are named',
    plan: plan('collect'),
    events: [itemsCancelled(20, 5000), itemsCancelled(3, 1)],
    ending: { accepted: 6000, reason: 'the deadline of 2 s was reached' },
    errorCodes: [EXIT.deadline],
    line: 'poolrun collect: the deadline of 2 s was reached: 0 ok, 5,001 cancelled while running (items 3, 20, 21, 22, 23, 24, 25, 26, 27, 28, … and 4,991 more), 999 not run',
    code: 124,
  },
  {
    title: 'a run of ten seconds or more',
    plan: plan('collect'),
    events: [itemsSettled(0, 10_000, [3, 77])],
    ending: { accepted: 10_000, tookMs: 41_100 },
    line: 'poolrun collect: 9,998 ok, 2 failed (items 3, 77) in 41 s (243/s)',
    code: 3,
  },
  {
    title: 'a run of slightly less than ten seconds',
    plan: plan('map'),
    events: [itemsSettled(0, 5)],
    ending: { accepted: 5, tookMs: 9_999 },
    line: 'poolrun map: 5 ok',
    code: 0,
  },
  {
    title: 'a long run of slow items',
    plan: plan('imap'),
    events: [itemsSettled(0, 100)],
    ending: { accepted: 100, tookMs: 11_520_000 },
    line: 'poolrun imap: 100 ok in 3 h 12 min (31/h)',
    code: 0,
  },
  {
    title: 'a long run of quick items',
    plan: plan('imap'),
    events: [itemsSettled(0, 1_234_567)],
    ending: { accepted: 1_234_567, tookMs: 120_000 },
    line: 'poolrun imap: 1,234,567 ok in 2 min (10,288/s)',
    code: 0,
  },
  {
    title: 'a long run in which nothing settled',
    plan: plan('map'),
    events: [itemsCancelled(0, 1)],
    ending: { accepted: 2, tookMs: 125_000, reason: 'interrupted by SIGINT' },
    line: 'poolrun map: interrupted by SIGINT: 0 ok, 1 cancelled while running (item 0), 1 not run in 2 min 5 s',
    code: 0,
  },
  {
    title: 'a fail-fast stop at the last item',
    plan: plan('starmap'),
    events: [itemsSettled(0, 2, [1]), itemFailed(1, 'stop')],
    ending: { accepted: 2 },
    line: 'poolrun starmap: item 1 failed, stopped (fail-fast): 1 ok, 1 failed',
    code: 1,
  },
  {
    title: 'a second failure after the one that stopped the run',
    plan: plan('map'),
    events: [itemsSettled(4, 1, [4]), itemFailed(4, 'stop'), itemsSettled(0, 1, [0]), itemFailed(0, 'stop')],
    ending: { accepted: 9 },
    line: 'poolrun map: item 4 failed, stopped (fail-fast): 0 ok, 2 failed, 7 not run',
    code: 1,
  },
  {
    title: 'an imap that reached a failure',
    plan: plan('imap'),
    events: [itemsSettled(0, 3, [2]), itemFailed(2, 'raise')],
    ending: { accepted: 5 },
    line: 'poolrun imap: item 2 failed, stopped: 2 ok, 1 failed, 2 not run',
    code: 1,
  },
  {
    title: 'an imap that left its input unread',
    plan: plan('imap'),
    events: [itemsSettled(0, 3, [2]), itemFailed(2, 'raise')],
    ending: { accepted: 5, unread: true },
    line: 'poolrun imap: item 2 failed, stopped: 2 ok, 1 failed, 2 not run, the rest of the input was not read',
    code: 1,
  },
  {
    title: 'an imap whose reader left before the failure',
    plan: plan('imap'),
    events: [itemsSettled(0, 3, [2])],
    ending: { accepted: 5, reason: 'the reader of stdout went away' },
    errorCodes: [EXIT.brokenPipe],
    line: 'poolrun imap: the reader of stdout went away: 2 ok, 1 failed, 2 not run',
    code: 141,
  },
  {
    title: 'a collect with one failure',
    plan: plan('collect'),
    events: [itemsSettled(0, 5, [2]), itemFailed(2, 'skip')],
    ending: { accepted: 5 },
    line: 'poolrun collect: 4 ok, 1 failed (item 2)',
    code: 3,
  },
  {
    title: 'a collect with several failures that settled out of order',
    plan: plan('collect'),
    events: [itemsSettled(8, 2, [9]), itemsSettled(0, 4, [2]), itemsSettled(4, 4, [5])],
    ending: { accepted: 10 },
    line: 'poolrun collect: 7 ok, 3 failed (items 2, 5, 9)',
    code: 3,
  },
  {
    title: 'a collect with a hundred failures',
    plan: plan('collect'),
    events: hundredFailures(),
    ending: { accepted: 200 },
    line: 'poolrun collect: 100 ok, 100 failed (items 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, … and 90 more)',
    code: 3,
  },
  {
    title: 'a collect stopped by --max-failures',
    plan: plan('collect', { maxFailures: { count: 2 } }),
    events: [itemsSettled(0, 4, [1, 3]), itemFailed(1, 'skip'), itemFailed(3, 'stop')],
    ending: { accepted: 6, unread: true },
    line: 'poolrun collect: 2 items failed, stopped (--max-failures 2): 2 ok, 2 failed (items 1, 3), 2 not run, the rest of the input was not read',
    code: 3,
  },
  {
    title: 'a collect in which an item succeeded at its second attempt',
    plan: plan('collect'),
    events: [itemsSettled(0, 3), flakySettled(3), itemsSettled(4, 2)],
    ending: { accepted: 6 },
    line: 'poolrun collect: 6 ok (1 flaky: item 3)',
    code: 0,
  },
  {
    title: 'a map that stopped after flaky items, which settled out of order',
    plan: plan('map'),
    events: [flakySettled(3), flakySettled(1), itemsSettled(0, 1, [0]), itemFailed(0, 'stop')],
    ending: { accepted: 5 },
    line: 'poolrun map: item 0 failed, stopped (fail-fast): 2 ok (2 flaky: items 1, 3), 1 failed, 2 not run',
    code: 1,
  },
  {
    title: 'a collect with more flaky items than are named',
    plan: plan('collect'),
    events: Array.from({ length: 12 }, (_, i) => flakySettled(11 - i)),
    ending: { accepted: 12 },
    line: 'poolrun collect: 12 ok (12 flaky: items 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … and 2 more)',
    code: 0,
  },
  {
    title: 'a run that a signal ended',
    plan: plan('collect'),
    events: [itemsSettled(0, 4, [1]), itemFailed(1, 'skip')],
    ending: { accepted: 6, reason: 'interrupted by SIGINT' },
    line: 'poolrun collect: interrupted by SIGINT: 3 ok, 1 failed (item 1), 2 not run',
    code: 3,
  },
]

describe('the summary', () => {
  for (const { title, plan, events, ending, errorCodes, line, code } of cases) {
    it(`of ${title}`, () => {
      const summary = summaryOf(events, ending)
      expect(summaryLine(plan, summary)).toBe(line)
      expect(exitCodeFor(plan, summary, errorCodes)).toBe(code)
    })
  }

  it('keeps only the ten lowest failed indexes, however many fail', () => {
    const events = Array.from({ length: 500 }, (_, i) => itemsSettled(499 - i, 1, [499 - i]))
    const summary = summaryOf(events, { accepted: 500 })
    expect(summary.failed).toBe(500)
    expect(summary.failedIndexes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})

describe('the exit code', () => {
  const four = summaryOf([itemsSettled(0, 100, [1, 2, 3, 4])], { accepted: 100 })

  const limits: [RunPlan['allowFailures'], ExitCode][] = [
    ['any', 0],
    [{ count: 4 }, 0],
    [{ count: 3 }, 3],
    [{ percent: 4 }, 0],
    [{ percent: 3.9 }, 3],
    [{ percent: 0 }, 3],
  ]
  for (const [allowFailures, code] of limits) {
    it(`of a collect in which 4 of 100 failed and ${JSON.stringify(allowFailures)} may is ${code}`, () => {
      expect(exitCodeFor(plan('collect', { allowFailures }), four)).toBe(code)
    })
  }

  const ranked: [ExitCode[], ExitCode][] = [
    [[EXIT.trouble, EXIT.input], EXIT.input],
    [[EXIT.deadline, EXIT.brokenPipe], EXIT.deadline],
    [[EXIT.brokenPipe], EXIT.someFailed],
    [[EXIT.itemFailed], EXIT.itemFailed],
    [[EXIT.initializer, EXIT.trouble], EXIT.initializer],
  ]
  for (const [errorCodes, code] of ranked) {
    it(`of a collect with failures and errors of code ${errorCodes.join(', ')} is ${code}`, () => {
      expect(exitCodeFor(plan('collect'), four, errorCodes)).toBe(code)
    })
  }

  it('of a collect with --allow-failures forgives failures, not errors of the run', () => {
    expect(exitCodeFor(plan('collect', { allowFailures: 'any' }), four, [EXIT.input])).toBe(EXIT.input)
  })
})
