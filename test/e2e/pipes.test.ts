// poolrun between other programs: readers that close the pipe, disks that are full, inputs without an end.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fixture, inParent, runShell, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const identity = fixture('identity')

describe('a reader that closes the pipe ends the run with code 141 and prints nothing', () => {
  // The input has no end: nothing else ends the run.
  it.each([
    ['imap', '1', 'head -3', '7\n7\n7\n'],
    ['imap-unordered', '0', 'head -1', '7\n'],
    ['collect', '0', 'head -1', '7\n'],
  ])('%s with -j %s, before %s', async (command, processes, after, stdout) => {
    const run = await runShell(
      `yes 7 | poolrun ${command} ${identity} -j ${processes} | ${after}; echo "\${PIPESTATUS[1]}"`,
    )
    expect(run.stdout).toBe(`${stdout}141\n`)
    expect(run.stderr.replace(/^poolrun: warning: --processes 0 .*\n/, '')).toBe('')
  })

  it('map, though it writes only at the end, and counts its items in reports', async () => {
    const report = tempSpace().path('report.json')
    const run = await runShell(
      `poolrun map ${fixture('big-result')} 300000 --report json=${report} | true; echo "\${PIPESTATUS[0]}"`,
    )
    expect(run).toMatchObject({ stdout: '141\n', stderr: '' })
    const { exitCode, verdict, counts } = JSON.parse(readFileSync(report, 'utf8'))
    expect({ exitCode, verdict }).toEqual({
      exitCode: 141,
      verdict: 'poolrun map: the reader of stdout went away: 1 ok',
    })
    expect(counts).toMatchObject({ ok: 1, failed: 0, cancelled: 0, notRun: 0, inputReadToEnd: true })
  })
})

describe.runIf(existsSync('/dev/full'))('a full disk', () => {
  it.each([
    ['map', '1'],
    ['imap', '0'],
    ['collect', '0'],
  ])('ends %s with code 7 and a message', async (command, processes) => {
    const run = await runShell(`poolrun ${command} ${identity} -j ${processes} 1 > /dev/full`)
    expect(run.stderr).toMatch(/^poolrun \S+: .*(ENOSPC|no space)/im)
    expect(run.stderr).not.toMatch(/^ {4}at /m)
    expect(run.exitCode).toBe(7)
  })

  it('does not matter where stderr is written', async () => {
    const run = await runShell(`poolrun collect ${fixture('throws-error')} 0 1 2 3 2> /dev/full`, inParent)
    expect(run).toMatchObject({ stdout: '0\n1\n3\n', exitCode: 3 })
  })
})

it('does not need a reader for stderr', async () => {
  const run = startCli(['collect', fixture('throws-error'), '-j', '1'])
  run.child.stderr.destroy()
  run.child.stdin.end('0\n1\n2\n3\n')
  const { stdout, exitCode } = await run.ended()
  expect(stdout).toBe('0\n1\n3\n')
  expect(exitCode).toBe(3)
})

it('reads nothing from a pipe if the job does not compile', async () => {
  const job = 'test/fixtures/broken/syntax-error.ts'
  const run = await runShell(`seq 20000 | { poolrun map ${job}; echo "$?"; wc -l; }`)
  expect(run.stdout.split('\n').map(Number)).toEqual([5, 20_000, 0])
})

it('writes a result larger than the pipe completely, even if the run then fails', async () => {
  const run = await runShell(
    `poolrun imap ${fixture('writes-then-throws')} -j 1 0 1 | wc -c; echo "\${PIPESTATUS[0]}"`,
  )
  expect(run.stdout.trim().split(/\s+/)).toEqual(['1000003', '1'])
})

it('treats the items of a program that was killed as the whole input', async () => {
  const run = await runShell(`(echo 1; echo 2; kill -9 $BASHPID) | poolrun imap ${identity}`, inParent)
  expect(run.stdout).toBe('1\n2\n')
  expect(run.exitCode).toBe(0)
})

it('works with a stdin that is closed', async () => {
  const run = await runShell(`poolrun map ${identity} 1 <&-`)
  expect(run).toMatchObject({ stdout: '1\n', exitCode: 0 })
})
