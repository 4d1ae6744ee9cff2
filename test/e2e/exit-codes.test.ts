// Every exit code that this version can give, and that what went wrong is said clearly and once.
import { describe, expect, it } from 'vitest'
import { listMarked, waitUntilNoneLeft } from '../helpers/no-orphans.js'
import { occurrences } from '../helpers/normalise.js'
import { broken, fixture, lines, runCli, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const identity = fixture('identity')

describe('2: usage', () => {
  it.each([
    ['an unknown command', ['mapp', identity, '1'], /\bmap\b/],
    ['an unknown option', ['map', identity, '--chunk-sise', '2', '1'], /--chunk-size/],
    ['no job', ['map'], /job/],
    ['-j 0', ['map', identity, '-j', '0', '1'], /-j|--processes/],
    ['-j 1.5', ['map', identity, '-j', '1.5', '1'], /-j|--processes/],
    ['--chunk-size 1.5', ['map', identity, '--chunk-size', '1.5', '1'], /--chunk-size/],
    ['--buffer-size 0', ['imap', identity, '--buffer-size', '0', '1'], /--buffer-size/],
    ['a negative duration', ['map', identity, '--init-timeout', '-1s', '1'], /--init-timeout/],
    ['an unknown format', ['map', identity, '--format', 'xml', '1'], /ndjson.*json.*raw/s],
    ['torn --init-args', ['map', identity, '--init-args', '[1', '1'], /--init-args/],
    ['--init-args that is no array', ['map', identity, '--init-args', '{"a":1}', '1'], /--init-args/],
  ])('%s', async (_what, args, names) => {
    const run = await runCli(args)
    expect(run.stderr).toMatch(names)
    expect(run.stderr).not.toMatch(/^ {4}at /m)
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(2)
  })

  it('a bad value in the environment names its variable or option', async () => {
    const run = await runCli(['map', identity, '1'], { env: { POOLRUN_CHUNK_SIZE: '1.5' } })
    expect(run.stderr).toMatch(/POOLRUN_CHUNK_SIZE|--chunk-size/)
    expect(run.exitCode).toBe(2)
  })
})

describe('4: input', () => {
  it('no such file', async () => {
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
  it.each([
    ['is not there', 'no/such/job.ts', ['no/such/job.ts']],
    ['is no TypeScript or JavaScript', 'jobs/data/range5.json', ['jobs/data/range5.json']],
    ['does not compile', broken('syntax-error'), ['test/fixtures/broken/syntax-error.ts:3:']],
    ['throws while loading', fixture('import-throws'), ['no database here', 'import-throws.ts:2:7']],
    ['exits while loading', fixture('import-exits'), ['import-exits.ts', '3']],
    ['has no default export', fixture('no-default-export'), ['no-default-export.ts', 'double', 'halve']],
    ['has no such export', `${fixture('no-default-export')}#dubble`, ['dubble', 'double', 'halve']],
    ['has a default export that is no function', fixture('default-not-a-function'), ['function']],
  ])('%s', async (_what, job, parts) => {
    const run = await runCli(['map', job, '-j', '2', '1', '2', '3'])
    for (const part of parts) expect(run.stderr).toContain(part)
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(5)
  })

  it('is said once, not once a worker', async () => {
    const run = await runCli(['map', fixture('import-throws'), '-j', '2', '1', '2', '3'])
    expect(occurrences(run.stderr, 'Error: no database here')).toBe(1)
  })
})

describe('6: the initializer', () => {
  it.each([
    ['throws', 'initializer-throws', [], 'Error: no licence'],
    ['exits', 'initializer-exits', [], '9'],
    ['is not ready in time', 'initializer-hangs', ['--init-timeout', '500ms'], '500 ms'],
  ])('%s', async (_what, job, flags, part) => {
    const run = await runCli(['map', fixture(job), '-j', '2', ...flags, '1', '2', '3'])
    expect(occurrences(run.stderr, 'InitializerError: initializer failed, pool is broken')).toBe(1)
    expect(run.stderr).toContain(part)
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(6)
    expect(run.durationMs).toBeLessThan(4000)
  })

  it('is not run in more workers than were asked for', async () => {
    const space = tempSpace()
    const args = JSON.stringify([space.path('log')])
    await runCli(['collect', fixture('initializer-throws'), '-j', '2', '--init-args', args], {
      input: lines(...Array(50).keys()),
    })
    expect(occurrences(space.read('log'), 'started')).toBeGreaterThanOrEqual(1)
    expect(occurrences(space.read('log'), 'started')).toBeLessThanOrEqual(2)
  })
})

it('7: the restart budget is spent when every item kills its worker', async () => {
  const run = await runCli(['collect', fixture('kills-self-always'), '-j', '2'], {
    input: lines(...Array(60).keys()),
  })
  expect(run.stderr).toMatch(/restart/)
  expect(run.exitCode).toBe(7)
})

describe('by signal', () => {
  /** Runs a job that takes a minute, waits until it has begun, and sends the signal to poolrun. */
  async function signalled(job: string, signal: NodeJS.Signals) {
    const run = startCli(['map', fixture(job), '-j', '1', '60000'])
    await new Promise((resolve) => run.child.stderr.once('data', resolve))
    expect(listMarked(run.mark).length).toBeGreaterThanOrEqual(2)
    process.kill(run.child.pid as number, signal)
    return run
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('ends by %s itself and leaves nothing running', async (signal) => {
    const run = await signalled('slow', signal)
    const result = await run.ended()
    expect(result.signal).toBe(signal)
    expect(result.stdout).toBe('')
  })

  it.each(['slow', 'blocks-loop'])(
    'its workers (%s) are gone within two seconds of a kill -9',
    async (job) => {
      const run = await signalled(job, 'SIGKILL')
      await waitUntilNoneLeft(run.mark, 'poolrun, killed,', 2000)
      expect((await run.ended()).signal).toBe('SIGKILL')
    },
  )
})

describe('0', () => {
  it.each(['map', 'imap', 'imap-unordered', 'collect', 'starmap'])(
    '%s of an empty input',
    async (command) => {
      const run = await runCli([command, identity])
      expect(run.stdout).toBe('')
      expect(run.exitCode).toBe(0)
    },
  )

  it('--version and --help', async () => {
    expect(await runCli(['--version'])).toMatchObject({ stdout: '0.1.0\n', exitCode: 0 })
    const help = await runCli(['--help'])
    for (const command of ['map', 'starmap', 'apply', 'imap', 'imap-unordered', 'collect'])
      expect(help.stdout).toMatch(new RegExp(`^\\s+${command}\\b`, 'm'))
    expect(help.exitCode).toBe(0)
  })
})
