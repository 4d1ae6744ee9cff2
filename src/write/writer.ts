// Converts results to the `--format` of the output. Its input has one item per line, each with its line end: JSON, or what
// `raw` writes.
import { asBuffer } from '../framing/bytes.js'
import { rawOutput, unquoted } from '../framing/raw-lines.js'
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

const FORMATS: Readonly<Record<Exclude<OutputFormat, TableFormat>, Format>> = {
  ndjson: {},
  json: { begin: '[', convert: asElements, end: ']\n' },
  raw: { convert: unquoted },
}

export interface WriterOptions {
  readonly format: OutputFormat
  /** `apply`: there is one result, which `json` writes without an array around it. */
  readonly single?: boolean
  /** The lines are raw ones, as `TaskSpec.raw` requests them. */
  readonly areRaw?: boolean
  /** For `csv` and `tsv`. */
  readonly table?: Table | undefined
}

export function createWriter(options: WriterOptions, sink: ByteSink): Writer {
  const { format, single = false, areRaw = false, table } = options
  if (areRaw) return { write: (lines) => writeNotEmpty(rawOutput(lines), sink), end() {} }
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

function writeNotEmpty(bytes: Uint8Array, sink: ByteSink): void | Promise<void> {
  if (bytes.length > 0) return sink.write(bytes)
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
