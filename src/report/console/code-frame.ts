// A code frame: the few lines of source around the location where an item failed, for a terminal. Only from a local
// source file that has not changed since the run began, because a wrong line would mislead.
// Import lazily: @babel/code-frame is slow to load.
import { readFileSync, statSync } from 'node:fs'
import { sep } from 'node:path'
import { codeFrameColumns } from '@babel/code-frame'
import type { ErrorData } from '../../error-data.js'
import { type FrameOptions, parseFrames } from '../../errors/render/frames.js'
import { sanitise } from '../../errors/render/sanitise.js'
import type { SourceLocation } from '../../errors/render/source-map.js'

/** Larger files are generated code. */
const MAX_FILE_BYTES = 256 * 1024
/** Longer lines are generated code. */
const MAX_LINE_CHARACTERS = 200
const LINES_AROUND = 2
/** Many failures come from few locations. */
const MAX_CACHED_EXCERPTS = 100
const SOURCE_FILE = /\.[cm]?[jt]sx?$/

interface CodeFrameOptions extends FrameOptions {
  readonly color: boolean
  /** Milliseconds since the epoch: files that were changed later are not shown. */
  readonly since: number
}

/** The function returns whole lines, without a newline at the end, or an empty string. */
export function createCodeFrames(options: CodeFrameOptions): (error: ErrorData) => string {
  const { color, since } = options
  const cache = new Map<string, string>()

  function excerpt({ file, line, column }: SourceLocation): string {
    const source = readSource(file, since)
    if (source === undefined) return ''
    const lines = source.trimEnd().split(/\r?\n/)
    if (line > lines.length) return ''
    const shown = lines.slice(Math.max(0, line - 1 - LINES_AROUND), line + LINES_AROUND)
    if (shown.some(({ length }) => length > MAX_LINE_CHARACTERS)) return ''
    return codeFrameColumns(
      lines.map(sanitise).join('\n'),
      { start: { line, column } },
      { linesAbove: LINES_AROUND, linesBelow: LINES_AROUND, highlightCode: color, forceColor: color },
    )
  }

  return (error) => {
    const location = locationOf(error, options)
    if (location === undefined) return ''
    const key = `${location.file}:${location.line}:${location.column}`
    const text = cache.get(key) ?? excerpt(location)
    if (cache.size < MAX_CACHED_EXCERPTS) cache.set(key, text)
    return text
  }
}

/** The first location in the job's own code, not in a package; of a cause if the error itself has none. */
function locationOf(error: ErrorData, options: FrameOptions): SourceLocation | undefined {
  if (error.type !== 'error') return undefined
  const frame = parseFrames(error.frames, { ...options, fullStack: false }).find(
    ({ location }) => location !== undefined && !location.file.includes(`${sep}node_modules${sep}`),
  )
  if (frame?.location !== undefined) return frame.location
  return error.cause === undefined ? undefined : locationOf(error.cause, options)
}

function readSource(file: string, since: number): string | undefined {
  try {
    if (!SOURCE_FILE.test(file)) return undefined
    const stats = statSync(file)
    const fit = stats.isFile() && stats.size <= MAX_FILE_BYTES && stats.mtimeMs <= since
    return fit ? readFileSync(file, 'utf8') : undefined
  } catch {
    // Deleted, or not a file on this machine.
    return undefined
  }
}
