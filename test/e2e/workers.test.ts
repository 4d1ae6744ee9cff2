// What a job can do inside its worker: print, read, send, finish. stdout has nothing but results, and nothing hangs.
// Crashes are in reliability/crashes.test.ts.
import { describe, expect, it } from 'vitest'
import { occurrences } from '../helpers/normalise.js'
import { fixture, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

describe('what a job prints goes to stderr, line by line', () => {
  it.each([
    ['prints-stdout-stderr', ['stdout of 7', 'stderr of 7']],
    ['prints-without-newline', ['half a line']],
    ['writes-fd1-directly', ['straight to descriptor 1']],
    ['spawns-child-that-prints', ['grandchild to stdout', 'grandchild to stderr']],
  ])('%s', async (job, expected) => {
    const run = await runCli(['map', fixture(job), '7'])
    expect(run.stdout).toBe('7\n')
    expect(run.stderr.split('\n')).toEqual(expect.arrayContaining(expected))
    expect(run.exitCode).toBe(0)
  })

  it('or nowhere, with --job-output none', async () => {
    const run = await runCli(['map', fixture('prints-stdout-stderr'), '--job-output', 'none', '7'])
    expect(run.stdout).toBe('7\n')
    expect(run.stderr).not.toContain('of 7')
  })

  it('or together with its item, with --job-output group', async () => {
    const run = await runCli([
      'map',
      fixture('prints-stdout-stderr'),
      '--job-output',
      'group',
      '-j',
      '2',
      '7',
      '8',
      '9',
    ])
    const printed = run.stderr.split('\n').flatMap((line) => / of (\d)$/.exec(line)?.[1] ?? [])
    expect(printed).toHaveLength(6)
    expect(new Set([0, 2, 4].map((i) => `${printed[i]}${printed[i + 1]}`))).toEqual(
      new Set(['77', '88', '99']),
    )
  })

  it('or only where the item failed, with --job-output failed', async () => {
    const run = await runCli([
      'collect',
      fixture('prints-and-may-throw'),
      '--job-output',
      'failed',
      '-j',
      '1',
      '1',
      '2',
      '3',
    ])
    expect(run.stderr).toContain('about to try 2')
    expect(run.stderr).not.toContain('about to try 1')
    expect(run.stderr).not.toContain('about to try 3')
    expect(run.exitCode).toBe(3)
  })

  it('prefixed with item and worker, with --tag', async () => {
    const run = await runCli(['map', fixture('prints-stdout-stderr'), '--tag', '-j', '1', '7', '8'])
    const line = run.stderr.split('\n').find((text) => text.endsWith('stdout of 8'))
    expect(line?.slice(0, -'stdout of 8'.length)).toMatch(/1.*0/)
  })
})

it('gives a job an empty stdin, also while the items come through stdin', async () => {
  const run = await runCli(['imap', fixture('reads-stdin'), '-j', '1'], { input: '1\n2\n3\n' })
  expect(run.stdout).toBe('""\n""\n""\n')
})

it("never takes a job's own messages for the pool's", async () => {
  const run = await runCli(['map', fixture('process-send-forged'), '-j', '1', '0', '1', '2'])
  expect(run.stdout).toBe('0\n1\n2\n')
  expect(run.exitCode).toBe(0)
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

describe('initializer and finalizer', () => {
  it('the initializer gets --init-args and runs once in each worker', async () => {
    const run = await runCli([
      'map',
      fixture('initializer-args'),
      '-j',
      '2',
      '--init-args',
      '["a",{"b":[1]}]',
      '1',
      '2',
      '3',
    ])
    const given = { given: ['a', { b: [1] }], runs: 1 }
    expect(
      run.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([given, given, given])
  })

  it('the finalizer runs once in a worker that is stopped', async () => {
    const space = tempSpace()
    const args = JSON.stringify([space.path('log')])
    const run = await runCli([
      'map',
      fixture('finalizer-writes-file'),
      '-j',
      '1',
      '--init-args',
      args,
      '1',
      '2',
      '3',
    ])
    expect(run.exitCode).toBe(0)
    expect(occurrences(space.read('log'), 'finished')).toBe(1)
  })

  it('a finalizer that throws is a warning', async () => {
    const run = await runCli(['map', fixture('finalizer-throws'), '-j', '1', '1'])
    expect(run.stdout).toBe('1\n')
    expect(run.stderr).toContain('could not tidy up')
    expect(run.exitCode).toBe(0)
  })
})

describe('the context', () => {
  it('has index, attempt, worker and a signal that has not aborted', async () => {
    const run = await runCli(['map', fixture('context-echo'), '-j', '1', 'a', 'b'])
    expect(run.stdout).toBe(
      '{"index":0,"attempt":1,"workerId":0,"aborted":false}\n{"index":1,"attempt":1,"workerId":0,"aborted":false}\n',
    )
  })

  it('has a worker id below the number of processes', async () => {
    const run = await runCli(['map', fixture('context-echo'), '-j', '2', '--chunk-size', '1'], {
      input: Array.from({ length: 40 }, (_, i) => `${i}\n`).join(''),
    })
    const seen = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(seen.map(({ index }) => index)).toEqual([...Array(40).keys()])
    for (const { workerId } of seen) expect([0, 1]).toContain(workerId)
  })
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
