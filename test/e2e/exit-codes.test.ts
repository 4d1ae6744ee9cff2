// The exit codes for mistakes in usage, input, job and initializer, each with a message that is clear and printed once.
// Exit codes 1 and 3 are in matrix.test.ts, 7 in reliability/budget.test.ts and pipes.test.ts, 124 in
// reliability/timeouts.test.ts, signals in reliability/signals.test.ts, 141 in pipes.test.ts.
import { symlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { occurrences } from '../helpers/normalise.js'
import { broken, fixture, lines, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const identity = fixture('identity')

describe('2: usage', () => {
  it.each([
    ['an unknown command', ['mapp', identity, '1'], /\bmap\b/],
    ['an unknown option', ['map', identity, '--chunk-sise', '2', '1'], /--chunk-size/],
    ['a bad value in the environment', ['map', identity, '1'], /POOLRUN_CHUNK_SIZE|--chunk-size/],
  ])('%s', async (_what, args, names) => {
    const run = await runCli(args, { env: { POOLRUN_CHUNK_SIZE: '1.5' } })
    expect(run.stderr).toMatch(names)
    expect(run.stderr).not.toMatch(/^ {4}at /m)
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(2)
  })
})

describe('4: input', () => {
  it('a file that does not exist', async () => {
    const run = await runCli(['map', identity, '-i', 'no/such/file.json'])
    expect(run.stderr).toContain('no/such/file.json')
    expect(run.stderr).not.toMatch(/^ {4}at /m)
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(4)
  })

  it('a directory', async () => {
    const run = await runCli(['map', identity, '-i', 'jobs'])
    expect(run.stderr).toContain('jobs')
    expect(run.exitCode).toBe(4)
  })
})

describe('5: the job module', () => {
  it('has a name with a # that is not the start of an export', async () => {
    const { dir, write } = tempSpace()
    write({ 'j#b.ts': 'export default (x: number) => x * 2' })
    expect(await runCli(['map', 'j#b.ts', '2'], { cwd: dir })).toMatchObject({ stdout: '4\n', exitCode: 0 })
  })

  it('has a name that the system does not let poolrun look at', async () => {
    const { dir, write, path } = tempSpace()
    write({ 'job.ts': 'import "./loop.ts"; export default 1' })
    symlinkSync('loop.ts', path('loop.ts'))
    const says = (text: string) => ({
      exitCode: 5,
      stderr: expect.stringMatching(new RegExp(`^poolrun map: .*${text}.*\\n(    .*\\n)*$`)),
    })
    const run = (job: string) => runCli(['map', job, '1'], { cwd: dir })
    expect(await run('loop.ts')).toMatchObject(says('cannot read loop.ts: it is a loop of symbolic links'))
    expect(await run('job.ts')).toMatchObject(says('job.ts:1:8: Could not resolve "./loop.ts"'))
  })

  it('--callbacks never finishes loading', async () => {
    const { dir, write } = tempSpace()
    write({ 'job.mjs': 'export default (x) => x', 'hooks.mjs': 'await new Promise(() => {})' })
    const run = await runCli(['collect', 'job.mjs', '--callbacks', 'hooks.mjs', '1'], { cwd: dir })
    expect(run.exitCode).toBe(5)
    expect(run.stderr).toContain('the module of --callbacks never finished loading')
  })

  it('awaits something at top level that never ends', async () => {
    const job = tempSpace().write({ 'job.ts': 'await new Promise(() => {})\nexport default () => 1' })
    const run = await runCli(['map', job, '--init-timeout', '1s', '1'])
    expect(run.stderr).toContain('was not loaded within 1000 ms')
    expect(run.exitCode).toBe(5)
  })

  it.each([
    ['does not exist', 'no/such/job.ts', [], ['no/such/job.ts']],
    ['is neither TypeScript nor JavaScript', 'jobs/data/range5.json', [], ['jobs/data/range5.json']],
    ['does not compile', broken('syntax-error'), [], ['test/fixtures/broken/syntax-error.ts:3:']],
    // Once, not once per worker.
    [
      'throws while loading',
      fixture('import-throws'),
      ['-j', '2'],
      ['Error: no database here', 'import-throws.ts:2:7'],
    ],
    [
      'exits while loading',
      fixture('import-exits'),
      ['-j', '2'],
      ['exited with code 3 while loading', 'import-exits.ts'],
    ],
    ['has no such export', `${fixture('no-default-export')}#dubble`, [], ['dubble', 'double', 'halve']],
    [
      'has a default export that is not a function',
      fixture('default-not-a-function'),
      [],
      ['is not a function'],
    ],
  ])('%s', async (_what, job, flags, parts) => {
    const run = await runCli(['map', job, ...flags, '1', '2', '3'])
    for (const part of parts) expect(run.stderr).toContain(part)
    expect(occurrences(run.stderr, parts[0]!)).toBe(1)
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(5)
  })
})

describe('6: the initializer', () => {
  const says = (part: string) => ({
    stdout: '',
    stderr: expect.stringContaining(part),
    exitCode: 6,
  })
  const message = 'InitializerError: initializer failed, pool is broken'

  it('throws, in no more workers than --processes allows, which is said once', async () => {
    const space = tempSpace()
    const init = ['--init-args', JSON.stringify([space.path('log')])]
    const run = await runCli(['collect', fixture('initializer-throws'), '-j', '2', ...init], {
      input: lines(...Array(50).keys()),
    })
    expect(run).toMatchObject(says('Error: no licence'))
    expect(occurrences(run.stderr, message)).toBe(1)
    expect([1, 2]).toContain(occurrences(space.read('log'), 'started'))
  })

  it.each([
    ['exits', 'initializer-exits', ['-j', '2'], '9'],
    ['is not ready in time', 'initializer-hangs', ['--init-timeout', '1s'], '1000 ms'],
  ])('%s', async (_what, job, flags, part) => {
    const run = await runCli(['map', fixture(job), ...flags, '1', '2', '3'])
    expect(run).toMatchObject(says(part))
    expect(occurrences(run.stderr, message)).toBe(1)
  })
})

describe('0', () => {
  // test/unit/run/run.test.ts has the other commands.
  it.each(['map', 'collect'])('%s of an empty input', async (command) => {
    const run = await runCli([command, identity])
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(0)
  })

  it('--version and --help', async () => {
    expect(await runCli(['--version'])).toMatchObject({ stdout: '0.1.0\n', exitCode: 0 })
    const help = await runCli(['--help'])
    for (const command of ['map', 'starmap', 'apply', 'imap', 'imap-unordered', 'collect'])
      expect(help.stdout).toMatch(new RegExp(`^\\s+${command}\\b`, 'm'))
    expect(help.exitCode).toBe(0)
  })
})
