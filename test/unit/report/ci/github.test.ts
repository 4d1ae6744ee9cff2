// Workflow commands and the step summary for GitHub Actions.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { FailedItem } from '../../../../src/report/ci/ci-report.js'
import { createGithubReport } from '../../../../src/report/ci/github.js'
import { tempSpace } from '../../../helpers/temp-space.js'

function failedItem(index: number, rest: Partial<FailedItem> = {}): FailedItem {
  const location = { file: '/repo/src/job.ts', line: 4, column: 11 }
  return { index, item: '', name: 'Error', message: 'boom', location, ...rest }
}

function setUp(env: NodeJS.ProcessEnv = {}) {
  const written: string[] = []
  const write = (text: string) => void written.push(text)
  const report = createGithubReport({ write, env, cwd: '/repo', now: () => 0 })
  const run = (...items: FailedItem[]) => {
    report.begin()
    for (const item of items) report.failed(() => item)
    return report.end({ summaryLine: 'poolrun map: 0 ok', title: 'poolrun map job.ts' })
  }
  /** The commands after the one that lets the runner execute them again. */
  const commands = () => written.slice(1).join('').split('\n').slice(1, -1)
  return { report, written, run, commands }
}

describe('commands of a job', () => {
  it('are stopped by a token that only the report knows, until the end', () => {
    const { written, run } = setUp()
    run()
    const [, token] = /^::stop-commands::(poolrun-[0-9a-f]{32})\n$/.exec(written[0]!)!
    expect(written.slice(1)).toEqual([`::${token}::\n`])
  })

  it('are stopped by another token in each run', () => {
    const [first, second] = [setUp(), setUp()]
    first.run()
    second.run()
    expect(first.written[0]).not.toBe(second.written[0])
  })
})

describe('an annotation', () => {
  const cases: [string, Partial<FailedItem>, string, NodeJS.ProcessEnv?][] = [
    [
      'names the file within the workspace',
      {},
      '::error file=src/job.ts,line=4,col=11,title=item 7::Error: boom',
    ],
    [
      'names a file outside of the workspace by its full path',
      { location: { file: '/other/job.ts', line: 1, column: 2 } },
      '::error file=/other/job.ts,line=1,col=2,title=item 7::Error: boom',
    ],
    [
      'names a file outside of the workspace and in the working directory by its path there',
      { location: { file: '/repo/src/job.ts', line: 1, column: 2 } },
      '::error file=src/job.ts,line=1,col=2,title=item 7::Error: boom',
      { GITHUB_WORKSPACE: '/home/runner/work' },
    ],
    [
      'shows the text of the item beside its index',
      { item: 'photos/52.jpg', location: undefined },
      '::error title=item 7%3A photos/52.jpg::Error: boom',
    ],
    ['has no file where no frame is known', { location: undefined }, '::error title=item 7::Error: boom'],
    [
      'escapes what would end a message',
      { message: '100%\r\n::error::x', location: undefined },
      '::error title=item 7::Error: 100%25%0D%0A::error::x',
    ],
    [
      'escapes what would end a property',
      { location: { file: '/repo/a,b:c%.ts', line: 1, column: 2 } },
      '::error file=a%2Cb%3Ac%25.ts,line=1,col=2,title=item 7::Error: boom',
    ],
    [
      'cuts a long message before the runner does',
      { message: '\n'.repeat(4000), location: undefined },
      `::error title=item 7::Error: ${'%0A'.repeat(2993)}…`,
    ],
  ]
  it.each(cases)('%s', (_what, item, command, env = {}) => {
    const { run, commands } = setUp(env)
    run(failedItem(7, item))
    expect(commands()).toEqual([command])
  })

  it('takes the workspace from the environment', () => {
    const { run, commands } = setUp({ GITHUB_WORKSPACE: '/repo/src' })
    run(failedItem(0))
    expect(commands()[0]).toContain('file=job.ts,')
  })

  it.each([
    [9, 9, '::error file='],
    [10, 10, '::error title=poolrun map job.ts::1 more failed'],
    [50, 10, '::error title=poolrun map job.ts::41 more failed'],
  ])('is written for %d failures in %d commands', (failures, count, last) => {
    const { run, commands } = setUp()
    run(...Array.from({ length: failures }, (_, index) => failedItem(index)))
    expect(commands()).toHaveLength(count)
    expect(commands().at(-1)).toContain(last)
  })

  it('is not described for failures that are only counted', () => {
    const { report } = setUp()
    let described = 0
    for (let index = 0; index < 1000; index++)
      report.failed(() => {
        described++
        return failedItem(index)
      })
    expect(described).toBe(20)
  })
})

describe('the step summary', () => {
  function summaryOf(...items: FailedItem[]): string {
    const file = tempSpace().path('summary.md')
    expect(setUp({ GITHUB_STEP_SUMMARY: file }).run(...items)).toBeUndefined()
    return readFileSync(file, 'utf8')
  }

  it('has the summary line, and no table without failures', () => {
    expect(summaryOf()).toBe('### poolrun map job.ts\n\npoolrun map: 0 ok\n\n')
  })

  it('lists twenty failures and counts the others', () => {
    const text = summaryOf(...Array.from({ length: 23 }, (_, index) => failedItem(index)))
    expect(text).toContain(
      '| item | failed with | at |\n| ---: | --- | --- |\n| 0 | Error: boom | src/job.ts:4 |\n',
    )
    expect(text).toContain('\n| 19 | Error: boom | src/job.ts:4 |\n\n… and 3 more\n')
  })

  it('takes text literally: no markup, link, mention or end of a cell', () => {
    const text = summaryOf(
      failedItem(0, { name: 'E', message: 'a|b <i> `c` [x](y) @me\n&amp;', location: undefined }),
    )
    expect(text).toContain('| 0 | E: a\\|b &#60;i&#62; \\`c\\` \\[x\\]\\(y\\) \\@me &#38;amp; |  |')
  })

  it('cuts a long cell', () => {
    const text = summaryOf(failedItem(0, { name: 'E', message: 'x'.repeat(400), location: undefined }))
    expect(text).toContain(`| 0 | E: ${'x'.repeat(297)}… |`)
  })

  it('that cannot be written gives a warning', () => {
    const file = tempSpace().path('no/such/folder')
    expect(setUp({ GITHUB_STEP_SUMMARY: file }).run()).toMatch(
      /^the step summary could not be written: ENOENT/,
    )
  })
})
