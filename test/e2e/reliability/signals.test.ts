// What comes from outside: signals to poolrun, Ctrl-C and Ctrl-Z on a terminal, and a kill -9 that nobody can handle.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { listMarked, waitUntilNoneLeft } from '../../helpers/no-orphans.js'
import { lastLine } from '../../helpers/normalise.js'
import { runShell } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { eventually, fixture, stateOf, type Watched, watchCli } from './support.js'

function send(run: Watched, signal: NodeJS.Signals): void {
  process.kill(run.child.pid!, signal)
}

const workersOf = (run: Watched) =>
  listMarked(run.mark)
    .filter((line) => line.includes('worker.cjs'))
    .map((line) => line.split(' ', 1)[0]!)

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  it('lets the running item end, takes no other, and ends poolrun by itself', async () => {
    const space = tempSpace()
    const run = watchCli(['imap', fixture('waits-for-file'), '-j', '1', '--chunk-size', '1'])
    run.child.stdin.write(`1\n${JSON.stringify(space.path('flag'))}\n`)
    await run.said(/^begun$/m)
    send(run, signal)
    await run.said(/interrupted/)
    run.child.stdin.end('3\n')
    space.write({ flag: '' })
    const result = await run.ended()
    expect(result.stderr).toContain(
      `poolrun: interrupted by ${signal}: waiting up to 5 s for 1 running item; once more to kill at once\n`,
    )
    expect(result.stdout).toBe('1\n"seen"\n')
    expect(lastLine(result.stderr)).toMatch(
      new RegExp(`^poolrun imap: interrupted by ${signal}: 2 ok, 0 failed, [01] not run`),
    )
    expect(result.signal).toBe(signal)
  })
})

it('a second signal kills everything at once, jobs that handle every signal too', async () => {
  const run = watchCli(['collect', fixture('ignores-every-signal'), '-j', '1', '1', '2'])
  await run.said(/^begun$/m)
  send(run, 'SIGINT')
  await run.said(/interrupted by SIGINT/)
  const since = performance.now()
  send(run, 'SIGTERM')
  const result = await run.ended()
  expect(performance.now() - since).toBeLessThan(2000)
  expect(lastLine(result.stderr)).toBe('poolrun collect: interrupted by SIGINT: 0 ok, 0 failed, 2 not run')
  expect(result.signal).toBe('SIGINT')
})

it('grace is over after five seconds', async () => {
  const run = watchCli(['map', fixture('ignores-every-signal'), '-j', '1', '--kill-after', '500ms', '1'])
  await run.said(/^begun$/m)
  const since = performance.now()
  send(run, 'SIGTERM')
  const result = await run.ended()
  expect(performance.now() - since).toBeGreaterThan(5000)
  expect(performance.now() - since).toBeLessThan(9000)
  expect(result).toMatchObject({ signal: 'SIGTERM', stdout: '' })
})

it('a stop, as Ctrl-Z sends it, stops the workers too, and a continue goes on where they were', async () => {
  const space = tempSpace()
  const run = watchCli(['map', fixture('waits-for-file'), '-j', '1', JSON.stringify(space.path('flag'))])
  await run.said(/^begun$/m)
  const [worker] = workersOf(run)
  send(run, 'SIGTSTP')
  await eventually('poolrun to stop', () => (stateOf(run.child.pid) === 'T' ? true : undefined))
  await eventually('its worker to stop', () => (stateOf(worker) === 'T' ? true : undefined))
  send(run, 'SIGCONT')
  await eventually('the worker to go on', () => (stateOf(worker) !== 'T' ? true : undefined))
  space.write({ flag: '' })
  expect(await run.ended()).toMatchObject({ stdout: '"seen"\n', exitCode: 0 })
})

const PTY = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
text, sent = b"", False
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    text += data
    if b"begun" in text and not sent:
        sent = True
        os.write(terminal, b"\\x03")
    if b"interrupted" in text:
        open(os.environ["FLAG"], "w").close()
status = os.waitpid(pid, 0)[1]
sys.stdout.write(text.decode().replace("\\r\\n", "\\n"))
sys.stdout.write("signal %d\\n" % (os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1))
`

const python = spawnSync('python3', ['-c', 'import pty']).status === 0
if (!python) console.warn('python3 with its pty module is missing: Ctrl-C on a terminal is NOT tested')

it.runIf(python)('Ctrl-C on a terminal reaches poolrun alone: the running item ends in peace', async () => {
  const space = tempSpace()
  space.write({ 'terminal.py': PTY })
  const flag = space.path('flag')
  const env = { SCRIPT: space.path('terminal.py'), FLAG: flag, ITEM: JSON.stringify(flag), TERM: 'dumb' }
  const run = await runShell(
    `python3 "$SCRIPT" "$NODE" "$POOLRUN_JS" imap ${fixture('waits-for-file')} -j 1 "$ITEM"`,
    { env },
  )
  expect(run.stdout).toContain('poolrun: interrupted by SIGINT: waiting up to 5 s for 1 running item')
  expect(run.stdout).toContain('"seen"\n')
  expect(run.stdout).toContain('poolrun imap: interrupted by SIGINT: 1 ok, 0 failed, 0 not run\n')
  expect(run.stdout).toMatch(/^signal 2$/m)
})

describe('after a kill -9 of poolrun every worker is gone within two seconds, though', () => {
  it.each([
    ['it is in a busy loop', 'blocks-loop', '60000', /^started$/m],
    ['it and its children ignore every signal', 'ignores-every-signal', '1', /^begun$/m],
    ['it waits', 'slow', '60000', /^started$/m],
  ])('%s', async (_what, job, item, begun) => {
    const run = watchCli(['map', fixture(job), '-j', '2', item, item])
    await run.said(begun)
    send(run, 'SIGKILL')
    await waitUntilNoneLeft(run.mark, 'poolrun, killed,', 2000)
    expect((await run.ended()).signal).toBe('SIGKILL')
  })

  it('it stands in a system call', async () => {
    const fifo = tempSpace().path('fifo')
    execFileSync('mkfifo', [fifo])
    const run = watchCli(['map', fixture('blocks-in-a-system-call'), '-j', '1', JSON.stringify(fifo)])
    await run.said(/^begun$/m)
    expect(existsSync(fifo)).toBe(true)
    send(run, 'SIGKILL')
    await waitUntilNoneLeft(run.mark, 'poolrun, killed,', 2000)
    expect((await run.ended()).signal).toBe('SIGKILL')
  })

  it('it is stopped', async () => {
    const run = watchCli(['map', fixture('slow'), '-j', '1', '60000'])
    await run.said(/^started$/m)
    const [worker] = workersOf(run)
    process.kill(Number(worker), 'SIGSTOP')
    await eventually('the worker to stop', () => (stateOf(worker) === 'T' ? true : undefined))
    send(run, 'SIGKILL')
    await waitUntilNoneLeft(run.mark, 'poolrun, killed,', 2000)
    expect((await run.ended()).signal).toBe('SIGKILL')
  })
})
