// Named pipes that nobody opens at the other end, and readers that stop reading: neither may keep a run from ending.
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { runCli, runShell, startCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const PIPES = ['ff', 'ff.gz', 'errors', 'report']

function folder() {
  const space = tempSpace()
  space.write({
    'job.mjs': 'export default (x) => x',
    'fails.mjs': "export default (x) => { throw new Error('x'.repeat(100_000) + x) }",
  })
  execFileSync('mkfifo', PIPES, { cwd: space.dir })
  return space
}

// The files of the last are opened at the same time, so that each of them can keep the run waiting.
describe.each([
  ['-i ff', '-j 1'],
  ['-i ff.gz', '-j 0'],
  ['-n -i ff', '-j 0'],
  ['-o ff --errors errors --report json=report 1', '-j 1'],
])('a pipe without a peer: %s', (text, workers) => {
  const options = text.split(' ')

  it('does not keep the deadline from ending the run', async () => {
    const { dir } = folder()
    const args = ['collect', 'job.mjs', '--deadline', '1s', ...workers.split(' '), ...options]
    const { exitCode, stderr } = await runCli(args, { cwd: dir })
    expect(exitCode).toBe(124)
    expect(lastLine(stderr)).toContain('the deadline of 1 s was reached: 0 ok')
  })

  it('does not hide that the job is missing', async () => {
    const { dir } = folder()
    const { exitCode } = await runCli(['collect', 'missing.mjs', '-j', '0', ...options], { cwd: dir })
    expect(exitCode).toBe(5)
  })

  it('does not keep SIGTERM from ending the run', async () => {
    const { dir } = folder()
    const { child, ended } = startCli(['collect', 'job.mjs', '--debug', ...options], { cwd: dir })
    child.stderr.once('data', () => child.kill('SIGTERM'))
    const { signal, stderr } = await ended()
    expect(signal).toBe('SIGTERM')
    expect(lastLine(stderr)).toContain('interrupted by SIGTERM: 0 ok')
  })
})

describe('a pipe whose reader stops reading', () => {
  test.each([
    ['-o', ['job.mjs', '-j', '0', '-o', 'ff']],
    ['--errors', ['fails.mjs', '--errors', 'ff']],
  ])('does not keep the deadline from ending the run: %s', async (_, args) => {
    const { dir, path, write } = folder()
    write({ items: `${JSON.stringify('y'.repeat(100_000))}\n`.repeat(50) })
    const reader = openSync(path('ff'), constants.O_RDONLY | constants.O_NONBLOCK)
    const result = await runCli(['collect', ...args, '-i', 'items', '-q', '--deadline', '2s'], { cwd: dir })
    closeSync(reader)
    expect(result.exitCode).toBe(124)
  })

  test('does not keep the deadline from ending a run that writes its report', async () => {
    const { dir, path, write } = folder()
    write({ items: '1\n'.repeat(3_000) })
    const reader = openSync(path('ff'), constants.O_RDONLY | constants.O_NONBLOCK)
    const args = ['collect', 'job.mjs', '--report', 'json=ff', '--deadline', '4s', '-j', '0', '-i', 'items']
    const { exitCode, stdout } = await runCli(args, { cwd: dir })
    expect(readSync(reader, Buffer.alloc(100))).toBe(100)
    closeSync(reader)
    expect({ exitCode, stdout }).toEqual({ exitCode: 124, stdout: '1\n'.repeat(3_000) })
  })
})

test('pipes with a peer carry all of it, whichever end opens first', async () => {
  const { dir, path } = folder()
  const script = `
    cat ff.gz > results & cat report > report.json &
    poolrun collect job.mjs -i ff -o ff.gz --report json=report & run=$!
    for i in 1 2 3; do echo $i; done > ff
    wait $run; code=$?; wait; exit $code`
  expect((await runShell(script, { cwd: dir })).exitCode).toBe(0)
  expect(readFileSync(path('results'), 'utf8')).toBe('1\n2\n3\n')
  expect(JSON.parse(readFileSync(path('report.json'), 'utf8')).counts.ok).toBe(3)
})

test('--errors /dev/stderr writes behind what the file at stderr holds', async () => {
  const { dir, path } = folder()
  writeFileSync(path('log'), 'before\n')
  await runShell('poolrun collect fails.mjs -j 0 --errors /dev/stderr 1 2>> log', { cwd: dir })
  const log = readFileSync(path('log'), 'utf8')
  expect(log).toMatch(/^before\n/)
  expect(log).toContain('{"index":0,"item":1,"kind":"error"')
  expect(log).toContain('poolrun collect: 0 ok, 1 failed')
})
