// How a worker can die, times every policy: exactly the running item fails, what had finished is kept, what had not
// begun runs elsewhere, once. Every run is in one chunk, so that an item's neighbours share its worker.
import { describe, expect, it } from 'vitest'
import { lastLine, occurrences } from '../../helpers/normalise.js'
import { lines, runCli, startCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import {
  ascending,
  counts,
  eventually,
  expectNoneTwice,
  fixture,
  itemLog,
  stateOf,
  told,
  watchCli,
} from './support.js'

const LOST = 'WorkerLostError: item 2 lost: worker 0 (pid <pid>)'
const signalled = (name: string) => [`${LOST} was killed by ${name} after <time>`]

/** What stderr says of each. */
const DEATHS: Readonly<Record<string, readonly string[]>> = {
  SIGKILL: signalled('SIGKILL'),
  SIGTERM: signalled('SIGTERM'),
  SIGINT: signalled('SIGINT'),
  SIGHUP: signalled('SIGHUP'),
  SIGSEGV: signalled('SIGSEGV'),
  'exit 0': [`${LOST} exited with code 0 before returning`, 'the job ended the process:\n    at '],
  'exit 42': [`${LOST} exited with code 42 after <time>`, 'the job ended the process:\n    at '],
  abort: [...signalled('SIGABRT'), 'the job ended the process:\n    at '],
  heap: [...signalled('SIGABRT'), '(out of memory)', 'last stderr of worker 0:'],
  disconnect: [LOST],
  timer: ['Error: escaped from a timer', 'dies-for-item-2.ts', `${LOST} exited with code 1 after <time>`],
  rejection: ['Error: nobody looked', 'dies-for-item-2.ts', `${LOST} exited with code 1 after <time>`],
}

const POLICIES = {
  map: { stdout: '', exitCode: 1 },
  imap: { stdout: '0\n1\n', exitCode: 1 },
  'imap-unordered': { stdout: undefined, exitCode: 1 },
  collect: { stdout: '0\n1\n3\n4\n', exitCode: 3 },
} as const

const SECRET = 'hunter2-of-the-environment'

describe('the item that was running is lost, and only that one, by', () => {
  it.each(Object.entries(DEATHS))('%s', async (death, says) => {
    const space = tempSpace()
    const runs = Object.entries(POLICIES).map(async ([command, policy]) => {
      const log = itemLog(space, command, death)
      const env = { API_TOKEN: SECRET, ...(death === 'heap' && { NODE_OPTIONS: '--max-old-space-size=64' }) }
      const args = [command, fixture('dies-for-item-2'), '-j', '1', '--chunk-size', '5', ...log.args]
      const run = await runCli(args, { input: '0\n1\n2\n3\n4\n', env, timeoutMs: 25_000 })
      return { command, policy, run, begun: log.begun() }
    })
    for (const { command, policy, run, begun } of await Promise.all(runs)) {
      const where = `${command} ${death}\n${run.stderr}`
      for (const part of says) expect(told(run.stderr), where).toContain(part)
      expect(occurrences(run.stderr, 'WorkerLostError'), where).toBe(1)
      expect(run.stderr, where).not.toContain(SECRET)
      expect(run.exitCode, where).toBe(policy.exitCode)
      if (policy.stdout !== undefined) expect(run.stdout, where).toBe(policy.stdout)
      expectNoneTwice(begun)
      if (command === 'collect') {
        expect(ascending(begun), where).toEqual([0, 1, 2, 3, 4])
        expect(lastLine(run.stderr)).toBe('poolrun collect: 4 ok, 1 failed (item 2)')
      } else {
        expect(begun.slice(0, 3), where).toEqual([0, 1, 2])
        expect(
          Object.values(counts(run)).reduce((a, b) => a + b),
          where,
        ).toBe(5)
      }
    }
  })
})

it('the place of the process.exit call is shown', async () => {
  const log = itemLog(tempSpace(), 'log', 'exit 42')
  const run = await runCli(['map', fixture('dies-for-item-2'), '-j', '1', ...log.args], {
    input: '0\n1\n2\n',
  })
  expect(run.stderr).toMatch(/\nthe job ended the process:\n {4}at .*dies-for-item-2\.ts:13:28\)\n/)
})

it('a worker that is killed while it is idle costs nothing', async () => {
  const run = watchCli(['collect', fixture('tells-its-process'), '-j', '1'])
  let stdout = ''
  run.child.stdout.on('data', (data: Buffer) => {
    stdout += data
  })
  run.child.stdin.write('0\n')
  const first = await eventually('the first result', () =>
    stdout.endsWith('\n') ? Number(stdout) : undefined,
  )
  process.kill(first, 'SIGKILL')
  await eventually('the worker to be gone', () => (stateOf(first) === undefined ? true : undefined))
  run.child.stdin.end('1\n')
  const result = await run.ended()
  expect(result.exitCode).toBe(0)
  expect(result.stderr).toBe('poolrun collect: 2 ok\n')
  const [, second] = result.stdout.trim().split('\n').map(Number)
  expect(second).toBeGreaterThan(0)
  expect(second).not.toBe(first)
})

it('a worker that is killed while a large item is being written to it loses only what ran', async () => {
  const run = startCli(['collect', fixture('dies-unless-large'), '-j', '1', '--chunk-size', '1'])
  run.child.stdin.on('error', () => {})
  run.child.stdin.end(lines('small', 'x'.repeat(20_000_000), 'small', 'y'.repeat(2000)))
  const result = await run.ended()
  expect(result.stdout).toBe('20000000\n2000\n')
  expect(lastLine(result.stderr)).toBe('poolrun collect: 2 ok, 2 failed (items 0, 2)')
})

it('a result that was returned before the end of its process is kept', async () => {
  const log = itemLog(tempSpace(), 'log')
  const args = ['collect', fixture('dies-after-its-result'), '-j', '1', '--chunk-size', '1', ...log.args]
  const run = await runCli(args, { input: '0\n1\n2\n' })
  expect(run).toMatchObject({ stdout: '0\n1\n2\n', exitCode: 0 })
  expect(log.begun()).toEqual([0, 1, 2])
})

it('a thousand items of which every tenth kills its worker give nine hundred results', async () => {
  const log = itemLog(tempSpace(), 'log')
  const items = [...Array(1000).keys()]
  const bad = items.filter((item) => item % 10 === 9)
  const args = ['collect', fixture('dies-every-tenth'), '-j', '2', '--max-worker-restarts', '100', '-v']
  const run = await runCli([...args, ...log.args], { input: lines(...items), timeoutMs: 90_000 })
  expect(run.stdout).toBe(lines(...items.filter((item) => item % 10 !== 9)))
  const failed = [...run.stderr.matchAll(/^collect: item (\d+) failed, skipped$/gm)].map(([, index]) =>
    Number(index),
  )
  expect(failed).toEqual(bad)
  expect(run.stderr).toContain('collect: 90 more failed like item 9 (worker lost, SIGKILL)')
  expect(counts(run)).toEqual({ ok: 900, failed: 100, notRun: 0 })
  expect(ascending(log.begun())).toEqual(items)
  expect(run.exitCode).toBe(3)
}, 100_000)
