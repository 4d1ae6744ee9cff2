// Makes the error that a call rejects with, or that a callback receives, for a failed item. A new object each time,
// because the caller may change the error it catches.

import type { ErrorData } from '../../error-data.js'
import type { Failure, ItemFailure } from '../../model.js'
import {
  ArgumentEncodingError,
  CallbackError,
  InputError,
  InputValidationError,
  NonErrorThrown,
  ResultEncodingError,
  TimeoutError,
  WorkerLostError,
} from '../classes.js'
import {
  type CallbackName,
  callbackMessage,
  encodingMessage,
  inputMessage,
  lostMessage,
  nonErrorMessage,
  timeoutMessage,
  validationMessage,
} from '../messages.js'
import { attachCallSite, type CallSite } from '../stacks.js'
import { define, fromErrorData, rebuildError } from './rebuild-error.js'
import { makeRemoteTraceback, type RemoteOrigin } from './remote-traceback.js'

export interface ItemErrorContext {
  readonly index: number
  /** `file:line:column` of the first wrong character, for failures of kind `input`. */
  readonly location?: string | undefined
  /** The call whose frames the error's own stack shows. */
  readonly site?: CallSite | undefined
}

export function makeItemError(context: ItemErrorContext, failed: ItemFailure): Error {
  const error = makeError(context, failed)
  return context.site === undefined ? error : attachCallSite(error, context.site)
}

export function itemOrigin(index: number, { workerId, pid, attempts }: ItemFailure): RemoteOrigin {
  return { subject: `item ${index}`, workerId, pid, index, attempts }
}

/** `thrown` can be anything. Without `index`, the callback was called once for a whole call. */
export function makeCallbackError(
  which: CallbackName,
  index: number | undefined,
  thrown: unknown,
  task: { readonly result?: unknown; readonly error?: unknown },
  site?: CallSite,
): CallbackError {
  const error = new CallbackError(callbackMessage(which, index), task, { cause: thrown })
  return site === undefined ? error : attachCallSite(error, site)
}

function makeError({ index, location }: ItemErrorContext, failed: ItemFailure): Error {
  const { failure, pid, attempts } = failed
  switch (failure.kind) {
    case 'error':
      return makeTaskError(failure.error, itemOrigin(index, failed))
    case 'crash':
    case 'oom':
      return new WorkerLostError(
        lostMessage(index, failure, failed),
        { index, attempts, pid, kind: failure.kind, exitCode: failure.exitCode, signal: failure.signal },
        failure.escaped === undefined ? undefined : { cause: fromErrorData(failure.escaped) },
      )
    case 'timeout':
      return new TimeoutError(timeoutMessage(index, failure, failed), { index, attempts })
    case 'input':
      return new InputError(inputMessage(index, failure, location), { index })
    case 'validation':
      return new InputValidationError(validationMessage(index, failure), {
        index,
        attempts,
        issues: failure.issues,
      })
    case 'encoding': {
      const Class = failure.side === 'argument' ? ArgumentEncodingError : ResultEncodingError
      return new Class(encodingMessage(index, failure), { index, attempts, path: failure.path })
    }
    default:
      return unknownFailure(failure)
  }
}

function makeTaskError(data: ErrorData, origin: RemoteOrigin): Error {
  const cause = makeRemoteTraceback(origin, data)
  if (data.type === 'thrown') {
    return new NonErrorThrown(nonErrorMessage(data), data.cloned ? data.value : undefined, { cause })
  }
  const error = rebuildError(data)
  define(error, 'cause', cause, false)
  return error
}

function unknownFailure(failure: never): never {
  throw new TypeError(`unknown kind of failure: ${(failure as Failure).kind}`)
}
