// Turns the frames V8 wrote into what a person looks for: positions in their own sources, relative to where they
// stand, without poolrun's and Node's internals. Knows nothing of errors or of where frames are printed.
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ErrorData } from '../../error-data.js'
import { originalPosition, type Position } from './source-map.js'

export interface FrameOptions {
  /** Paths below it are shown relative to it; without it all are absolute. */
  readonly cwd?: string | undefined
  /** Keep poolrun's and Node's own frames. */
  readonly fullStack?: boolean | undefined
  /** Folders whose files are poolrun's own. */
  readonly ownFolders?: readonly string[] | undefined
  /** What of the source stands under a remote block: whole lines without the last line end, or nothing. */
  readonly excerpt?: ((error: ErrorData) => string) | undefined
}

export interface Frame {
  /** `at task (jobs/a.ts:6:11)`, or the line as it was where it is no frame. */
  readonly text: string
  /** In the source; for frames that have one. */
  readonly position?: Position
}

/** `dist`, `src` and `bin` of this package, whichever of them this runs from: maps may lead from one to the other. */
const OWN_FOLDERS = ownFolders(import.meta.filename)

const FRAME = /^at (.*)$/
/** `name (place)`; the place of eval'd code has parentheses of its own. */
const NAMED = /^(.*?) \((.*)\)$/
const ANONYMOUS = /^(async )?(.*)$/
const EVAL_ORIGIN = /\(([^()]+:\d+)\)/
const PLACE = /^(.+?)(?::(\d+))?:(\d+)$/

export function parseFrames(frames: string, options: FrameOptions = {}): Frame[] {
  const kept: Frame[] = []
  let anyOfUser = false
  // From the outermost inwards: what has no place (`Array.map`, `new Promise`) shares the fate of its caller.
  let callerKept = true
  for (const line of frames.split('\n').reverse()) {
    if (line.trim() === '') continue
    const read = readFrame(line.trim(), options)
    if (read.owner !== 'caller') callerKept = read.owner === 'user' || options.fullStack === true
    if (read.owner === 'user') anyOfUser = true
    if (callerKept) kept.push(read.frame)
  }
  return anyOfUser || options.fullStack === true ? kept.reverse() : []
}

/** As they stand under a header line: each with its own line end and four spaces before it. */
export function formatFrames(frames: string, options?: FrameOptions): string {
  return parseFrames(frames, options)
    .map((frame) => `\n    ${frame.text}`)
    .join('')
}

interface ReadFrame {
  readonly frame: Frame
  readonly owner: 'user' | 'internal' | 'caller'
}

function readFrame(line: string, options: FrameOptions): ReadFrame {
  const body = FRAME.exec(line)?.[1]
  if (body === undefined) return { frame: { text: line }, owner: 'user' }
  const named = NAMED.exec(body)
  if (named !== null) {
    const [, name = '', place = ''] = named
    return readPlace(place, (shown) => `at ${name} (${shown})`, options)
  }
  const [, async = '', place = ''] = ANONYMOUS.exec(body)!
  return readPlace(place, (shown) => `at ${async}${shown}`, options)
}

function readPlace(place: string, text: (shown: string) => string, options: FrameOptions): ReadFrame {
  if (place.startsWith('eval at ')) {
    // What is of use is where eval was called: the innermost place.
    const shown = place.replace(EVAL_ORIGIN, (_, origin: string) => `(${locate(origin, options).shown})`)
    return { frame: { text: text(shown) }, owner: 'user' }
  }
  const { shown, owner, position } = locate(place, options)
  return { frame: position === undefined ? { text: text(shown) } : { text: text(shown), position }, owner }
}

interface Located {
  readonly shown: string
  readonly owner: ReadFrame['owner']
  readonly position?: Position
}

function locate(place: string, options: FrameOptions): Located {
  const [, where = '', line, last = ''] = PLACE.exec(place) ?? []
  if (where === '') return { shown: place, owner: 'caller' }
  if (where.startsWith('node:')) return { shown: place, owner: 'internal' }
  const file = pathOf(where)
  if (file === undefined) return { shown: place, owner: 'user' }
  const compiled = { file, line: Number(line ?? last), column: line === undefined ? 1 : Number(last) }
  const position = originalPosition(compiled) ?? compiled
  const shown = `${shownPath(position.file, options.cwd)}:${position.line}:${position.column}`
  const own = (options.ownFolders ?? OWN_FOLDERS).some((folder) => file.startsWith(folder + sep))
  return { shown, owner: own ? 'internal' : 'user', position }
}

/** `undefined` for what is no file: `evalmachine.<anonymous>`, `wasm://…`. */
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
