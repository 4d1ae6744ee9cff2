// Real worker processes: what the transport reports of them, in which order, and how they end.
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ToWorker } from '../../../src/ipc/protocol.js'
import { createForkTransport, type ForkOptions } from '../../../src/transport/fork.js'
import type { TransportEvent } from '../../../src/transport/transport.js'
import { listen } from './connection-server.js'

const entry = (name: string) => fileURLToPath(new URL(`entries/${name}.mjs`, import.meta.url))

/** Starts a worker and keeps everything that happens to it, in order. */
function start(name: string, options: Partial<ForkOptions> = {}) {
  const events: TransportEvent[] = []
  let emitLast = (_event: TransportEvent) => {}
  const last = new Promise<TransportEvent>((resolve) => {
    emitLast = resolve
  })
  const waiting: { matches: (event: TransportEvent) => boolean; resolve: () => void }[] = []
  const handle = createForkTransport({ entry: entry(name), ...options }).spawn((event) => {
    events.push(event)
    for (const { matches, resolve } of waiting) if (matches(event)) resolve()
    if (event.type === 'exited' || event.type === 'spawn-failed') emitLast(event)
  }, 0)
  onTestFinished(() => handle.kill('SIGKILL'))
  return {
    handle,
    events,
    last,
    received: (matches: (event: TransportEvent) => boolean) =>
      new Promise<void>((resolve) => waiting.push({ matches, resolve })),
    /** Sends as much of `init` as the entries need. */
    init: () => handle.send({ type: 'init', token: handle.token } as ToWorker),
    lines: (stream: string) =>
      events.flatMap((event) =>
        event.type === 'output' && event.stream === stream ? event.lines.split('\n') : [],
      ),
    warnings: () =>
      events.flatMap((event) =>
        event.type === 'message' && event.message.type === 'warning' ? [event.message.message] : [],
      ),
  }
}

const numbered = (word: string, n: number) => Array.from({ length: n }, (_, i) => `${word} ${i}`)

describe('the exit of a worker', () => {
  test('comes with all that it printed while its output was not read', async () => {
    const { handle, init, last, lines } = start('prints-much-then-exits')
    handle.readOutput(false)
    init()
    expect(await last).toMatchObject({ exitCode: 7, stderrTail: numbered('err', 50).slice(-10) })
    expect(lines('stdout')).toEqual([...numbered('out', 50), 'last words'])
  })

  test('is emitted once, after every message and line, with the exit code and the stderr tail', async () => {
    const { init, last, events, lines, warnings } = start('prints-much-then-exits')
    init()
    expect(await last).toEqual({
      recorded: { begun: new Map(), outcomes: [], running: [], unrecorded: [] },
      type: 'exited',
      exitCode: 7,
      signal: null,
      stderrTail: numbered('err', 50).slice(-10),
    })
    expect(events.filter(({ type }) => type === 'exited')).toHaveLength(1)
    expect(events.at(-1)?.type).toBe('exited')
    expect(warnings().map((message) => Number.parseInt(message, 10))).toEqual(
      Array.from({ length: 50 }, (_, n) => n),
    )
    expect(lines('stdout')).toEqual([...numbered('out', 50), 'last words'])
    expect(lines('stderr')).toEqual(numbered('err', 50))
  })

  test('has the signal that ended it', async () => {
    expect(await start('kills-itself').last).toMatchObject({
      type: 'exited',
      exitCode: null,
      signal: 'SIGKILL',
    })
  })

  test('follows if the job disconnects the channel', async () => {
    expect(await start('disconnects-and-stays').last).toMatchObject({ type: 'exited', signal: 'SIGKILL' })
  })

  test('follows a kill', async () => {
    const { handle, received, last } = start('waits')
    await received(({ type }) => type === 'output')
    handle.kill('SIGTERM')
    expect(await last).toMatchObject({ type: 'exited', exitCode: null, signal: 'SIGTERM' })
  })

  test('ends the processes that the job spawned', async () => {
    const server = await listen()
    const { last, init } = start('spawns-a-child', { env: server.env })
    const child = await server.connected('child')
    init()
    await last
    await child.exited
  })

  test('does not wait for a detached child that holds stdout open', async () => {
    const { last, lines } = start('spawns-a-detached-child')
    expect(await last).toMatchObject({ type: 'exited', exitCode: 0 })
    const pid = Number(lines('stdout')[0])
    process.kill(pid, 'SIGKILL')
  })

  test('makes send and kill do nothing', async () => {
    const { handle, last, init } = start('kills-itself')
    await last
    expect(() => {
      init()
      handle.kill('SIGKILL')
    }).not.toThrow()
  })
})

describe('messages', () => {
  test('that the job sent are reported once and otherwise ignored', async () => {
    const { init, last, events, warnings, handle } = start('sends-messages-of-its-own')
    init()
    await last
    expect(warnings()).toEqual([
      `worker ${handle.pid}: the job sent a message of its own to the parent; it was ignored`,
    ])
    const ready = events.filter((event) => event.type === 'message' && event.message.type === 'ready')
    expect(ready).toEqual([{ type: 'message', message: { token: handle.token, type: 'ready', exports: {} } }])
  })

  test('that cannot be cloned throw', () => {
    const { handle } = start('waits')
    expect(() => handle.send({ type: 'cancel', ids: [() => {}] } as unknown as ToWorker)).toThrow(/clone/)
  })
})

test('a worker has this environment plus `env`, no stdin, and only the Node options of `execArgv`', async () => {
  const { last, lines } = start('prints-its-environment', {
    env: { EXTRA: 'yes' },
    execArgv: ['--no-warnings'],
  })
  await last
  const [printed, ...more] = lines('stdout')
  expect(JSON.parse(printed!)).toEqual({ extra: 'yes', path: process.env.PATH, execArgv: ['--no-warnings'] })
  expect(more).toEqual([])
})

test('each worker has a token of its own', () => {
  const tokens = [start('waits'), start('waits')].map(({ handle }) => handle.token)
  expect(new Set(tokens).size).toBe(2)
})

describe('a process that cannot be started', () => {
  test('is reported, but never during the call', async () => {
    const { handle, last, events } = start('waits', { env: { HUGE: 'x'.repeat(8 * 1024 * 1024) } })
    expect(events).toEqual([])
    expect(handle.pid).toBe(0)
    expect(await last).toMatchObject({ type: 'spawn-failed', error: { code: 'E2BIG' } })
    handle.send({ type: 'stop' })
    handle.kill('SIGKILL')
    expect(events).toHaveLength(1)
  })

  test('because Node does not exist is reported the same way', async () => {
    const { execPath } = process
    process.execPath = '/nonexistent/node'
    try {
      const { last, handle, events } = start('waits')
      expect(handle.pid).toBe(0)
      expect(await last).toMatchObject({ type: 'spawn-failed', error: { code: 'ENOENT' } })
      await new Promise(setImmediate)
      expect(events).toHaveLength(1)
    } finally {
      process.execPath = execPath
    }
  })
})
