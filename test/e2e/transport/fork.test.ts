import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ToWorker } from '../../../src/ipc/protocol.js'
import { createForkTransport, type ForkOptions } from '../../../src/transport/fork.js'
import type { WorkerSignal } from '../../../src/transport/transport.js'
import { listen } from './greeter.js'

const entry = (name: string) => fileURLToPath(new URL(`entries/${name}.mjs`, import.meta.url))

/** Starts a worker and keeps everything that happens to it, in order. */
function start(name: string, options: Partial<ForkOptions> = {}) {
  const signals: WorkerSignal[] = []
  let last = (_signal: WorkerSignal) => {}
  const ended = new Promise<WorkerSignal>((resolve) => {
    last = resolve
  })
  const waiting: { matches: (signal: WorkerSignal) => boolean; resolve: () => void }[] = []
  const handle = createForkTransport({ entry: entry(name), ...options }).spawn((signal) => {
    signals.push(signal)
    for (const { matches, resolve } of waiting) if (matches(signal)) resolve()
    if (signal.type === 'gone' || signal.type === 'spawn-failed') last(signal)
  }, 0)
  onTestFinished(() => handle.kill('SIGKILL'))
  return {
    handle,
    signals,
    ended,
    heard: (matches: (signal: WorkerSignal) => boolean) =>
      new Promise<void>((resolve) => waiting.push({ matches, resolve })),
    /** The entries need no more of `init` than this. */
    init: () => handle.send({ type: 'init', token: handle.token } as ToWorker),
    lines: (stream: string) =>
      signals.flatMap((signal) =>
        signal.type === 'output' && signal.stream === stream ? [signal.line] : [],
      ),
    warnings: () =>
      signals.flatMap((signal) =>
        signal.type === 'message' && signal.message.type === 'warning' ? [signal.message.message] : [],
      ),
  }
}

const numbered = (word: string, n: number) => Array.from({ length: n }, (_, place) => `${word} ${place}`)

describe('the end of a worker', () => {
  test('is told once, after every message and every line, with its exit code and last words', async () => {
    const { init, ended, signals, lines, warnings } = start('says-much-then-exits')
    init()
    expect(await ended).toEqual({
      recorded: { outcomes: [], running: [], unrecorded: [] },
      type: 'gone',
      exitCode: 7,
      signal: null,
      stderrTail: numbered('err', 50).slice(-10),
    })
    expect(signals.filter(({ type }) => type === 'gone')).toHaveLength(1)
    expect(signals.at(-1)?.type).toBe('gone')
    expect(warnings().map((message) => Number.parseInt(message, 10))).toEqual(
      Array.from({ length: 50 }, (_, n) => n),
    )
    expect(lines('stdout')).toEqual([...numbered('out', 50), 'last words'])
    expect(lines('stderr')).toEqual(numbered('err', 50))
  })

  test('by a signal names the signal', async () => {
    expect(await start('kills-itself').ended).toMatchObject({
      type: 'gone',
      exitCode: null,
      signal: 'SIGKILL',
    })
  })

  test('follows when its job cuts the channel: unreachable, it could never settle anything', async () => {
    expect(await start('disconnects-and-stays').ended).toMatchObject({ type: 'gone', signal: 'SIGKILL' })
  })

  test('follows a kill', async () => {
    const { handle, heard, ended } = start('waits')
    await heard(({ type }) => type === 'output')
    handle.kill('SIGTERM')
    expect(await ended).toMatchObject({ type: 'gone', exitCode: null, signal: 'SIGTERM' })
  })

  test('takes along what it spawned', async () => {
    const greeter = await listen()
    const { ended, init } = start('leaves-a-child', { env: greeter.env })
    const child = await greeter.called('child')
    init()
    await ended
    await child.gone
  })

  test('is not put off by a child that left the group and holds its stdout', async () => {
    const { ended, lines } = start('leaves-a-detached-child')
    expect(await ended).toMatchObject({ type: 'gone', exitCode: 0 })
    const pid = Number(lines('stdout')[0])
    process.kill(pid, 'SIGKILL')
  })

  test('makes sending and killing void, not an error', async () => {
    const { handle, ended, init } = start('kills-itself')
    await ended
    init()
    handle.kill('SIGKILL')
  })
})

describe('messages', () => {
  test('of the job’s own are told of once, and never taken for the worker’s', async () => {
    const { init, ended, signals, warnings, handle } = start('sends-messages-of-its-own')
    init()
    await ended
    expect(warnings()).toEqual([
      `worker ${handle.pid}: the job sent a message of its own to the parent; it was ignored`,
    ])
    const ready = signals.filter((signal) => signal.type === 'message' && signal.message.type === 'ready')
    expect(ready).toEqual([{ type: 'message', message: { token: handle.token, type: 'ready', exports: {} } }])
  })

  test('that cannot be cloned are refused at once', () => {
    const { handle } = start('waits')
    expect(() => handle.send({ type: 'cancel', ids: [() => {}] } as unknown as ToWorker)).toThrow(/clone/)
  })
})

test('a worker has the environment and what is added to it, no stdin, and no Node options but those given', async () => {
  const { ended, lines } = start('tells-its-environment', {
    env: { EXTRA: 'yes' },
    execArgv: ['--no-warnings'],
  })
  await ended
  const [told, ...more] = lines('stdout')
  expect(JSON.parse(told!)).toEqual({ extra: 'yes', path: process.env.PATH, execArgv: ['--no-warnings'] })
  expect(more).toEqual([])
})

test('two workers have tokens of their own', () => {
  const tokens = [start('waits'), start('waits')].map(({ handle }) => handle.token)
  expect(new Set(tokens).size).toBe(2)
})

describe('a process that cannot be started', () => {
  test('is told, never within the call', async () => {
    const { handle, ended, signals } = start('waits', { env: { HUGE: 'x'.repeat(8 * 1024 * 1024) } })
    expect(signals).toEqual([])
    expect(handle.pid).toBe(0)
    expect(await ended).toMatchObject({ type: 'spawn-failed', error: { code: 'E2BIG' } })
    handle.send({ type: 'stop' })
    handle.kill('SIGKILL')
    expect(signals).toHaveLength(1)
  })

  test('because Node is gone is told the same way', async () => {
    const { execPath } = process
    process.execPath = '/nonexistent/node'
    try {
      const { ended, handle, signals } = start('waits')
      expect(handle.pid).toBe(0)
      expect(await ended).toMatchObject({ type: 'spawn-failed', error: { code: 'ENOENT' } })
      await new Promise(setImmediate)
      expect(signals).toHaveLength(1)
    } finally {
      process.execPath = execPath
    }
  })
})
