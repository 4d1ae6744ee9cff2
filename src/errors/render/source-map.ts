// Maps a location of a compiled module to its source, by the map next to the file or the one that its last
// `sourceMappingURL` comment names. Each map is read once, when it is first needed. Never throws: without a map, or with
// a broken one, the result is `undefined`.
import { readFileSync, statSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Line and column are 1-based, as in stacks. */
export interface SourceLocation {
  /** Absolute path, or a URL if the source is not a file. */
  readonly file: string
  readonly line: number
  readonly column: number
}

interface LoadedMap {
  readonly map: SourceMap
  /** Relative source names are resolved against this. */
  readonly base: URL
}

/** Larger files, compiled or map, are not read. */
const MAX_BYTES = 64 * 1024 * 1024
const loaded = new Map<string, LoadedMap | undefined>()

export function originalLocation({ file, line, column }: SourceLocation): SourceLocation | undefined {
  try {
    if (!loaded.has(file)) {
      loaded.set(file, undefined) // a map that cannot be read is not tried again
      loaded.set(file, loadMap(file))
    }
    const found = loaded.get(file)
    const entry = found?.map.findEntry(line - 1, column - 1)
    if (found === undefined || entry === undefined || !('originalSource' in entry)) return undefined
    // For a column before the first mapping of its line, findEntry returns an entry of an earlier line.
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
  const adjacent = readText(`${file}.map`)
  if (adjacent !== undefined) return parseMap(adjacent, pathToFileURL(`${file}.map`))
  const url = sourceMappingUrl(readText(file) ?? '')
  if (url === undefined) return undefined
  const fileUrl = pathToFileURL(file)
  if (url.startsWith('data:')) return parseMap(decodeDataUrl(url), fileUrl)
  const mapUrl = new URL(url, fileUrl)
  const text = readText(fileURLToPath(mapUrl))
  return text === undefined ? undefined : parseMap(text, mapUrl)
}

/** The URL in the last `sourceMappingURL` comment, if only white space follows it. */
function sourceMappingUrl(code: string): string | undefined {
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
  // Servers may prepend `)]}'` as a protection against script inclusion.
  const payload: SourceMapPayload = JSON.parse(text.replace(/^\)\]\}'[^\n]*\n/, ''))
  const root = payload.sourceRoot ?? ''
  // Node's SourceMap does not apply `sourceRoot`.
  return {
    map: new SourceMap(payload),
    base: new URL(root === '' || root.endsWith('/') ? root : `${root}/`, url),
  }
}

function sourceFile(source: string, base: URL): string {
  // Some compilers write URLs, others plain paths. A `?`, a `#` or a lone `%` is part of the name in both.
  const url = new URL(source.replace(/[#?]|%(?![0-9a-f]{2})/gi, encodeURIComponent), base)
  return url.protocol === 'file:' ? fileURLToPath(url) : url.href
}

/** Regular files only: a job can forge a stack, and reading a pipe or device named there would block. */
function readText(file: string): string | undefined {
  try {
    const stats = statSync(file)
    return stats.isFile() && stats.size <= MAX_BYTES ? readFileSync(file, 'utf8') : undefined
  } catch {
    return undefined
  }
}
