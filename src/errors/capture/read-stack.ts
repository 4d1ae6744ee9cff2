// Reads the frames of an error as V8 has them, with locations of the compiled module. With source maps enabled in the
// process, Node maps every frame when `.stack` is first read, which is slow. So `Error.prepareStackTrace` is replaced
// during the read and restored afterwards, whether it was Node's or the job's own.
import { indexOf, NativeError, slice, trimStart } from './builtins.js'
import { read } from './inspect-error.js'
import { truncateFrames } from './limits.js'

/** Input and output of `format`, which V8 calls synchronously. */
let header = ''
let formatted: string | undefined

/** The place in the source of a place in compiled code, as `file:line:column`; `undefined` for code that is not. */
export type MapFrame = (file: string, line: number, column: number) => string | undefined

let mapFrame: MapFrame | undefined

/** Frames leave this process with places in the sources that the user wrote. */
export function mapFramesWith(map: MapFrame): void {
  mapFrame = map
}

/** V8 keeps the return value as the error's `stack`, so it must look like one. */
function format(_error: unknown, sites: readonly unknown[]): string {
  let frames = ''
  for (let i = 0; i < sites.length; i++) frames += `\n    at ${frameText(sites[i])}`
  formatted = slice(frames, 1)
  return header + frames
}

function frameText(site: unknown): string {
  const text = `${site}`
  if (mapFrame === undefined) return text
  const { file, line, column } = placeOf(site as NodeJS.CallSite)
  const mapped = file && mapFrame(file, line, column)
  if (!mapped) return text
  const place = `${file}:${line}:${column}`
  const at = indexOf(text, place)
  return at < 0 ? text : `${slice(text, 0, at)}${mapped}${slice(text, at + place.length)}`
}

function placeOf(site: NodeJS.CallSite) {
  return { file: site.getFileName(), line: site.getLineNumber() ?? 0, column: site.getColumnNumber() ?? 0 }
}

/** The frames without the header; empty if there are none. */
export function readRawFrames(error: object, name: string, message: string): string {
  header = message === '' ? name : `${name}: ${message}`
  formatted = undefined
  const stack = readWith(format, error)
  // If `format` was not called, the stack was read before (the job logged it), or V8 did not make it.
  if (formatted !== undefined) return truncateFrames(formatted)
  return typeof stack === 'string' ? truncateFrames(framesAfterMessage(stack, message)) : ''
}

function readWith(formatter: typeof format, error: object): unknown {
  try {
    const previous = NativeError.prepareStackTrace
    NativeError.prepareStackTrace = formatter
    try {
      return read(error, 'stack')
    } finally {
      // May throw (the job froze `Error`, or defined a setter that throws); `formatted` is set by then.
      NativeError.prepareStackTrace = previous
    }
  } catch {
    return read(error, 'stack')
  }
}

/** Searches after the message, which may itself contain lines that look like frames. */
function framesAfterMessage(stack: string, message: string): string {
  const at = message === '' ? -1 : indexOf(stack, message)
  const end = at < 0 ? 0 : at + message.length
  const first = indexOf(stack, '\n    at ', end)
  // Without frames, the text after the message was set by the job: better than nothing.
  const frames = first >= 0 ? slice(stack, first + 1) : at < 0 ? '' : trimStart(slice(stack, end))
  const location = locationAboveHeader(stack)
  return location === '' ? frames : `${location}\n${frames}`
}

/**
 * Node puts `file:line`, the source line and a caret above the header of a SyntaxError: its only location. Returned as
 * a frame.
 */
function locationAboveHeader(stack: string): string {
  const first = indexOf(stack, '\n')
  const second = first < 0 ? -1 : indexOf(stack, '\n', first + 1)
  if (second < 0) return ''
  const below = trimStart(slice(stack, second + 1))
  if (slice(below, 0, 1) !== '^') return ''
  const caret = indexOf(stack, '^', second) - second
  const place = slice(stack, 0, first)
  return `    at ${mapPlace(place, caret) ?? `${place}:${caret}`}`
}

/** `place` is `file:line`. */
function mapPlace(place: string, column: number): string | undefined {
  const colon = place.lastIndexOf(':')
  return mapFrame?.(slice(place, 0, colon), Number(slice(place, colon + 1)), column)
}
