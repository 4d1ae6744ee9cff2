// A failed item's error as plain JSON data, for files that other programs read: `--errors`, `--envelope`, reports.
// Nothing is sanitised: JSON escapes what a terminal must not receive.

import type { ErrorData } from '../../error-data.js'
import type { ItemFailure } from '../../model.js'
import { previewValue } from '../capture/to-cloneable.js'
import { nonErrorMessage } from '../messages.js'
import { type ItemErrorContext, makeItemError } from '../rebuild/item-error.js'
import { framesAfterHeader, headerOf } from '../stacks.js'
import { type FrameOptions, formatFrames } from './frames.js'

interface PlainError {
  readonly name: string
  readonly message: string
  /** Header and frames, mapped to the sources; for errors that a task threw. */
  readonly stack?: string
  /** The error's own properties, and `exitCode`, `signal`, `timeoutMs`, `path`, `issues` where the kind has them. */
  readonly [property: string]: unknown
}

export function plainError(
  context: ItemErrorContext,
  failed: ItemFailure,
  options: FrameOptions,
): PlainError {
  const { failure } = failed
  if (failure.kind === 'error') return plainData(failure.error, options)
  const { name, message } = makeItemError(context, failed)
  switch (failure.kind) {
    case 'crash':
    case 'oom': {
      const { exitCode, signal, stderrTail, escaped, exitSite } = failure
      const frames = formatFrames(framesAfterHeader(`\n${exitSite ?? ''}`), options)
      return {
        name,
        message,
        ...(frames !== '' && { stack: `${name}: ${message}${frames}` }),
        exitCode,
        signal,
        stderrTail,
        ...(escaped !== undefined && { cause: plainData(escaped, options) }),
      }
    }
    case 'timeout':
      return {
        name,
        message,
        timeoutMs: failure.timeoutMs,
        ...(failure.command !== undefined && { command: failure.command }),
      }
    case 'input':
      return { name, message, position: context.location }
    case 'validation':
      return { name, message, issues: failure.issues }
    case 'encoding':
      return { name, message, side: failure.side, path: failure.path }
    default:
      return failure satisfies never
  }
}

function plainData(data: ErrorData, options: FrameOptions): PlainError {
  if (data.type === 'thrown') {
    const value = data.cloned ? jsonOrPreview(data.value) : data.preview
    return { name: 'NonErrorThrown', message: nonErrorMessage(data), value }
  }
  const { name, message, frames, props, cause, errors } = data
  const own = Object.fromEntries(Object.entries(props).map(([key, value]) => [key, jsonOrPreview(value)]))
  return {
    ...own,
    name,
    message,
    stack: headerOf(data) + formatFrames(frames, options),
    ...(errors !== undefined && { errors: errors.map((inner) => plainNested(inner, options)) }),
    ...(cause !== undefined && { cause: plainNested(cause, options) }),
  }
}

/** A cause or an inner error. An object that is not an Error need not have been thrown: it stays what it is. */
function plainNested(data: ErrorData, options: FrameOptions): unknown {
  const isObject =
    data.type === 'thrown' && data.cloned && typeof data.value === 'object' && data.value !== null
  return isObject ? jsonOrPreview(data.value) : plainData(data, options)
}

/** The value itself if JSON can represent it, else a preview. */
function jsonOrPreview(value: unknown): unknown {
  try {
    return JSON.stringify(value) === undefined ? previewValue(value) : value
  } catch {
    return previewValue(value)
  }
}
