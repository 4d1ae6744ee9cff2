// What a file's extension says about its items' format and its compression.
import { extname } from 'node:path'
import type { InputFormat } from '../plan.js'

const BY_EXTENSION: Readonly<Record<string, InputFormat>> = {
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.txt': 'lines',
  '.csv': 'csv',
  '.tsv': 'tsv',
}

const COMPRESSED = ['.gz', '.br', '.zst'] as const
export type Compressed = (typeof COMPRESSED)[number]

export function isCompressed(extension: string): extension is Compressed {
  return (COMPRESSED as readonly string[]).includes(extension)
}

/** `data.csv.gz` is CSV. */
export function formatOf(path: string): InputFormat | undefined {
  const extension = extname(path).toLowerCase()
  if (isCompressed(extension)) return formatOf(path.slice(0, -extension.length))
  return BY_EXTENSION[extension]
}
