// --timeout, --kill-after and --deadline: only the item that took too long fails, however it hangs.
import { describe, expect, it } from 'vitest'
import { lastLine, normalise, occurrences } from '../../helpers/normalise.js'
import { fixture, lines, runCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { ascending, counts, expectNoneTwice, itemLog } from './support.js'

describe('--timeout ends only the item that hangs in', () => {
  // `runCli` fails a test in which a child of the job outlives its worker.
  it.each([
    ['a busy loop', 'killed'],
    ['a promise that never settles', 'ended'],
    ['a signal that is ignored', 'ended'],
    ['a SIGSTOP', 'killed'],
    ['a handler for SIGTERM', 'ended'],
    ['children of its own', 'ended'],
  ])('%s, and the worker is %s', async (manner, ended) => {
    const log = itemLog(tempSpace(), 'log', manner)
    const flags = ['--timeout', '500ms', '--kill-after', '200ms', '-j', '1', '--chunk-size', '5']
    const run = await runCli(['collect', fixture('hangs-for-item-2'), ...flags, ...log.args], {
      input: '0\n1\n2\n3\n4\n',
    })
    expect(run.stdout).toBe('0\n1\n3\n4\n')
    expect(normalise(run.stderr)).toBe(
      `TimeoutError: item 2 exceeded 500 ms on worker 0 (pid <pid>); the worker was ${ended}\n` +
        `    at poolrun collect ${fixture('hangs-for-item-2')} (item 2: 2)\n` +
        'collect: item 2 failed, skipped\npoolrun collect: 4 ok, 1 failed (item 2)\n',
    )
    expect(ascending(log.begun())).toEqual([0, 1, 2, 3, 4])
    expect(run.exitCode).toBe(3)
    expect(run.durationMs).toBeGreaterThan(500)
  })
})

describe('--timeout among items that take next to no time', () => {
  const COUNT = 200_000
  const HANGS = 150_000
  const linesOf = (items: readonly number[]) => items.map((n) => `${n}\n`).join('')

  it.each([
    ['a busy loop', 'for (;;);'],
    ['a busy loop after an await', 'return Promise.resolve().then(() => { for (;;); })'],
    ['a system call', "execSync('sleep 60')"],
    ['a promise that never settles', 'return new Promise(() => {})'],
  ])('ends only the one that hangs in %s, and none begins twice', async (_, hangs) => {
    const { dir, write, read } = tempSpace()
    // Only the neighbours are logged, so that items stay cheap. By the time of item 5,000 they are known to be.
    write({
      'job.mjs': `import { execSync } from 'node:child_process'
      import { openSync, writeSync } from 'node:fs'
      const log = openSync('log', 'a')
      export default (n) => {
        if (n === 5_000) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
        if (Math.abs(n - ${HANGS}) <= 2_000) writeSync(log, n + '\\n')
        if (n === ${HANGS}) { ${hangs} }
        return n
      }`,
    })
    const items = [...Array(COUNT).keys()]
    const flags = ['-j', '1', '--timeout', '1s', '--kill-after', '500ms']
    const run = await runCli(['collect', 'job.mjs', ...flags], { cwd: dir, input: linesOf(items) })
    expect(run.stdout).toBe(linesOf(items.filter((n) => n !== HANGS)))
    expect(run.stderr).toContain(`TimeoutError: item ${HANGS} exceeded 1 s on worker 0`)
    expect(counts(run)).toMatchObject({ ok: COUNT - 1, failed: 1 })
    const begun = read('log').trim().split('\n').map(Number)
    expect(begun).toEqual(items.slice(HANGS - 2_000, HANGS + 2_001))
  })

  it('keeps the results of all when some last and end in time', async () => {
    const { dir, write } = tempSpace()
    write({
      'job.mjs': `export default (n) => {
        if (n % 20_000 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 45)
        return n
      }`,
    })
    const input = linesOf([...Array(COUNT).keys()])
    const run = await runCli(['map', 'job.mjs', '-j', '2', '--timeout', '10s'], { cwd: dir, input })
    expect(run).toMatchObject({ stdout: input, exitCode: 0 })
  })
})

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
    // Item 0 never ends. When its time is over, item 2 is in a loop, and the worker does not answer.
    write({
      'job.mjs': `let began
      const until = (ms) => new Promise((done) => setTimeout(done, began + ms - Date.now()))
      export default async (n) => {
        began ??= Date.now()
        await until([60_000, 1_000, 1_900][n])
        if (n === 2) while (Date.now() < began + 2_400);
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

  describe('and is in a loop that never ends', () => {
    // Items 0 to 2 could end in time, and cannot: item 3 keeps the worker from going on with them.
    const job = `import { setTimeout as sleep } from 'node:timers/promises'
      export default async (n) => {
        if (n === 3) for (;;);
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

  it('leaves its worker alive if it stops at its signal, whose reason is a TimeoutError', async () => {
    const { dir, write } = tempSpace()
    write({
      'job.mjs': `export default async (n, { signal }) => {
        if (n !== 1) return process.pid
        await new Promise((done) => signal.addEventListener('abort', done))
        console.log('reason: ' + signal.reason.name + ': ' + signal.reason.message)
      }`,
    })
    const flags = ['-j', '1', '--timeout', '300ms', '--kill-after', '20s']
    const run = await runCli(['collect', 'job.mjs', ...flags, '0', '1', '2'], { cwd: dir })
    const [before, after] = run.stdout.trim().split('\n')
    expect(after).toBe(before)
    expect(run.stderr).toContain('reason: TimeoutError: the item exceeded 300 ms\n')
    expect(normalise(run.stderr)).toContain(
      'TimeoutError: item 1 exceeded 300 ms on worker 0 (pid <pid>); it stopped at its signal\n',
    )
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
      const log = itemLog(space, command, 'a promise that never settles')
      const flags = ['--timeout', '500ms', '--kill-after', '200ms', '-j', '1', ...log.args]
      const run = await runCli([command, fixture('hangs-for-item-2'), ...flags], { input: '0\n1\n2\n3\n' })
      expect(run, command).toMatchObject({ stdout, exitCode: 1 })
      expect(run.stderr, command).toContain('TimeoutError: item 2 exceeded 500 ms on worker 0')
    }),
  )
})

it('the signal of the item aborts first, and an item that then ends has still failed', async () => {
  const space = tempSpace()
  const log = itemLog(space, 'log')
  const flags = ['--timeout', '300ms', '--kill-after', '10s', '-j', '1', ...log.args]
  const run = await runCli(['collect', fixture('obeys-its-signal'), ...flags], { input: '0\n1\n2\n3\n' })
  expect(run.stdout).toBe('0\n1\n3\n')
  expect(space.read('log')).toBe('stopped: true\n')
  expect(run.stderr).toContain('TimeoutError: item 2 exceeded 300 ms')
  expect(run.durationMs).toBeLessThan(8000)
})

it('time in the queue does not count', async () => {
  const flags = ['--timeout', '600ms', '-j', '1', '--chunk-size', '24']
  const run = await runCli(['map', fixture('slow'), ...flags], { input: '50\n'.repeat(24) })
  expect(run).toMatchObject({ stdout: '50\n'.repeat(24), exitCode: 0 })
})

it('items that end around the limit are either in time or too late, and a late kill loses no other item', async () => {
  const items = Array.from({ length: 24 }, (_, i) => 85 + i)
  const flags = ['--timeout', '100ms', '-j', '2', '--chunk-size', '4', '-v']
  const run = await runCli(['collect', fixture('slow'), ...flags], {
    input: lines(...items),
    timeoutMs: 30_000,
  })
  expect(run.stderr).not.toContain('WorkerLostError')
  const late = new Set(
    [...run.stderr.matchAll(/^collect: item (\d+) failed/gm)].map(([, index]) => Number(index)),
  )
  expect(run.stdout).toBe(lines(...items.filter((_, index) => !late.has(index))))
  expect(counts(run)).toEqual({ ok: 24 - late.size, failed: late.size, cancelled: 0, notRun: 0 })
  // The job prints this when it begins an item: none began twice.
  expect(occurrences(run.stderr, 'started')).toBe(24)
})

describe('--deadline', () => {
  it('ends map, imap and collect with code 124', async () => {
    const space = tempSpace()
    await Promise.all(
      Object.entries({ map: '', imap: '0\n1\n', collect: '0\n1\n' }).map(async ([command, stdout]) => {
        const log = itemLog(space, command, 'a handler for SIGTERM')
        const flags = ['--deadline', '2s', '--kill-after', '200ms', '-j', '1', '--chunk-size', '1']
        const args = [command, fixture('hangs-for-item-2'), ...flags, ...log.args]
        const run = await runCli(args, { input: '0\n1\n2\n3\n' })
        expect(run.stdout, command).toBe(stdout)
        expect(lastLine(run.stderr)).toBe(
          `poolrun ${command}: the deadline of 2 s was reached: 2 ok, 1 cancelled while running (item 2), 1 not run`,
        )
        expectNoneTwice(log.begun())
        expect(run.exitCode, command).toBe(124)
        expect(run.durationMs, command).toBeLessThan(6000)
      }),
    )
  })

  it('does not delay a run that ends before it', async () => {
    const run = await runCli(['map', fixture('identity'), '--deadline', '1h', '1'])
    expect(run).toMatchObject({ stdout: '1\n', exitCode: 0 })
  })
})
