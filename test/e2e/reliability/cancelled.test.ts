// Items that had begun when the run ended early: the summary line, --errors and every report name them, because their
// side effects may have happened. What never began is not run.
import { describe, expect, it } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { type CliResult, runCli, watchCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

/** Writes down that an item begins. 0 runs until the process ends; a negative number fails once one of these has begun. */
const JOB = `import { appendFileSync, readFileSync } from 'node:fs'
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
export default async (n) => {
  appendFileSync(process.env.BEGUN, n + '\\n')
  // Long enough that nothing waits in a worker.
  await sleep(60)
  if (n === 0) {
    console.log('stuck')
    await sleep(60_000)
  }
  while (n < 0 && !/^0$/m.test(readFileSync(process.env.BEGUN, 'utf8'))) await sleep(5)
  if (n < 0) throw new Error('no ' + n)
  return n
}`

function folder(job = JOB) {
  const space = tempSpace()
  space.write({ 'job.mjs': job, begun: '' })
  const report = (kind: string) => ['--report', `${kind}=${space.path(kind)}`]
  return {
    ...space,
    options: { env: { BEGUN: space.path('begun') } },
    args: [space.path('job.mjs'), '-j', '2', '--chunk-size', '1', '--kill-after', '300ms'],
    reports: [...['json', 'junit', 'html', 'trace'].flatMap(report), '--errors', space.path('errors')],
    errors: () => lines(space.read('errors')).map((line) => JSON.parse(line)),
  }
}

const lines = (text: string) => text.split('\n').filter(Boolean)

async function signalled(args: readonly string[], options: object, signals: number): Promise<CliResult> {
  const run = watchCli(args, options)
  await run.printed(/stuck(.|\n)*stuck/)
  process.kill(run.child.pid!, 'SIGTERM')
  await run.printed(/interrupted by SIGTERM/)
  if (signals > 1) process.kill(run.child.pid!, 'SIGTERM')
  return run.ended()
}

type Run = (args: readonly string[], options: object) => Promise<CliResult>

/** Items 1 and 3 run when it ends; the last ones have not begun. */
const WAYS: readonly [how: string, command: string, items: string[], run: Run, expected: RegExp][] = [
  [
    'a second signal',
    'collect',
    ['5', '0', '6', '0', '0', '0', '8', '9'],
    (args, options) => signalled(args, options, 2),
    /interrupted by SIGTERM: 2 ok, 2 cancelled while running \(items 1, 3\), 4 not run$/,
  ],
  [
    'the end of the grace',
    'map',
    ['5', '0', '6', '0', '0', '0', '8', '9'],
    (args, options) => signalled([...args, '--grace', '500ms'], options, 1),
    /interrupted by SIGTERM: 2 ok, 2 cancelled while running \(items 1, 3\), 4 not run$/,
  ],
  [
    'the deadline',
    'imap',
    ['5', '0', '6', '0', '0', '0', '8', '9'],
    (args, options) => runCli([...args, '--deadline', '4s'], options),
    /deadline of 4 s was reached: 2 ok, 2 cancelled while running \(items 1, 3\), 4 not run$/,
  ],
  [
    'fail-fast',
    'map',
    ['5', '0', '-1', '0', '0', '8', '9'],
    (args, options) => runCli(args, options),
    /stopped \(fail-fast\): 1 ok, 1 failed, 1 cancelled while running \(item 1\), 4 not run$/,
  ],
  [
    '--max-failures',
    'collect',
    ['5', '0', '-1', '0', '0', '8', '9'],
    (args, options) => runCli([...args, '--max-failures', '1'], options),
    /stopped \(--max-failures 1\): 1 ok, 1 failed \(item 2\), 1 cancelled while running \(item 1\), 4 not run$/,
  ],
  [
    'a failed item of imap',
    'imap',
    ['5', '-1', '0', '0', '0', '8', '9'],
    (args, options) => runCli(args, options),
    /item 1 failed, stopped: 1 ok, 1 failed, (1 cancelled while running \(item 2\), 4|2 cancelled while running \(items 2, 3\), 3) not run$/,
  ],
]

describe.each(WAYS)('%s', (_how, command, items, run, expected) => {
  it(`counts and names the items that ran, in ${command}`, async () => {
    const { args, options, reports, errors, read } = folder()
    const result = await run([command, ...args, ...reports, ...items], options)
    expect(lastLine(result.stderr)).toMatch(expected)
    const named = /cancelled while running \(items? ([^)]*)\)/
      .exec(result.stderr)![1]!
      .split(', ')
      .map(Number)
    // Exactly the items that began and neither succeeded nor failed.
    expect(lines(read('begun'))).toHaveLength(
      named.length + countedIn(result, 'ok') + countedIn(result, 'failed'),
    )
    const cancelled = errors().filter(({ status }) => status === 'cancelled')
    expect(cancelled).toEqual(
      named.map((index) => ({
        index,
        item: 0,
        status: 'cancelled',
        attempts: 1,
        ms: expect.any(Number) as unknown,
      })),
    )
    const report = JSON.parse(read('json'))
    expect(report.counts.cancelled).toBe(named.length)
    const attempts = report.attempts.filter(({ status }: { status: string }) => status === 'cancelled')
    expect(attempts.map(({ index }: { index: number }) => index).sort()).toEqual(named)
    const junit = read('junit')
    for (const index of named)
      expect(junit).toMatch(
        new RegExp(`name="item ${index}: 0"[^>]*>\\s*<skipped message="cancelled while running`),
      )
  })
})

