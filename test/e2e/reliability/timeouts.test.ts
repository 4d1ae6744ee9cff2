// --timeout, --kill-after and --deadline: only the item that took too long fails, however it hangs.
import { describe, expect, it } from 'vitest'
import { lastLine, normalise, occurrences } from '../../helpers/normalise.js'
import { fixture, lines, runCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { ascending, counts, expectNoneTwice, itemLog } from './support.js'

/** On a machine that keeps a worker waiting for 100 ms, one that would end by itself gets a signal. */
function withoutHaste(text: string, hanging: readonly { item: number; ended: string }[]): string {
  return hanging
    .filter(({ ended }) => ended === 'ended')
    .reduce((rest, { item }) => rest.replace(new RegExp(`(item ${item} exceeded .*)killed`), '$1ended'), text)
}

it('--timeout ends only the items that hang, and their workers, in whatever way they hang', async () => {
  const manners = [
    ['a busy loop', 'killed'],
    ['a promise that never settles', 'ended'],
    ['a signal that is ignored', 'ended'],
    ['a SIGSTOP', 'killed'],
    ['a handler for SIGTERM', 'ended'],
    // `runCli` fails a test in which a child of the job outlives its worker.
    ['children of its own', 'ended'],
  ] as const
  const hanging = manners.map(([manner, ended], i) => ({ item: 2 * i + 1, manner, ended }))
  const log = itemLog(
    tempSpace(),
    'log',
    Object.fromEntries(hanging.map(({ item, manner }) => [item, manner])),
  )
  const flags = ['--timeout', '500ms', '--kill-after', '500ms', '-j', '1', '--chunk-size', '5']
  const run = await runCli(['collect', fixture('hangs-as-told'), ...flags, ...log.args], {
    input: lines(...Array(13).keys()),
    timeoutMs: 50_000,
  })
  expect(run.stdout).toBe(lines(0, 2, 4, 6, 8, 10, 12))
  const failures = hanging.map(
    ({ item, ended }) =>
      `TimeoutError: item ${item} exceeded 500 ms on worker 0 (pid <pid>); the worker was ${ended}\n` +
      `    at poolrun collect ${fixture('hangs-as-told')} (item ${item}: ${item})\n` +
      `collect: item ${item} failed, skipped`,
  )
  const summary = 'poolrun collect: 7 ok, 6 failed (items 1, 3, 5, 7, 9, 11)\n'
  // In which order two of a chunk run is not the subject.
  const printed = withoutHaste(normalise(run.stderr), hanging).split(/\n\n|\n(?=poolrun collect:)/)
  expect(printed.sort()).toEqual([...failures, summary].sort())
  expect(ascending(log.begun())).toEqual([...Array(13).keys()])
  expect(run.exitCode).toBe(3)
  expect(run.durationMs).toBeGreaterThan(6 * 500)
}, 60_000)

it('--timeout among items that take next to no time ends only those that hang, and none begins twice', async () => {
  const COUNT = 60_000
  const HANGS = [12_000, 24_000, 36_000, 48_000]
  const isNear = (n: number) => HANGS.some((hangs) => Math.abs(n - hangs) <= 2_000)
  const linesOf = (items: readonly number[]) => items.map((n) => `${n}\n`).join('')
  const { dir, write, read } = tempSpace()
  // Only the neighbours are logged, so that items stay cheap. Other items last, and end in time.
  write({
    'job.mjs': `import { execSync } from 'node:child_process'
      import { openSync, writeSync } from 'node:fs'
      const log = openSync('log', 'a')
      const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
      const manners = {
        12_000: () => block(),
        24_000: () => Promise.resolve().then(() => block()),
        36_000: () => execSync('sleep 60'),
        48_000: () => new Promise(() => {}),
      }
      export default (n) => {
        if (n === 5_000) block(300)
        else if (n % 6_000 === 3_000) block(45)
        if ([${HANGS}].some((hangs) => Math.abs(n - hangs) <= 2_000)) writeSync(log, n + '\\n')
        return n in manners ? manners[n]() : n
      }`,
  })
  const items = [...Array(COUNT).keys()]
  const flags = ['-j', '1', '--timeout', '1s', '--kill-after', '200ms']
  const run = await runCli(['collect', 'job.mjs', ...flags], {
    cwd: dir,
    input: linesOf(items),
    timeoutMs: 50_000,
  })
  expect(run.stdout).toBe(linesOf(items.filter((n) => !HANGS.includes(n))))
  for (const hangs of HANGS)
    expect(run.stderr).toContain(`TimeoutError: item ${hangs} exceeded 1 s on worker 0`)
  expect(counts(run)).toMatchObject({ ok: COUNT - 4, failed: 4 })
  const begun = read('log').trim().split('\n').map(Number)
  expect(ascending(begun)).toEqual(items.filter(isNear))
}, 60_000)

describe('an item that exceeds its time', () => {
  it('takes none of those with it that run in the same worker', async () => {
    const { dir, write } = tempSpace()
    write({
      'job.mjs': `export default async (n) => {
        await new Promise((done) => setTimeout(done, n === 0 ? 60_000 : 600))
        return n
      }`,
    })
    const flags = ['-j', '1', '--concurrency', '8', '--timeout', '2s', '--kill-after', '2s']
    const items = [...Array(33).keys()]
    const run = await runCli(['collect', 'job.mjs', ...flags], { cwd: dir, input: lines(...items) })
    expect(run.stdout).toBe(lines(...items.slice(1)))
    expect(normalise(run.stderr)).toContain(
      'TimeoutError: item 0 exceeded 2 s on worker 0 (pid <pid>); the worker was ended\n',
    )
    expect(counts(run)).toMatchObject({ ok: 32, failed: 1 })
  })

  it('takes none of those with it that keep the worker busy at that moment', async () => {
    const { dir, write } = tempSpace()
    // Item 0 never ends. When its time is over, item 2 blocks the worker, which does not answer.
    write({
      'job.mjs': `let began
      const until = (ms) => new Promise((done) => setTimeout(done, began + ms - Date.now()))
      export default async (n) => {
        began ??= Date.now()
        await until([60_000, 1_000, 1_900][n])
        if (n === 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, began + 2_400 - Date.now())
        return n
      }`,
    })
    const flags = ['-j', '1', '--concurrency', '2', '--timeout', '2s', '--kill-after', '1s']
    const run = await runCli(['collect', 'job.mjs', ...flags, '0', '1', '2'], { cwd: dir })
    expect(run.stdout).toBe('1\n2\n')
    expect(normalise(run.stderr)).toContain(
      'TimeoutError: item 0 exceeded 2 s on worker 0 (pid <pid>); the worker was ended\n',
    )
    expect(counts(run)).toMatchObject({ ok: 2, failed: 1 })
  })

  describe('and blocks its worker for ever', () => {
    // Items 0 to 2 could end in time, and cannot: item 3 keeps the worker from going on with them.
    const job = `import { setTimeout as sleep } from 'node:timers/promises'
      export default async (n) => {
        if (n === 3) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
        await sleep(400)
        return n
      }`
    const flags = ['-j', '1', '--concurrency', '4', '--timeout', '500ms', '--kill-after', '100ms']
    const items = lines(0, 1, 2, 3, 4)

    it('is named by the failures of the others in its worker', async () => {
      const { dir, write } = tempSpace()
      write({ 'job.mjs': job })
      const run = await runCli(['collect', 'job.mjs', ...flags], { cwd: dir, input: items })
      expect(run.stdout).toBe('4\n')
      expect(occurrences(run.stderr, 'TimeoutError: ')).toBe(1)
      expect(run.stderr).toContain('TimeoutError: item 3 exceeded 500 ms')
      expect(occurrences(run.stderr, 'because item 3 exceeded 500 ms in it')).toBe(3)
    })

    it('costs the others no attempt', async () => {
      const { dir, write } = tempSpace()
      write({ 'job.mjs': job })
      const retries = ['--retries', '1', '--retry-on', 'crash']
      const run = await runCli(['collect', 'job.mjs', ...flags, ...retries], { cwd: dir, input: items })
      expect(run.stdout).toBe(lines(0, 1, 2, 4))
      expect(lastLine(run.stderr)).toBe('poolrun collect: 4 ok, 1 failed (item 3)')
    })
  })

  it('has failed, and leaves its worker alive, if it ends at its signal, whose reason is a TimeoutError', async () => {
    const { dir, write } = tempSpace()
    write({
      'job.mjs': `export default async (n, { signal }) => {
        if (n !== 1) return process.pid
        await new Promise((done) => signal.addEventListener('abort', done))
        console.log(signal.aborted + ': ' + signal.reason.name + ': ' + signal.reason.message)
      }`,
    })
    // The limit of the run is shorter than the time after which the worker would be killed.
    const flags = ['-j', '1', '--timeout', '300ms', '--kill-after', '60s']
    const run = await runCli(['collect', 'job.mjs', ...flags, '0', '1', '2'], { cwd: dir })
    const [before, after, ...more] = run.stdout.trim().split('\n')
    expect(after).toBe(before)
    expect(more).toEqual([])
    expect(run.stderr).toContain('true: TimeoutError: the item exceeded 300 ms\n')
    expect(normalise(run.stderr)).toContain(
      'TimeoutError: item 1 exceeded 300 ms on worker 0 (pid <pid>); it stopped at its signal\n',
    )
    expect(counts(run)).toMatchObject({ ok: 2, failed: 1 })
  })
})

it('an item that is cancelled learns why from the reason of its signal', async () => {
  const { dir, write } = tempSpace()
  write({
    'job.mjs': `import { existsSync, writeFileSync } from 'node:fs'
      export default async (n, { signal }) => {
        if (n === 0) {
          while (!existsSync('running')) await new Promise((done) => setTimeout(done, 10))
          throw new Error('no')
        }
        const aborted = new Promise((done) => signal.addEventListener('abort', done))
        writeFileSync('running', '')
        await aborted
        console.log('reason: ' + signal.reason.name + ': ' + signal.reason.message)
      }`,
  })
  const run = await runCli(['map', 'job.mjs', '-j', '2', '0', '1'], { cwd: dir })
  expect(run.stderr).toContain('reason: AbortError: item 0 failed\n')
})

it('a timeout is a failure like any other to map and imap', async () => {
  const space = tempSpace()
  await Promise.all(
    Object.entries({ map: '', imap: '0\n1\n' }).map(async ([command, stdout]) => {
      const log = itemLog(space, command, { 2: 'a promise that never settles' })
      const flags = ['--timeout', '500ms', '--kill-after', '200ms', '-j', '1', ...log.args]
      const run = await runCli([command, fixture('hangs-as-told'), ...flags], { input: '0\n1\n2\n3\n' })
      expect(run, command).toMatchObject({ stdout, exitCode: 1 })
      expect(run.stderr, command).toContain('TimeoutError: item 2 exceeded 500 ms on worker 0')
    }),
  )
})

it('neither time in the queue nor a later deadline counts', async () => {
  const flags = ['--timeout', '600ms', '--deadline', '1h', '-j', '1', '--chunk-size', '24']
  const run = await runCli(['map', fixture('slow'), ...flags], { input: '50\n'.repeat(24) })
  expect(run).toMatchObject({ stdout: '50\n'.repeat(24), exitCode: 0 })
})

it('items that end around the limit are either in time or too late, and a late kill loses no other item', async () => {
  const items = Array.from({ length: 12 }, (_, i) => 85 + 2 * i)
  const flags = ['--timeout', '100ms', '-j', '2', '--chunk-size', '3', '-v']
  const run = await runCli(['collect', fixture('slow'), ...flags], {
    input: lines(...items),
    timeoutMs: 30_000,
  })
  expect(run.stderr).not.toContain('WorkerLostError')
  const late = new Set(
    [...run.stderr.matchAll(/^collect: item (\d+) failed/gm)].map(([, index]) => Number(index)),
  )
  expect(run.stdout).toBe(lines(...items.filter((_, index) => !late.has(index))))
  expect(counts(run)).toEqual({ ok: 12 - late.size, failed: late.size, cancelled: 0, notRun: 0 })
  // The job prints this when it begins an item: none began twice.
  expect(occurrences(run.stderr, 'started')).toBe(12)
})

it('--deadline ends map, imap and collect with code 124', async () => {
  const space = tempSpace()
  await Promise.all(
    Object.entries({ map: '', imap: '0\n1\n', collect: '0\n1\n' }).map(async ([command, stdout]) => {
      const log = itemLog(space, command, { 2: 'a handler for SIGTERM' })
      const flags = ['--deadline', '4s', '--kill-after', '200ms', '-j', '1', '--chunk-size', '1']
      const args = [command, fixture('hangs-as-told'), ...flags, ...log.args]
      // Only the deadline ends it.
      const run = await runCli(args, { input: '0\n1\n2\n3\n', timeoutMs: 25_000 })
      expect(run.stdout, command).toBe(stdout)
      expect(lastLine(run.stderr)).toBe(
        `poolrun ${command}: the deadline of 4 s was reached: 2 ok, 1 cancelled while running (item 2), 1 not run`,
      )
      expectNoneTwice(log.begun())
      expect(run.exitCode, command).toBe(124)
    }),
  )
})
