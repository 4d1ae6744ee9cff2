// What comes from outside: signals to poolrun, Ctrl-C and Ctrl-Z on a terminal, and a SIGKILL that nothing can handle.
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../helpers/eventually.js'
import { listMarked, waitUntilNoneLeft } from '../../helpers/no-orphans.js'
import { lastLine } from '../../helpers/normalise.js'
import { stateOf } from '../../helpers/proc.js'
import { fixture, type Watched, watchCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { hasTerminal, runOnTerminal } from '../../helpers/terminal.js'

function send(run: Watched, signal: NodeJS.Signals): void {
  process.kill(run.child.pid!, signal)
}

const workersOf = (run: Watched) =>
  listMarked(run.mark)
    .filter((line) => line.includes('worker.cjs'))
    .map((line) => line.split(' ', 1)[0]!)

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  it('lets the running item end, starts no other, and then ends poolrun itself', async () => {
    const space = tempSpace()
    const run = watchCli(['imap', fixture('waits-for-file'), '-j', '1', '--chunk-size', '1'])
    run.child.stdin.write(`1\n${JSON.stringify(space.path('flag'))}\n`)
    await run.printed(/^begun$/m)
    send(run, signal)
    await run.printed(/interrupted/)
    run.child.stdin.end('3\n')
    space.write({ flag: '' })
    const result = await run.ended()
    expect(result.stderr).toContain(
      `poolrun: interrupted by ${signal}: finishing 1 item, up to 5 s; ${signal === 'SIGINT' ? 'Ctrl-C again' : 'a second signal'} stops now\n`,
    )
    expect(result.stdout).toBe('1\n"seen"\n')
    expect(lastLine(result.stderr)).toMatch(
      new RegExp(
        `^poolrun imap: interrupted by ${signal}: 2 ok(, 1 not run)?(, the rest of the input was not read)?$`,
      ),
    )
    expect(result.signal).toBe(signal)
  })
})

it('a second signal kills everything immediately, even a job that handles every signal', async () => {
  const run = watchCli(['collect', fixture('ignores-every-signal'), '-j', '1', '1', '2'])
  await run.printed(/^begun$/m)
  send(run, 'SIGINT')
  await run.printed(/interrupted by SIGINT/)
  const since = performance.now()
  send(run, 'SIGTERM')
  const result = await run.ended()
  // The grace is 5 s.
  expect(performance.now() - since).toBeLessThan(4900)
  expect(lastLine(result.stderr)).toBe(
    'poolrun collect: interrupted by SIGINT: 0 ok, 1 cancelled while running (item 0), 1 not run',
  )
  expect(result.signal).toBe('SIGINT')
})

it('after the grace the workers are killed', async () => {
  const options = ['--kill-after', '500ms', '--grace', '1s']
  const run = watchCli(['map', fixture('ignores-every-signal'), '-j', '1', ...options, '1'])
  await run.printed(/^begun$/m)
  const since = performance.now()
  send(run, 'SIGTERM')
  const result = await run.ended()
  expect(performance.now() - since).toBeGreaterThan(1000)
  // The default grace is 5 s.
  expect(performance.now() - since).toBeLessThan(5400)
  expect(result.stderr).toContain('finishing 1 item, up to 1 s; a second signal stops now\n')
  expect(result).toMatchObject({ signal: 'SIGTERM', stdout: '' })
})

it('without a grace the first signal kills the workers', async () => {
  const run = watchCli(['map', fixture('ignores-every-signal'), '-j', '1', '--grace', '0', '1'])
  await run.printed(/^begun$/m)
  const since = performance.now()
  send(run, 'SIGINT')
  const result = await run.ended()
  expect(performance.now() - since).toBeLessThan(4900)
  expect(result.stderr).toContain('poolrun: interrupted by SIGINT: stopping now\n')
  expect(result).toMatchObject({ signal: 'SIGINT', stdout: '' })
})

it('SIGTSTP, which Ctrl-Z sends, stops the workers too, and SIGCONT resumes them', async () => {
  const space = tempSpace()
  const run = watchCli(['map', fixture('waits-for-file'), '-j', '1', JSON.stringify(space.path('flag'))])
  await run.printed(/^begun$/m)
  const [worker] = workersOf(run)
  send(run, 'SIGTSTP')
  await eventually('poolrun to stop', () => (stateOf(run.child.pid) === 'T' ? true : undefined))
  await eventually('its worker to stop', () => (stateOf(worker) === 'T' ? true : undefined))
  send(run, 'SIGCONT')
  await eventually('the worker to resume', () => (stateOf(worker) !== 'T' ? true : undefined))
  space.write({ flag: '' })
  expect(await run.ended()).toMatchObject({ stdout: '"seen"\n', exitCode: 0 })
})

it.runIf(hasTerminal)(
  'Ctrl-C on a terminal reaches poolrun alone: the running item ends normally',
  async () => {
    const space = tempSpace()
    const item = JSON.stringify(space.path('flag'))
    const run = runOnTerminal(['imap', fixture('waits-for-file'), '-j', '1', item], {
      columns: 200,
      env: { TERM: 'dumb' },
    })
    await run.shows('begun')
    run.type('\u0003')
    await run.shows('interrupted')
    space.write({ flag: '' })
    const { screen, status } = await run.ended()
    expect(screen.join('\n')).toContain('poolrun: interrupted by SIGINT: finishing 1 item, up to 5 s')
    expect(screen).toContain('"seen"')
    expect(screen).toContain('poolrun imap: interrupted by SIGINT: 1 ok')
    expect(status).toBe('signal 2')
  },
)

it('no worker outlives a SIGKILL of poolrun by more than two seconds, whatever it is doing', async () => {
  const fifo = tempSpace().path('fifo')
  execFileSync('mkfifo', [fifo])
  // In a busy loop, ignoring every signal as its child does, in a system call, waiting, and stopped.
  const ways = ['loop', 'signals', 'pipe', 'wait', 'stop']
  const items = ways.map((way) => JSON.stringify([way, fifo]))
  const run = watchCli(['map', fixture('blocks-in-any-way'), '-j', '5', '--chunk-size', '1', ...items])
  await Promise.all(ways.map((way) => run.printed(new RegExp(`^begun: ${way}$`, 'm'))))
  await eventually('a worker to stop', () =>
    workersOf(run).some((pid) => stateOf(pid) === 'T') ? true : undefined,
  )
  expect(workersOf(run)).toHaveLength(5)
  send(run, 'SIGKILL')
  await waitUntilNoneLeft(run.mark, 'poolrun, killed,', 2000)
  expect((await run.ended()).signal).toBe('SIGKILL')
})
