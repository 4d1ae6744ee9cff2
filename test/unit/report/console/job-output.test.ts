// When a line that a job printed is shown. How it mixes with failures is tested in console.test.ts.
import { describe, expect, it } from 'vitest'
import type { JobOutput } from '../../../../src/plan.js'
import { createJobOutput, type JobOutputReport } from '../../../../src/report/console/job-output.js'
import { printed, settled } from '../events.js'

type Step = (report: JobOutputReport) => void

const line = (text: string, index?: number): Step => {
  const event = printed(text, index)
  return (report) => {
    if (event.type === 'worker-output') report.print(event)
  }
}
const settle =
  (first: number, count: number, failed: number[] = []): Step =>
  (report) =>
    report.settled(settled(first, count, failed))
const fail =
  (index: number, shown = true): Step =>
  (report) =>
    report.failed(index, shown)
const finish: Step = (report) => report.finish()

function shown(mode: JobOutput, steps: readonly Step[], tag = false): string {
  let text = ''
  const report = createJobOutput({
    mode,
    tag,
    write: (more) => {
      text += more
    },
    sanitise: (raw) => raw.toUpperCase(),
  })
  for (const step of steps) step(report)
  return text.trimEnd().replaceAll('\n', ' ')
}

describe('a line', () => {
  const cases: [string, JobOutput, Step[], string][] = [
    ['is shown as it comes with lines', 'lines', [line('a', 0), line('b')], 'A B'],
    ['is never shown with none', 'none', [line('a', 0), settle(0, 1, [0]), fail(0), finish], ''],
    ['of no item is shown with group', 'group', [line('a')], 'A'],
    ['of no item is shown with failed', 'failed', [line('a')], 'A'],
    ['waits for its item with group', 'group', [line('a', 0), line('b', 1), settle(1, 1)], 'B'],
    ['that comes after its item settled is shown with group', 'group', [settle(0, 2), line('a', 1)], 'A'],
    ['of an item that never settled is shown at the end with group', 'group', [line('a', 0), finish], 'A'],
    ['of an item that never settled is dropped with failed', 'failed', [line('a', 0), finish], ''],
    ['of an item that succeeded is dropped with failed', 'failed', [line('a', 0), settle(0, 1), finish], ''],
    ['of a failed item waits for its failure with failed', 'failed', [line('a', 0), settle(0, 1, [0])], ''],
    [
      'of a failed item is shown before its failure with failed',
      'failed',
      [line('a', 0), settle(0, 1, [0]), line('b', 0), fail(0)],
      'A B',
    ],
    [
      'that comes after the failure was shown is shown with failed',
      'failed',
      [settle(0, 1, [0]), fail(0), line('a', 0)],
      'A',
    ],
    [
      'of a failure that is only counted is dropped with failed',
      'failed',
      [line('a', 0), settle(0, 1, [0]), fail(0, false), line('b', 0), finish],
      '',
    ],
  ]
  it.each(cases)('%s', (_what, mode, steps, expected) => {
    expect(shown(mode, steps)).toBe(expected)
  })

  it('waits again once 64 other ranges have settled since its item', () => {
    const others = (count: number) => Array.from({ length: count }, (_, i) => settle(10 + i, 1))
    expect(shown('group', [settle(0, 1), ...others(63), line('a', 0)])).toBe('A')
    expect(shown('group', [settle(0, 1), ...others(64), line('a', 0)])).toBe('')
  })
})

describe('--tag', () => {
  it('puts item and worker in front of the sanitised line', () => {
    expect(shown('lines', [line('a', 4), line('b')], true)).toBe('[#4 w3] A [w3] B')
  })
})

describe('several lines at once', () => {
  const steps = [line('a\nb', 4), settle(4, 1, [4]), fail(4)]
  it.each<[JobOutput, boolean, string]>([
    ['lines', false, 'A B'],
    ['lines', true, '[#4 w3] A [#4 w3] B'],
    ['group', false, 'A B'],
    ['group', true, '[#4 w3] A [#4 w3] B'],
    ['failed', true, '[#4 w3] A [#4 w3] B'],
    ['none', false, ''],
  ])('are shown as one by one with %s, tagged: %s', (mode, tag, expected) => {
    expect(shown(mode, steps, tag)).toBe(expected)
  })

  it('are cut line by line when they are held back', () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `${i}`)
    const end = settle(0, 1)
    const oneByOne = shown('group', [...lines.map((text) => line(text, 0)), end])
    expect(oneByOne.match(/ … \d+ lines .*? cut … /)).not.toBeNull()
    expect(shown('group', [line(lines.join('\n'), 0), end]) === oneByOne).toBe(true)
  })
})

describe('the lines of several items', () => {
  it('are written item by item, ascending, when their range settles', () => {
    const steps = [line('c', 2), line('a1', 0), line('b', 1), line('a2', 0), settle(0, 3)]
    expect(shown('group', steps)).toBe('A1 A2 B C')
  })
})

describe('what is held back', () => {
  it('is bounded for lines without a character', () => {
    const steps = [...Array.from({ length: 100_000 }, () => line('', 0)), settle(0, 1)]
    let lines: string[] = []
    const report = createJobOutput({
      mode: 'group',
      tag: false,
      write: (text) => {
        lines = text.split('\n')
      },
      sanitise: (raw) => raw,
    })
    for (const step of steps) step(report)
    expect(lines.length).toBeLessThan(40_000)
    expect(lines.filter((text) => text !== '')).toEqual([
      expect.stringMatching(/^… \d+ lines \(0 characters\) cut …$/),
    ])
  })

  it('is bounded for many items together, the oldest losing most', () => {
    const MB = 1 << 20
    const items = 200
    const kept: number[] = []
    const report = createJobOutput({
      mode: 'group',
      tag: false,
      write: (text) => kept.push(text.length),
      sanitise: (raw) => raw,
    })
    for (let i = 0; i < items; i++) for (let part = 0; part < 8; part++) line('x'.repeat(MB / 8), i)(report)
    settle(0, items)(report)
    expect(kept).toHaveLength(items)
    expect(kept.reduce((sum, size) => sum + size)).toBeLessThan(70 * MB)
    expect(kept.at(-1)).toBeGreaterThan(MB / 2)
    expect(kept[0]).toBeLessThan(100)
  })
})
