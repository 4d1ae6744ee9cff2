// Several results per item, and none: in every command and format.
import { describe, expect, it } from 'vitest'
import { fixture, lines, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const job = fixture('yields')
const resultsOf = (...items: readonly number[]) =>
  items.flatMap((n) => Array.from({ length: Math.abs(n) }, (_, i) => ({ item: n, i })))

describe('a generator as task', () => {
  it.each(['map', 'imap', 'collect'])('writes all lines of an item at its place: %s', async (command) => {
    const items = [2, 0, 3, 1, 0]
    for (const name of ['default', 'promised']) {
      const { stdout, exitCode, stderr } = await runCli([
        command,
        `${job}#${name}`,
        '-j',
        '2',
        '--chunk-size',
        '1',
        ...items.map(String),
      ])
      expect(stdout).toBe(lines(...resultsOf(...items)))
      expect([exitCode, stderr]).toEqual([0, `poolrun ${command}: 5 ok\n`])
    }
  })

  it('keeps input order and context if it is async, also with --concurrency', async () => {
    const items = [3, 0, 2, 4, 1]
    const { stdout } = await runCli(['map', `${job}#later`, '--concurrency', '3', ...items.map(String)])
    expect(stdout).toBe(
      lines(...items.flatMap((n, index) => Array.from({ length: n }, (_, i) => [index, i]))),
    )
  })

  it('writes none of the lines of an item that fails', async () => {
    const { stdout, exitCode } = await runCli(['collect', job], { input: '2\n-2\n1\n' })
    expect(stdout).toBe(lines(...resultsOf(2, 1)))
    expect(exitCode).toBe(3)
    const lazy = await runCli(['imap', job], { input: '2\n-2\n1\n' })
    expect([lazy.stdout, lazy.exitCode]).toEqual([lines(...resultsOf(2)), 1])
  })

  it.each([
    ['json', [2, 0, 1], `${JSON.stringify(resultsOf(2, 0, 1))}\n`],
    ['json', [0, 0], '[]\n'],
    ['raw', [1], '{"item":1,"i":0}\n'],
  ])('writes each result by itself with --format %s: %j', async (format, items, expected) => {
    const { stdout } = await runCli(['map', job, '--format', format, ...items.map(String)])
    expect(stdout).toBe(expected)
  })

  it('has an array of values in an envelope', async () => {
    const { stdout } = await runCli(['collect', job, '--envelope', '0', '-1', '2'])
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows).toMatchObject([
      { index: 0, ok: true, values: [] },
      { index: 1, ok: false },
      { index: 2, ok: true, values: resultsOf(2) },
    ])
    expect(rows[0]).not.toHaveProperty('value')
  })

  it('is one line per value of apply, and one array with --format json', async () => {
    expect((await runCli(['apply', job, '2'])).stdout).toBe(lines(...resultsOf(2)))
    expect((await runCli(['apply', job, '2', '--format', 'json'])).stdout).toBe(lines(resultsOf(2)))
    expect((await runCli(['apply', job, '0', '--format', 'json'])).stdout).toBe('[]\n')
  })

  it('is cut off where it yields, by the signal of its item', async () => {
    const { stderr, exitCode } = await runCli(['map', `${job}#endlessly`, '--timeout', '300ms', 'x'])
    expect(stderr).toContain('it stopped at its signal')
    expect(exitCode).toBe(1)
  })

  it('fails alone if it yields ten gigabytes', async () => {
    const { stdout, stderr, exitCode } = await runCli(
      ['collect', `${job}#tenGigabytes`, 'x', '--max-memory', '3gb'],
      { timeoutMs: 60_000 },
    )
    expect([stdout, exitCode]).toEqual(['', 3])
    expect(stderr).toContain('all that it yields is longer than 512 MiB')
  }, 70_000)

  it('passes the array of all values to callbacks', async () => {
    const space = tempSpace()
    const options = ['--callbacks', 'test/fixtures/jobs/callbacks-record.ts']
    const env = { CALLBACK_LOG: space.path('log') }
    await runCli(['collect', `${job}#later`, ...options, '0', '2'], { env })
    expect(space.read('log')).toBe('ok 0 \nok 1 1,0,1,1\n')
  })

  it('runs in this process, too', async () => {
    expect((await runCli(['map', `${job}#later`, '-j', '0', '2'])).stdout).toBe('[0,0]\n[0,1]\n')
  })
})
