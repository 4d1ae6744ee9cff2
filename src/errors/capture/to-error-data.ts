// Turns whatever a job threw into plain data that crosses a process boundary whole. Runs in the worker, for every
// item that fails: it never throws and never loses the message, whatever the job did to its error or to the globals.
// Knows nothing of items, of source maps or of how an error is shown.
//
// Measured on Node 20 to 26 with source maps enabled, a plain Error of seven frames: 5 to 7 µs, nearly all of it V8
// writing the frames (see read-stack.ts); reading its `.stack` alone through Node's mapping took 5 to 10.
import type { ErrorData } from '../../error-data.js'
import { isArray } from './builtins.js'
import { errorProperties, NO_PROPS } from './error-properties.js'
import { builtinOf, hasOwn, isError, messageOf, nameOf, read, UNREADABLE } from './inspect-error.js'
import { Limits, MAX_DEPTH, MAX_PARTS } from './limits.js'
import { readRawFrames } from './read-stack.js'
import { previewValue, toCloneable, typeNameOf } from './to-cloneable.js'
import { truncate } from './truncate.js'

type ErrorNode = Extract<ErrorData, { type: 'error' }>

export function toErrorData(thrown: unknown): ErrorData {
  try {
    return describe(thrown, { limits: new Limits(), above: [] })
  } catch {
    return describeBare(thrown)
  }
}

/** `above`: the errors this one is a cause or a part of, nearest last. */
interface Walk {
  readonly limits: Limits
  readonly above: object[]
}

function describe(thrown: unknown, walk: Walk): ErrorData {
  return typeof thrown === 'object' && thrown !== null && isError(thrown)
    ? describeError(thrown, walk)
    : describeOther(thrown, walk)
}

function describeOther(thrown: unknown, { limits }: Walk): ErrorData {
  return {
    type: 'thrown',
    typeName: typeNameOf(thrown),
    preview: previewValue(thrown),
    ...toCloneable(thrown, limits),
  }
}

function describeError(error: object, walk: Walk): ErrorData {
  const builtin = builtinOf(error)
  const name = nameOf(error, builtin)
  const message = messageOf(error)
  const data: { -readonly [Key in keyof ErrorNode]: ErrorNode[Key] } = {
    type: 'error',
    name: walk.limits.text(name),
    message: walk.limits.text(message),
    frames: readRawFrames(error, name, message),
    builtin,
    props: NO_PROPS,
  }
  const errors = errorsOf(error, builtin)
  data.props = errorProperties(error, builtin, errors !== undefined, walk.limits)
  walk.above[walk.above.length] = error
  const cause = causeOf(error, walk)
  if (cause !== undefined) data.cause = cause
  if (errors !== undefined) data.errors = describeAll(errors, walk)
  walk.above.length -= 1
  return data
}

function descend(thrown: unknown, walk: Walk): ErrorData {
  for (let i = 0; i < walk.above.length; i++) {
    if (walk.above[i] === thrown) {
      return omitted(`[circular: ${titleOf(walk.above[i]!)}]`)
    }
  }
  if (walk.above.length >= MAX_DEPTH) return omitted(`[cut: more than ${MAX_DEPTH} errors deep]`)
  if (!walk.limits.oneMoreError()) return omitted('[cut: too many errors]')
  return describe(thrown, walk)
}

function describeAll(errors: readonly unknown[], walk: Walk): ErrorData[] {
  const described: ErrorData[] = []
  const { length } = errors
  for (let i = 0; i < length; i++) {
    if (i >= MAX_PARTS) {
      described[i] = omitted(`[${length - i} more errors]`)
      break
    }
    const part = read(errors, i)
    described[i] = part === UNREADABLE ? omitted('[error that cannot be read]') : descend(part, walk)
  }
  return described
}

/** An own `cause`, or one that the class computes; `undefined` says nothing, and a method is no cause. */
function causeOf(error: object, walk: Walk): ErrorData | undefined {
  const cause = read(error, 'cause')
  if (cause === UNREADABLE) return omitted('[cause that cannot be read]')
  if (cause === undefined || (typeof cause === 'function' && !hasOwn(error, 'cause'))) return undefined
  return descend(cause, walk)
}

/** Of an AggregateError, or of any class whose own `errors` are Errors; other lists are properties like any. */
function errorsOf(error: object, builtin: string): readonly unknown[] | undefined {
  try {
    const errors = read(error, 'errors')
    if (!isArray(errors)) return undefined
    if (builtin === 'AggregateError') return errors
    for (let i = 0; i < errors.length; i++) {
      if (typeof errors[i] !== 'object' || errors[i] === null || !isError(errors[i])) return undefined
    }
    return errors.length > 0 ? errors : undefined
  } catch {
    return undefined
  }
}

/** For when the job broke something that even the guarded way needs: the message at least. */
function describeBare(thrown: unknown): ErrorData {
  try {
    if (typeof thrown === 'object' && thrown !== null && isError(thrown)) {
      const message = new Limits().text(messageOf(thrown))
      return { type: 'error', name: 'Error', message, frames: '', builtin: 'Error', props: NO_PROPS }
    }
    return { type: 'thrown', typeName: typeNameOf(thrown), preview: previewValue(thrown), cloned: false }
  } catch {
    return omitted('[error that cannot be described]')
  }
}

function titleOf(error: object): string {
  return `${nameOf(error, builtinOf(error))}: ${truncate(messageOf(error), 60)}`
}

function omitted(note: string): ErrorData {
  return { type: 'thrown', typeName: 'omitted', preview: note, cloned: false, omitted: true }
}
