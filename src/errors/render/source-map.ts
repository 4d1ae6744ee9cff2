// Finds where a position of a compiled module comes from: the map beside the file, or the one its last comment names.
// Each file is read once, when one of its frames is first asked for. Never throws: without a map there is no answer.
import { readFileSync, statSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** 1-based, as in stacks. */
export interface Position {
  /** Absolute path; a URL where the source is no file. */
  readonly file: string
  readonly line: number
  readonly column: number
}

interface LoadedMap {
  readonly map: SourceMap
  /** What relative sources are relative to. */
  readonly base: URL
}

const MAX_BYTES = 64 * 1024 * 1024
const loaded = new Map<string, LoadedMap | undefined>()

export function originalPosition({ file, line, column }: Position): Position | undefined {
  try {
    if (!loaded.has(file)) {
      loaded.set(file, undefined) // a map that cannot be read is not tried again
      loaded.set(file, loadMap(file))
    }
    const found = loaded.get(file)
    const entry = found?.map.findEntry(line - 1, column - 1)
    if (found === undefined || entry === undefined || !('originalSource' in entry)) return undefined
    // Before the first mapping of its line the map answers with an earlier line's.
    if (entry.generatedLine !== line - 1 || entry.originalSource === undefined) return undefined
    return {
      file: sourceFile(entry.originalSource, found.base),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    }
  } catch {
    return undefined
  }
}

function loadMap(file: string): LoadedMap | undefined {
  const beside = readText(`${file}.map`)
  if (beside !== undefined) return parseMap(beside, pathToFileURL(`${file}.map`))
  const url = mapUrl(readText(file) ?? '')
  if (url === undefined) return undefined
  const here = pathToFileURL(file)
  if (url.startsWith('data:')) return parseMap(decodeDataUrl(url), here)
  const named = new URL(url, here)
  const text = readText(fileURLToPath(named))
  return text === undefined ? undefined : parseMap(text, named)
}

/** Of the last such comment; nothing but white space and comment ends may follow. */
function mapUrl(code: string): string | undefined {
  const at = code.lastIndexOf('# sourceMappingURL=')
  return at < 0 ? undefined : /^# sourceMappingURL=(\S+)\s*$/.exec(code.slice(at))?.[1]
}

function decodeDataUrl(url: string): string {
  const comma = url.indexOf(',')
  const data = url.slice(comma + 1)
  return url.slice(0, comma).endsWith(';base64')
    ? Buffer.from(data, 'base64').toString('utf8')
    : decodeURIComponent(data)
}

function parseMap(text: string, url: URL): LoadedMap {
  // Servers may put `)]}'` in front against script inclusion.
  const payload: SourceMapPayload = JSON.parse(text.replace(/^\)\]\}'[^\n]*\n/, ''))
  const root = payload.sourceRoot ?? ''
  // Node's SourceMap leaves `sourceRoot` to its caller.
  return {
    map: new SourceMap(payload),
    base: new URL(root === '' || root.endsWith('/') ? root : `${root}/`, url),
  }
}

function sourceFile(source: string, base: URL): string {
  // Some compilers write URLs, some plain paths: in neither does a source have a query, a hash or a lone per cent.
  const url = new URL(source.replace(/[#?]|%(?![0-9a-f]{2})/gi, encodeURIComponent), base)
  return url.protocol === 'file:' ? fileURLToPath(url) : url.href
}

/** A stack is text that a job may have made up: a pipe or a device named there must not hold the reader. */
function readText(file: string): string | undefined {
  try {
    const stats = statSync(file)
    return stats.isFile() && stats.size <= MAX_BYTES ? readFileSync(file, 'utf8') : undefined
  } catch {
    return undefined
  }
}
