// Several results per item, and none: in every command and format.
import { describe, expect, it } from 'vitest'
import { fixture, lines, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const job = fixture('yields')
/** Where nothing depends on a worker. */
const inThisProcess = ['-j', '0']
const resultsOf = (...items: readonly number[]) =>
  items.flatMap((n) => Array.from({ length: Math.abs(n) }, (_, i) => ({ item: n, i })))

describe('a generator as task', () => {
  it.each([
    ['map, with two workers', ['map', job, '-j', '2', '--chunk-size', '1']],
    ['imap, from a promised generator', ['imap', `${job}#promised`]],
  ])('writes all lines of an item at its place: %s', async (_what, args) => {
    const items = [2, 0, 3, 1, 0]
    const { stdout, exitCode, stderr } = await runCli([...args, ...items.map(String)])
    expect(stdout).toBe(lines(...resultsOf(...items)))
    expect([exitCode, stderr]).toEqual([0, `poolrun ${args[0]}: 5 ok\n`])
  })

  it('writes none of the lines of an item that fails, and collect those of all others', async () => {
    const { stdout, exitCode } = await runCli(['collect', job], { input: '2\n-2\n0\n1\n' })
    expect(stdout).toBe(lines(...resultsOf(2, 0, 1)))
    expect(exitCode).toBe(3)
    const lazy = await runCli(['imap', job, ...inThisProcess], { input: '2\n-2\n1\n' })
    expect([lazy.stdout, lazy.exitCode]).toEqual([lines(...resultsOf(2)), 1])
  })

  it('keeps input order and context if it is async, also with --concurrency, and passes callbacks the array of all values', async () => {
    const items = [3, 0, 2, 4, 1]
    const space = tempSpace()
    const options = ['--concurrency', '3', '--callbacks', 'test/fixtures/jobs/callbacks-record.ts']
    const env = { CALLBACK_LOG: space.path('log') }
    const { stdout } = await runCli(['map', `${job}#later`, ...options, ...items.map(String)], { env })
    const values = items.map((n, index) => Array.from({ length: n }, (_, i) => [index, i]))
    expect(stdout).toBe(lines(...values.flat()))
    expect(space.read('log').trimEnd().split('\n').sort()).toEqual(
      values.map((all, index) => `ok ${index} ${all}`),
    )
  })

  it.each([
    ['json', job, [2, 0, 1], [], `${JSON.stringify(resultsOf(2, 0, 1))}\n`],
    ['json', job, [0, 0], inThisProcess, '[]\n'],
    ['raw', `${job}#later`, [1, 2], inThisProcess, '[0,0]\n[1,0]\n[1,1]\n'],
  ])(
    'writes each result by itself with --format %s: %s %j %j',
    async (format, job, items, options, expected) => {
      const { stdout } = await runCli(['map', job, '--format', format, ...options, ...items.map(String)])
      expect(stdout).toBe(expected)
    },
  )

  it('has an array of values in an envelope', async () => {
    const { stdout } = await runCli(['collect', job, '--envelope', ...inThisProcess, '0', '-1', '2'])
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
    const json = ['--format', 'json', ...inThisProcess]
    expect((await runCli(['apply', job, '2'])).stdout).toBe(lines(...resultsOf(2)))
    expect((await runCli(['apply', job, '2', ...json])).stdout).toBe(lines(resultsOf(2)))
    expect((await runCli(['apply', job, '0', ...json])).stdout).toBe('[]\n')
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
})
