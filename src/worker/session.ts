// What a worker does with the messages of its parent: loads the job, hands chunks to the runner, exits when it should.
// Imports node: and what parent and worker share, nothing heavier: its start is part of every run.
import { type Clock, setImmediate } from '../clock.js'
import { toErrorData } from '../errors/capture/to-error-data.js'
import { keepNumbersOfItems } from '../framing/parse.js'
import { FlightRecorder, type RecorderOptions } from '../ipc/flight-recorder/writer.js'
import type { InitMessage, OutgoingMessage, ResultsMessage, ToWorker } from '../ipc/protocol.js'
import { outputMarker, PROTOCOL_VERSION } from '../ipc/protocol.js'
import { type LoadedJob, loadJob } from '../job/load-job.js'
import { brokenBuiltin } from './builtins.js'
import { LineMemory } from './line-memory.js'
import { Outbox } from './outbox.js'
import { Runner } from './runner.js'
import { installCurrentTask, type Task } from './task-context.js'
import { thrownText } from './thrown-text.js'
import { type Validate, validatorOf } from './validate.js'

/** Between a worker and its parent, and between the job and the process that it runs in. */
export interface WorkerChannel {
  /** From now on messages carry the token; before, the parent accepts none. */
  authenticate(token: string): void
  /** `send` has copied all bytes of the message when it returns. Otherwise its receiver keeps them. */
  readonly copiesBytes: boolean
  /** Resolves when no crash of the worker can lose the message any more. Throws what structured clone throws. */
  send(message: OutgoingMessage): Promise<void>
  /** Writes a line to stdout and stderr of the job. */
  mark(line: string): void
  /** The callback runs before an exit that the worker sees coming and the parent did not request. */
  beforeUnplannedExit(callback: () => void): void
  exit(): Promise<void>
  /**
   * Ends this process, as an exception outside every task's promise does. Without one, as a kill from outside does. Absent
   * where there is no process to end.
   */
  fail?(thrown: Error | undefined): void
}

export class WorkerSession {
  readonly #channel: WorkerChannel
  readonly #clock: Clock
  readonly #startWatch: RecorderOptions['startWatch']
  #runner: Runner | undefined
  #job: LoadedJob | undefined
  #recorder: FlightRecorder | undefined
  #loadOnly = false

  /** `startWatch`: absent where a loop that never ends cannot be ended from outside. */
  constructor(channel: WorkerChannel, clock: Clock, startWatch?: RecorderOptions['startWatch']) {
    this.#channel = channel
    this.#clock = clock
    this.#startWatch = startWatch
  }

