// Stands between the job and the process it runs in: owns the channel, so that a job's own messages are not ours, and
// sees the ends that a process can see coming, so that what has settled is sent before them.
import { toErrorData } from '../errors/capture/to-error-data.js'
import { type OutgoingMessage, packFromWorker, unpackToWorker } from '../ipc/pack.js'
import type { ToWorker } from '../ipc/protocol.js'

export interface Guard {
  onMessage(listener: (message: ToWorker) => void): void
  /** From now on messages carry the token; before, nothing can be said. */
  authenticate(token: string): void
  /**
   * Resolves when the message is in the kernel's hands and no death of this process can take it back.
   * @throws what structured clone throws, at once
   */
  send(message: OutgoingMessage): Promise<void>
  /** Called before an end that is seen coming. */
  beforeDeath(flush: () => void): void
  /** Ends this process in good order, output first. */
  leave(): Promise<void>
}

export function guardProcess(): Guard {
  // Taken before the job is loaded: it may replace any of these.
  const { send: rawSend, exit, kill, abort, pid } = process
  const send = rawSend!.bind(process)
  writeAtOnce(process.stdout, process.stderr)
  let token = ''
  let flush: () => void = () => {}
  let dying = false

  let ours = false
  let lastWritten = Promise.resolve()
  const say = (message: OutgoingMessage): Promise<void> => {
    if (!process.connected) return Promise.resolve()
    let written = () => {}
    const promise = new Promise<void>((resolve) => {
      written = resolve
    })
    ours = true
    try {
      send({ token, ...packFromWorker(message) }, undefined, undefined, () => written())
    } finally {
      ours = false
    }
    lastWritten = promise
    return promise
  }

  /** Last words before the process ends, said once; the job goes on for as long as they take to write. */
  const lastWords = (words: { escaped: unknown } | { exitSite: string }): Promise<void> => {
    if (dying) return lastWritten
    dying = true
    flush()
    return say({ type: 'dying', ...('escaped' in words ? { escaped: toErrorData(words.escaped) } : words) })
  }

  const site = (caller: (...args: never[]) => unknown): string => {
    const holder: { stack?: string } = {}
    Error.captureStackTrace(holder, caller)
    return String(holder.stack).split('\n').slice(1).join('\n')
  }

  process.exit = function exitByJob(code) {
    void lastWords({ exitSite: site(exitByJob) })
    return exit.call(process, code)
  }
  process.abort = function abortByJob() {
    void lastWords({ exitSite: site(abortByJob) })
    return abort.call(process)
  }
  process.kill = function killByJob(target, signal) {
    if (Math.abs(target) === pid && signal !== 0) {
      // Which signals end this process depends on its handlers; sending early is harmless.
      flush()
    }
    return kill.call(process, target, signal)
  }

  // Node's own messages go the same way: a forged one would crash the parent.
  const internals = process as unknown as { _send: (...args: unknown[]) => boolean }
  const rawInternal = internals._send
  let warned = false
  const drop = () => {
    const message = `worker ${pid}: the job called process.send(); the message was dropped`
    if (!warned) void say({ type: 'warning', message })
    warned = true
    return true
  }
  internals._send = (...args) => (ours ? rawInternal.apply(process, args) : drop())
  process.send = drop
  const { disconnect } = process
  process.disconnect = function disconnectByJob() {
    void lastWords({ exitSite: site(disconnectByJob) })
    return disconnect!.call(process)
  }

  // A job with a handler of its own has decided; Node calls ours all the same.
  const escaped = (event: 'uncaughtException' | 'unhandledRejection') => (thrown: unknown) => {
    if (process.listenerCount(event) > 1) return
    void lastWords({ escaped: thrown }).then(() => exit.call(process, 1))
  }
  process.on('uncaughtException', escaped('uncaughtException'))
  process.on('unhandledRejection', escaped('unhandledRejection'))

  process.on('disconnect', () => {
    // The parent is gone, or the job cut the line: nobody is left to work for. What the job spawned goes too.
    try {
      kill.call(process, -pid, 'SIGKILL')
    } finally {
      exit.call(process, 1)
    }
  })

  return {
    onMessage: (listener) => void process.on('message', (message) => listener(unpackToWorker(message))),
    authenticate(secret) {
      token = secret
    },
    send: say,
    beforeDeath(callback) {
      flush = callback
    },
    async leave() {
      dying = true
      const drained = (stream: NodeJS.WriteStream) =>
        new Promise<void>((resolve) => stream.write('', () => resolve()))
      await Promise.all([drained(process.stdout), drained(process.stderr), lastWritten])
      exit.call(process, 0)
    },
  }
}

/** What a job prints stays in order with what is written past Node's streams, and is not lost when it dies. */
function writeAtOnce(...streams: NodeJS.WriteStream[]): void {
  for (const stream of streams) {
    const { _handle } = stream as unknown as { _handle?: { setBlocking?(on: boolean): void } }
    _handle?.setBlocking?.(true)
  }
}
