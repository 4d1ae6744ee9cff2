// The text of --dry-run.
import { expect, it } from 'vitest'
import type { RunPlan } from '../../../../src/plan.js'
import { dryRunText } from '../../../../src/report/console/dry-run.js'

const plan: Partial<RunPlan> = {
  command: 'map',
  job: { path: 'job.ts', exportName: 'default' },
  processes: 4,
  concurrency: 1,
  retry: { retries: 0, delayMs: 0, on: ['error', 'crash'] },
  format: 'ndjson',
  envelope: false,
  reports: [],
}
const text = (rest: Partial<RunPlan> = {}) => dryRunText({ ...plan, ...rest } as RunPlan, 1234)

it('has a row for everything that a plain run would do', () => {
  expect(text()).toMatchInlineSnapshot(`
    "poolrun map: dry run, nothing was run
      job      job.ts: loads
      items    1234
      workers  4
      chunks   adapt to the cost of items
      limits   none
      results  stdout, ndjson
    "
  `)
})

const rows: [string, Partial<RunPlan>, string][] = [
  [
    'the named export',
    { job: { path: 'job.ts', exportName: 'resize' } },
    '  job      job.ts#resize: loads\n',
  ],
  ['the concurrency', { concurrency: 8 }, '  workers  4, 8 items at once in each\n'],
  ['a fixed chunk size', { chunkSize: 10 }, '  chunks   of 10\n'],
  [
    'that not all commands are written',
    { exec: { template: 'echo {}', commands: 2 } as RunPlan['exec'] & object },
    '  items    1234; stdout has the first 10 commands\n',
  ],
  ['a rate', { rate: { intervalMs: 100, text: '10/s' } }, '  limits   attempts begin at 10/s at most\n'],
  ['one retry', { retry: { ...plan.retry!, retries: 1 } }, '  limits   1 more attempt on error, crash\n'],
  [
    'several retries',
    { retry: { ...plan.retry!, retries: 2 } },
    '  limits   2 more attempts on error, crash\n',
  ],
  [
    'where results go',
    { output: 'out.json', format: 'json', envelope: true },
    '  results  out.json, json in envelopes\n',
  ],
  ['where failed items go', { errors: 'errors.ndjson' }, '  errors   errors.ndjson\n'],
  [
    'each report',
    {
      reports: [
        { kind: 'html', path: 'a.html' },
        { kind: 'json', path: 'b.json' },
      ],
    },
    '  report   html to a.html\n  report   json to b.json\n',
  ],
]
it.each(rows)('shows %s', (_what, rest, expected) => {
  expect(text(rest)).toContain(expected)
})

it('shows all time limits in one row', () => {
  const [, limits] = /^ {2}limits {3}(.*)$/m.exec(text({ timeoutMs: 500, deadlineMs: 90_000 }))!
  expect(limits!.split('; ')).toEqual([expect.stringMatching(/^500 ms /), expect.stringMatching(/^90 s /)])
})
