// What the console writes for which events. The renderers are fakes: this is about what is around their blocks.
import { describe, expect, it } from 'vitest'
import { itemIndexAt, type RunEvent } from '../../../../src/model.js'
import { chooseCharset } from '../../../../src/report/charset.js'
import { ConsoleReporter, type ConsoleReporterOptions } from '../../../../src/report/console/console.js'
import type { Ending } from '../../../../src/summary.js'
import { flakySettled, itemFailed, itemsSettled, printed, settled, summaryOf } from '../events.js'

type Plan = ConsoleReporterOptions['plan']

function report(
  events: RunEvent[],
  ending: Ending,
  plan: Partial<Plan> = {},
  charset: ConsoleReporterOptions['charset'] = undefined,
): string {
  let text = ''
  const reporter = new ConsoleReporter({
    plan: {
      command: 'collect',
      verbosity: 'normal',
      jobOutput: undefined,
      tag: false,
      maxFailures: undefined,
      ...plan,
    },
    renderers: {
      failure: ({ settled, failure }) =>
        `Error: block ${itemIndexAt(settled.chunk, failure.offset)}\n    at frame`,
      headline: ({ failure: { failure } }) =>
        failure.kind === 'error' && failure.error.type === 'error' ? failure.error.message : failure.kind,
      place: ({ kind }) => (kind === 'error' ? 'job.ts:6' : undefined),
      flaky: (_, attempts) => `attempt 1 of ${attempts.length + 1} failed:\nError: earlier`,
      line: (line) => line.replaceAll('\u001b', '^['),
      lines: (lines) => lines.replaceAll('\u001b', '^['),
    },
    write: (more) => {
      expect(more.endsWith('\n')).toBe(true)
      text += more
    },
    charset,
  })
  for (const event of events) reporter.handle(event)
  reporter.finish(summaryOf(events, ending))
  return text
}

describe('ConsoleReporter', () => {
  it('writes the failure and then the summary line of a fail-fast stop', () => {
    const events = [itemsSettled(0, 3, [2]), itemFailed(2, 'stop')]
    expect(report(events, { accepted: 4 }, { command: 'map' })).toBe(
      'Error: block 2\n    at frame\n' +
        'poolrun map: item 2 failed, stopped (fail-fast): 2 ok, 1 failed, 1 not run\n',
    )
  })

  it('separates skipped failures by a blank line', () => {
    const events = [itemsSettled(0, 4, [1, 3]), itemFailed(1, 'skip'), itemFailed(3, 'skip', 'other')]
    expect(report(events, { accepted: 4 })).toMatchInlineSnapshot(`
      "Error: block 1
          at frame
      collect: item 1 failed, skipped

      Error: block 3
          at frame
      collect: item 3 failed, skipped
      poolrun collect: 2 ok, 2 failed (items 1, 3)
      "
    `)
  })

  it('writes a line per item with -v', () => {
    const events = [itemsSettled(0, 2, [1]), itemFailed(1, 'skip'), itemsSettled(2, 1)]
    expect(report(events, { accepted: 3 }, { verbosity: 'verbose' })).toMatchInlineSnapshot(`
      "collect: item 0 ok (worker 1)
      Error: block 1
          at frame
      collect: item 1 failed, skipped
      collect: item 2 ok (worker 1)
      poolrun collect: 2 ok, 1 failed (item 1)
      "
    `)
    const stop = [itemsSettled(0, 2, [1]), itemFailed(1, 'stop')]
    expect(report(stop, { accepted: 2 }, { verbosity: 'verbose', command: 'map' })).toContain(
      'map: item 0 ok (worker 1)\nmap: item 1 failed (worker 1)\nError: block 1\n',
    )
  })

  it('writes with -v how long an item took, if that is known', () => {
    const timings = { startedAt: Float64Array.of(0, 1), ms: Float64Array.of(0.42, 2100) }
    const events: RunEvent[] = [{ type: 'items-settled', settled: { ...settled(5, 2), timings } }]
    expect(report(events, { accepted: 2 }, { verbosity: 'verbose', command: 'map' })).toContain(
      'map: item 5 ok (0.4 ms, worker 1)\nmap: item 6 ok (2.1 s, worker 1)\n',
    )
  })

  it('replaces its own characters that the charset lacks, but not those of a job', () => {
    const many = Array.from({ length: 12 }, (_, index) => index)
    const events = [itemsSettled(0, 12, many), printed('job’s own …')]
    const text = report(events, { accepted: 12 }, {}, chooseCharset({ LANG: 'C' }))
    expect(text).toContain('job’s own …\n')
    expect(text).toContain('(items 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... and 2 more)\n')
  })

  it('writes the earlier attempts of a flaky item with -v, and only counts it without', () => {
    const events = [itemsSettled(0, 1), flakySettled(1), itemsSettled(2, 1, [2]), itemFailed(2, 'skip')]
    expect(report(events, { accepted: 3 }, { verbosity: 'verbose' })).toMatchInlineSnapshot(`
      "collect: item 0 ok (worker 1)
      attempt 1 of 2 failed:
      Error: earlier
      collect: item 1 ok, flaky (attempt 2) (worker 1)

      Error: block 2
          at frame
      collect: item 2 failed, skipped
      poolrun collect: 2 ok (1 flaky: item 1), 1 failed (item 2)
      "
    `)
    expect(report([flakySettled(0)], { accepted: 1 })).toBe('poolrun collect: 1 ok (1 flaky: item 0)\n')
  })

  it('writes how long it waits for running items when it is interrupted', () => {
    const firstLine = (running: number) => {
      const event = { type: 'interrupted', signal: 'SIGINT', running, graceMs: 5000 } as const
      return report([event], { accepted: 0 }).split('\n')[0]
    }
    expect(firstLine(2)).toBe(
      'poolrun: interrupted by SIGINT: finishing 2 items, up to 5 s; Ctrl-C again stops now',
    )
    expect(firstLine(1)).toContain('finishing 1 item, up to 5 s;')
    expect(firstLine(0)).toBe('poolrun: interrupted by SIGINT: ending; Ctrl-C again stops now')
  })

  it('writes only failures and the summary line with -q', () => {
    const events: RunEvent[] = [
      printed('noise'),
      { type: 'warning', warning: { kind: 'text', text: 'odd' } },
      itemsSettled(0, 2, [1]),
      itemFailed(1, 'skip'),
    ]
    expect(report(events, { accepted: 2 }, { verbosity: 'quiet' })).toBe(
      'Error: block 1\n    at frame\ncollect: item 1 failed, skipped\npoolrun collect: 1 ok, 1 failed (item 1)\n',
    )
    expect(report(events, { accepted: 2 }, { verbosity: 'quiet', jobOutput: 'lines' })).toContain('noise\n')
  })

  it('sanitises warnings', () => {
    const events: RunEvent[] = [{ type: 'warning', warning: { kind: 'text', text: 'odd \u001b[2J' } }]
    expect(report(events, { accepted: 0 })).toBe('poolrun: warning: odd ^[[2J\npoolrun collect: 0 ok\n')
  })

  it('writes nothing about the life of workers', () => {
    const events: RunEvent[] = [
      { type: 'worker-started', workerId: 0, pid: 1, at: 0 },
      { type: 'worker-ready', workerId: 0, pid: 1 },
      { type: 'worker-exited', workerId: 0, pid: 1, exitCode: 0, signal: null },
    ]
    expect(report(events, { accepted: 0 })).toBe('poolrun collect: 0 ok\n')
  })
})

