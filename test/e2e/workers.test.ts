// What a job can do inside its worker: print, read, send, finish. stdout has nothing but results, and nothing hangs.
// Crashes are in reliability/crashes.test.ts.
import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { fixture, lines, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

it('a job that prints in every way, reads stdin, forges messages or has a finalizer that throws changes no result', async () => {
  // Forged messages are about item 0, and nothing ends the half line.
  const items = [
    'sends forged messages',
    'prints lines',
    'writes to descriptor 1',
    'spawns a child that prints',
    'reads stdin',
    'prints half a line',
  ]
  const run = await runCli(['imap', fixture('meddles')], { input: lines(...items) })
  // Its stdin is empty, although the items come through that of poolrun.
  expect(run.stdout).toBe(lines(...items.map((item) => (item === 'reads stdin' ? '' : item))))
  expect(run.stderr.split('\n')).toEqual(
    expect.arrayContaining([
      'stdout of a job',
      'stderr of a job',
      'straight to descriptor 1',
      'grandchild to stdout',
      'grandchild to stderr',
      'half a line',
    ]),
  )
  expect(run.stderr).toContain('could not tidy up')
  expect(run.exitCode).toBe(0)
})

// With `none`, nothing: imap.test.ts.
describe('what a job prints is shown', () => {
  it('together with its item, with --job-output group, prefixed with item and worker, with --tag', async () => {
    const items = ['7', '8', '9']
    const flags = ['--job-output', 'group', '--tag', '-j', '2']
    const run = await runCli(['map', fixture('prints-stdout-stderr'), ...flags, ...items])
    expect(run.stdout).toBe('7\n8\n9\n')
    const printed = run.stderr.split('\n').filter((line) => / of \d$/.test(line))
    expect(printed).toHaveLength(6)
    expect(printed.map((line) => line.replace(/w[01]/, 'w')).sort()).toEqual(
      items.flatMap((item, i) => [`[#${i} w] stderr of ${item}`, `[#${i} w] stdout of ${item}`]).sort(),
    )
    const itemOf = (i: number) => printed[i]?.at(-1)
    expect([0, 2, 4].map((i) => `${itemOf(i)}${itemOf(i + 1)}`).sort()).toEqual(['77', '88', '99'])
  })

  it('only where the item failed, with --job-output failed', async () => {
    const flags = ['--job-output', 'failed', '-j', '1']
    const run = await runCli(['collect', fixture('prints-and-may-throw'), ...flags, '1', '2', '3'])
    expect(run.stderr).toContain('about to try 2')
    expect(run.stderr).not.toContain('about to try 1')
    expect(run.stderr).not.toContain('about to try 3')
    expect(run.exitCode).toBe(3)
  })
})

describe('a crash', () => {
  it('by abort is reported with the last stderr of the worker', async () => {
    const run = await runCli(['map', fixture('aborts'), '-j', '1', '1'])
    expect(run.stderr).toMatch(/was killed by SIGABRT after /)
    expect(run.stderr).toContain('last words')
    expect(run.exitCode).toBe(1)
  })

  it('also ends the processes that the job spawned', async () => {
    // `runCli` fails this test if the `sleep 60` that the job left is still running.
    const run = await runCli(['map', fixture('spawns-child-that-stays'), '-j', '1', '1'])
    expect(run.stderr).toContain('was killed by SIGKILL')
    expect(run.exitCode).toBe(1)
  })
})

it('the initializer gets --init-args and runs once in each worker, as does the finalizer when it is stopped', async () => {
  const space = tempSpace()
  const args = JSON.stringify([space.path('log'), 'a', { b: [1] }])
  const flags = ['-j', '2', '--chunk-size', '1', '--init-args', args]
  const run = await runCli(['map', fixture('initializer-args'), ...flags, '1', '2', '3'])
  const result = { given: ['a', { b: [1] }], runs: 1 }
  expect(run.stdout).toBe(lines(result, result, result))
  expect(run.exitCode).toBe(0)
  const log = space.read('log').trimEnd().split('\n')
  const workers = log.flatMap((line) => /^initialized (\d+)$/.exec(line)?.[1] ?? [])
  expect(new Set(workers).size).toBe(2)
  const ends = log.filter((line) => !line.startsWith('began'))
  expect(ends.sort()).toEqual(workers.flatMap((pid) => [`finished ${pid}`, `initialized ${pid}`]).sort())
})

// As many chunks as processors, and each is stuck until another worker takes its second item.
it('items that wait for others behind them in their chunk get workers beyond the number of processors', async () => {
  const processors = availableParallelism()
  const items = Array.from({ length: 2 * processors }, (_, i) => String(i))
  const flags = [
    '-j',
    String(processors + 1),
    '--chunk-size',
    '2',
    '--init-args',
    JSON.stringify([tempSpace().dir]),
  ]
  const run = await runCli(['map', fixture('needs-two-workers'), ...flags, ...items])
  expect(run.exitCode).toBe(0)
})

it('the context has index, attempt, a signal that has not aborted, and a worker id below the number of processes', async () => {
  const indexes = [...Array(20).keys()]
  const run = await runCli(['map', fixture('context-echo'), '-j', '2', '--chunk-size', '1'], {
    input: lines(...indexes),
  })
  const workerId = expect.toBeOneOf([0, 1])
  expect(
    run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(indexes.map((index) => ({ index, attempt: 1, workerId, aborted: false })))
})

describe('--callbacks', () => {
  it('are called once per item, with result or error and index', async () => {
    const space = tempSpace()
    const run = await runCli(
      [
        'collect',
        fixture('throws-error'),
        '-j',
        '1',
        '--callbacks',
        fixture('callbacks-record'),
        '1',
        '2',
        '3',
      ],
      { env: { CALLBACK_LOG: space.path('log') } },
    )
    expect(run.stdout).toBe('1\n3\n')
    expect(space.read('log').trim().split('\n').sort()).toEqual(['failed 1 boom', 'ok 0 1', 'ok 2 3'])
    expect(run.exitCode).toBe(3)
  })

  it('end the run with a message if their module does not exist', async () => {
    const run = await runCli(['map', fixture('identity'), '--callbacks', 'no/such/module.ts', '1'])
    expect(run.stderr).toContain('no/such/module.ts')
    expect(run.stdout).toBe('')
    expect([2, 5]).toContain(run.exitCode)
  })
})
