// Turns the frames V8 wrote into what people look for: locations in their own sources, relative to the working
// directory, without frames of poolrun and Node.
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ErrorData } from '../../error-data.js'
import { originalLocation, type SourceLocation } from './source-map.js'

export interface FrameOptions {
  /** Paths below this folder are shown relative to it; without it all paths are absolute. */
  readonly cwd?: string | undefined
  /** Keep poolrun's and Node's own frames. */
  readonly fullStack?: boolean | undefined
  /** Folders whose frames count as poolrun's own. */
  readonly ownFolders?: readonly string[] | undefined
  /** Source lines to show below a remote block, without a line end at the end; empty for none. */
  readonly excerpt?: ((error: ErrorData) => string) | undefined
}

export interface Frame {
  /** `at task (jobs/a.ts:6:11)`, or the unchanged line if it is not a frame. */
  readonly text: string
  /** Location in the source, for frames that have one. */
  readonly location?: SourceLocation
}

/** `dist`, `src` and `bin` of this package. All of them, because a source map leads from `dist` to `src`. */
const OWN_FOLDERS = ownFolders(import.meta.filename)

const FRAME = /^at (.*)$/
/** `name (location)`; the location of eval'd code contains parentheses itself. */
const NAMED = /^(.*?) \((.*)\)$/
const ANONYMOUS = /^(async )?(.*)$/
const EVAL_ORIGIN = /\(([^()]+:\d+)\)/
const LOCATION = /^(.+?)(?::(\d+))?:(\d+)$/

export function parseFrames(frames: string, options: FrameOptions = {}): Frame[] {
  const kept: Frame[] = []
  let hasUserFrame = false
  // From the outermost frame inwards: a frame without a location (`Array.map`, `new Promise`) is kept if its caller is.
  let callerKept = true
  for (const line of frames.split('\n').reverse()) {
    if (line.trim() === '') continue
    const read = readFrame(line.trim(), options)
    if (read.owner !== 'caller') callerKept = read.owner === 'user' || options.fullStack === true
    if (read.owner === 'user') hasUserFrame = true
    if (callerKept) kept.push(read.frame)
  }
  return hasUserFrame || options.fullStack === true ? kept.reverse() : []
}

/** The frames as they follow a header: each with a line feed and four spaces before it. */
export function formatFrames(frames: string, options?: FrameOptions): string {
  return parseFrames(frames, options)
    .map((frame) => `\n    ${frame.text}`)
    .join('')
}

interface ReadFrame {
  readonly frame: Frame
  /** `caller`: no location of its own, treated like the frame that called it. */
  readonly owner: 'user' | 'internal' | 'caller'
}

function readFrame(line: string, options: FrameOptions): ReadFrame {
  const body = FRAME.exec(line)?.[1]
  if (body === undefined) return { frame: { text: line }, owner: 'user' }
  const named = NAMED.exec(body)
  if (named !== null) {
    const [, name = '', location = ''] = named
    return readLocation(location, (shown) => `at ${name} (${shown})`, options)
  }
  const [, async = '', location = ''] = ANONYMOUS.exec(body)!
  return readLocation(location, (shown) => `at ${async}${shown}`, options)
}

function readLocation(text: string, frameText: (shown: string) => string, options: FrameOptions): ReadFrame {
  if (text.startsWith('eval at ')) {
    // The useful location of eval'd code is where eval was called: the innermost parentheses.
    const shown = text.replace(EVAL_ORIGIN, (_, origin: string) => `(${locate(origin, options).shown})`)
    return { frame: { text: frameText(shown) }, owner: 'user' }
  }
  const { shown, owner, location } = locate(text, options)
  const frame = location === undefined ? { text: frameText(shown) } : { text: frameText(shown), location }
  return { frame, owner }
}

interface Located {
  readonly shown: string
  readonly owner: ReadFrame['owner']
  readonly location?: SourceLocation
}

/** `text` is `file:line:column`, `file:line`, or something without a location such as `<anonymous>`. */
function locate(text: string, options: FrameOptions): Located {
  const [, where = '', line, last = ''] = LOCATION.exec(text) ?? []
  if (where === '') return { shown: text, owner: 'caller' }
  if (where.startsWith('node:')) return { shown: text, owner: 'internal' }
  const file = pathOf(where)
  if (file === undefined) return { shown: text, owner: 'user' }
  const compiled = { file, line: Number(line ?? last), column: line === undefined ? 1 : Number(last) }
  const location = originalLocation(compiled) ?? compiled
  const shown = `${shownPath(location.file, options.cwd)}:${location.line}:${location.column}`
  const own = (options.ownFolders ?? OWN_FOLDERS).some((folder) => file.startsWith(folder + sep))
  return { shown, owner: own ? 'internal' : 'user', location }
}

/** `undefined` if it is not a file: `evalmachine.<anonymous>`, `wasm://…`. */
function pathOf(where: string): string | undefined {
  if (isAbsolute(where)) return where
  if (!where.startsWith('file:')) return undefined
  try {
    return fileURLToPath(where)
  } catch {
    return undefined
  }
}

function shownPath(file: string, cwd: string | undefined): string {
  if (cwd === undefined || !isAbsolute(file)) return file
  const path = relative(cwd, file)
  return path === '' || isAbsolute(path) || path.split(sep)[0] === '..' ? file : path
}

function ownFolders(here: string): string[] {
  let folder = dirname(here)
  while (!['dist', 'src'].includes(basename(folder)) && folder !== dirname(folder)) folder = dirname(folder)
  return folder === dirname(folder)
    ? []
    : [join(folder, '..', 'dist'), join(folder, '..', 'src'), join(folder, '..', 'bin')]
}
