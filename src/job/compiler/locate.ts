// Where something is in a source file, for messages about what its imports name.
import { SourceMap } from 'node:module'
import type { Message } from 'esbuild'

export interface Located {
  readonly code: string
  readonly map?: string
}

/** The place in the source, from 1, of a place in the code that was made from it. */
export function placeIn({ code, map }: Located, index: number): { line: number; column: number } {
  const before = code.slice(0, index)
  const line = before.split('\n').length
  const column = index - before.lastIndexOf('\n')
  if (map === undefined) return { line, column }
  const entry = new SourceMap(JSON.parse(map)).findEntry(line - 1, column - 1)
  if (!('originalSource' in entry)) return { line, column }
  return { line: entry.originalLine + 1, column: entry.originalColumn + 1 }
}

export function messageAt(
  text: string,
  file: string,
  source: string,
  located: Located,
  index: number,
): Message {
  const { line, column } = placeIn(located, index)
  const lineText = source.split('\n')[line - 1] ?? ''
  const bytes = Buffer.byteLength(lineText.slice(0, column - 1))
  return {
    id: '',
    pluginName: '',
    text,
    location: { file, namespace: 'file', line, column: bytes, length: 1, lineText, suggestion: '' },
    notes: [],
    detail: undefined,
  }
}
