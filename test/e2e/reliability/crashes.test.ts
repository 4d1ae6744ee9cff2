// How a worker can crash: exactly the running item fails, finished items keep their results, and items that had not
// begun run elsewhere, once. Chunks have five items, so that an item's neighbours share its worker.
import { describe, expect, it } from 'vitest'
import { eventually } from '../../helpers/eventually.js'
import { lastLine, occurrences } from '../../helpers/normalise.js'
import { stateOf } from '../../helpers/proc.js'
import { fixture, lines, runCli, startCli, watchCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { ascending, counts, expectNoneTwice, failuresIn, itemLog, withoutTimes } from './support.js'

const LOST = 'WorkerLostError: item <item> lost: worker 0 (pid <pid>)'
const signalled = (name: string) => [`${LOST} was killed by ${name} after <time>`]

/** What stderr contains after each. */
const CRASHES: Readonly<Record<string, readonly string[]>> = {
  SIGKILL: signalled('SIGKILL'),
  SIGTERM: signalled('SIGTERM'),
  SIGINT: signalled('SIGINT'),
  SIGHUP: signalled('SIGHUP'),
  SIGSEGV: signalled('SIGSEGV'),
  'exit 0': [`${LOST} exited with code 0 before returning`, 'the job ended the process:\n    at '],
  'exit 42': [
    `${LOST} exited with code 42 after <time>`,
    'the job ended the process:\n    at ',
    'crashes-for-item-2.ts:13:28)\n',
  ],
  'exit without a code': [`${LOST} exited with code 4 after <time>`],
  abort: [...signalled('SIGABRT'), 'the job ended the process:\n    at '],
  heap: [...signalled('SIGABRT'), '(out of memory)', 'last stderr of worker 0:'],
  disconnect: [LOST],
  timer: ['Error: escaped from a timer', 'crashes-for-item-2.ts', `${LOST} exited with code 1 after <time>`],
  rejection: ['Error: nobody looked', 'crashes-for-item-2.ts', `${LOST} exited with code 1 after <time>`],
}

const SECRET = 'hunter2-of-the-environment'

/** Runs five items for each manner, the third of which crashes, and checks what holds for every command. */
async function crash(command: string, ...manners: string[]) {
  const log = itemLog(tempSpace(), 'log', ...manners)
  const items = [...Array(5 * manners.length).keys()]
  const env = { API_TOKEN: SECRET, NODE_OPTIONS: '--max-old-space-size=64' }
  const args = [command, fixture('crashes-for-item-2'), '-j', '1', '--chunk-size', '5', ...log.args]
  const run = await runCli(args, { input: lines(...items), env, timeoutMs: 55_000 })
  expect(occurrences(run.stderr, 'WorkerLostError')).toBe(manners.length)
  expect(run.stderr).not.toContain(SECRET)
  expectNoneTwice(log.begun())
  return { run, items, begun: log.begun() }
}

it('only the items that were running are lost, however their workers crash', async () => {
  const manners = Object.keys(CRASHES)
  const { run, items, begun } = await crash('collect', ...manners)
  const chosen = items.filter((item) => item % 5 === 2)
  const failures = failuresIn(run.stderr)
  expect(ascending([...failures.keys()])).toEqual(chosen)
  for (const [i, manner] of manners.entries()) {
    const text = withoutTimes(failures.get(chosen[i]!)!).replace(`item ${chosen[i]} `, 'item <item> ')
    for (const part of CRASHES[manner]!) expect(text, manner).toContain(part)
  }
  expect(run).toMatchObject({
    stdout: lines(...items.filter((item) => !chosen.includes(item))),
    exitCode: 3,
  })
  expect(ascending(begun)).toEqual(items)
  expect(counts(run)).toEqual({ ok: 4 * manners.length, failed: manners.length, cancelled: 0, notRun: 0 })
}, 60_000)

describe('only the item that was running is lost by', () => {
  // matrix.test.ts has more crashes for each of these, in chunks of one item.
  it.each([
    ['map', ''],
    ['imap', '0\n1\n'],
  ])('SIGKILL in %s, which counts every item', async (command, stdout) => {
    const { run, begun } = await crash(command, 'SIGKILL')
    expect(withoutTimes(run.stderr)).toContain(CRASHES.SIGKILL![0]!.replace('<item>', '2'))
    expect(run).toMatchObject({ stdout, exitCode: 1 })
    expect(begun.slice(0, 3)).toEqual([0, 1, 2])
    const { ok, failed, cancelled, notRun } = counts(run)
    expect(ok + failed + cancelled + notRun).toBe(5)
  })
})

it('a worker that is killed while it is idle costs nothing', async () => {
  const run = watchCli(['collect', fixture('returns-its-pid'), '-j', '1'])
  let stdout = ''
  run.child.stdout.on('data', (data: Buffer) => {
    stdout += data
  })
  run.child.stdin.write('0\n')
  const first = await eventually('the first result', () =>
    stdout.endsWith('\n') ? Number(stdout) : undefined,
  )
  process.kill(first, 'SIGKILL')
  await eventually('the worker to exit', () => (stateOf(first) === undefined ? true : undefined))
  run.child.stdin.end('1\n')
  const result = await run.ended()
  expect(result.exitCode).toBe(0)
  expect(result.stderr).toBe('poolrun collect: 2 ok\n')
  const [, second] = result.stdout.trim().split('\n').map(Number)
  expect(second).toBeGreaterThan(0)
  expect(second).not.toBe(first)
})

it('a worker that is killed while a large item is written to it loses only the running item', async () => {
  const run = startCli(['collect', fixture('kills-self-unless-large'), '-j', '1', '--chunk-size', '1'])
  run.child.stdin.on('error', () => {})
  run.child.stdin.end(lines('small', 'x'.repeat(4_000_000), 'small', 'y'.repeat(2000)))
  const result = await run.ended()
  expect(result.stdout).toBe('4000000\n2000\n')
  expect(lastLine(result.stderr)).toBe('poolrun collect: 2 ok, 2 failed (items 0, 2)')
})

it('a result that was returned before its process exited is kept', async () => {
  const log = itemLog(tempSpace(), 'log')
  const args = ['collect', fixture('exits-after-its-result'), '-j', '1', '--chunk-size', '1', ...log.args]
  const run = await runCli(args, { input: '0\n1\n2\n' })
  expect(run).toMatchObject({ stdout: '0\n1\n2\n', exitCode: 0 })
  expect(log.begun()).toEqual([0, 1, 2])
})

it('ten crashes among a hundred items cost ten results', async () => {
  const log = itemLog(tempSpace(), 'log')
  const items = [...Array(100).keys()]
  const bad = items.filter((item) => item % 10 === 9)
  const flags = ['-j', '2', '--max-worker-restarts', '10', '-v', ...log.args]
  const run = await runCli(['collect', fixture('kills-self-every-tenth'), ...flags], {
    input: lines(...items),
    timeoutMs: 60_000,
  })
  expect(run.stdout).toBe(lines(...items.filter((item) => item % 10 !== 9)))
  const failed = [...run.stderr.matchAll(/^collect: item (\d+) failed, skipped$/gm)].map(([, index]) =>
    Number(index),
  )
  // They are shown when they settle.
  expect(ascending(failed)).toEqual(bad)
  expect(counts(run)).toEqual({ ok: 90, failed: 10, cancelled: 0, notRun: 0 })
  expect(ascending(log.begun())).toEqual(items)
  expect(run.exitCode).toBe(3)
}, 70_000)
