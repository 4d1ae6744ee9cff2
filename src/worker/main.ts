// The forked entry: handles the parent's messages, loads the job, hands chunks to the runner, exits when it should.
// Imports node: and what parent and worker share, nothing heavier: its start is part of every run.
import { writeSync } from 'node:fs'
import { captureSystemClock } from '../clock.js'
import { toErrorData } from '../errors/capture/to-error-data.js'
import { FlightRecorder } from '../ipc/flight-recorder/writer.js'
import type { InitMessage, ResultsMessage, ToWorker } from '../ipc/protocol.js'
import { outputMarker, PROTOCOL_VERSION } from '../ipc/protocol.js'
import { type LoadedJob, loadJob } from '../job/load-job.js'
import { Guard } from './guard.js'
import { Outbox } from './outbox.js'
import { Runner } from './runner.js'
import { installCurrentTask, type Task } from './task-context.js'
import { type Validate, validatorOf } from './validate.js'

Error.stackTraceLimit = 50
process.setSourceMapsEnabled(true)

const guard = new Guard()
// Taken before the job is loaded: it may replace what the clock is made of.
const clock = captureSystemClock()
let runner: Runner | undefined
let job: LoadedJob | undefined
let recorder: FlightRecorder | undefined
let loadOnly = false

guard.onMessage((message) => {
  void handle(message)
})

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'init':
      return init(message)
    case 'run':
      return runner?.run(message.chunks)
    case 'cancel':
      return runner?.cancel(message.ids)
    case 'drain':
      return runner?.drain()
    case 'stop':
      await finalize()
      return guard.exit()
    case 'terminate':
      recorder?.freeze()
      if (runner?.abortAll() === true) {
        void guard.send({ type: 'terminating' })
        await runner.idle()
      }
      return guard.exit()
    default:
      message satisfies never
  }
}

async function init(message: InitMessage): Promise<void> {
  const { token, workerId, concurrency, markOutput, initializer = 'initializer', initArgs, params } = message
  guard.authenticate(token)
  if (message.version !== PROTOCOL_VERSION) {
    const error = toErrorData(
      new Error(`worker speaks protocol ${PROTOCOL_VERSION}, parent ${message.version}`),
    )
    return void guard.send({ type: 'init-failed', stage: 'protocol', error })
  }
  const callTask = installCurrentTask(concurrency, params)
  let validate: Validate | undefined
  try {
    job = await loadJob(message.job)
    validate = validatorOf(job.get('input'))
  } catch (thrown) {
    return void guard.send({ type: 'init-failed', stage: 'load', error: toErrorData(thrown) })
  }
  loadOnly = message.loadOnly === true
  const { exports } = job
  const getTask = (name: string) => job!.get(name) as Task
  if (exports[initializer] === 'function' && !loadOnly) {
    void guard.send({ type: 'initializing' })
    try {
      await getTask(initializer)(...initArgs)
    } catch (thrown) {
      return void guard.send({ type: 'init-failed', stage: 'initializer', error: toErrorData(thrown) })
    }
  }
  const send = (ranges: readonly ResultsMessage[]) => guard.send(settledMessage(ranges, message.reportMemory))
  // An error that escaped while the job was loaded must be reported before the first item can be blamed for it.
  await new Promise((resolve) => setImmediate(resolve))
  if (message.recorder !== undefined)
    recorder = new FlightRecorder(message.recorder, {
      onFailure: () => {
        void outbox.flush()
        return guard.send({ type: 'recorder-failed' })
      },
    })
  const outbox: Outbox = new Outbox({ send, recorder, clock })
  runner = new Runner({
    concurrency,
    workerId,
    outbox,
    recorder,
    clock,
    callTask,
    getTask,
    validate,
    onStartItem: markOutput ? (index) => markStreams(outputMarker(token, index)) : undefined,
    onCancelled: (ids) => void guard.send({ type: 'cancelled', ids }),
  })
  guard.beforeUnplannedExit(() => {
    void outbox.flush()
    runner?.recordEverything()
  })
  void guard.send({ type: 'ready', exports })
}

function settledMessage(ranges: readonly ResultsMessage[], reportMemory: boolean) {
  return { type: 'settled', ranges, ...(reportMemory && { rss: process.memoryUsage.rss() }) } as const
}

async function finalize(): Promise<void> {
  await runner?.idle()
  if (job?.exports.finalizer !== 'function' || loadOnly) return
  try {
    await (job.get('finalizer') as Task)()
  } catch (thrown) {
    const error = toErrorData(thrown)
    const text = error.type === 'error' ? `${error.name}: ${error.message}\n${error.frames}` : error.preview
    await guard.send({ type: 'warning', message: `the finalizer threw: ${text}` })
  }
}

function markStreams(line: string): void {
  for (const fd of [1, 2])
    try {
      writeSync(fd, line)
    } catch {
      // The job closed it: there is no output to attribute.
    }
}
