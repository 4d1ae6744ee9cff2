// A failed item's error as plain JSON data, for files that other programs read: `--errors`, `--envelope`, reports.
// Knows nothing of files, and shows everything as it was: JSON escapes what a terminal must not see.

import type { ErrorData } from '../../error-data.js'
import type { ItemFailure } from '../../model.js'
import { previewValue } from '../capture/to-cloneable.js'
import { type FrameOptions, formatFrames } from '../frames.js'
import { nonErrorMessage } from '../messages.js'
import { type ItemErrorWhere, makeItemError } from '../rebuild/item-error.js'
import { framesBelow, headerOf } from '../stacks.js'

interface PlainError {
  readonly name: string
  readonly message: string
  /** Header and frames, source-mapped; for what happened inside a task. */
  readonly stack?: string
  /** What an Error had of its own, and `exitCode`, `signal`, `timeoutMs`, `path`, `issues` where the kind has them. */
  readonly [property: string]: unknown
}

export function plainError(where: ItemErrorWhere, failed: ItemFailure, options: FrameOptions): PlainError {
  const { failure } = failed
  if (failure.kind === 'error') return plainData(failure.error, options)
  const { name, message } = makeItemError(where, failed)
  switch (failure.kind) {
    case 'crash':
    case 'oom': {
      const { exitCode, signal, stderrTail, escaped, exitSite } = failure
      const site = formatFrames(framesBelow(`\n${exitSite ?? ''}`), options)
      return {
        name,
        message,
        ...(site !== '' && { stack: `${name}: ${message}${site}` }),
        exitCode,
        signal,
        stderrTail,
        ...(escaped !== undefined && { cause: plainData(escaped, options) }),
      }
    }
    case 'timeout':
      return { name, message, timeoutMs: failure.timeoutMs }
    case 'input':
      return { name, message, position: where.position }
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
    const value = data.cloned ? carried(data.value) : data.preview
    return { name: 'NonErrorThrown', message: nonErrorMessage(data), value }
  }
  const { name, message, frames, props, cause, errors } = data
  const own = Object.fromEntries(Object.entries(props).map(([key, value]) => [key, carried(value)]))
  return {
    ...own,
    name,
    message,
    stack: headerOf(data) + formatFrames(frames, options),
    ...(errors !== undefined && { errors: errors.map((inner) => plainData(inner, options)) }),
    ...(cause !== undefined && { cause: plainData(cause, options) }),
  }
}

/** Itself where JSON can carry it, else what it looks like. */
function carried(value: unknown): unknown {
  try {
    return JSON.stringify(value) === undefined ? previewValue(value) : value
  } catch {
    return previewValue(value)
  }
}
