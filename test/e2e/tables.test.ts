// `--format csv` and `tsv`: results as rows, in every command, with the counts, policies and files of any other format.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lastLine } from '../helpers/normalise.js'
import { inParent, lines, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const SQUARES = 'n => ({ n, square: n * n, text: n === 2 ? "a, b" : undefined })'
const ROWS = 'n,square,text\n1,1,\n2,4,"a, b"\n3,9,\n'

const run = (command: string, task: string, ...args: string[]) =>
  runCli([command, '-e', task, ...args], inParent)

describe('--format csv', () => {
  it('writes a row per result', async () => {
    const args = ['--format', 'csv', '-j', '2', '1', '2', '3']
    expect(await run('collect', SQUARES, ...args)).toMatchObject({
      stdout: ROWS,
      stderr: 'poolrun collect: 3 ok\n',
      exitCode: 0,
    })
  })

  it('writes the rows of generators, of one call, and of nothing', async () => {
    const yields = 'function* (n) { for (let i = 0; i < n; i++) yield { n, i } }'
    expect((await run('imap', yields, '--format', 'csv', '-j', '1', '0', '2', '1')).stdout).toBe(
      'n,i\n2,0\n2,1\n1,0\n',
    )
    expect((await run('imap', yields, '--format', 'csv', '0', '0')).stdout).toBe('')
    expect((await run('apply', '(a, b) => ({ a, b })', '--format', 'tsv', '1', '[2]')).stdout).toBe(
      'a\tb\n1\t[2]\n',
    )
  })

  it('fails what is not a row, also for counts, --errors and --retries', async () => {
    const { path } = tempSpace()
    const task = `(n, { attempt }) => {
      if (n === 2) return 'text'
      if (n === 3) return { a: n, b: n }
      if (n === 4 && attempt === 1) return { c: 1 }
      return { a: n, __proto__: null }
    }`
    const args = [
      '--format',
      'csv',
      '--errors',
      path('e'),
      '--retries',
      '1',
      '--retry-on',
      'encoding',
      '-j',
      '1',
    ]
    const { stdout, stderr, exitCode } = await run(
      'collect',
      task,
      ...args,
      '--chunk-size',
      '1',
      '1',
      '2',
      '3',
      '4',
      '5',
    )
    expect([stdout, exitCode]).toEqual(['a\n1\n4\n5\n', 3])
    expect(lastLine(stderr)).toBe('poolrun collect: 3 ok (1 flaky: item 3), 2 failed (items 1, 2)')
    const errors = readFileSync(path('e'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(errors.sort((a, b) => a.index - b.index)).toMatchObject([
      {
        index: 1,
        item: 2,
        kind: 'encoding',
        attempts: 2,
        error: { message: expect.stringContaining('a row is made from an object') },
      },
      {
        index: 2,
        item: 3,
        kind: 'encoding',
        attempts: 2,
        error: { message: expect.stringContaining('b is 3') },
      },
    ])
  })

  it.each([
    ['map', '0', ''],
    ['imap', '1', 'a\n1\n'],
  ])('ends %s at a result with a key that the header lacks', async (command, processes, rows) => {
    const args = ['--format', 'csv', '-j', processes, '1', '2', '3']
    const { stdout, exitCode } = await run(command, 'n => n === 2 ? { b: n } : { a: n }', ...args)
    expect([stdout, exitCode]).toEqual([rows, 1])
  })

  it('has the header of the first item in input order, however late it settles', async () => {
    const { path } = tempSpace()
    const task = (last: string) => `async n => {
      const { existsSync, writeFileSync } = await import('node:fs')
      const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
      const last = ${JSON.stringify(path(last))}
      if (n === 2) writeFileSync(last, '')
      while (n === 0 && !existsSync(last)) await sleep(5)
      // Until the 2 has arrived.
      if (n === 0) await sleep(200)
      return n === 0 ? { b: 0, a: 0 } : { a: n, b: n }
    }`
    const args = ['--format', 'csv', '-j', '2', '--chunk-size', '1']
    expect((await run('collect', task('c'), ...args, '0', '1', '2')).stdout).toBe('b,a\n0,0\n1,1\n2,2\n')
    const { stdout } = await run('imap-unordered', task('u'), ...args, '0', '1', '2')
    expect(stdout).toBe('a,b\n1,1\n2,2\n0,0\n')
  })

  it('writes what has settled when a deadline ends the run before its first item has', async () => {
    const task = 'async n => { if (n === 0) await new Promise(() => {}); return { n } }'
    const args = ['--format', 'csv', '-j', '2', '--chunk-size', '1', '--deadline', '4s']
    const { stdout, exitCode, stderr } = await run('collect', task, ...args, '0', '1', '2')
    expect([stdout, exitCode]).toEqual(['n\n1\n2\n', 124])
    expect(stderr).toContain('2 ok, 1 cancelled while running (item 0)')
  })

  it('separates by --delimiter, and passes rows to callbacks as objects', async () => {
    const { path, write } = tempSpace()
    const callbacks = write({
      'cb.mjs': `import { appendFileSync } from 'node:fs'
export const callback = (result) => appendFileSync(${JSON.stringify(path('log'))}, JSON.stringify(result) + '\\n')`,
    })
    const args = ['--format', 'csv', '--delimiter', ';', '--callbacks', callbacks]
    const { stdout } = await run('map', SQUARES, ...args, '2')
    expect(stdout).toBe('n;square;text\n2;4;a, b\n')
    expect(readFileSync(path('log'), 'utf8')).toBe(lines({ n: 2, square: 4, text: 'a, b' }))
  })
})

describe('--delimiter', () => {
  it('reads csv, and a header with semicolons is warned of once without it', async () => {
    const input = 'a;b\n1;2\n3;4\n'
    const args = ['map', '-e', 'row => row', '--input-format', 'csv']
    const split = await runCli([...args, '-j', '1', '--delimiter', ';'], { input })
    expect(split.stdout).toBe(lines({ a: '1', b: '2' }, { a: '3', b: '4' }))
    const whole = await runCli(args, { ...inParent, input })
    expect(whole.stdout).toBe(lines({ 'a;b': '1;2' }, { 'a;b': '3;4' }))
    expect(whole.stderr.match(/--delimiter ';'/g)).toHaveLength(1)
  })
})

it('tells how to get at the array in a JSON file that is an object', async () => {
  const file = tempSpace().write({ 'x.json': '{"items": [1, 2]}' })
  const { stderr, exitCode } = await runCli(['map', '-e', 'n => n', '-i', file], inParent)
  expect(exitCode).toBe(4)
  expect(stderr).toContain(`jq -c '.items[]' ${file} | poolrun …`)
})
