// What goes to stdout, in which format, and what goes to stderr, how much of it and in which colours.
import { describe, expect, it } from 'vitest'
import { fixture, runCli } from '../helpers/run-cli.js'

const identity = fixture('identity')
const ESCAPE = '\u001b['

describe('--format', () => {
  it('json is one array', async () => {
    const run = await runCli(['map', identity, '--format', 'json', '1', '"a"', '[2]'])
    expect(JSON.parse(run.stdout)).toEqual([1, 'a', [2]])
  })

  it('json is closed when imap stops early', async () => {
    const run = await runCli(['imap', fixture('throws-error'), '--format', 'json', '0', '1', '2', '3'])
    expect(JSON.parse(run.stdout)).toEqual([0, 1])
    expect(run.exitCode).toBe(1)
  })

  it('json of map that fails is nothing at all', async () => {
    const run = await runCli(['map', fixture('throws-error'), '--format', 'json', '0', '1', '2', '3'])
    expect(run.stdout).toBe('')
  })

  it('json of collect leaves out what failed', async () => {
    const run = await runCli(['collect', fixture('throws-error'), '--format', 'json', '0', '1', '2', '3'])
    expect(JSON.parse(run.stdout)).toEqual([0, 1, 3])
  })

  it('raw writes strings unquoted and the rest as JSON', async () => {
    const run = await runCli(['map', identity, '--format', 'raw', 'a "b"\\', '1', '{"c":"d"}', ''])
    expect(run.stdout).toBe('a "b"\\\n1\n{"c":"d"}\n\n')
  })

  it('can be set in the environment, where a flag wins', async () => {
    const env = { POOLRUN_FORMAT: 'json' }
    expect((await runCli(['map', identity, '7'], { env })).stdout.trim()).toBe('[7]')
    expect((await runCli(['map', identity, '7', '--format', 'ndjson'], { env })).stdout).toBe('7\n')
  })
})

describe('results that JSON cannot carry', () => {
  it('writes undefined as null', async () => {
    const run = await runCli(['map', fixture('returns-undefined'), '1', '2'])
    expect(run.stdout).toBe('null\nnull\n')
    expect(run.exitCode).toBe(0)
  })

  it.each([
    ['returns-bigint', '2', 'a.f'],
    ['returns-nan', '0', 'list[1]'],
    ['returns-cycle', '0', 'node.self'],
    ['returns-function', '0', 'callMe'],
  ])('%s fails its item and names the culprit', async (job, item, path) => {
    const run = await runCli(['map', fixture(job), item])
    expect(run.stderr).toMatch(/^ResultEncodingError: /m)
    expect(run.stderr).toContain(path)
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(1)
  })
})

describe('stderr', () => {
  it('holds the verdict alone with -q when all is well, also where jobs print', async () => {
    const run = await runCli(['map', fixture('prints-stdout-stderr'), '-q', '1', '2'])
    expect(run).toMatchObject({ stdout: '1\n2\n', stderr: 'poolrun map: 2 ok\n', exitCode: 0 })
  })

  it('holds errors and the verdict with -q', async () => {
    const run = await runCli(['collect', fixture('throws-error'), '-q', '1', '2', '3'])
    expect(run.stderr).toContain('Error: boom')
    expect(run.stderr).toMatch(/poolrun collect: 2 ok, 1 failed \(item 1\)\n$/)
  })

  it('has a line for each item with -v', async () => {
    const [normal, verbose] = await Promise.all([
      runCli(['map', identity, '1', '2', '3']),
      runCli(['map', identity, '-v', '1', '2', '3']),
    ])
    const count = (text: string) => text.split('\n').length
    expect(count(verbose.stderr) - count(normal.stderr)).toBeGreaterThanOrEqual(3)
    expect(verbose.stdout).toBe(normal.stdout)
  })

  it.each([
    ['into a pipe', [], {}, false],
    ['with --color', ['--color'], {}, true],
    ['with FORCE_COLOR', [], { FORCE_COLOR: '1' }, true],
    ['with FORCE_COLOR=0', [], { FORCE_COLOR: '0' }, false],
    ['with NO_COLOR over FORCE_COLOR', [], { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['with --color over NO_COLOR', ['--color'], { NO_COLOR: '1' }, true],
    ['with --no-color over FORCE_COLOR', ['--no-color'], { FORCE_COLOR: '1' }, false],
  ])('%s is coloured or not, as it should be', async (_what, flags, env, coloured) => {
    const run = await runCli(['collect', fixture('throws-error'), ...flags, '1', '2'], { env })
    expect(run.stderr.includes(ESCAPE)).toBe(coloured)
    expect(run.stdout).toBe('1\n')
  })
})
