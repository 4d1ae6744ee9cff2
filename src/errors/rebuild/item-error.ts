// The error a call rejects with, or a callback is given, for an item that failed. A new object each time: whoever
// catches one may change it. Knows nothing of policies, nor of how an error is printed.

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
import { type CallSite, showCaller } from '../stacks.js'
import { define, fromErrorData, rebuildError } from './rebuild-error.js'
import { makeRemoteTraceback, type RemotePlace } from './remote-traceback.js'

export interface ItemErrorWhere {
  readonly index: number
  /** `file:line:column` of the item's text, for failures of kind `input`. */
  readonly position?: string | undefined
  /** Whose line the error's own stack shows. */
  readonly site?: CallSite | undefined
}

export function makeItemError(where: ItemErrorWhere, failed: ItemFailure): Error {
  const error = makeError(where, failed)
  if (where.site !== undefined) showCaller(error, where.site)
  return error
}

export function itemPlace(index: number, { workerId, pid, attempts }: ItemFailure): RemotePlace {
  return { subject: `item ${index}`, workerId, pid, index, attempts }
}

/** `thrown` may be anything; without `index` the callback ran once for a whole call. */
export function makeCallbackError(
  which: CallbackName,
  index: number | undefined,
  thrown: unknown,
  task: { readonly result?: unknown; readonly error?: unknown },
  site?: CallSite,
): CallbackError {
  const error = new CallbackError(callbackMessage(which, index), task, { cause: thrown })
  if (site !== undefined) showCaller(error, site)
  return error
}

function makeError({ index, position }: ItemErrorWhere, failed: ItemFailure): Error {
  const { failure, pid, attempts } = failed
  switch (failure.kind) {
    case 'error':
      return makeTaskError(failure.error, itemPlace(index, failed))
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
      return new InputError(inputMessage(index, failure, position), { index })
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

function makeTaskError(data: ErrorData, place: RemotePlace): Error {
  const cause = makeRemoteTraceback(place, data)
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
