// Turns esbuild's messages into one JobError: location, text, source line and caret of each.
import path from 'node:path'
import type { Message } from 'esbuild'
import { JobError } from '../errors/classes.js'
import { showPath } from './reference.js'

const MAX_ERRORS = 10
/** Lines of generated sources can fill a screen. Show only this much around the caret. */
const MAX_COLUMNS = 120

/** `base` is the directory that the messages' paths are relative to. */
export function compileError(messages: readonly Message[], base: string, cwd: string): JobError {
  const shown = messages.slice(0, MAX_ERRORS).map((message) => describe(message, base, cwd))
  if (messages.length > shown.length) shown.push(`… and ${messages.length - shown.length} more errors`)
  return new JobError(shown.join('\n'))
}

function describe({ text, location }: Message, base: string, cwd: string): string {
  if (location === null) return text
  // esbuild counts columns in bytes of UTF-8.
  const before = Buffer.from(location.lineText).subarray(0, location.column).toString()
  const file = showPath(path.resolve(base, location.file), cwd)
  const head = `${file}:${location.line}:${before.length + 1}: ${text}`
  return location.lineText.trim() === '' ? head : `${head}\n${excerpt(location.lineText, before.length)}`
}

function excerpt(line: string, column: number): string {
  const from = Math.max(0, column - MAX_COLUMNS / 2)
  const visible = line.slice(from, from + MAX_COLUMNS).trimEnd()
  // Tabs stay tabs, so that the caret is under its character for any tab width.
  const padding = line.slice(from, column).replace(/[^\t]/g, ' ')
  return `    ${visible}\n    ${padding}^`
}
