// Every error that poolrun itself raises, for `instanceof` and for `.code`. Runs in the parent.
import type { FrameOptions } from './render/frames.js'
import { setLazyStack } from './stacks.js'

/** Base class of all errors that poolrun itself raises. */
export abstract class PoolError extends Error {
  /** Stable, for programs. Messages are for people and may change. */
  abstract readonly code: `ERR_POOL_${string}`
}

interface ItemFields {
  /** Index of the item in the whole input, from 0. */
  readonly index: number
  /** How many attempts there were, from 1. */
  readonly attempts: number
}

/**
 * The remote side of a failure: the `cause` of the error that a call rejects with. The idea is that of Python's
 * `multiprocessing.pool.RemoteTraceback`.
 *
 * `stack` is the error as it was in the worker, with its whole cause chain and with locations in the original sources;
 * it is made when it is first read. `cause` is the original error's own `cause`, rebuilt all the way down.
 */
export class RemoteTraceback extends PoolError {
  override readonly name = 'RemoteTraceback'
  readonly code = 'ERR_POOL_REMOTE_TRACEBACK'
  /** 0 … processes − 1. */
  readonly workerId: number
  readonly pid: number
  /** Index of the item; `undefined` if an initializer or the loading of the job failed. */
  readonly index: number | undefined
  /** How many attempts at the item there were, from 1; `undefined` where `index` is. */
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
    setLazyStack(this, () => render({ cwd: process.cwd() }))
  }

  /** @internal The text of `stack` with other frames or paths. */
  render(options: FrameOptions): string {
    return this.#render(options)
  }
}

/** A task threw something that is not an Error. Its `cause` is the RemoteTraceback. */
export class NonErrorThrown extends PoolError {
  override readonly name = 'NonErrorThrown'
  readonly code = 'ERR_POOL_NON_ERROR_THROWN'
  /** The thrown value; `undefined` if it cannot be cloned, and then the message has a preview. */
  readonly value: unknown

  constructor(message: string, value: unknown, options?: ErrorOptions) {
    super(message, options)
    this.value = value
  }
}

/**
 * The worker's process exited before the item's result arrived. If an exception outside the task's own promise ended
 * it (a timer, an unhandled rejection), that exception is the `cause`.
 */
export class WorkerLostError extends PoolError {
  override readonly name = 'WorkerLostError'
  readonly code = 'ERR_POOL_WORKER_LOST'
  /** `oom`: it exceeded `maxMemory`, or V8 ran out of heap. */
  readonly kind: 'crash' | 'oom'
  /** `null` if a signal ended the process. */
  readonly exitCode: number | null
  /** `null` if the process exited by itself. */
  readonly signal: string | null
  readonly pid: number
  /** Index of the item that was running. */
  readonly index: number
  /** How many attempts at the item there were, from 1. */
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

/**
 * An attempt at an item exceeded the `timeout` of its call or pool; or, then without `index`, a result was not ready
 * within the time given to `get()` or `next()`.
 */
export class TimeoutError extends PoolError {
  override readonly name = 'TimeoutError'
  readonly code = 'ERR_POOL_TIMEOUT'
  readonly index: number | undefined
  /** How many attempts at the item there were, from 1. */
  readonly attempts: number | undefined

  constructor(message: string, fields?: ItemFields, options?: ErrorOptions) {
    super(message, options)
    this.index = fields?.index
    this.attempts = fields?.attempts
  }
}

abstract class EncodingError extends PoolError {
  readonly index: number
  /** How many attempts at the item there were, from 1. */
  readonly attempts: number
  /** Path to the part of the value that cannot be encoded, like `a.f`; empty for the value itself. */
  readonly path: string