describe('repeated failures', () => {
  function failures(
    count: number,
    message: (index: number) => string,
    frames?: (index: number) => string,
  ): RunEvent[] {
    return Array.from({ length: count }, (_, index) => [
      itemsSettled(index, 1, [index]),
      itemFailed(index, 'skip', message(index), frames?.(index)),
    ]).flat()
  }
  const blocks = (text: string) => text.match(/^Error: block/gm)?.length

  it('with a known message are only counted after the tenth, and reported before the summary line', () => {
    const text = report(
      failures(25, () => 'boom'),
      { accepted: 25 },
    )
    expect(blocks(text)).toBe(10)
    expect(text.slice(text.indexOf('Error: block 9'))).toMatchInlineSnapshot(`
      "Error: block 9
          at frame
      collect: item 9 failed, skipped
      … and 15 more from the same place as item 0 (job.ts:6)
      poolrun collect: 0 ok, 25 failed (items 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … and 15 more)
      "
    `)
  })

  it('are all shown if there are ten', () => {
    const text = report(
      failures(10, () => 'boom'),
      { accepted: 10 },
    )
    expect(blocks(text)).toBe(10)
    expect(text).not.toContain('more from')
  })

  it('have a line for each new message from the same place', () => {
    const text = report(
      failures(30, (index) => `boom ${Math.min(index, 12)}`),
      { accepted: 30 },
    )
    expect(blocks(text)).toBe(10)
    expect(text.slice(text.indexOf('Error: block 9'))).toMatchInlineSnapshot(`
      "Error: block 9
          at frame
      collect: item 9 failed, skipped
      collect: item 10 failed, skipped: boom 10 (same place as item 0)
      collect: item 11 failed, skipped: boom 11 (same place as item 0)
      collect: item 12 failed, skipped: boom 12 (same place as item 0)
      … and 17 more from the same place as item 0 (job.ts:6)
      poolrun collect: 0 ok, 30 failed (items 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … and 20 more)
      "
    `)
  })

  it('from other places are shown again', () => {
    const text = report(
      failures(
        30,
        () => 'boom',
        (index) => `\n    at f (job.ts:${index % 2}:1)`,
      ),
      { accepted: 30 },
    )
    expect(blocks(text)).toBe(20)
    expect(text).toContain('… and 5 more from the same place as item 0 (job.ts:6)\n')
    expect(text).toContain('… and 5 more from the same place as item 1 (job.ts:6)\n')
  })

  it('are only counted with -q, whatever their messages', () => {
    const text = report(
      failures(2_000, (index) => `boom ${index}`),
      { accepted: 2_000 },
      { verbosity: 'quiet' },
    )
    expect(blocks(text)).toBe(10)
    expect(text).toContain('… and 1,990 more from the same place as item 0 (job.ts:6)\n')
    expect(text).not.toContain('boom')
  })

  it('are all shown in full with -v', () => {
    const text = report(
      failures(30, () => 'boom'),
      { accepted: 30 },
      { verbosity: 'verbose' },
    )
    expect(blocks(text)).toBe(30)
    expect(text).toContain('collect: item 29 failed, skipped\n')
  })

  it('are still reported if there are more places than are remembered', () => {
    const text = report(
      failures(
        1100,
        () => 'boom',
        (index) => `\n    at f (job.ts:${index < 12 ? 0 : index}:1)`,
      ),
      { accepted: 1100 },
    )
    expect(text.match(/and 2 more from the same place as item 0 /g)).toHaveLength(1)
  })
})