  async handle(message: ToWorker): Promise<void> {
    const channel = this.#channel
    switch (message.type) {
      case 'init':
        return this.#init(message)
      case 'run':
        return this.#runner?.run(message.chunks)
      case 'cancel':
        return this.#runner?.cancel(message.ids, message.why)
      case 'expire': {
        const { id, offset } = message
        const listens = this.#runner?.expire(id, offset)
        return listens === undefined
          ? undefined
          : void channel.send({ type: 'expiring', id, offset, listens })
      }
      case 'return':
        return this.#runner?.returnUnstarted()
      case 'ping':
        return void channel.send({ type: 'pong', isRunning: this.#runner?.isRunning === true })
      case 'stop':
        await this.#finalize()
        return channel.exit()
      case 'terminate':
        this.#recorder?.freeze()
        if (this.#runner?.abortAll(message.why) === true && !message.isImmediate) {
          void channel.send({ type: 'terminating' })
          await this.#runner.idle()
        }
        return channel.exit()
      default:
        message satisfies never
    }
  }

  async #init(message: InitMessage): Promise<void> {
    const channel = this.#channel
    const clock = this.#clock
    const {
      token,
      workerId,
      concurrency,
      markOutput,
      initializer = 'initializer',
      initArgs,
      params,
    } = message
    channel.authenticate(token)
    if (message.version !== PROTOCOL_VERSION) {
      const error = toErrorData(
        new Error(`worker speaks protocol ${PROTOCOL_VERSION}, parent ${message.version}`),
      )
      return void channel.send({ type: 'init-failed', stage: 'protocol', error })
    }
    if (message.undecodable !== undefined) {
      const error = toErrorData(new Error(`its arguments cannot be read: ${message.undecodable}`))
      return void channel.send({ type: 'init-failed', stage: 'initializer', error })
    }
    void channel.send({ type: 'loading' })
    const callTask = installCurrentTask(concurrency, params)
    if (message.job.isBuiltIn) keepNumbersOfItems()
    if (markOutput && message.job.isBuiltIn)
      Object.assign(globalThis, {
        [Symbol.for('poolrun.markOutput')]: (index: number) => channel.mark(outputMarker(token, index)),
      })
    let validate: Validate | undefined
    try {
      this.#job = await loadJob(message.job)
      validate = validatorOf(this.#job.get('input'))
      if (this.#job.exports.shouldRetry === 'other')
        throw new TypeError("the job exports 'shouldRetry', which is not a function")
    } catch (thrown) {
      return void channel.send({ type: 'init-failed', stage: 'load', error: toErrorData(thrown) })
    }
    this.#loadOnly = message.loadOnly === true
    const { exports } = this.#job
    const getTask = (name: string) => this.#job!.get(name) as Task
    if (exports[initializer] === 'function' && !this.#loadOnly) {
      void channel.send({ type: 'initializing' })
      try {
        await getTask(initializer)(...initArgs)
      } catch (thrown) {
        return void channel.send({ type: 'init-failed', stage: 'initializer', error: toErrorData(thrown) })
      }
    }
    const send = (ranges: readonly ResultsMessage[]) =>
      channel.send(settledMessage(ranges, message.reportMemory))
    // An error that escaped while the job was loaded must be reported before the first item can be blamed for it.
    await new Promise((resolve) => setImmediate(resolve))
    if (message.recorder !== undefined)
      this.#recorder = new FlightRecorder(message.recorder, {
        // It watches one item at a time.
        startWatch: concurrency === 1 ? this.#startWatch : undefined,
        onFailure: () => {
          void outbox.flush()
          return channel.send({ type: 'recorder-failed' })
        },
      })
    const outbox: Outbox = new Outbox({
      send,
      recorder: this.#recorder,
      clock,
      memory: channel.copiesBytes ? new LineMemory() : undefined,
    })
    this.#runner = new Runner({
      concurrency,
      workerId,
      outbox,
      recorder: this.#recorder,
      clock,
      callTask,
      getTask,
      validate,
      shouldRetry: exports.shouldRetry === 'function' ? getTask('shouldRetry') : undefined,
      warn: (message) => void channel.send({ type: 'warning', message }),
      onStartItem: markOutput ? (index) => channel.mark(outputMarker(token, index)) : undefined,
      checkBuiltins: channel.fail && ((isItemKnown) => failIfBroken(channel, isItemKnown)),
      onCancelled: (runs) => {
        const ids = runs.map(({ id }) => id)
        void channel.send({ type: 'cancelled', ids, begun: runs.map(({ begun }) => begun) })
      },
      onReturned: (runs, waits) => {
        const ids = runs.map(({ id }) => id)
        void channel.send({ type: 'returned', ids, kept: runs.map(({ count }) => count), waits })
      },
    })
    channel.beforeUnplannedExit(() => {
      void outbox.flush()
      this.#runner?.recordEverything()
    })
    void channel.send({ type: 'ready', exports })
  }

  async #finalize(): Promise<void> {
    const channel = this.#channel
    await this.#runner?.idle()
    if (this.#job?.exports.finalizer !== 'function' || this.#loadOnly) return
    try {
      await (this.#job.get('finalizer') as Task)()
    } catch (thrown) {
      await channel.send({ type: 'warning', message: `the finalizer threw: ${thrownText(thrown)}` })
    }
  }

  /** Nothing starts any more, and nothing is recorded: the worker counts as killed. */
  abandon(): void {
    this.#recorder?.freeze()
    this.#runner?.abortAll('the worker was abandoned')
  }
}

/** Where it is not known which item has broken it, the items run again in another worker, each of them recorded. */
function failIfBroken(channel: WorkerChannel, isItemKnown: boolean): void {
  const broken = brokenBuiltin()
  if (broken === undefined) return
  channel.fail?.(
    isItemKnown ? new Error(`the job has replaced ${broken}, which does not work any more`) : undefined,
  )
}

function settledMessage(ranges: readonly ResultsMessage[], reportMemory: boolean) {
  const rss = reportMemory ? residentBytes() : undefined
  return { type: 'settled', ranges, ...(rss !== undefined && { rss }) } as const
}

function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss()
  } catch {
    // On Linux it is read from /proc, which may be missing.
    return undefined
  }
}