function countedIn({ stderr }: CliResult, what: string): number {
  const found = new RegExp(`([\\d,]+) ${what}`).exec(/[^:]*$/.exec(lastLine(stderr))![0])
  return Number((found?.[1] ?? '0').replaceAll(',', ''))
}

it('counts cheap items as cancelled where nobody can know how far their worker came', async () => {
  const { args, options, read } = folder(`import { appendFileSync } from 'node:fs'
let n = 0
export default (i) => {
  if (++n < 5000) return i
  appendFileSync(process.env.BEGUN, i + '\\n')
  console.log('stuck')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}`)
  const numbers = Array.from({ length: 20_000 }, (_, i) => i).join('\n')
  const run = watchCli(['collect', ...args.slice(0, 1), '-j', '1'], options)
  run.child.stdin.end(numbers)
  await run.printed(/stuck/)
  process.kill(run.child.pid!, 'SIGTERM')
  await run.printed(/interrupted/)
  process.kill(run.child.pid!, 'SIGTERM')
  const result = await run.ended()
  const count = (what: string) => countedIn(result, what)
  expect(count('cancelled while running')).toBeGreaterThan(0)
  // The item that ran is not among those that surely never began.
  const began = Number(read('begun'))
  const first = Number(/running \(items? (\d+)/.exec(result.stderr)![1])
  expect(first).toBeLessThanOrEqual(began)
  expect(began).toBeLessThan(first + count('cancelled while running'))
})

it('an item that waits for its next attempt has begun', async () => {
  const { args, options, errors, path } = folder(`import { appendFileSync } from 'node:fs'
export default (n) => { appendFileSync(process.env.BEGUN, n + '\\n'); throw new Error('no ' + n) }`)
  const retry = [
    '--retries',
    '3',
    '--retry-delay',
    '60s',
    '--deadline',
    '4s',
    '-j',
    '1',
    '--errors',
    path('errors'),
  ]
  const { stderr } = await runCli(['collect', ...args, ...retry, '7', '8'], options)
  expect(lastLine(stderr)).toMatch(/: 0 ok, 2 cancelled while running \(items 0, 1\)$/)
  expect(errors()).toMatchObject([
    { index: 0, item: 7, status: 'cancelled', attempts: 1 },
    { index: 1, item: 8, status: 'cancelled', attempts: 1 },
  ])
})

it('an item whose callback was never called has begun', async () => {
  const { args, options, errors, write, path } = folder()
  write({
    'callbacks.mjs': `import { readFileSync } from 'node:fs'
export const callback = async (result) => {
  while (readFileSync(process.env.BEGUN, 'utf8').split('\\n').length < 4)
    await new Promise((resolve) => setTimeout(resolve, 5))
  throw new Error('no callback')
}`,
  })
  const { stderr, exitCode } = await runCli(
    ['collect', ...args, '--callbacks', path('callbacks.mjs'), '--errors', path('errors'), '1', '2', '3'],
    options,
  )
  expect(exitCode).toBe(1)
  expect(lastLine(stderr)).toMatch(/: 1 ok, 2 cancelled while running \(items/)
  expect(errors()).toMatchObject([{ status: 'cancelled' }, { status: 'cancelled' }])
})
