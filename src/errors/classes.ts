// Every error poolrun itself raises, for `instanceof` and for `.code`. Data only: knows nothing of how one is rendered
// or where one is caught.
import type { FrameOptions } from './frames.js'
import { setStack } from './stacks.js'

/** Base of all. `code` is stable; messages are for people and may change. */
export abstract class PoolError extends Error {
  abstract readonly code: `ERR_POOL_${string}`
}

/** Where an item was, or is to be blamed on. */
interface ItemFields {
  readonly index: number
  readonly attempts: number
}

/**
 * The remote side of a failure, as the `cause` of the error a call rejects with. Its `stack` is the remote text, made
 * when it is first read, for mapping positions is dear; its `cause` is the original error's own, rebuilt.
 */
export class RemoteTraceback extends PoolError {
  override readonly name = 'RemoteTraceback'
  readonly code = 'ERR_POOL_REMOTE_TRACEBACK'
  readonly workerId: number
  readonly pid: number
  /** `undefined` for what is no item's: an initializer, the loading of the job. */
  readonly index: number | undefined
  readonly attempts: number | undefined
  readonly #render: (options?: FrameOptions) => string

  constructor(
    message: string,
    fields: { workerId: number; pid: number; index?: number | undefined; attempts?: number | undefined },
    render: (options?: FrameOptions) => string,
  ) {
    super(message)
    this.workerId = fields.workerId
    this.pid = fields.pid
    this.index = fields.index
    this.attempts = fields.attempts
    this.#render = render
    setStack(this, () => render({ cwd: process.cwd() }))
  }

  /** What `stack` says, for a reader who wants other frames or paths. */
  render(options: FrameOptions): string {
    return this.#render(options)
  }
}

/** A job threw something that is no Error. */
export class NonErrorThrown extends PoolError {
  override readonly name = 'NonErrorThrown'
  readonly code = 'ERR_POOL_NON_ERROR_THROWN'
  /** What was thrown; `undefined` where it cannot be cloned. */
  readonly value: unknown

  constructor(message: string, value: unknown, options?: ErrorOptions) {
    super(message, options)
    this.value = value
  }
}

/** The process died before the item's result was there. */
export class WorkerLostError extends PoolError {
  override readonly name = 'WorkerLostError'
  readonly code = 'ERR_POOL_WORKER_LOST'
  readonly kind: 'crash' | 'oom'
  readonly exitCode: number | null
  readonly signal: string | null
  readonly pid: number
  readonly index: number
  readonly attempts: number

  constructor(
    message: string,
    fields: ItemFields & {
      kind: 'crash' | 'oom'
      exitCode: number | null
      signal: string | null
      pid: number
    },
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.kind = fields.kind
    this.exitCode = fields.exitCode
    this.signal = fields.signal
    this.pid = fields.pid
    this.index = fields.index
    this.attempts = fields.attempts
  }
}

/** An item exceeded its time, or (without `index`) a result was not there within the time its reader gave. */
export class TimeoutError extends PoolError {
  override readonly name = 'TimeoutError'
  readonly code = 'ERR_POOL_TIMEOUT'
  readonly index: number | undefined
  readonly attempts: number | undefined

  constructor(message: string, fields?: ItemFields, options?: ErrorOptions) {
    super(message, options)
    this.index = fields?.index
    this.attempts = fields?.attempts
  }
}

abstract class EncodingError extends PoolError {
  readonly index: number
  readonly attempts: number
  /** Where in the value the culprit is, like `a.f`; empty for the value itself. */
  readonly path: string

  constructor(message: string, fields: ItemFields & { path: string }, options?: ErrorOptions) {
    super(message, options)
    this.index = fields.index
    this.attempts = fields.attempts
    this.path = fields.path
  }
}

export class ArgumentEncodingError extends EncodingError {
  override readonly name = 'ArgumentEncodingError'
  readonly code = 'ERR_POOL_ARGUMENT_ENCODING'
}

export class ResultEncodingError extends EncodingError {
  override readonly name = 'ResultEncodingError'
  readonly code = 'ERR_POOL_RESULT_ENCODING'
}

/** An item does not fit the job's `input` schema. */
export class InputValidationError extends PoolError {
  override readonly name = 'InputValidationError'
  readonly code = 'ERR_POOL_INPUT_VALIDATION'
  readonly index: number
  readonly attempts: number
  readonly issues: readonly { message: string; path: string }[]

  constructor(
    message: string,
    fields: ItemFields & { issues: readonly { message: string; path: string }[] },
  ) {
    super(message)
    this.index = fields.index
    this.attempts = fields.attempts
    this.issues = fields.issues
  }
}

/** The initializer threw, exited, was killed or was not ready in time; the pool is broken. */
export class InitializerError extends PoolError {
  override readonly name = 'InitializerError'
  readonly code = 'ERR_POOL_INITIALIZER'
}

/** A callback of the caller threw; `cause` is what it threw. */
export class CallbackError extends PoolError {
  override readonly name = 'CallbackError'
  readonly code = 'ERR_POOL_CALLBACK'
  /** The task's value, where it succeeded. */
  readonly result: unknown
  /** The task's own error, where it had failed. */
  readonly error: unknown

  constructor(message: string, fields: { result?: unknown; error?: unknown }, options: ErrorOptions) {
    super(message, options)
    this.result = fields.result
    this.error = fields.error
  }
}

/** The pool is closed, terminated or still running, and the call needs it otherwise. */
export class PoolStateError extends PoolError {
  override readonly name = 'PoolStateError'
  readonly code = 'ERR_POOL_STATE'
}

export class PoolTerminatedError extends PoolError {
  override readonly name = 'PoolTerminatedError'
  readonly code = 'ERR_POOL_TERMINATED'
}

/** Workers cannot be had: no process can be started, or the restart budget is spent. */
export class PoolBrokenError extends PoolError {
  override readonly name = 'PoolBrokenError'
  readonly code = 'ERR_POOL_BROKEN'
}

/** The job module does not load, or has no such task. */
export class JobError extends PoolError {
  override readonly name = 'JobError'
  readonly code = 'ERR_POOL_JOB'
}

export class ResultNotReadyError extends PoolError {
  override readonly name = 'ResultNotReadyError'
  readonly code = 'ERR_POOL_RESULT_NOT_READY'
}

/** The command line itself is wrong. */
export class UsageError extends PoolError {
  override readonly name = 'UsageError'
  readonly code = 'ERR_POOL_USAGE'
}

/** The input cannot be read or parsed; the message begins with `file:line:column: ` where there is a place. */
export class InputError extends PoolError {
  override readonly name = 'InputError'
  readonly code = 'ERR_POOL_INPUT'
  /** The item at fault, where it is one. */
  readonly index: number | undefined

  constructor(message: string, options: ErrorOptions & { index?: number } = {}) {
    super(message, options)
    this.index = options.index
  }
}

/** Results, the failures of `--errors` or a report cannot be written. */
export class OutputError extends PoolError {
  override readonly name = 'OutputError'
  readonly code = 'ERR_POOL_OUTPUT'
}
