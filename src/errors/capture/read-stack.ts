// Reads the frames of an error as V8 has them, positions of the compiled module, cheaply: with source maps enabled in
// the process each `.stack` read maps every frame, so a formatter of our own stands in while one is read. The job's
// formatter, if it has set one, is bypassed and put back.
import { indexOf, NativeError, slice, trimStart } from './builtins.js'
import { read } from './inspect-error.js'
import { cutFrames } from './limits.js'

let header = ''
let formatted: string | undefined

/** V8 keeps what this returns as the error's stack, so it returns what a stack looks like. */
function format(_error: unknown, sites: readonly unknown[]): string {
  let frames = ''
  for (let i = 0; i < sites.length; i++) frames += `\n    at ${sites[i]}`
  formatted = slice(frames, 1)
  return header + frames
}

/** Frames without the header; empty where there are none. */
export function readRawFrames(error: object, name: string, message: string): string {
  header = message === '' ? name : `${name}: ${message}`
  formatted = undefined
  const stack = readWith(format, error)
  // Not called: the stack was read before (the job logged it), or is no stack of V8's.
  if (formatted !== undefined) return cutFrames(formatted)
  return typeof stack === 'string' ? cutFrames(framesOf(stack, message)) : ''
}

function readWith(formatter: typeof format, error: object): unknown {
  try {
    const previous = NativeError.prepareStackTrace
    NativeError.prepareStackTrace = formatter
    try {
      return read(error, 'stack')
    } finally {
      // `Error` may have been frozen, or the job's accessor may throw: what was read still counts.
      NativeError.prepareStackTrace = previous
    }
  } catch {
    return read(error, 'stack')
  }
}

/** The message may itself hold lines that look like frames, so the search begins after it. */
function framesOf(stack: string, message: string): string {
  const at = message === '' ? -1 : indexOf(stack, message)
  const end = at < 0 ? 0 : at + message.length
  const first = indexOf(stack, '\n    at ', end)
  // Without frames, what follows the message was written by whoever set this stack: better than nothing.
  const frames = first >= 0 ? slice(stack, first + 1) : at < 0 ? '' : trimStart(slice(stack, end))
  const place = placeAbove(stack)
  return place === '' ? frames : `${place}\n${frames}`
}

/** Node puts `file:line`, the line and a caret above a SyntaxError's header: the only place that error has. */
function placeAbove(stack: string): string {
  const first = indexOf(stack, '\n')
  const second = first < 0 ? -1 : indexOf(stack, '\n', first + 1)
  if (second < 0) return ''
  const below = trimStart(slice(stack, second + 1))
  if (slice(below, 0, 1) !== '^') return ''
  const caret = indexOf(stack, '^', second) - second
  return `    at ${slice(stack, 0, first)}:${caret}`
}