describe('job output', () => {
  const run: RunEvent[] = [
    printed('start \u001b[2J'),
    printed('a0', 0),
    printed('a1', 1),
    printed('b0', 0),
    itemsSettled(1, 1, [1]),
    itemFailed(1, 'skip'),
    printed('late1', 1),
    itemsSettled(0, 1),
    printed('late0', 0),
    printed('never settled', 7),
  ]
  const failed1 = 'Error: block 1\n    at frame\ncollect: item 1 failed, skipped\n'
  const summaryLine = 'poolrun collect: 1 ok, 1 failed (item 1), 1 not run\n'

  const modes: [Partial<Plan>, string][] = [
    [
      { jobOutput: 'lines' },
      `start ^[[2J\na0\na1\nb0\n${failed1}late1\nlate0\nnever settled\n${summaryLine}`,
    ],
    [
      { jobOutput: 'lines', tag: true },
      `[w3] start ^[[2J\n[#0 w3] a0\n[#1 w3] a1\n[#0 w3] b0\n${failed1}[#1 w3] late1\n[#0 w3] late0\n[#7 w3] never settled\n${summaryLine}`,
    ],
    [
      { jobOutput: 'group' },
      `start ^[[2J\na1\n${failed1}late1\na0\nb0\nlate0\nnever settled\n${summaryLine}`,
    ],
    [{ jobOutput: 'failed' }, `start ^[[2J\na1\n${failed1}late1\n${summaryLine}`],
    [
      { jobOutput: 'failed', tag: true },
      `[w3] start ^[[2J\n[#1 w3] a1\n${failed1}[#1 w3] late1\n${summaryLine}`,
    ],
    [{ jobOutput: 'none' }, `${failed1}${summaryLine}`],
  ]
  for (const [plan, expected] of modes) {
    it(`follows --job-output ${plan.jobOutput}${plan.tag ? ' --tag' : ''}`, () => {
      expect(report(run, { accepted: 3 }, plan)).toBe(expected)
    })
  }

  it('of a failed item is written before its traceback, even if that comes after other events', () => {
    const events = [
      printed('x', 2),
      itemsSettled(0, 3, [2]),
      printed('late', 2),
      printed('other', 1),
      itemFailed(2, 'raise'),
    ]
    expect(report(events, { accepted: 3 }, { jobOutput: 'failed', command: 'imap' })).toMatch(
      /^x\nlate\nError: block 2\n/,
    )
  })

  it('of failures that are only counted is not written', () => {
    const events = Array.from({ length: 12 }, (_, index) => [
      printed(`out ${index}`, index),
      itemsSettled(index, 1, [index]),
      itemFailed(index, 'skip'),
      printed(`late ${index}`, index),
    ]).flat()
    const text = report(events, { accepted: 12 }, { jobOutput: 'failed' })
    expect(text).toContain('out 9\nError: block 9\n')
    expect(text).not.toMatch(/(out|late) 1[01]/)
  })

  it('that is held back keeps its beginning and end and counts what was cut', () => {
    const line = 'x'.repeat(1022)
    const events = [
      ...Array.from({ length: 2000 }, (_, i) => printed(`${line}${String(i).padStart(4)}`, 0)),
      itemsSettled(0, 1),
    ]
    const lines = report(events, { accepted: 1 }, { jobOutput: 'group' }).split('\n')
    const cutAt = lines.findIndex((text) => text.startsWith('…'))
    expect(lines[cutAt]).toBe('… 978 lines (1003428 characters) cut …')
    expect(lines[cutAt - 1]).toMatch(/x 510$/)
    expect(lines[cutAt + 1]).toMatch(/x1489$/)
    expect(lines[cutAt + 511]).toMatch(/x1999$/)
  })

  it('that is held back may contain a line longer than the limit', () => {
    const events = [
      printed('first', 0),
      printed('y'.repeat(3_000_000), 0),
      printed('last', 0),
      itemsSettled(0, 1),
    ]
    const text = report(events, { accepted: 1 }, { jobOutput: 'group' })
    expect(text.startsWith('first\n')).toBe(true)
    expect(text).toContain('last\n')
    expect(text.length).toBeLessThan(1_100_000)
  })
})
