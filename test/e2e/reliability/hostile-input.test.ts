// Items and errors are not trusted: special keys, huge and deep values, and texts with control sequences.
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { fixture, lines, runCli, runInParent, startCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const identity = fixture('identity')

const PROTO = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"x":1}},"a":1}'

it('a key __proto__ is data to starmap', async () => {
  const args = ['starmap', identity, '-j', '1', '--input-format', 'ndjson']
  const run = await runCli(args, { input: `[${PROTO}]\n[{"b":2}]\n` })
  expect(run.stdout).toBe(`${PROTO}\n{"b":2}\n`)
  expect(run.exitCode).toBe(0)
})

it('a line of 10 MB is an item like any other', async () => {
  const run = startCli(['collect', fixture('length-of'), '-j', '1'], { timeoutMs: 60_000 })
  run.child.stdin.on('error', () => {})
  run.child.stdin.write('"a"\n"')
  const block = 'x'.repeat(2_500_000)
  for (let i = 0; i < 4; i++) run.child.stdin.write(block)
  run.child.stdin.end('"\n"bc"\n')
  expect(await run.ended()).toMatchObject({ stdout: '1\n10000000\n2\n', exitCode: 0 })
}, 70_000)

it.each(['ndjson', 'json'])(
  'an array a hundred thousand deep fails or succeeds as one item of %s, and a key __proto__ is data',
  async (format) => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const input = format === 'json' ? `[1,${deep},${PROTO}]` : `1\n${deep}\n${PROTO}\n`
    const run = await runCli(['collect', identity, '-j', '1', '--input-format', format], { input })
    expect(run.stdout.startsWith('1\n')).toBe(true)
    expect(run.stdout.endsWith(`\n${PROTO}\n`)).toBe(true)
    expect(lastLine(run.stderr)).toMatch(/^poolrun collect: (3 ok|2 ok, 1 failed \(item 1\))$/)
    expect([0, 3]).toContain(run.exitCode)
    expect(run.stderr.length).toBeLessThan(10_000)
  },
)

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/

describe('no control character is printed on stderr', () => {
  it('for an error with its cause and properties, its item, its job, a line that does not parse, and what a job prints', async () => {
    const job = tempSpace().write({
      '\u001b[2Jfolder/job\u0007.mjs': `export default (item) => {
  console.log('\\u001b]0;title\\u0007\\u001b[2Jprinted')
  const cause = new Error('\\u001b[2Jcleared\\u0007 \\u009b31mred\\n::error::forged', { cause: '\\u001b[31mroot' })
  const error = new Error('\\u001b]0;title\\u0007\\u001b[2J\\u009b31m\\rmessage of ' + item, { cause })
  error.name = '\\u001b[1mName'
  throw Object.assign(error, { '\\u001b[7mkey': '\\u001b[7mvalue' })
}`,
    })
    const input = `${lines('\u001b[2J\u0007item')}{"\u001b[2J": \u0007}\n`
    const run = await runCli(['collect', job, '-v'], { input })
    for (const text of ['printed', 'cleared', 'forged', 'root', 'message of', 'Name', 'key', 'value', 'item'])
      expect(run.stderr).toContain(text)
    expect(run.stderr).toMatch(/folder\/job.*\.mjs/)
    expect(run.stderr).toContain('<stdin>:2:')
    expect(run.stderr).not.toMatch(HARMFUL)
    expect(run.exitCode).toBe(3)
  })

  it('for an argument, or the name of a job or an input that does not exist', async () => {
    for (const args of [
      ['map', '\u001b[2Jmissing.ts', '1'],
      ['map', identity, '-i', '\u001b[2Jmissing.json'],
      ['map', `${identity}#\u001b[2Jmissing`, '1'],
      ['map', identity, '--\u001b[2Junknown', '1'],
    ]) {
      const run = await runInParent(args)
      expect(run.stderr, JSON.stringify(args)).not.toMatch(HARMFUL)
      expect([2, 4, 5]).toContain(run.exitCode)
    }
  })
})

it('no failure prints a secret of the environment, even with --full-stack', async () => {
  const secret = 'hunter2-of-the-environment'
  const throwsOrAborts = tempSpace().write({
    'job.mjs': `export default (n) => {
  if (n === 1) throw new Error('no', { cause: new Error('why') })
  process.abort()
}`,
  })
  for (const [job, code, text] of [
    [throwsOrAborts, 3, '2 failed (items 0, 1)'],
    [fixture('import-throws'), 5, 'Error'],
    [fixture('initializer-throws'), 6, 'no licence'],
    [fixture('import-exits'), 5, 'exited with code 3'],
  ] as const) {
    const run = await runCli(['collect', job, '-v', '--full-stack', '1', '2'], { env: { API_TOKEN: secret } })
    expect(run.exitCode, run.stderr).toBe(code)
    expect(run.stderr).toContain(text)
    expect(run.stderr).not.toContain(secret)
  }
})

it('an item that is longer than a string, a message or a search in a buffer can be fails alone, with its location, and its beginning in --errors', async () => {
  // In memory where there is such a file system: reading what takes no space on a disk fills the page cache.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'poolrun-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  // `1`, a line of NUL characters, and `3`.
  const file = join(folder, 'long.txt')
  writeFileSync(file, '1\n')
  truncateSync(file, 2 ** 31 + 2 ** 20)
  appendFileSync(file, '\n3\n')
  const errors = join(folder, 'errors.ndjson')
  const args = ['-i', file, '--input-format', 'lines', '--errors', errors, '-j', '1']
  const run = await runCli(['collect', identity, ...args], { timeoutMs: 60_000 })
  expect(run.stdout).toBe('"1"\n"3"\n')
  expect(run.stderr).toContain(`${file}:2:1: item 1: longer than 512 MiB`)
  expect(run.exitCode).toBe(3)
  expect(JSON.parse(readFileSync(errors, 'utf8'))).toMatchObject({ index: 1, kind: 'input' })
}, 70_000)
