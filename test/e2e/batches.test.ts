// `--batch`: an item is an array of consecutive items of the input, in every command.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lastLine } from '../helpers/normalise.js'
import { lines, runCli, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const numbers = Array.from({ length: 1003 }, (_, i) => i)
const input = lines(...numbers)
const batches = (size: number) =>
  Array.from({ length: Math.ceil(numbers.length / size) }, (_, i) => numbers.slice(i * size, (i + 1) * size))

describe('--batch', () => {
  it.each([
    ['map', '2'],
    ['imap', '0'],
    ['collect', '0'],
  ])('gives the task arrays, the last one shorter: %s -j %s', async (command, processes) => {
    const args = [command, '-e', 'batch => batch', '--batch', '7', '-j', processes]
    const { stdout, stderr, exitCode } = await runCli(args, { input })
    expect(stdout).toBe(lines(...batches(7)))
    expect([exitCode, lastLine(stderr)]).toEqual([0, `poolrun ${command}: 144 ok`])
  })

  it('counts batches: indexes, --only, --max-tasks-per-child, failures, --errors and the summary line', async () => {
    const { path } = tempSpace()
    const job = `(batch, { index, attempt }) => {
      if (batch.includes(45) || (batch.includes(70) && attempt === 1)) throw new Error('x')
      return [index, batch.length, batch[0]]
    }`
    const args = ['collect', '-e', job, '--batch', '10', '--only', '4-8,100', '--retries', '1']
    const { stdout, stderr, exitCode } = await runCli(
      [...args, '--max-tasks-per-child', '2', '--errors', path('e'), '-q'],
      { input },
    )
    expect(stdout).toBe(lines([5, 10, 50], [6, 10, 60], [7, 10, 70], [8, 10, 80], [100, 3, 1000]))
    expect([exitCode, stderr]).toEqual([
      3,
      expect.stringMatching(/poolrun collect: 5 ok \(1 flaky: item 7\), 1 failed \(item 4\)\n$/),
    ])
    expect(JSON.parse(readFileSync(path('e'), 'utf8'))).toMatchObject({
      index: 4,
      item: numbers.slice(40, 50),
      kind: 'error',
      attempts: 2,
    })
  })

  it('fails the batch of a malformed line, with the location of that line', async () => {
    const { path } = tempSpace()
    const args = ['collect', '-e', 'b => b', '--batch', '2', '-j', '0', '--errors', path('e')]
    const { stdout, stderr, exitCode } = await runCli(args, { input: '1\n2\n3\n{"a" 4}\n5\n' })
    expect([stdout, exitCode]).toEqual([lines([1, 2], [5]), 3])
    expect(stderr).toContain('<stdin>:4:6')
    expect(JSON.parse(readFileSync(path('e'), 'utf8'))).toMatchObject({
      index: 1,
      item: '[3,{"a" 4}]',
      kind: 'input',
    })
  })

  it('begins a batch while the input is still open', async () => {
    const run = startCli(['imap', '-e', 'b => b', '--batch', '2'])
    const first = new Promise((resolve) => run.child.stdout.once('data', (data) => resolve(String(data))))
    run.child.stdin.write('1\n2\n3\n')
    expect(await first).toBe('[1,2]\n')
    run.child.stdin.end()
    expect((await run.ended()).stdout).toBe(lines([1, 2], [3]))
  })

  it('takes items of the command line, of CSV and of globs', async () => {
    const words = await runCli(['map', '-e', 'b => b', '--batch', '2', '-j', '0', '1', 'x', '[2]'])
    expect(words.stdout).toBe(lines([1, 'x'], [[2]]))
    const csv = await runCli(['map', '-e', 'b => b', '--batch', '2', '-j', '0', '--input-format', 'csv'], {
      input: 'a\n1\n2\n3\n',
    })
    expect(csv.stdout).toBe(lines([{ a: '1' }, { a: '2' }], [{ a: '3' }]))
  })

  it('counts batches in a dry run', async () => {
    const { stderr } = await runCli(['map', '-n', '-e', 'b => b', '--batch', '100'], { input })
    expect(stderr).toContain('\n  items    11, each a batch of up to 100\n')
  })
})
