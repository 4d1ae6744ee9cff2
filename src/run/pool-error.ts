// Makes the public error for a fault of the executor: the one that a call rejects with, or that the command line prints.
import type { ErrorData } from '../error-data.js'
import {
  InitializerError,
  JobError,
  PoolBrokenError,
  type PoolError,
  PoolTerminatedError,
} from '../errors/classes.js'
import { environmentProblem, isLimitOfProcesses, limitHint } from '../errors/environment.js'
import { describeExit, plural, workerTitle } from '../errors/messages.js'
import { makeRemoteTraceback } from '../errors/rebuild/remote-traceback.js'
import type { ExecutionFault, PoolFault } from '../executor/executor.js'
import { checkExport } from '../job/exports.js'
import { loadHint } from '../job/load-hint.js'

/** A new error for each caller. `jobFile` is the path as shown to the user. */
export function toPoolError({ reason, taskName }: ExecutionFault, jobFile: string): PoolError {
  switch (reason.type) {
    case 'no-task':
      return (
        checkExport(reason.exports, taskName, jobFile) ?? new JobError(`${jobFile} has no task ${taskName}`)
      )
    case 'terminated':
      return new PoolTerminatedError('the pool was terminated before this was done')
    case 'fault':
      return faultError(reason.fault, jobFile)
    default:
      return reason satisfies never
  }
}

function faultError(fault: PoolFault, jobFile: string): PoolError {
  switch (fault.kind) {
    case 'load': {
      const place = { subject: 'loading of the job', workerId: fault.worker, pid: fault.pid }
      const hint = loadHint(fault.error)
      return new JobError(`${jobFile} threw while loading${hint === undefined ? '' : `; ${hint}`}`, {
        cause: makeRemoteTraceback(place, fault.error),
      })
    }
    case 'initializer': {
      const place = { subject: 'initializer', workerId: fault.worker, pid: fault.pid }
      const cause = makeRemoteTraceback(place, fault.error)
      return new InitializerError(`initializer failed, pool is broken (${workersStarted(fault)})`, { cause })
    }
    case 'init-timeout':
      if (fault.phase === 'load') {
        const title = workerTitle(fault.worker, fault.pid)
        return new JobError(
          `${jobFile} was not loaded within ${fault.afterMs} ms (${title}): does it await something at top level that never ends?`,
        )
      }
      return new InitializerError(
        `initializer failed, pool is broken (worker ${fault.worker}, pid ${fault.pid}, was not ready within ${fault.afterMs} ms; ${workersStarted(fault)})`,
      )
    case 'startup':
      return startupError(fault, jobFile)
    case 'spawn':
      return new PoolBrokenError(
        `cannot start a worker process: ${environmentProblem(fault.error) ?? fault.error.message}`,
        { cause: fault.error },
      )
    case 'job-changed':
      return new JobError(`the job changed during the run: ${fault.file} is not what it was at the start`)
    case 'restarts':
      return new PoolBrokenError(
        `gave up: workers crashed more than ${fault.limit} times, and no more are restarted`,
      )
    default:
      return fault satisfies never
  }
}

function startupError(fault: Extract<PoolFault, { kind: 'startup' }>, jobFile: string): PoolError {
  const { worker, pid, phase, signal, exitCode } = fault
  if (phase === 'boot' || lacksProcesses(fault)) {
    const title = workerTitle(worker, pid)
    return new PoolBrokenError(`cannot start a worker process: ${title} ${describeStartFailure(fault)}`)
  }
  const place = {
    subject: phase === 'initializer' ? 'initializer' : 'loading of the job',
    workerId: worker,
    pid,
  }
  const cause = announcedError(fault)
  const options = cause === undefined ? undefined : { cause: makeRemoteTraceback(place, cause) }
  const ended = describeExit(exitCode, signal)
  if (phase === 'load') return new JobError(`${jobFile} ${ended} while loading`, options)
  return new InitializerError(
    `initializer failed, pool is broken (it ${ended}; ${workersStarted(fault)})`,
    options,
  )
}

/** What Node writes about an exception, before its stack and after the line of code; and what it writes when it aborts. */
const ERROR_LINE = /^\w*Error\b[^:]*: |\bfatal\b/i

/** How the worker ended before it loaded the job, and what Node wrote about it: a preloaded module or an option is at fault. */
export function describeStartFailure({
  exitCode,
  signal,
  stderrTail,
}: Extract<PoolFault, { kind: 'startup' }>): string {
  const ended = `${describeExit(exitCode, signal)} before it loaded the job`
  const lines = stderrTail.map((line) => line.trim())
  const limit = lines.find(isLimitOfProcesses)
  if (limit !== undefined) return `${ended}: ${limit}${limitHint(limit)}`
  const reason = lines.find((line) => ERROR_LINE.test(line)) ?? lines.find((line) => line !== '')
  if (reason !== undefined) return `${ended}: ${reason}`
  return signal === 'SIGABRT' ? `${ended}${limitHint(SILENT_ABORT)}` : ended
}

/** libuv aborts without a word where it can start no thread. */
const SILENT_ABORT = 'pthread_create'

/** Node could not start its threads: nothing that an option or a preloaded module has done. */
export function lacksProcesses({
  stderrTail,
  phase,
  signal,
}: Extract<PoolFault, { kind: 'startup' }>): boolean {
  if (signal !== 'SIGABRT') return false
  return stderrTail.some(isLimitOfProcesses) || (phase === 'boot' && stderrTail.join('').trim() === '')
}

/** The uncaught error that the worker announced, or where the job ended its own process. */
function announcedError({ notice }: Extract<PoolFault, { kind: 'startup' }>): ErrorData | undefined {
  if (notice?.exitCallStack === undefined || notice.uncaughtError !== undefined) return notice?.uncaughtError
  const message = 'the job ended its own process'
  const frames = notice.exitCallStack
  return { type: 'error', name: 'Error', message, frames, builtin: 'Error', props: {} }
}

function workersStarted({ started }: { readonly started: number }): string {
  return `${plural(started, 'worker')} started`
}
