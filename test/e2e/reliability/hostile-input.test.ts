// Items and errors are not trusted: special keys, huge and deep values, and texts with control sequences.
import { appendFileSync, closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { fixture, lines, root, runCli, startCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const identity = fixture('identity')

it.each([
  ['imap', (value: string) => value],
  ['starmap', (value: string) => `[${value}]`],
])('a key __proto__ is data to %s', async (command, item) => {
  const value = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}},"a":1}'
  const input = `${item(value)}\n${item('{"b":2}')}\n`
  const run = await runCli([command, identity, '-j', '1', '--input-format', 'ndjson'], { input })
  expect(run.stdout).toBe(`${value}\n{"b":2}\n`)
  expect(run.exitCode).toBe(0)
})

it('a line of 50 MB is an item like any other', async () => {
  const run = startCli(['collect', fixture('length-of'), '-j', '1'], { timeoutMs: 60_000 })
  run.child.stdin.on('error', () => {})
  run.child.stdin.write('"a"\n"')
  const block = 'x'.repeat(5_000_000)
  for (let i = 0; i < 10; i++) run.child.stdin.write(block)
  run.child.stdin.end('"\n"bc"\n')
  expect(await run.ended()).toMatchObject({ stdout: '1\n50000000\n2\n', exitCode: 0 })
}, 70_000)

it.each(['ndjson', 'json'])('an array a million deep fails or succeeds as one item of %s', async (format) => {
  const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000)
  const input = format === 'json' ? `[1,${deep},3]` : `1\n${deep}\n3\n`
  const run = await runCli(['collect', identity, '-j', '1', '--input-format', format], { input })
  expect(run.stdout.startsWith('1\n')).toBe(true)
  expect(run.stdout.endsWith('\n3\n') && run.stdout.length > 3).toBe(true)
  expect(lastLine(run.stderr)).toMatch(/^poolrun collect: (3 ok|2 ok, 1 failed \(item 1\))$/)
  expect([0, 3]).toContain(run.exitCode)
  expect(run.stderr.length).toBeLessThan(10_000)
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/

describe('no control character is printed on stderr', () => {
  it('for an error: its name, its cause, its properties and the item', async () => {
    const run = await runCli(['collect', fixture('throws-escapes'), '-j', '1', '-v'], {
      input: lines('\u001b[2J\u0007item'),
    })
    expect(run.stderr).toContain('message of')
    expect(run.stderr).toContain('cause')
    expect(run.stderr).not.toMatch(HARMFUL)
    expect(run.exitCode).toBe(3)
  })

  it('for the name of a job', async () => {
    const space = tempSpace()
    const job = space.write({
      '\u001b[2Jfolder/job\u0007.mjs': 'export default () => { throw new Error("boom") }\n',
    })
    const run = await runCli(['map', job, '1'])
    expect(run.stderr).toContain('Error: boom')
    expect(run.stderr).not.toMatch(HARMFUL)
    expect(run.exitCode).toBe(1)
  })

  it('for an argument, or the name of a job or an input that does not exist', async () => {
    for (const args of [
      ['map', '\u001b[2Jmissing.ts', '1'],
      ['map', identity, '-i', '\u001b[2Jmissing.json'],
      ['map', `${identity}#\u001b[2Jmissing`, '1'],
      ['map', identity, '--\u001b[2Junknown', '1'],
      ['\u001b[2Junknown'],
    ]) {
      const run = await runCli(args)
      expect(run.stderr, JSON.stringify(args)).not.toMatch(HARMFUL)
      expect([2, 4, 5]).toContain(run.exitCode)
    }
  })

  it('for a line that does not parse', async () => {
    const run = await runCli(['collect', identity], { input: '1\n{"\u001b[2J": \u0007}\n' })
    expect(run.stderr).toContain('<stdin>:2:')
    expect(run.stderr).not.toMatch(HARMFUL)
  })

  it('for the output of a job', async () => {
    const job = tempSpace().write({
      'job.mjs':
        'export default () => { console.log("\\u001b]0;title\\u0007\\u001b[2Jprinted"); return 1 }\n',
    })
    const run = await runCli(['map', job, '1'], { cwd: root })
    expect(run.stderr).toContain('printed')
    expect(run.stderr).not.toMatch(HARMFUL)
  })
})

it('no failure prints a secret of the environment, even with --full-stack', async () => {
  const secret = 'hunter2-of-the-environment'
  for (const [job, code] of [
    ['throws-cause-chain', 1],
    ['import-throws', 5],
    ['initializer-throws', 6],
    ['import-exits', 5],
    ['aborts', 1],
  ] as const) {
    const run = await runCli(['map', fixture(job), '-v', '--full-stack', '1'], { env: { API_TOKEN: secret } })
    expect(run.exitCode, run.stderr).toBe(code)
    expect(run.stderr).not.toContain(secret)
  }
})

describe('an item that is longer than a string can be', () => {
  /** `1`, a line of NUL characters that takes no space on the disk, and `3`. */
  function inputWithLine(bytes: number): string {
    const file = tempSpace().path('long.txt')
    const fd = openSync(file, 'w')
    writeSync(fd, '1\n')
    ftruncateSync(fd, bytes)
    closeSync(fd)
    appendFileSync(file, '\n3\n')
    return file
  }

  // The longer one is more than a message or a search in a buffer could take.
  it('fails alone, with its location, and its beginning in --errors', async () => {
    const file = inputWithLine(2 ** 31 + 2 ** 20)
    const errors = tempSpace().path('errors.ndjson')
    const args = ['-i', file, '--input-format', 'lines', '--errors', errors, '-j', '1']
    const run = await runCli(['collect', identity, ...args], { timeoutMs: 60_000 })
    expect(run.stdout).toBe('"1"\n"3"\n')
    expect(run.stderr).toContain(`${file}:2:1: item 1: longer than 512 MiB`)
    expect(run.exitCode).toBe(3)
    expect(JSON.parse(readFileSync(errors, 'utf8'))).toMatchObject({ index: 1, kind: 'input' })
  }, 70_000)

  it('ends imap after the results before it', async () => {
    const file = inputWithLine(2 ** 29 + 2)
    const args = ['-i', file, '--input-format', 'lines', '-j', '1']
    const run = await runCli(['imap', identity, ...args], { timeoutMs: 60_000 })
    expect(run.stdout).toBe('"1"\n')
    expect(run.stderr).toContain(`${file}:2:1: item 1: longer than 512 MiB`)
    expect(run.exitCode).toBe(4)
  }, 70_000)
})
