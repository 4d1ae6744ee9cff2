// Between the job and its process. Owns the channel, so that the job's own messages are never taken for the worker's,
// and replaces the functions that end the process, so that what has settled is sent first.
import { toErrorData } from '../errors/capture/to-error-data.js'
import { type OutgoingMessage, packFromWorker, unpackToWorker } from '../ipc/pack.js'
import type { ToWorker } from '../ipc/protocol.js'

interface Guard {
  onMessage(listener: (message: ToWorker) => void): void
  /** From now on messages carry the token; before, nothing can be sent. */
  authenticate(token: string): void
  /**
   * Resolves when the message is in the kernel: no crash of this process can lose it any more.
   * @throws what structured clone throws, synchronously
   */
  send(message: OutgoingMessage): Promise<void>
  /** Called before an exit that this process sees coming. */
  beforeUnplannedExit(callback: () => void): void
  /** Ends this process once all output has been written. */
  exit(): Promise<void>
}

export function guardProcess(): Guard {
  // Taken before the job is loaded: it may replace any of these.
  const { send: channelSend, exit, kill, abort, disconnect, pid } = process
  const sendRaw = channelSend!.bind(process)
  makeBlocking(process.stdout, process.stderr)
  let token = ''
  let beforeUnplannedExit: () => void = () => {}
  let isExiting = false
  /** The message that `process._send` is given now is the worker's. */
  let isOwnMessage = false
  let lastSent = Promise.resolve()

  const send = (message: OutgoingMessage): Promise<void> => {
    if (!process.connected) return Promise.resolve()
    let sent = () => {}
    const promise = new Promise<void>((resolve) => {
      sent = resolve
    })
    isOwnMessage = true
    try {
      sendRaw({ token, ...packFromWorker(message) }, undefined, undefined, () => sent())
    } finally {
      isOwnMessage = false
    }
    lastSent = promise
    return promise
  }

  /** Sends once why the process ends, after everything that has settled. The job goes on until that is written. */
  const announceExit = (reason: { escaped: unknown } | { exitSite: string }): Promise<void> => {
    if (isExiting) return lastSent
    isExiting = true
    beforeUnplannedExit()
    return send({
      type: 'dying',
      ...('escaped' in reason ? { escaped: toErrorData(reason.escaped) } : reason),
    })
  }

  const callStackAbove = (caller: (...args: never[]) => unknown): string => {
    const holder: { stack?: string } = {}
    Error.captureStackTrace(holder, caller)
    return String(holder.stack).split('\n').slice(1).join('\n')
  }

  process.exit = function exitByJob(code) {
    void announceExit({ exitSite: callStackAbove(exitByJob) })
    return exit.call(process, code)
  }
  process.abort = function abortByJob() {
    void announceExit({ exitSite: callStackAbove(abortByJob) })
    return abort.call(process)
  }
  process.disconnect = function disconnectByJob() {
    void announceExit({ exitSite: callStackAbove(disconnectByJob) })
    return disconnect!.call(process)
  }
  process.kill = function killByJob(target, signal) {
    // Whether the signal ends this process depends on the job's handlers; sending early is harmless.
    if (Math.abs(target) === pid && signal !== 0) beforeUnplannedExit()
    return kill.call(process, target, signal)
  }

  // `process._send` sends Node's own messages, too: a forged one would crash the parent.
  const internals = process as unknown as { _send: (...args: unknown[]) => boolean }
  const sendInternal = internals._send
  let hasWarned = false
  const dropMessageOfJob = () => {
    const message = `worker ${pid}: the job called process.send(); the message was dropped`
    if (!hasWarned) void send({ type: 'warning', message })
    hasWarned = true
    return true
  }
  internals._send = (...args) => (isOwnMessage ? sendInternal.apply(process, args) : dropMessageOfJob())
  process.send = dropMessageOfJob

  // Node calls these listeners also where the job has one of its own. Then the job decides what happens.
  const onEscaped = (event: 'uncaughtException' | 'unhandledRejection') => (thrown: unknown) => {
    if (process.listenerCount(event) > 1) return
    void announceExit({ escaped: thrown }).then(() => exit.call(process, 1))
  }
  process.on('uncaughtException', onEscaped('uncaughtException'))
  process.on('unhandledRejection', onEscaped('unhandledRejection'))

  process.on('disconnect', () => {
    // The parent has exited, or the job disconnected: no result can be sent any more. The group includes what the job
    // spawned.
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
    send,
    beforeUnplannedExit(callback) {
      beforeUnplannedExit = callback
    },
    async exit() {
      isExiting = true
      const written = (stream: NodeJS.WriteStream) =>
        new Promise<void>((resolve) => stream.write('', () => resolve()))
      await Promise.all([written(process.stdout), written(process.stderr), lastSent])
      exit.call(process, 0)
    },
  }
}

/**
 * With blocking writes, what a job prints stays in order with what is written past Node's streams, and is not lost in a
 * crash.
 */
function makeBlocking(...streams: NodeJS.WriteStream[]): void {
  for (const stream of streams) {
    const { _handle } = stream as unknown as { _handle?: { setBlocking?(on: boolean): void } }
    _handle?.setBlocking?.(true)
  }
}
