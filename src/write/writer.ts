// Converts results to the `--format` of the output. Its input is always JSON, one item per line, each with its line end.
import { asBuffer } from '../framing/bytes.js'
import { arrayLines, resultLines } from '../framing/result-lines.js'
import { isTable, type OutputFormat, type TableFormat } from '../plan.js'
import type { ByteSink } from './output.js'
import type { Table } from './table.js'

export interface Writer {
  write(lines: Uint8Array): void | Promise<void>
  /** Completes the document. Call it for a run that stops early, too. */
  end(): void | Promise<void>
}

interface Format {
  readonly begin?: string
  convert?(lines: Buffer, first: boolean): Uint8Array
  readonly end?: string
}

const LF = 0x0a
const COMMA = 0x2c
const QUOTE = 0x22

const FORMATS: Readonly<Record<Exclude<OutputFormat, TableFormat>, Format>> = {
  ndjson: {},
  json: { begin: '[', convert: asElements, end: ']\n' },
  raw: { convert: unquoted },
}

export interface WriterOptions {
  readonly format: OutputFormat
  /** `apply`: there is one result, which `json` writes without an array around it. */
  readonly single?: boolean
  /** For `csv` and `tsv`. */
  readonly table?: Table | undefined
}

export function createWriter({ format, single = false, table }: WriterOptions, sink: ByteSink): Writer {
  const asValue = single && format === 'json'
  const { begin, convert, end } = formatOf(asValue ? 'ndjson' : format, table)
  let first = true
  return {
    write(itemLines) {
      const lines = asValue ? arrayLines(asBuffer(itemLines)) : resultLines(asBuffer(itemLines))
      if (lines.length === 0) return
      if (convert === undefined) return sink.write(lines)
      const bytes = convert(lines, first)
      if (!first || begin === undefined) return sink.write(bytes)
      first = false
      return sink.write(Buffer.concat([Buffer.from(begin), bytes]))
    },
    end() {
      if (end !== undefined) return sink.write(Buffer.from(first && begin !== undefined ? begin + end : end))
    },
  }
}

function formatOf(format: OutputFormat, table: Table | undefined): Format {
  if (!isTable(format)) return FORMATS[format]
  return { convert: (lines) => table!.rows(lines) }
}

/** Inside JSON written by a worker there are no line feeds, so each one separates two results and becomes a comma. */
function asElements(lines: Buffer, first: boolean): Uint8Array {
  const size = lines.length - 1
  const bytes = Buffer.allocUnsafe(first ? size : size + 1)
  const start = first ? 0 : 1
  bytes[0] = COMMA
  lines.copy(bytes, start, 0, size)
  for (let lf = bytes.indexOf(LF); lf !== -1; lf = bytes.indexOf(LF, lf + 1)) bytes[lf] = COMMA
  return bytes
}

function unquoted(lines: Buffer): Uint8Array {
  const parts: Uint8Array[] = []
  let plain = 0
  for (let start = 0; start < lines.length; ) {
    const lf = lines.indexOf(LF, start)
    if (lines[start] === QUOTE) {
      const text: string = JSON.parse(lines.toString('utf8', start, lf))
      parts.push(lines.subarray(plain, start), Buffer.from(`${text}\n`))
      plain = lf + 1
    }
    start = lf + 1
  }
  return parts.length === 0 ? lines : Buffer.concat([...parts, lines.subarray(plain)])
}
