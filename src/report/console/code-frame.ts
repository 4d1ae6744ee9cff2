// The few lines of source around the place where an item failed, for a terminal. Only of a local source file as it was
// when the run began: a wrong line would mislead, none does not. Knows nothing of what it is printed under. Not for
// whoever may need none: the library that draws takes its time to load.
import { readFileSync, statSync } from 'node:fs'
import { sep } from 'node:path'
import { codeFrameColumns } from '@babel/code-frame'
import type { ErrorData } from '../../error-data.js'
import { type FrameOptions, parseFrames } from '../../errors/render/frames.js'
import { sanitise } from '../../errors/render/sanitise.js'
import type { SourceLocation } from '../../errors/render/source-map.js'

/** A larger one was made by a program, for programs. */
const MAX_BYTES = 256 * 1024
/** As above; it would only fill the terminal. */
const MAX_LINE = 200
const LINES_AROUND = 2
/** Excerpts remembered: failures of a kind come from one place. */
const REMEMBERED = 100
const SOURCE = /\.[cm]?[jt]sx?$/

interface CodeFrameOptions extends FrameOptions {
  readonly color: boolean
  /** Milliseconds since the epoch: files that were changed after it are not shown. */
  readonly since: number
}

/** Gives whole lines without the last line end, or nothing. */
export function createCodeFrames(options: CodeFrameOptions): (error: ErrorData) => string {
  const { color, since } = options
  const known = new Map<string, string>()

  function excerpt({ file, line, column }: SourceLocation): string {
    const source = readSource(file, since)
    if (source === undefined) return ''
    const lines = source.trimEnd().split(/\r?\n/)
    if (line > lines.length) return ''
    const shown = lines.slice(Math.max(0, line - 1 - LINES_AROUND), line + LINES_AROUND)
    if (shown.some(({ length }) => length > MAX_LINE)) return ''
    return codeFrameColumns(
      lines.map(sanitise).join('\n'),
      { start: { line, column } },
      { linesAbove: LINES_AROUND, linesBelow: LINES_AROUND, highlightCode: color, forceColor: color },
    )
  }

  return (error) => {
    const position = positionOf(error, options)
    if (position === undefined) return ''
    const key = `${position.file}:${position.line}:${position.column}`
    const text = known.get(key) ?? excerpt(position)
    if (known.size < REMEMBERED) known.set(key, text)
    return text
  }
}

/** Of the job's own code, not of a package it uses; its causes are asked where the error itself has none. */
function positionOf(error: ErrorData, options: FrameOptions): SourceLocation | undefined {
  if (error.type !== 'error') return undefined
  const frame = parseFrames(error.frames, { ...options, fullStack: false }).find(
    ({ location }) => location !== undefined && !location.file.includes(`${sep}node_modules${sep}`),
  )
  if (frame?.location !== undefined) return frame.location
  return error.cause === undefined ? undefined : positionOf(error.cause, options)
}

function readSource(file: string, since: number): string | undefined {
  try {
    if (!SOURCE.test(file)) return undefined
    const stats = statSync(file)
    const fit = stats.isFile() && stats.size <= MAX_BYTES && stats.mtimeMs <= since
    return fit ? readFileSync(file, 'utf8') : undefined
  } catch {
    // Gone, or no file of this machine.
    return undefined
  }
}
