// What is reported to CI systems, and that nothing a job prints, throws or returns can issue a command to them.
import { describe, expect, it } from 'vitest'
import { fixture, lines, root, runCli, runInParent } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const STOP = /^::stop-commands::(poolrun-[0-9a-f]{32})$/

/** The lines that the runner would execute as commands. */
function executed(stderr: string): string[] {
  const commands: string[] = []
  let token: string | undefined
  for (const line of stderr.split('\n')) {
    if (token !== undefined) {
      if (line === `::${token}::`) token = undefined
      continue
    }
    token = STOP.exec(line)?.[1]
    if (token === undefined && (/^\s*::/.test(line) || /##\[/.test(line))) commands.push(line)
  }
  expect(token).toBeUndefined()
  return commands
}

describe('GitHub', () => {
  const env = { GITHUB_ACTIONS: 'true', CI: 'true', GITHUB_WORKSPACE: root }

  it('gets nine annotations at the source line, with its path in the workspace, and one that counts the rest', async () => {
    const input = lines(1, ...Array(14).fill(2))
    const { stdout, stderr } = await runInParent(['collect', fixture('throws-error')], { input, env })
    expect(stdout).toBe('1\n')
    const commands = executed(stderr)
    expect(commands).toHaveLength(10)
    expect(commands[0]).toBe(
      '::error file=test/fixtures/jobs/throws-error.ts,line=4,col=11,title=item 1%3A 2::Error: boom',
    )
    expect(commands.at(-1)).toMatch(/^::error title=poolrun collect .*::5 more failed$/)
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^poolrun collect: 1 ok, 14 failed \(items 1, 2, /)
  })

  it('executes no command of a job, whatever it prints or throws', async () => {
    const space = tempSpace()
    const evil = '::error::forged\\n::add-mask::x\\n##[error]forged %0A::debug::'
    const job = space.write({
      'job.mjs': `export default () => { console.log('${evil}'); console.error('::warning::forged'); throw new Error('${evil}') }`,
    })
    const { stderr } = await runCli(['collect', job, '1'], { env })
    const commands = executed(stderr)
    expect(commands).toHaveLength(1)
    // One line, with its text escaped.
    expect(commands[0]).toMatch(
      /title=item 0%3A 1::Error: \\?::error::forged%0A\\?::add-mask::x%0A.* %250A.*$/,
    )
  })

  it('gets a step summary in Markdown with all text escaped', async () => {
    const space = tempSpace()
    const job = space.write({
      'job.mjs': "export default () => { throw new Error('a|b <img> `c` [x](y)\\nnext') }",
    })
    const file = space.path('summary.md')
    await runInParent(['map', job, '1'], { env: { ...env, GITHUB_STEP_SUMMARY: file } })
    const text = space.read('summary.md')
    expect(text).toContain('| 0: 1 | Error: a\\|b &#60;img&#62; \\`c\\` \\[x\\]\\(y\\) next |')
    expect(text).toContain('item 0 failed, stopped')
    const unwritable = { ...env, GITHUB_STEP_SUMMARY: `${space.dir}/no/such` }
    const { stderr, exitCode } = await runInParent(['map', fixture('identity'), '1'], { env: unwritable })
    expect(exitCode).toBe(0)
    expect(stderr).toContain('the step summary could not be written')
  })

  it('executes commands again also after a run that never began', async () => {
    const { stderr, exitCode } = await runInParent(['map', 'no-such-job.ts', '1'], { env })
    expect(exitCode).toBe(5)
    expect(executed(stderr)).toEqual([])
  })
})

describe('GitLab', () => {
  it('gets the failures in a section that a job cannot close', async () => {
    const env = { GITLAB_CI: 'true' }
    const { stderr } = await runInParent(['collect', fixture('throws-error')], { input: lines(1, 2), env })
    const [, name] = /section_start:\d+:(poolrun_failures_[0-9a-f]{16})\r/.exec(stderr) ?? []
    expect(name).toBeDefined()
    expect(stderr.indexOf(`section_end:`)).toBeGreaterThan(stderr.indexOf('Error: boom'))
    expect(stderr).toMatch(new RegExp(`section_end:\\d+:${name}\\r`))
  })
})

it('--ci none turns reports to CI systems off, --ci github turns them on anywhere', async () => {
  const quiet = await runInParent(['map', fixture('throws-error'), '2', '--ci', 'none'], {
    env: { GITHUB_ACTIONS: 'true' },
  })
  expect(quiet.stderr).not.toContain('::')
  const asked = await runInParent(['map', fixture('throws-error'), '2', '--ci', 'github'])
  expect(executed(asked.stderr)).toHaveLength(1)
})