  constructor(message: string, fields: ItemFields & { path: string }, options?: ErrorOptions) {
    super(message, options)
    this.index = fields.index
    this.attempts = fields.attempts
    this.path = fields.path
  }
}

/** An item, or an argument of `apply` or `starmap`, cannot be sent to a worker by structured clone. */
export class ArgumentEncodingError extends EncodingError {
  override readonly name = 'ArgumentEncodingError'
  readonly code = 'ERR_POOL_ARGUMENT_ENCODING'
}

/** A task's result cannot be sent back: by structured clone, or as JSON on the command line. */
export class ResultEncodingError extends EncodingError {
  override readonly name = 'ResultEncodingError'
  readonly code = 'ERR_POOL_RESULT_ENCODING'
}

/** An item does not match the schema that the job exports as `input`. */
export class InputValidationError extends PoolError {
  override readonly name = 'InputValidationError'
  readonly code = 'ERR_POOL_INPUT_VALIDATION'
  readonly index: number
  /** How many attempts at the item there were, from 1. */
  readonly attempts: number
  /** What the schema reported. `path` is like `a.b[2]`, empty for the item itself. */
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

/**
 * The initializer threw, exited, was killed or took longer than `initTimeout`. The pool is broken: everything pending
 * and every later call fails with this error, and no further workers are started.
 */
export class InitializerError extends PoolError {
  override readonly name = 'InitializerError'
  readonly code = 'ERR_POOL_INITIALIZER'
}

/** A `callback`, `errorCallback` or `onFailure` threw or rejected; `cause` is what it threw. The pool lives on. */
export class CallbackError extends PoolError {
  override readonly name = 'CallbackError'
  readonly code = 'ERR_POOL_CALLBACK'
  /** The task's result, if it succeeded. */
  readonly result: unknown
  /** The task's error, if it failed. */
  readonly error: unknown

  constructor(message: string, fields: { result?: unknown; error?: unknown }, options: ErrorOptions) {
    super(message, options)
    this.result = fields.result
    this.error = fields.error
  }
}

/**
 * The pool is in the wrong state for the call: closed or terminated, or, for `join()`, still running. Also rejects a
 * call whose input was not read to its end because the pool was closed.
 */
export class PoolStateError extends PoolError {
  override readonly name = 'PoolStateError'
  readonly code = 'ERR_POOL_STATE'
}

/** `terminate()` was called while the call was pending. */
export class PoolTerminatedError extends PoolError {
  override readonly name = 'PoolTerminatedError'
  readonly code = 'ERR_POOL_TERMINATED'
}

/** No worker process or compiler can be started, or more workers crashed than `maxWorkerRestarts` allows. */
export class PoolBrokenError extends PoolError {
  override readonly name = 'PoolBrokenError'
  readonly code = 'ERR_POOL_BROKEN'
}

/** The job module cannot be found, compiled or loaded, or does not export the task. */
export class JobError extends PoolError {
  override readonly name = 'JobError'
  readonly code = 'ERR_POOL_JOB'
}

/** `AsyncResult.successful()` was called before the result was ready. Python raises ValueError. */
export class ResultNotReadyError extends PoolError {
  override readonly name = 'ResultNotReadyError'
  readonly code = 'ERR_POOL_RESULT_NOT_READY'
}

/** Wrong use of the command line. Not part of the library. */
export class UsageError extends PoolError {
  override readonly name = 'UsageError'
  readonly code = 'ERR_POOL_USAGE'
}

/**
 * The input cannot be read or parsed. The message begins with `file:line:column: ` if there is a location. Not part of
 * the library.
 */
export class InputError extends PoolError {
  override readonly name = 'InputError'
  readonly code = 'ERR_POOL_INPUT'
  /** Index of the item that cannot be parsed, if it is a single one. */
  readonly index: number | undefined

  constructor(message: string, options: ErrorOptions & { index?: number } = {}) {
    super(message, options)
    this.index = options.index
  }
}

/** Results, the failures of `--errors` or a report cannot be written. Not part of the library. */
export class OutputError extends PoolError {
  override readonly name = 'OutputError'
  readonly code = 'ERR_POOL_OUTPUT'
}
