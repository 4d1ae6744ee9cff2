// Worker processes by `child_process.fork`. The only file that starts one; knows nothing of chunks or policies.
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createFlightRecordFile, type FlightRecordFile } from '../ipc/flight-recorder/file.js'
import { packToWorker, unpackFromWorker } from '../ipc/pack.js'
import { isFromWorker, type ToWorker } from '../ipc/protocol.js'
import { createLineSplitter } from './line-splitter.js'
import { forgetGroup, watchGroup } from './reaper.js'
import type { Transport, WorkerHandle, WorkerSignal } from './transport.js'

/** What a job spawned may hold the worker's stdout open for ever; output of the worker itself is there at once. */
const OUTPUT_GRACE_MS = 100
const TAIL_LINES = 10
/** After stdin, stdout and stderr. */
const RECORDER_FD = 3
/** Says why V8 gave up; the native frames behind it would push it out of the tail. */
const FATAL = /^FATAL ERROR: /

export interface ForkOptions {
  /** Path of the worker's entry, dist/worker.cjs. */
  readonly entry: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Node options of the workers; nothing is inherited, so that a parent's `--inspect` or loader stays its own. */
  readonly execArgv?: readonly string[] | undefined
  /** A message is handed on after everything that was printed before it was sent. */
  readonly outputFirst?: boolean | undefined
}

export function createForkTransport({
  entry,
  env,
  execArgv = [],
  outputFirst = false,
}: ForkOptions): Transport {
  return {
    spawn(inbox) {
      const token = randomBytes(16).toString('hex')
      const recorder = createFlightRecordFile()
      let child: ChildProcess
      try {
        child = fork(entry, [], {
          serialization: 'advanced',
          // A job that reads stdin must not eat the items; what it prints must not reach our stdout.
          // A job that writes to descriptor 3, as shells make popular, must not hit the channel.
          stdio: ['ignore', 'pipe', 'pipe', recorder?.fd ?? 'ignore', 'ipc'],
          // A process group of its own: Ctrl-C in the terminal reaches the parent alone, and a kill of the group
          // takes along what the job spawned.
          detached: true,
          execArgv: [...execArgv],
          env: { ...process.env, ...env },
        })
      } catch (error) {
        recorder?.close()
        setImmediate(inbox, { type: 'spawn-failed', error: error as Error })
        return absentHandle(token)
      }
      return watch(child, token, recorder, outputFirst ? afterOutput(inbox) : inbox)
    },
  }
}

function watch(
  child: ChildProcess,
  token: string,
  recorder: FlightRecordFile | undefined,
  inbox: (signal: WorkerSignal) => void,
): WorkerHandle {
  const pid = child.pid ?? 0
  const stderrTail: string[] = []
  let foreign = false
  let fatal: string | undefined
  let gone = false
  let exited: { exitCode: number | null; signal: string | null } | undefined
  let openStreams = 3 // stdout, stderr, channel
  let grace: NodeJS.Timeout | undefined
  if (pid !== 0) watchGroup(pid)

  child.on('message', (message: unknown) => {
    if (isFromWorker(message, token)) {
      const sound = unpackFromWorker(message)
      if (sound !== undefined) inbox({ type: 'message', message: sound })
      // Nothing it says can be relied on any more; what it held is judged as after any death.
      else killGroup(pid, 'SIGKILL')
      return
    }
    if (foreign) return
    foreign = true
    const text = `worker ${pid}: the job sent a message of its own to the parent; it was ignored`
    inbox({ type: 'message', message: { token, type: 'warning', message: text } })
  })

  const streams = (
    [
      ['stdout', child.stdout],
      ['stderr', child.stderr],
    ] as const
  ).map(([stream, readable]) => {
    const splitter = createLineSplitter(token, (line, index) => {
      if (stream === 'stderr') {
        if (FATAL.test(line)) fatal = line
        if (stderrTail.push(line) > TAIL_LINES) stderrTail.shift()
      }
      inbox({ type: 'output', stream, line, ...(index !== undefined && { index }) })
    })
    let ended = false
    const end = () => {
      if (ended) return
      ended = true
      splitter.end()
      streamEnded()
    }
    readable?.on('data', (bytes: Buffer) => splitter.push(bytes))
    readable?.on('end', end).on('error', end).on('close', end)
    return { end, readable }
  })

  const finish = () => {
    if (gone || exited === undefined) return
    gone = true
    clearTimeout(grace)
    for (const { end, readable } of streams) {
      end()
      readable?.destroy()
    }
    const recorded = recorder?.read()
    recorder?.close()
    if (fatal !== undefined && !stderrTail.includes(fatal)) stderrTail.splice(0, 1, fatal)
    inbox({ type: 'gone', ...exited, stderrTail, recorded })
  }
  const streamEnded = () => {
    openStreams--
    if (openStreams === 0) finish()
  }

  child.on('disconnect', () => {
    streamEnded()
    // A job that disconnects lives on, unreachable: only its death can settle what it held.
    if (exited === undefined) killGroup(pid, 'SIGKILL')
  })
  child.on('exit', (exitCode, signal) => {
    exited = { exitCode, signal }
    // What the job spawned goes with its worker.
    killGroup(pid, 'SIGKILL')
    forgetGroup(pid)
    if (openStreams === 0) finish()
    // Timers that are late run before what has arrived meanwhile is read: its last messages come first.
    else grace = setTimeout(() => setImmediate(finish), OUTPUT_GRACE_MS)
  })
  child.on('error', (error) => {
    // Also emitted for a failed kill or send, which `exit` will explain; only a process that never was ends here.
    if (child.pid !== undefined || gone) return
    gone = true
    recorder?.close()
    inbox({ type: 'spawn-failed', error })
  })

  return {
    pid,
    token,
    recorder: recorder && RECORDER_FD,
    inspect: () => (gone ? undefined : recorder?.read()),
    send(message: ToWorker) {
      if (child.connected) child.send(packToWorker(message), () => {})
    },
    kill(signal) {
      if (exited === undefined) killGroup(pid, signal)
    },
    ref(on) {
      const of = [child, child.channel, child.stdout, child.stderr] as ({
        ref?(): void
        unref?(): void
      } | null)[]
      for (const handle of of) on ? handle?.ref?.() : handle?.unref?.()
    },
  }
}

/**
 * What a worker printed is in its pipes before the message that follows, for it writes them blocking. A turn of the
 * event loop reads both to their end; the message waits for it, and what comes behind the message with it.
 */
function afterOutput(inbox: (signal: WorkerSignal) => void): (signal: WorkerSignal) => void {
  return (signal) => {
    if (signal.type === 'output') inbox(signal)
    else setImmediate(() => setImmediate(inbox, signal))
  }
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid === 0) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The group has no process any more: that is what was wanted.
  }
}

function absentHandle(token: string): WorkerHandle {
  return { pid: 0, token, recorder: undefined, inspect: () => undefined, send() {}, kill() {}, ref() {} }
}
